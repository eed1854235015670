/* test_muon.c - Muon's step of one matrix against Newton and Schulz's iteration as the paper writes it, in double: singular values that differ by
 * orders of magnitude, matrices of few dimensions, more rounds than usual. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "newton_schulz.h"
#include "optimizer_rule.h"
#include "random.h"

static const struct {
    const char *name;
    size_t      rows, columns, dimensions;      /* the gradient is a sum of so many products of a column and a row */
    double      least;                          /* size of the last product; the first has 1 */
    int         rounds;
    double      tolerance;                      /* share of the step's norm */
} cases[] = {
    { "square",         40, 40, 40,  1,    5,  1e-3 },
    { "wide",           24, 150, 24, 1,    5,  1e-3 },
    { "tall",           70, 20, 20,  1,    5,  1e-3 },
    { "small values",   32, 100, 32, 1e-3, 5,  5e-3 },
    { "smaller ones",   32, 100, 32, 1e-7, 5,  5e-3 },
    { "few dimensions", 48, 96, 5,   1,    5,  1e-3 },
    { "one",            48, 96, 1,   1,    5,  1e-3 },
    { "a row",          1, 90, 1,    1,    5,  1e-5 },
    { "one round",      24, 60, 24,  1e-3, 1,  1e-5 },
    { "three rounds",   24, 60, 24,  1e-3, 3,  1e-3 },
    { "twelve rounds",  24, 60, 24,  1,    12, 1e-2 },
    { "nothing",        8, 9, 0,     1,    5,  0 },
};

static double *matrix(size_t rows, size_t columns)
{
    return allocate(rows * columns, sizeof(double), "a matrix");
}

static double *draw_gradient(size_t rows, size_t columns, size_t dimensions, double least)
{
    double *g = matrix(rows, columns);
    Random random = random_stream(11, rows, columns, RANDOM_init);
    for (size_t d = 0; d < dimensions; d++) {
        const double size = dimensions > 1 ? pow(least, (double)d / (double)(dimensions - 1)) : 1;
        double *column = matrix(rows, 1), *row = matrix(1, columns);
        for (size_t i = 0; i < rows; i++)
            column[i] = (double)random_normal(&random);
        for (size_t j = 0; j < columns; j++)
            row[j] = (double)random_normal(&random);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++)
                g[i * columns + j] += size * column[i] * row[j];
        free(column);
        free(row);
    }
    return g;
}

static double norm_of(size_t count, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

/* The rule's step of weights that are 0, at a rate of 1 and without momentum or decay, turned round. */
static float *muon_step(size_t rows, size_t columns, int rounds, const double *gradient)
{
    const size_t count = rows * columns;
    const OptimizerOptions options = { .kind = OPTIMIZER_muon, .muon_rounds = rounds };
    const OptimizerStep step = { .options = &options, .number = 1, .lr = 1, .scale = 1 };
    uint32_t *positions = allocate(count, sizeof *positions, "positions");
    float *w = allocate(count, sizeof *w, "weights"), *g = allocate(count, sizeof *g, "a gradient"), *v = allocate(count, sizeof *v, "a moment");
    OptimizerTensor tensor = { .room = count, .rows = rows, .columns = columns, .positions = positions };
    tensor.scratch = allocate(optimizer_muon.scratch(&tensor), sizeof(float), "scratch");
    for (size_t i = 0; i < count; i++) {
        positions[i] = (uint32_t)i;
        g[i] = (float)gradient[i];
    }
    optimizer_muon.tensor(&step, &tensor, w, g, &v);
    for (size_t i = 0; i < count; i++)
        w[i] = -w[i];
    free(positions);
    free(g);
    free(v);
    free(tensor.scratch);
    return w;
}

static void matches_the_iteration(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const size_t rows = cases[c].rows, columns = cases[c].columns, count = rows * columns;
        double *x = draw_gradient(rows, columns, cases[c].dimensions, cases[c].least);
        float *w = muon_step(rows, columns, cases[c].rounds, x);
        const double norm = norm_of(count, x) + 1e-7, scale = sqrt(fmax(1, (double)rows / (double)columns));
        for (size_t i = 0; i < count; i++)
            x[i] /= norm;
        newton_schulz(rows, columns, x, cases[c].rounds);
        const double whole = norm_of(count, x) * scale;
        for (size_t i = 0; i < count; i++)
            x[i] = scale * x[i] - (double)w[i];
        const double off = norm_of(count, x);
        if (!(off <= cases[c].tolerance * whole))
            fail_msg("%s: off by %g of the step's norm, %g are allowed", cases[c].name, off / whole, cases[c].tolerance);
        free(x);
        free(w);
    }
}

/* No round makes a singular value larger than 1.3, also where the gradient has none but rounding's. */
static void stays_bounded(void **state)
{
    (void)state;
    static const int rounds[] = { 5, 6, 20, 100 };
    enum { ROWS = 48, COLUMNS = 96 };
    double *g = draw_gradient(ROWS, COLUMNS, 5, 1);
    for (size_t r = 0; r < sizeof rounds / sizeof *rounds; r++) {
        float *w = muon_step(ROWS, COLUMNS, rounds[r], g);
        double sum = 0;
        for (size_t i = 0; i < ROWS * COLUMNS; i++)
            sum += (double)w[i] * (double)w[i];
        if (!(sqrt(sum) <= 1.3 * sqrt(ROWS)))
            fail_msg("%d rounds: a norm of %g, at most %g is right", rounds[r], sqrt(sum), 1.3 * sqrt(ROWS));
        free(w);
    }
    free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(matches_the_iteration), cmocka_unit_test(stays_bounded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
