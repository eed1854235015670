/* newton_schulz.c - see newton_schulz.h. */

#include "newton_schulz.h"

#include "errors.h"

#include <stdlib.h>

/* y[rows][columns] = a[rows][depth] b, where b(k, j) = b[k * down + j * across] */
static void multiply(size_t rows, size_t columns, size_t depth, const double *a, const double *b, size_t down, size_t across, double *y)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            y[i * columns + j] = 0;
            for (size_t k = 0; k < depth; k++)
                y[i * columns + j] += a[i * depth + k] * b[k * down + j * across];
        }
}

void newton_schulz(size_t rows, size_t columns, double *x, int rounds)
{
    double *s = allocate(rows * rows, sizeof *s, "a matrix"), *once = allocate(rows * columns, sizeof *once, "a matrix"),
           *twice = allocate(rows * columns, sizeof *twice, "a matrix");
    for (int round = 0; round < rounds; round++) {
        multiply(rows, rows, columns, x, x, 1, columns, s);
        multiply(rows, columns, rows, s, x, columns, 1, once);
        multiply(rows, columns, rows, s, once, columns, 1, twice);
        for (size_t i = 0; i < rows * columns; i++)
            x[i] = 3.4445 * x[i] - 4.7750 * once[i] + 2.0315 * twice[i];
    }
    free(s);
    free(once);
    free(twice);
}
