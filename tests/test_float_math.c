/* test_float_math.c - the elementary functions of kernels/math.h against libm in double. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#include "kernels/math.h"

static float call_exp(float x)           { return float_exp(x); }
static float call_expm1(float x)         { return float_expm1(x); }
static float call_log1p(float x)         { return float_log1p(x); }
static float call_sigmoid(float x)       { return float_sigmoid(x); }
static float call_sigmoid_slope(float x) { return float_sigmoid_slope(x); }
static float call_tanh(float x)          { return float_tanh(x); }
static float call_phi(float x)           { return float_phi(x); }

static double sigmoid(double x)       { return 1 / (1 + exp(-x)); }
static double sigmoid_slope(double x) { return exp(-fabs(x)) / pow(1 + exp(-fabs(x)), 2); }
static double phi(double x)           { return erfc(-x / sqrt(2)) / 2; }

/* The bounds are those that math.h names; absolute where `relative` is false. */
static const struct {
    const char *name;
    float     (*function)(float);
    double    (*reference)(double);
    double      from, to, bound;
    bool        relative;
} cases[] = {
    { "exp",           call_exp,           exp,           -87,   88,  1.2e-7, true },
    { "expm1",         call_expm1,         expm1,         -87,   0,   2e-7,   true },
    { "expm1",         call_expm1,         expm1,         -1e-3, 0,   2e-7,   true },
    { "log1p",         call_log1p,         log1p,         0,     1,   3e-7,   true },
    { "sigmoid",       call_sigmoid,       sigmoid,       -87,   100, 2.2e-7, true },
    { "sigmoid_slope", call_sigmoid_slope, sigmoid_slope, -87,   87,  3.2e-7, true },
    { "tanh",          call_tanh,          tanh,          -50,   50,  2.2e-7, true },
    { "tanh",          call_tanh,          tanh,          -1e-3, 0,   2.2e-7, true },
    { "phi",           call_phi,           phi,           -100,  100, 2.1e-7, false },
    { "phi",           call_phi,           phi,           -6,    6,   2.1e-7, false },
};

static void test_errors(void **state)
{
    (void)state;
    enum { STEPS = 1000000 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int step = 0; step <= STEPS; step++) {
            const float x = (float)(cases[i].from + (cases[i].to - cases[i].from) * step / STEPS);
            const double expected = cases[i].reference((double)x), got = (double)cases[i].function(x);
            const double error = fabs(got - expected) / (cases[i].relative && expected != 0 ? fabs(expected) : 1);
            if (!(error <= cases[i].bound))
                fail_msg("%s(%.9g) is %.9g, expected %.12g, error %.2g", cases[i].name, (double)x, got, expected, error);
        }
}

static void test_ends(void **state)
{
    (void)state;
    assert_true(float_exp(0) == 1 && float_expm1(0) == 0 && float_log1p(0) == 0 && float_tanh(0) == 0 && float_phi(0) == 0.5f);
    assert_true(float_exp(-1e4f) <= 1.7e-38f && float_expm1(-1e4f) == -1 && float_exp(-INFINITY) <= 1.7e-38f);
    assert_true(float_tanh(1e4f) == 1 && float_tanh(-1e4f) == -1 && float_sigmoid(1e4f) == 1 && float_sigmoid(-1e4f) <= 1.7e-38f);
    assert_true(float_phi(-1e4f) == 0 && fabsf(float_phi(1e4f) - 1) < 2e-7f);
    assert_true(isnan(float_exp(NAN)) && isnan(float_expm1(NAN)) && isnan(float_log1p(NAN)));
    assert_true(isnan(float_tanh(NAN)) && isnan(float_sigmoid(NAN)) && isnan(float_phi(NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_errors), cmocka_unit_test(test_ends) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
