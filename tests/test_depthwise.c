/* test_depthwise.c - the depthwise convolution kernels against loops in double precision over view_offset:
 * every direction, instruction set, layout, unrolled and other kernels, strides, images smaller than the kernel. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "errors.h"
#include "kernels.h"
#include "random.h"

typedef struct Case {
    const char *name;
    int         n, h, w, kernel, stride, pad;
    int         more;        /* padding below and right beyond pad */
} Case;

static const Case cases[] = {
    { "1x1",                     2,  3,  5, 1, 1, 0, 0 },
    { "1x1 stride 2",            2,  5,  4, 1, 2, 0, 0 },
    { "3x3",                     3, 11, 13, 3, 1, 1, 0 },
    { "3x3 no pad",              2,  5, 19, 3, 1, 0, 0 },
    { "3x3 pad 2",               2,  4,  3, 3, 1, 2, 0 },
    { "3x3 stride 2",            3, 12,  9, 3, 2, 1, 0 },
    { "3x3 stride 2 no pad",     2,  9, 20, 3, 2, 0, 0 },
    { "3x3 stride 3",            2, 10,  8, 3, 3, 1, 0 },
    { "3x3 stride 6",            2, 20, 55, 3, 6, 1, 0 },
    { "3x3 on 2x2, many images", 21, 2,  2, 3, 1, 1, 0 },
    { "3x3 on 1x1, many images", 19, 1,  1, 3, 1, 1, 0 },
    { "5x5",                     2,  9, 12, 5, 1, 2, 0 },
    { "5x5 pad 4",               2,  6,  7, 5, 1, 4, 0 },
    { "5x5 stride 2",            3, 10, 23, 5, 2, 2, 0 },
    { "5x5 stride 2 pad 1",      2,  8,  5, 5, 2, 1, 0 },
    { "5x5 stride 2 on 4x4",    11,  4,  4, 5, 2, 2, 0 },
    { "7x7",                     2, 16, 15, 7, 1, 3, 0 },
    { "7x7 stride 2",            3, 13, 18, 7, 2, 3, 0 },
    { "7x7 on 1x1",              9,  1,  1, 7, 1, 3, 0 },
    { "7x7 on 2x2",             13,  2,  2, 7, 1, 3, 0 },
    { "7x7 on 4x4",              7,  4,  4, 7, 1, 3, 0 },
    { "7x7 on 3x5",              5,  3,  5, 7, 1, 3, 0 },
    { "7x7 tall",                2, 90,  9, 7, 1, 3, 0 },
    { "3x3 stride 2, 0 and 1",   3, 12, 20, 3, 2, 0, 1 },
    { "5x5 stride 2, 1 and 2",   2, 10, 14, 5, 2, 1, 1 },
    { "5x5 stride 2 on 2x2",    11,  2,  2, 5, 2, 1, 1 },
    { "9x9",                     2,  8, 10, 9, 1, 4, 0 },
    { "9x9 stride 2 on 3x2",     2,  3,  2, 9, 2, 4, 0 },
};

/* Channels and how they lie; 13 is no multiple of 8. */
static const struct { int c, block; } layouts[] = { { 19, 16 }, { 11, 8 }, { 16, 16 }, { 40, 40 }, { 24, 24 }, { 13, 13 } };

/* The tensors of one convolution; `expected` are in double and in the same layout. */
typedef struct Run {
    DepthwiseKernel k;
    size_t          x_count, y_count, w_count, c_count;
    float          *x, *y, *weights, *bias, *dy, *dx, *dweights, *dbias;
    double         *expected_y, *expected_dx, *expected_dweights, *expected_dbias;
    void           *scratch;
} Run;

/* Padded channels stay zero. */
static void fill(float *to, const View *view, uint64_t key)
{
    Random random = random_stream(key, 0, 0, RANDOM_init);
    for (int n = 0; n < view->n; n++)
        for (int c = 0; c < view->c; c++)
            for (int y = 0; y < view->h; y++)
                for (int x = 0; x < view->w; x++)
                    to[view_offset(view, n, c, y, x)] = 2 * random_uniform(&random) - 1;
}

