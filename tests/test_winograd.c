/* test_winograd.c - the Winograd convolution against direct loops in double, in both layouts, with every instruction set. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <omp.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "kernels.h"

extern char **environ;

typedef struct Case {
    const char *name;
    int n, in, out, h, w;
} Case;

static const Case cases[] = {
    { "a pixel",                          1,  16,  16,  1,  1 },
    { "a tile cut both ways",             2,  16,  32,  2,  3 },
    { "a tile",                           3,  48,  16,  4,  4 },
    { "odd sides",                        1,  32,  48,  7,  5 },
    { "a row",                            5,  16,  16,  1, 11 },
    { "a column",                         2,  80,  16,  9,  1 },
    { "whole tiles",                      5,  64,  48,  8,  8 },
    { "many tiles",                       3,  16,  48, 14, 28 },
    { "rows longer than a strip",         1,  32,  16,  6, 56 },
    { "filters larger than a cache",      5, 192, 208,  4,  3 },
    { "the same, in several runs",      250, 304, 304,  1,  2 },
    { "integers' filters as large",      17, 432, 416,  1,  2 },
    { "the same, in several runs",      110, 1376, 128, 1,  2 },
    { "few tiles, in several runs",      67, 192, 208,  1,  2 },
};
enum { CASES = sizeof cases / sizeof *cases };

/* The tensors of a case in plain order: x [n][h][w][in], y [n][h][w][out], weights [3][3][in][out]. */
typedef struct Problem {
    size_t  x_count, y_count, weights_count;
    float  *x, *weights, *bias, *dy;
    double *y, *dx, *dweights, *dbias;
} Problem;

static float random_value(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(*state >> 40) / (1 << 23) - 1.0);
}

static float *random_values(size_t count, uint64_t *state, int relu)
{
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++) {
        values[i] = random_value(state);
        if (relu && values[i] < 0)
            values[i] = 0;
    }
    return values;
}

static double *zeros(size_t count)
{
    double *values = calloc(count, sizeof *values);
    assert_non_null(values);
    return values;
}

/* One pair of pixels under one tap: adds its share of y (without bias), dx and dweights. */
static void add_tap(const Case *t, const Problem *p, size_t x_pixel, size_t y_pixel, size_t tap)
{
    const size_t in = (size_t)t->in, out = (size_t)t->out;
    const float *dy = p->dy + y_pixel * out;
    double *y = p->y + y_pixel * out;
    for (size_t c = 0; c < in; c++) {
        const float *weights = p->weights + (tap * in + c) * out;
        double *dweights = p->dweights + (tap * in + c) * out;
        const double x = p->x[x_pixel * in + c];
        double dx = 0;
        for (size_t k = 0; k < out; k++) {
            y[k] += x * (double)weights[k];
            dweights[k] += x * (double)dy[k];
            dx += (double)dy[k] * (double)weights[k];
        }
        p->dx[x_pixel * in + c] += dx;
    }
}

/* Random pixels, gradients and weights. */
static Problem problem_new(const Case *t)
{
    uint64_t state = 7;
    const size_t pixels = (size_t)t->n * (size_t)t->h * (size_t)t->w, out = (size_t)t->out;
    Problem p = { pixels * (size_t)t->in, pixels * out, 9 * (size_t)t->in * out, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL };
    p.x = random_values(p.x_count, &state, 1);
    p.weights = random_values(p.weights_count, &state, 0);
    p.bias = random_values(out, &state, 0);
    p.dy = random_values(p.y_count, &state, 0);
    p.y = zeros(p.y_count);
    p.dx = zeros(p.x_count);
    p.dweights = zeros(p.weights_count);
    p.dbias = zeros(out);
    return p;
}

/* What the convolution and its gradients are. */
static void problem_solve(const Case *t, const Problem *p)
{
    const size_t out = (size_t)t->out;
    for (int y = 0; y < t->n * t->h; y++)
        for (int x = 0; x < t->w; x++)
            for (int tap = 0; tap < 9; tap++) {
                const int row = y % t->h + tap / 3 - 1, column = x + tap % 3 - 1;
                if (row >= 0 && row < t->h && column >= 0 && column < t->w)
                    add_tap(t, p, (size_t)(y + tap / 3 - 1) * (size_t)t->w + (size_t)column,
                            (size_t)y * (size_t)t->w + (size_t)x, (size_t)tap);
            }
    for (size_t i = 0; i < p->y_count; i++)
        p->dbias[i % out] += (double)p->dy[i];
}

