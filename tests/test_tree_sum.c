/* test_tree_sum.c - sums of blocks are exact where they can be, and have the bits of one tree however it is cut and whoever adds. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "tree_sum.h"

enum { MOST = 16, COUNT = 9001 };      /* more than two chunks, and a rest */

static float *blocks[MOST], *sum;

static int setup(void **state)
{
    (void)state;
    sum = malloc(COUNT * sizeof *sum);
    for (int b = 0; b < MOST; b++)
        blocks[b] = malloc(COUNT * sizeof **blocks);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(sum);
    for (int b = 0; b < MOST; b++)
        free(blocks[b]);
    return 0;
}

/* Of very unequal sizes, so that the order shows. */
static float value(int block, size_t i)
{
    return ldexpf(sinf((float)(37 * block + 1) * (float)(i + 1)), (int)((size_t)(7 * block) + i) % 24 - 12);
}

static void fill(int first, int count)
{
    for (int b = 0; b < count; b++)
        for (size_t i = 0; i < COUNT; i++)
            blocks[b][i] = value(first + b, i);
}

/* The sum of the blocks `first` to `first` + `count` - 1 as the header's picture says it. */
static float tree(int first, int count, size_t i)
{
    int left = 1;
    if (count == 1)
        return value(first, i);
    while (2 * left < count)
        left *= 2;
    return tree(first, left, i) + tree(first + left, count - left, i);
}

static void test_order(void **state)
{
    (void)state;
    static const int counts[] = { 1, 2, 3, 4, 5, 6, 7, 8, 11, 16 };
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int threads = 1; threads <= 4; threads++) {
            omp_set_num_threads(threads);
            fill(0, counts[c]);
            tree_sum(counts[c], blocks, COUNT, 0.1f, sum);
            for (size_t i = 0; i < COUNT; i++) {
                const float expected = 0.1f * tree(0, counts[c], i);
                if (memcmp(&sum[i], &expected, sizeof expected))
                    fail_msg("%d blocks, %d threads: [%zu] is %a, expected %a", counts[c], threads, i, (double)sum[i], (double)expected);
            }
        }
}

/* Ranks that have summed a power of two of the blocks each. */
static void test_cut(void **state)
{
    (void)state;
    for (int ranks = 1; ranks <= 8; ranks *= 2) {
        const int own = 8 / ranks;
        float *parts[8];
        for (int r = 0; r < ranks; r++) {
            parts[r] = malloc(COUNT * sizeof **parts);
            fill(r * own, own);
            tree_sum(own, blocks, COUNT, 1.0f, parts[r]);
        }
        tree_sum(ranks, parts, COUNT, 0.125f, sum);
        for (size_t i = 0; i < COUNT; i++) {
            const float expected = 0.125f * tree(0, 8, i);
            if (memcmp(&sum[i], &expected, sizeof expected))
                fail_msg("%d ranks of %d blocks: [%zu] is %a, expected %a", ranks, own, i, (double)sum[i], (double)expected);
        }
        for (int r = 0; r < ranks; r++)
            free(parts[r]);
    }
}

/* Whole numbers, into the first block; nothing beyond the count is touched. */
static void test_whole(void **state)
{
    (void)state;
    const size_t count = 4097;
    for (int b = 0; b < MOST; b++)
        for (size_t i = 0; i < COUNT; i++)
            blocks[b][i] = (float)(b * 1000 + (int)(i % 1000));
    tree_sum(MOST, blocks, count, 2.0f, blocks[0]);
    for (size_t i = 0; i < COUNT; i++) {
        double expected = i < count ? 0.0 : (double)(i % 1000);
        for (int b = 0; b < MOST && i < count; b++)
            expected += 2.0 * (b * 1000 + (int)(i % 1000));
        if ((double)blocks[0][i] != expected)
            fail_msg("[%zu] is %.9g, expected %.9g", i, (double)blocks[0][i], expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_order), cmocka_unit_test(test_cut), cmocka_unit_test(test_whole) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
