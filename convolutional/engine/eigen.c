/* eigen.c - see eigen.h. */

#include "eigen.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { SWEEPS_MOST = 60 };      /* six to ten are usual */

/* Rotates rows p and q of a matrix. */
static void rotate_rows(int n, double *matrix, int p, int q, double cosine, double sine)
{
    double *a = matrix + (long)p * n, *b = matrix + (long)q * n;
    for (int i = 0; i < n; i++) {
        const double x = a[i], y = b[i];
        a[i] = cosine * x - sine * y;
        b[i] = sine * x + cosine * y;
    }
}

static void rotate_columns(int n, double *matrix, int p, int q, double cosine, double sine)
{
    for (int i = 0; i < n; i++) {
        double *row = matrix + (long)i * n;
        const double x = row[p], y = row[q];
        row[p] = cosine * x - sine * y;
        row[q] = sine * x + cosine * y;
    }
}

/* Makes matrix[p][q] zero. */
static void annihilate(int n, double *matrix, double *vectors, int p, int q)
{
    const double off = matrix[(long)p * n + q];
    const double theta = (matrix[(long)q * n + q] - matrix[(long)p * n + p]) / (2 * off);
    const double tangent = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
    const double cosine = 1 / sqrt(tangent * tangent + 1), sine = tangent * cosine;
    rotate_columns(n, matrix, p, q, cosine, sine);
    rotate_rows(n, matrix, p, q, cosine, sine);
    rotate_rows(n, vectors, p, q, cosine, sine);
}

/* One pass over all pairs. Returns how many were worth a rotation. */
static int sweep(int n, double *matrix, double *vectors)
{
    int rotations = 0;
    for (int p = 0; p < n; p++)
        for (int q = p + 1; q < n; q++) {
            const double scale = fabs(matrix[(long)p * n + p] * matrix[(long)q * n + q]), off = matrix[(long)p * n + q];
            if (off * off <= DBL_EPSILON * DBL_EPSILON * scale || off == 0)
                continue;
            annihilate(n, matrix, vectors, p, q);
            rotations++;
        }
    return rotations;
}

static void swap_rows(int n, double *matrix, int a, int b)
{
    for (int i = 0; i < n; i++) {
        const double x = matrix[(long)a * n + i];
        matrix[(long)a * n + i] = matrix[(long)b * n + i];
        matrix[(long)b * n + i] = x;
    }
}

static void sort(int n, double *values, double *vectors)
{
    for (int i = 0; i < n; i++) {
        int largest = i;
        for (int k = i + 1; k < n; k++)
            if (values[k] > values[largest])
                largest = k;
        const double value = values[i];
        values[i] = values[largest];
        values[largest] = value;
        if (largest != i)
            swap_rows(n, vectors, i, largest);
    }
}

static void fix_sign(int n, double *vector)
{
    int largest = 0;
    for (int i = 1; i < n; i++)
        if (fabs(vector[i]) > fabs(vector[largest]))
            largest = i;
    const double sign = vector[largest] < 0 ? -1 : 1;
    for (int i = 0; i < n; i++)
        vector[i] *= sign;
}

void eigen_symmetric(int n, double *matrix, double *values, double *vectors)
{
    memset(vectors, 0, (size_t)n * (size_t)n * sizeof *vectors);
    for (int i = 0; i < n; i++)
        vectors[(long)i * n + i] = 1;
    for (int i = 0; i < SWEEPS_MOST && sweep(n, matrix, vectors) > 0; i++)
        ;
    for (int i = 0; i < n; i++)
        values[i] = matrix[(long)i * n + i];
    sort(n, values, vectors);
    for (int i = 0; i < n; i++)
        fix_sign(n, vectors + (long)i * n);
}
