/* test_random_shares.c - moments of the distributions. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "random_shares.h"

/* The mean is 1/2, the variance 1 / (4 (2 alpha + 1)): within five standard errors. */
static void test_beta(void **state)
{
    (void)state;
    static const float alphas[] = { 0.1f, 0.2f, 0.8f, 1, 2.5f };
    enum { DRAWS = 40000 };
    for (size_t a = 0; a < sizeof alphas / sizeof *alphas; a++) {
        Random random = random_stream(3, a, 0, RANDOM_init);
        double sum = 0, squares = 0;
        for (int i = 0; i < DRAWS; i++) {
            const double share = (double)random_beta(&random, alphas[a]);
            assert_true(share >= 0 && share <= 1);
            sum += share - 0.5;
            squares += (share - 0.5) * (share - 0.5);
        }
        const double variance = 1 / (4 * (2 * (double)alphas[a] + 1)), error = 5 * sqrt(variance / DRAWS);
        if (!(fabs(sum / DRAWS) <= error && fabs(squares / DRAWS - variance) <= error / 2))
            fail_msg("alpha %g: mean 0.5 %+g, variance %g, expected %g", (double)alphas[a], sum / DRAWS, squares / DRAWS, variance);
    }
}

static void test_dirichlet(void **state)
{
    (void)state;
    Random random = random_stream(3, 9, 0, RANDOM_init);
    double sums[3] = { 0 };
    for (int i = 0; i < 10000; i++) {
        float parts[3];
        random_dirichlet(&random, 1, 3, parts);
        assert_true(fabs((double)parts[0] + (double)parts[1] + (double)parts[2] - 1) < 1e-5);
        for (int k = 0; k < 3; k++)
            sums[k] += (double)parts[k];
    }
    for (int k = 0; k < 3; k++)
        assert_true(fabs(sums[k] / 10000 - 1.0 / 3) < 5 * 0.2357 / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beta),
        cmocka_unit_test(test_dirichlet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
