/* test_significance.c - Student's t, pairs and Holm's correction, against mpmath and by hand. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "significance.h"

static void near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%.17g, expected %.17g", got, expected);
}

/* mpmath's regularised incomplete beta function at freedom / (freedom + t^2). */
static void student(void **state)
{
    (void)state;
    static const struct { double t; int freedom; double p; } cases[] = {
        { 0, 5, 1 },
        { 0.5, 1, 0.70483276469913345 },
        { 2, 4, 0.11611652351681559 },
        { 12.7062, 1, 0.050000018560710399 },
        { 3.2, 9, 0.010831302589901328 },
        { -1.3, 7, 0.23476783539237715 },
        { 40, 3, 3.4380680789158528e-5 },
        { 1e-3, 30, 0.99920873576648509 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        near(significance_t(cases[i].t, cases[i].freedom), cases[i].p, 1e-12 * cases[i].p);
    assert_true(isnan(significance_t(1, 0)));
}

static void pairs(void **state)
{
    (void)state;
    const double a[] = { 1, 2, 3, 4 }, b[] = { 1.5, 2.2, 3.9, 4.1 };
    const Paired p = significance_paired(a, b, 4);
    near(p.mean, 0.425, 1e-12);
    near(p.deviation, 0.35939764421413045, 1e-12);
    near(p.t, 2.3650683683768574, 1e-12);
    near(p.p, significance_t(2.3650683683768574, 3), 1e-12);
    near(significance_paired(a, a, 4).p, 1, 0);
    near(significance_paired(a, (double[]){ 2, 3, 4, 5 }, 4).p, 0.125, 0);      /* four equal signs */
    assert_true(isnan(significance_paired(a, b, 1).p));
    /* One more image of 2000 and of 3700 each, which no double holds exactly, as they are and in a log's seven digits. */
    near(significance_paired((double[]){ 0.101, 0.2025 }, (double[]){ 0.1015, 0.203 }, 2).p, 0.5, 0);
    near(significance_paired((double[]){ 0.1021622, 0.9002703, 0.3332432 }, (double[]){ 0.1024324, 0.9005405, 0.3335135 }, 3).p, 0.25, 0);
    /* One image of 100,000 in one pair is scatter. */
    assert_true(significance_paired((double[]){ 0.5, 0.6, 0.7 }, (double[]){ 0.5, 0.6, 0.70001 }, 3).deviation > 0);
}

static void holm(void **state)
{
    (void)state;
    const double p[] = { 0.01, 0.04, NAN, 0.03, 0.005 }, expected[] = { 0.03, 0.06, NAN, 0.06, 0.02 };
    double corrected[5];
    significance_holm(p, 5, corrected);
    for (int i = 0; i < 5; i++)
        if (isnan(expected[i]))
            assert_true(isnan(corrected[i]));
        else
            near(corrected[i], expected[i], 1e-15);
    double large[] = { 0.6, 0.7 };
    significance_holm(large, 2, large);
    near(large[0], 1, 0);
    near(large[1], 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(student), cmocka_unit_test(pairs), cmocka_unit_test(holm) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