static void problem_free(Problem *p)
{
    void *const all[] = { p->x, p->weights, p->bias, p->dy, p->y, p->dx, p->dweights, p->dbias };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* Bytes of 0xff are NaNs: what is read before it is written shows. */
static void *filled(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(memory);
    return memset(memory, 0xff, bytes);
}

static size_t place(const View *view, size_t plain)
{
    const int c = (int)(plain % (size_t)view->c);
    const size_t pixel = plain / (size_t)view->c, image = pixel / view_pixels(view), rest = pixel % view_pixels(view);
    return view_offset(view, (int)image, c, (int)(rest / (size_t)view->w), (int)(rest % (size_t)view->w));
}

static float *packed(const View *view, const float *plain)
{
    float *values = filled(view_count(view) * sizeof *values);
    for (size_t i = 0; i < view_count(view); i++)
        values[place(view, i)] = plain[i];
    return values;
}

/* What the error may be, relative to the norm, and the largest to the root of the mean square; and what it was at most. */
typedef struct Bounds {
    const char *name;
    double relative, of_rms;
    double worst_relative, worst_of_rms;
} Bounds;

static Bounds bounds_floats = { "f32", 1e-5, 1e-4, 0, 0 }, bounds_int16 = { "integers", 4e-3, 4e-2, 0, 0 };
/* Where all numbers of a sum are alike, their rounding is, and does not average out. */
static Bounds bounds_alike = { "alike", 1e-2, 1e-1, 0, 0 };

/* view NULL: `values` are in plain order. `offset` (may be NULL) is added to the expected values, by channel. */
static void expect_close(const Case *t, const char *what, Bounds *bounds, const View *view, const float *values,
                         size_t count, const double *expected, const float *offset)
{
    double squares = 0, error_squares = 0, most = 0;
    for (size_t i = 0; i < count; i++) {
        const double want = expected[i] + (offset ? (double)offset[i % (size_t)t->out] : 0);
        const double error = fabs((double)values[view ? place(view, i) : i] - want);
        squares += want * want;
        error_squares += error * error;
        most = error > most || isnan(error) ? error : most;
    }
    const double relative = sqrt(error_squares / squares), of_rms = most / sqrt(squares / (double)count);
    bounds->worst_relative = fmax(bounds->worst_relative, relative);
    bounds->worst_of_rms = fmax(bounds->worst_of_rms, of_rms);
    if (!(relative <= bounds->relative && of_rms <= bounds->of_rms))
        fail_msg("%s: %s, block %d, %d threads, %s: relative error %g (at most %g), largest / rms %g (at most %g)", t->name,
                 what, view ? view->block : 0, omp_get_max_threads(), kernels_isa(), relative,
                 bounds->relative, of_rms, bounds->of_rms);
}

static void check_forward(const Case *t, const Problem *p, const WinogradKernel *k, Bounds *bounds, void *scratch)
{
    const size_t bytes = p->y_count * sizeof(float);
    float *x = packed(&k->x, p->x), *y = filled(bytes), *again = filled(bytes);
    kernel_winograd_forward(k, x, p->weights, NULL, y, scratch);
    expect_close(t, "forward", bounds, &k->y, y, p->y_count, p->y, NULL);
    kernel_winograd_forward(k, x, p->weights, p->bias, y, scratch);
    expect_close(t, "forward with bias", bounds, &k->y, y, p->y_count, p->y, p->bias);
    kernel_winograd_forward(k, x, p->weights, p->bias, again, scratch);
    assert_memory_equal(y, again, bytes);
    free(x);
    free(y);
    free(again);
}

static void check_backward(const Case *t, const Problem *p, const WinogradKernel *k, Bounds *bounds, void *scratch)
{
    const size_t weights_bytes = p->weights_count * sizeof(float);
    float *x = packed(&k->x, p->x), *dy = packed(&k->y, p->dy), *dx = filled(p->x_count * sizeof(float));
    float *dweights = filled(weights_bytes), *again = filled(weights_bytes), *dbias = filled((size_t)t->out * sizeof(float));
    kernel_winograd_backward_data(k, dy, p->weights, dx, scratch);
    expect_close(t, "backward data", bounds, &k->x, dx, p->x_count, p->dx, NULL);
    kernel_winograd_backward_weights(k, x, dy, dweights, dbias, scratch);
    expect_close(t, "backward weights", bounds, NULL, dweights, p->weights_count, p->dweights, NULL);
    expect_close(t, "backward bias", &bounds_floats, NULL, dbias, (size_t)t->out, p->dbias, NULL);
    kernel_winograd_backward_weights(k, x, dy, again, NULL, scratch);
    assert_memory_equal(dweights, again, weights_bytes);
    float *const all[] = { x, dy, dx, dweights, again, dbias };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void test_against_direct_loops(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        const Case *t = &cases[i];
        Problem p = problem_new(t);
        problem_solve(t, &p);
        for (int threads = 1; threads <= 2; threads++)
            for (int variant = 0; variant < 3; variant++) {      /* of integers one layout, with two threads the other */
                const int last = variant == 2 ? threads % 2 : variant;
                const WinogradKernel k = { { t->n, t->in, t->h, t->w, last ? t->in : 16, t->in },
                                           { t->n, t->out, t->h, t->w, last ? t->out : 16, t->out }, variant == 2 };
                omp_set_num_threads(threads);
                void *scratch = filled(kernel_winograd_scratch(&k));
                Bounds *bounds = k.int16 ? &bounds_int16 : &bounds_floats;
                check_forward(t, &p, &k, bounds, scratch);
                check_backward(t, &p, &k, bounds, scratch);
                free(scratch);
            }
        problem_free(&p);
    }
}

/* Six copies of an image give six times the bits of one, although so many outputs are written another way (past the
 * caches) and their tiles lie elsewhere in the panels. */
static void check_batch(bool int16)
{
    enum { COPIES = 6, CHANNELS = 16, SIDE = 257 };
    uint64_t state = 3;
    const View view = { 1, CHANNELS, SIDE, SIDE, CHANNELS, CHANNELS };
    WinogradKernel k = { view, view, int16 };
    const size_t count = view_count(&k.x), bytes = count * sizeof(float);
    float *x = filled(COPIES * bytes), *y = filled(bytes), *all = filled(COPIES * bytes);
    float *weights = random_values(9 * CHANNELS * CHANNELS, &state, 0), *image = random_values(count, &state, 0);
    for (int i = 0; i < COPIES; i++)
        memcpy(x + (size_t)i * count, image, bytes);
    void *scratch = filled(kernel_winograd_scratch(&k));
    kernel_winograd_forward(&k, x, weights, NULL, y, scratch);
    free(scratch);
    k.x.n = k.y.n = COPIES;
    scratch = filled(kernel_winograd_scratch(&k));
    kernel_winograd_forward(&k, x, weights, NULL, all, scratch);
    for (int i = 0; i < COPIES; i++)
        assert_memory_equal(all + (size_t)i * count, y, bytes);
    void *const used[] = { x, y, all, weights, image, scratch };
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        free(used[i]);
}

static void test_an_image_does_not_depend_on_its_batch(void **state)
{
    (void)state;
    check_batch(false);
    check_batch(true);
}

/* ---- numbers at their limits ---- */

/* Row `f` of B^T, G and A of F(4, 3) at the points 0, +-5/8, +-3/2 and infinity. */
static void transform_rows(int f, double patch[6], double filter[3], double tile[4])
{
    static const double points[] = { 0, 0.625, -0.625, 1.5, -1.5 };
    double product = 1;
    memset(patch, 0, 6 * sizeof *patch);
    patch[0] = 1;
    for (int i = 0, degree = 0; i < 5; i++) {
        if (i == f)
            continue;
        for (int k = ++degree; k >= 0; k--)
            patch[k] = (k > 0 ? patch[k - 1] : 0) - points[i] * patch[k];
        product *= f < 5 ? points[f] - points[i] : 1;
    }
    for (int k = 0; k < 4; k++) {
        const double power = f < 5 ? (k == 0 ? 1 : pow(points[f], k)) : 0;
        tile[k] = f < 5 ? power : k == 3;
        if (k < 3)
            filter[k] = f < 5 ? power / product : k == 2;
    }
}

/* A pixel of the tile in the middle of 12 x 12, or of its patch: rows are at least as long as what is in them. */
static float shaped(int pixel, int first, int size, const double *down, const double *across)
{
    const int row = pixel / 12 - first, column = pixel % 12 - first;
    return row < 0 || row >= size || column < 0 || column >= size ? 0 : (float)(down[row] * across[column]);
}

/* Where patches, filters and gradients lie along the transforms' own rows, a sum is as large as its bound (of the filters'
 * gradient three quarters: the neighbours' patches count too); in one channel alone a number is as large as can be. None may
 * overflow. */
static void test_sums_as_large_as_their_bounds(void **state)
{
    (void)state;
    const Case t = { "as large as can be", 1, 64, 16, 12, 12 };
    const WinogradKernel k = { { 1, 64, 12, 12, 16, 64 }, { 1, 16, 12, 12, 16, 16 }, true };
    void *scratch = filled(kernel_winograd_scratch(&k));
    for (int f = 0; f < 36; f++)
        for (int channels = 1; channels <= 64; channels += 63) {
            double patch[2][6], filter[2][3], tile[2][4];
            transform_rows(f / 6, patch[0], filter[0], tile[0]);
            transform_rows(f % 6, patch[1], filter[1], tile[1]);
            Problem p = problem_new(&t);
            for (size_t i = 0; i < p.x_count; i++)
                p.x[i] = (int)(i % 64) < channels ? shaped((int)(i / 64), 3, 6, patch[0], patch[1]) : 0;
            for (size_t i = 0; i < p.y_count; i++)
                p.dy[i] = shaped((int)(i / 16), 4, 4, tile[0], tile[1]);
            for (size_t i = 0; i < p.weights_count; i++)
                p.weights[i] = (float)(filter[0][i / (48 * 64)] * filter[1][i / (16 * 64) % 3]);
            problem_solve(&t, &p);
            check_forward(&t, &p, &k, &bounds_alike, scratch);
            check_backward(&t, &p, &k, &bounds_alike, scratch);
            problem_free(&p);
        }
    free(scratch);
}

/* A convolution of zeros: more channels than a section, more tiles than a run. */
enum { ZEROS_CHANNELS = 160, ZEROS_SIDE = 12, ZEROS_WEIGHTS = 9 * ZEROS_CHANNELS * ZEROS_CHANNELS };

typedef struct Zeros {
    WinogradKernel k;
    size_t count;
    float *x, *dy, *weights, *y, *dx, *dweights;
    void  *scratch;
} Zeros;

static float *floats_zero(size_t count)
{
    return memset(filled(count * sizeof(float)), 0, count * sizeof(float));
}

static Zeros zeros_new(bool int16)
{
    const View view = { 16, ZEROS_CHANNELS, ZEROS_SIDE, ZEROS_SIDE, 16, ZEROS_CHANNELS };
    Zeros z = { .k = { view, view, int16 }, .count = view_count(&view) };
    z.x = floats_zero(z.count);
    z.dy = floats_zero(z.count);
    z.y = filled(z.count * sizeof(float));
    z.dx = filled(z.count * sizeof(float));
    z.weights = floats_zero(ZEROS_WEIGHTS);
    z.dweights = filled(ZEROS_WEIGHTS * sizeof(float));
    z.scratch = filled(kernel_winograd_scratch(&z.k));
    return z;
}

static void zeros_run(const Zeros *z)
{
    kernel_winograd_forward(&z->k, z->x, z->weights, NULL, z->y, z->scratch);
    kernel_winograd_backward_data(&z->k, z->dy, z->weights, z->dx, z->scratch);
    kernel_winograd_backward_weights(&z->k, z->x, z->dy, z->dweights, NULL, z->scratch);
}

static void zeros_free(Zeros *z)
{
    void *const all[] = { z->x, z->dy, z->y, z->dx, z->weights, z->dweights, z->scratch };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* A NaN whose low bits, taken for an integer, are the largest. */
static float nan_of_large_bits(void)
{
    const uint32_t bits = 0x7FC07FFF;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Zeros stay zeros; a number that is none is seen in all that it touches, and nowhere else. */
static void check_zeros_and_nans(bool int16)
{
    Zeros z = zeros_new(int16);
    const View *view = &z.k.y;
    zeros_run(&z);
    for (size_t i = 0; i < z.count; i++)
        assert_true(z.y[i] == 0 && z.dx[i] == 0);
    for (size_t i = 0; i < ZEROS_WEIGHTS; i++)
        assert_true(z.dweights[i] == 0);

    z.x[view_offset(view, 2, 40, 5, 5)] = NAN;
    z.x[view_offset(view, 3, 40, 5, 5)] = INFINITY;
    z.dy[view_offset(view, 5, 70, 5, 5)] = NAN;
    zeros_run(&z);
    assert_false(isfinite(z.y[view_offset(view, 2, 100, 5, 5)]));
    assert_false(isfinite(z.y[view_offset(view, 3, 100, 5, 5)]));
    assert_true(z.y[view_offset(view, 4, 100, 5, 5)] == 0);
    assert_false(isfinite(z.dx[view_offset(view, 5, 100, 5, 5)]));
    assert_true(z.dx[view_offset(view, 6, 100, 5, 5)] == 0);
    assert_false(isfinite(z.dweights[(4 * ZEROS_CHANNELS + 40) * ZEROS_CHANNELS + 9]));
    assert_false(isfinite(z.dweights[(4 * ZEROS_CHANNELS + 9) * ZEROS_CHANNELS + 70]));
    assert_true(z.dweights[(4 * ZEROS_CHANNELS + 41) * ZEROS_CHANNELS + 9] == 0);

    z.weights[(4 * ZEROS_CHANNELS + 11) * ZEROS_CHANNELS + 90] = NAN;
    zeros_run(&z);
    assert_false(isfinite(z.y[view_offset(view, 7, 90, 5, 5)]));
    assert_false(isfinite(z.dx[view_offset(view, 7, 11, 5, 5)]));
    assert_true(z.y[view_offset(view, 7, 89, 5, 5)] == 0);

    for (int c = 0; c < 64; c++)
        z.weights[(4 * ZEROS_CHANNELS + c) * ZEROS_CHANNELS + 50] = 1;
    z.x[view_offset(view, 8, 7, 5, 5)] = nan_of_large_bits();
    zeros_run(&z);
    assert_false(isfinite(z.y[view_offset(view, 8, 50, 5, 5)]));
    zeros_free(&z);
}

static void test_zeros_and_nans(void **state)
{
    (void)state;
    check_zeros_and_nans(false);
    check_zeros_and_nans(true);
}

/* The variant is chosen when the program starts: run it again with a lower one. */
static int run_with_isa(char *program, const char *isa)
{
    pid_t child;
    int status;
    char *const arguments[] = { program, NULL };
    if (setenv("CONVZOO_ISA", isa, 1) || posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ) ||
        waitpid(child, &status, 0) != child)
        return 1;
    return status != 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_direct_loops),
        cmocka_unit_test(test_an_image_does_not_depend_on_its_batch),
        cmocka_unit_test(test_sums_as_large_as_their_bounds),
        cmocka_unit_test(test_zeros_and_nans),
    };
    const int variant = getenv("CONVZOO_ISA") != NULL;
    int failures = cmocka_run_group_tests_name(kernels_isa(), tests, NULL, NULL);
    const Bounds *const all[] = { &bounds_floats, &bounds_int16, &bounds_alike };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        printf("%-8s largest errors: %.1e of the norm, peak %.1e\n", all[i]->name, all[i]->worst_relative, all[i]->worst_of_rms);
    if (!variant)
        failures += run_with_isa(argv[0], "avx512") + run_with_isa(argv[0], "avx2") + run_with_isa(argv[0], "base");
    return failures != 0;
}