static Run run_new(const Case *test, int c, int block)
{
    const int padded = (c + block - 1) / block * block, kernel = test->kernel;
    const View x = { test->n, c, test->h, test->w, block, padded };
    const View y = { test->n, c, (test->h + 2 * test->pad + test->more - kernel) / test->stride + 1,
                     (test->w + 2 * test->pad + test->more - kernel) / test->stride + 1, block, padded };
    const View weights = { kernel * kernel, c, 1, 1, padded, padded };
    Run run = { .k = { x, y, kernel, test->stride, test->pad } };
    run.x_count = view_count(&x);
    run.y_count = view_count(&y);
    run.w_count = view_count(&weights);
    run.c_count = (size_t)padded;
    run.x = allocate(run.x_count, sizeof(float), "x");
    run.y = allocate(run.y_count, sizeof(float), "y");
    run.weights = allocate(run.w_count, sizeof(float), "weights");
    run.bias = allocate(run.c_count, sizeof(float), "bias");
    run.dy = allocate(run.y_count, sizeof(float), "dy");
    run.dx = allocate(run.x_count, sizeof(float), "dx");
    run.dweights = allocate(run.w_count, sizeof(float), "dweights");
    run.dbias = allocate(run.c_count, sizeof(float), "dbias");
    run.expected_y = allocate(run.y_count, sizeof(double), "expected y");
    run.expected_dx = allocate(run.x_count, sizeof(double), "expected dx");
    run.expected_dweights = allocate(run.w_count, sizeof(double), "expected dweights");
    run.expected_dbias = allocate(run.c_count, sizeof(double), "expected dbias");
    run.scratch = allocate(kernel_depthwise_scratch(&run.k), 1, "scratch");
    fill(run.x, &x, 1);
    fill(run.dy, &y, 2);
    fill(run.weights, &weights, 3);
    fill(run.bias, &(View){ 1, c, 1, 1, padded, padded }, 4);
    return run;
}

