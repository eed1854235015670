/* test_matrix_kernels.c - the product of matrices against a loop in double, in every instruction set. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"
#include "layouts.h"
#include "random.h"

/* Smaller than a tile, a little more than one, more than a packed strip is deep. */
static const struct { size_t rows, columns, depth; } sizes[] = {
    { 1, 1, 1 }, { 2, 3, 5 }, { 13, 33, 7 }, { 12, 32, 256 }, { 97, 65, 257 }, { 31, 130, 600 }, { 200, 5, 300 },
};

static float *drawn(size_t count, uint64_t key)
{
    float *x = allocate(count, sizeof *x, "a matrix");
    Random random = random_stream(key, 0, 0, RANDOM_init);
    for (size_t i = 0; i < count; i++)
        x[i] = random_normal(&random);
    return x;
}

static void product(void **state)
{
    (void)state;
    const int before = omp_get_max_threads();
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t rows = sizes[s].rows, columns = sizes[s].columns, depth = sizes[s].depth;
        float *a = drawn(rows * depth, 1), *b = drawn(depth * columns, 2), *c = drawn(rows * columns, 3), *again = drawn(rows * columns, 4);
        kernel_matrix_product(rows, columns, depth, a, b, c);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++) {
                double sum = 0;
                for (size_t k = 0; k < depth; k++)
                    sum += (double)a[i * depth + k] * b[k * columns + j];
                if (!(fabs(c[i * columns + j] - sum) <= 1e-6 * sqrt((double)depth) * 8))
                    fail_msg("%s: %zu x %zu x %zu: element %zu, %zu is %g, expected %g", kernels_isa(), rows, depth, columns, i, j,
                             (double)c[i * columns + j], sum);
            }
        omp_set_num_threads(3);
        kernel_matrix_product(rows, columns, depth, a, b, again);
        omp_set_num_threads(before);
        assert_memory_equal(c, again, rows * columns * sizeof *c);
        free(a);
        free(b);
        free(c);
        free(again);
    }
}

/* A matrix times itself turned over has the bytes that the general product has. */
static void gram(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t rows = sizes[s].rows, depth = sizes[s].depth;
        float *a = drawn(rows * depth, 1), *turned = drawn(rows * depth, 2), *c = drawn(rows * rows, 3), *expected = drawn(rows * rows, 4);
        for (size_t i = 0; i < rows; i++)
            for (size_t k = 0; k < depth; k++)
                turned[k * rows + i] = a[i * depth + k];
        kernel_matrix_product(rows, rows, depth, a, turned, expected);
        kernel_matrix_gram(rows, depth, a, c);
        assert_memory_equal(c, expected, rows * rows * sizeof *c);
        free(a);
        free(turned);
        free(c);
        free(expected);
    }
}

/* Of matrices whose product is symmetric but for rounding, as in Muon's rounds: the upper half has the general product's bytes, the lower one is its
 * copy, on one thread or three. */
static void symmetric(void **state)
{
    (void)state;
    const int before = omp_get_max_threads();
    enum { DEPTH = 40 };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t rows = sizes[s].rows, all = rows * rows;
        float *x = drawn(rows * DEPTH, 1), *a = drawn(all, 2), *b = drawn(all, 3), *c = drawn(all, 4), *expected = drawn(all, 5);
        kernel_matrix_gram(rows, DEPTH, x, a);
        kernel_matrix_symmetric(rows, a, a, b);
        kernel_matrix_product(rows, rows, rows, a, b, expected);
        for (int threads = 1; threads <= 3; threads += 2) {
            omp_set_num_threads(threads);
            kernel_matrix_symmetric(rows, a, b, c);
            omp_set_num_threads(before);
            for (size_t i = 0; i < rows; i++)
                for (size_t j = i; j < rows; j++)
                    assert_true(c[i * rows + j] == expected[i * rows + j] && c[j * rows + i] == c[i * rows + j]);
        }
        free(x);
        free(a);
        free(b);
        free(c);
        free(expected);
    }
}

int main(void)
{
    if (!getenv("CONVZOO_ISA"))
        return run_every_isa();
    const struct CMUnitTest tests[] = { cmocka_unit_test(product), cmocka_unit_test(gram), cmocka_unit_test(symmetric) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