static void run_free(Run *run)
{
    void *const all[] = { run->x, run->y, run->weights, run->bias, run->dy, run->dx, run->dweights, run->dbias,
                          run->expected_y, run->expected_dx, run->expected_dweights, run->expected_dbias, run->scratch };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* One output pixel's part in all the sums. */
static void expect_pixel(Run *run, int n, int c, int oy, int ox, bool biased)
{
    const DepthwiseKernel *k = &run->k;
    const size_t out = view_offset(&k->y, n, c, oy, ox);
    run->expected_y[out] = biased ? (double)run->bias[c] : 0;
    run->expected_dbias[c] += (double)run->dy[out];
    for (int ky = 0; ky < k->kernel; ky++)
        for (int kx = 0; kx < k->kernel; kx++) {
            const int iy = oy * k->stride + ky - k->pad, ix = ox * k->stride + kx - k->pad;
            if (iy < 0 || iy >= k->x.h || ix < 0 || ix >= k->x.w)
                continue;
            const size_t in = view_offset(&k->x, n, c, iy, ix);
            const size_t tap = (size_t)(ky * k->kernel + kx) * run->c_count + (size_t)c;
            run->expected_y[out] += (double)run->x[in] * (double)run->weights[tap];
            run->expected_dx[in] += (double)run->dy[out] * (double)run->weights[tap];
            run->expected_dweights[tap] += (double)run->dy[out] * (double)run->x[in];
        }
}

static void expect(Run *run, bool biased)
{
    for (int n = 0; n < run->k.x.n; n++)
        for (int c = 0; c < run->k.x.c; c++)
            for (int oy = 0; oy < run->k.y.h; oy++)
                for (int ox = 0; ox < run->k.y.w; ox++)
                    expect_pixel(run, n, c, oy, ox, biased);
}

static void run_all(Run *run, bool biased)
{
    /* what was there before must not matter */
    memset(run->y, 0xff, run->y_count * sizeof(float));
    memset(run->dx, 0xff, run->x_count * sizeof(float));
    memset(run->dweights, 0xff, run->w_count * sizeof(float));
    memset(run->dbias, 0xff, run->c_count * sizeof(float));
    memset(run->scratch, 0xff, kernel_depthwise_scratch(&run->k));
    kernel_depthwise_forward(&run->k, run->x, run->weights, biased ? run->bias : NULL, run->y);
    kernel_depthwise_backward_data(&run->k, run->dy, run->weights, run->dx);
    kernel_depthwise_backward_weights(&run->k, run->x, run->dy, run->dweights, biased ? run->dbias : NULL, run->scratch);
}

/* Relative error in the L2 norm, and no element off by more than ten times that of the root mean square. */
static void compare(const char *name, const Run *run, const char *what, size_t count,
                    const float *got, const double *wanted, double tolerance)
{
    double errors = 0, squares = 0, worst = 0;
    for (size_t i = 0; i < count; i++) {
        const double error = (double)got[i] - wanted[i];
        errors += error * error;
        squares += wanted[i] * wanted[i];
        worst = error == error ? fmax(worst, fabs(error)) : INFINITY;
    }
    const double norm = sqrt(errors / fmax(squares, 1e-30)), rms = sqrt(squares / (double)count);
    if (!(norm <= tolerance && worst <= 10 * tolerance * rms))
        fail_msg("%s: %s, %d channels in blocks of %d, %s: relative error %g, worst %g of %g", kernels_isa(), name,
                 run->k.x.c, run->k.x.block, what, norm, worst, rms);
}

static void test_against_double_loops(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t j = 0; j < sizeof layouts / sizeof *layouts; j++) {
            const bool biased = (i + j) % 2;
            Run run = run_new(&cases[i], layouts[j].c, layouts[j].block);
            expect(&run, biased);
            run_all(&run, biased);
            compare(cases[i].name, &run, "forward", run.y_count, run.y, run.expected_y, 1e-6);
            compare(cases[i].name, &run, "backward data", run.x_count, run.dx, run.expected_dx, 1e-6);
            compare(cases[i].name, &run, "backward weights", run.w_count, run.dweights, run.expected_dweights, 2e-6);
            if (biased)
                compare(cases[i].name, &run, "backward bias", run.c_count, run.dbias, run.expected_dbias, 2e-6);
            run_free(&run);
        }
}

/* The number of threads does not change a bit. */
static void test_threads_same_bits(void **state)
{
    (void)state;
    const int threads = omp_get_max_threads();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t j = 0; j < sizeof layouts / sizeof *layouts; j++) {
            Run one = run_new(&cases[i], layouts[j].c, layouts[j].block);
            Run two = run_new(&cases[i], layouts[j].c, layouts[j].block);
            omp_set_num_threads(1);
            run_all(&one, true);
            omp_set_num_threads(2);
            run_all(&two, true);
            if (memcmp(one.y, two.y, one.y_count * sizeof(float)) || memcmp(one.dx, two.dx, one.x_count * sizeof(float)) ||
                memcmp(one.dweights, two.dweights, one.w_count * sizeof(float)) ||
                memcmp(one.dbias, two.dbias, one.c_count * sizeof(float)))
                fail_msg("%s: %s, block %d: one and two threads give different bits", kernels_isa(), cases[i].name,
                         layouts[j].block);
            run_free(&one);
            run_free(&two);
        }
    omp_set_num_threads(threads);
}

/* This program again, with a lower instruction set. */
static void test_lower_instruction_sets(void **state)
{
    (void)state;
    static const char *const names[] = { "avx2", "base" };
    if (getenv("CONVZOO_ISA"))
        skip();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            setenv("CONVZOO_ISA", names[i], 1);
            execl("/proc/self/exe", "test_depthwise", (char *)NULL);
            _exit(127);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fail_msg("CONVZOO_ISA=%s: status %d", names[i], status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_double_loops),
        cmocka_unit_test(test_threads_same_bits),
        cmocka_unit_test(test_lower_instruction_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
