/* test_formula.c - the catalogue's formulas against its loops, and what a person may type for --act. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formula.h"
#include "kernels.h"

static void near(const char *what, const char *name, double x, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s of %s at %.17g: the formula gives %.17g, the loops %.17g", what, name, x, got, expected);
}

static double distance_to_kink(const ActivationInfo *info, double x)
{
    double distance = INFINITY;
    for (int i = 0; i < info->kink_count; i++)
        distance = fmin(distance, fabs(x - info->kinks[i]));
    return distance;
}

/* celu's kinks move with alpha, all others stay. */
static void test_rows_say_what_their_loops_do(void **state)
{
    (void)state;
    for (ActivationKey key = ACT_native + 1; key < ACT_COUNT; key++)
        for (int other = 0; other < 2; other++) {
            const Activation act = other ? activation_with(key, 0.75f) : activation_of(key);
            for (int i = -5000; i <= 5000; i++) {
                const double x = i * 0.01 + 0.0001, scale = fmax(1, fabs(x));
                near("f", act.info->key, x, formula_value(act, x), activation_value(act, x), 1e-14 * scale);
                if (distance_to_kink(act.info, x) > 1e-6)
                    near("f'", act.info->key, x, formula_slope(act, x), activation_slope(act, x), 1e-12 * scale);
            }
        }
}

static void test_every_row_is_a_formula(void **state)
{
    (void)state;
    for (int i = 0; i < activation_count(); i++) {
        const Activation act = activation_of_info(activation_at(i));
        const Formula *formula = formula_of(act.info);
        assert_ptr_equal(formula, formula_of(act.info));
        assert_int_equal(formula->parameters, activation_parameter_count(act.info));
        assert_true(activation_gain(act) > 0.4f && activation_gain(act) < 4);
        for (double x = -20; x <= 20; x += 0.25)
            assert_true(isfinite(formula_value(act, x)) && isfinite(formula_slope(act, x)));
        assert_true(isnan(formula_value(act, NAN)));
    }
}

static void test_typed(void **state)
{
    (void)state;
    Activation once, again, silu = activation_of(ACT_silu);
    Error error;
    assert_true(activation_parse(" x*sigmoid(x) ", &once, &error) && activation_parse("x*sigmoid(x)", &again, &error));
    assert_ptr_equal(once.info, again.info);
    assert_int_equal(activation_key(once), ACT_formula);
    assert_true(fabsf(activation_gain(once) - silu.info->gain) < 1e-5f);
    assert_false(once.info->learned || activation_is_gated(once));
    char text[ACTIVATION_TEXT];
    assert_string_equal(activation_text(once, text, sizeof text), "x*sigmoid(x)");

    assert_true(activation_parse("x*sigmoid(b*x); b=1.5", &once, &error));
    assert_true(once.info->learned && once.parameters[0] == 1.5f);
    assert_string_equal(activation_text(once, text, sizeof text), "x*sigmoid(b*x); b=1.5");
    assert_true(activation_parse("x*sigmoid(g)", &once, &error) && activation_is_gated(once));
    assert_true(activation_parse("x", &once, &error) && activation_parse("-x", &once, &error) && activation_parse("x-1", &once, &error));
    assert_true(activation_parse("hardtanh:-2,3", &once, &error) && once.parameters[0] == -2 && once.parameters[1] == 3);
    assert_string_equal(activation_text(once, text, sizeof text), "hardtanh:-2,3");
    assert_true(activation_value(once, 5) == 3 && activation_value(once, -5) == -2);
}

/* A row's parameters count in its gain as they do in that of the same function, typed. */
static void test_gains_of_parameters(void **state)
{
    (void)state;
    static const struct { const char *row, *typed; } pairs[] = {
        { "leaky_relu:1", "x" }, { "leaky_relu:30", "x > 0 ? x : 30*x" }, { "elu:3", "x > 0 ? x : 3*(exp(x) - 1)" }, { "hardtanh:-2,3", "clamp(x, -2, 3)" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        Activation row, typed;
        Error error;
        assert_true(activation_parse(pairs[i].row, &row, &error) && activation_parse(pairs[i].typed, &typed, &error));
        const double got = (double)activation_gain(row), expected = (double)activation_gain(typed);
        if (fabs(got / expected - 1) > 0.01)
            fail_msg("%s: %g, %s: %g", pairs[i].row, got, pairs[i].typed, expected);
    }
    Activation none;
    Error error;
    assert_false(activation_parse("threshold:20,0", &none, &error));
    assert_non_null(strstr(error.text, "values are too small"));
}

static const struct { const char *text, *says; } mistakes[] = {
    { "x*sigmod(x)", "sigmod" },                { "x*(1+x", "character 7" },
    { "2*3", "does not depend on x" },          { "b*g; b=1", "does not depend on x" },
    { "log(x)", "finite" },                     { "1/x", "finite" },
    { "1e6*x", "too large" },                   { "1e-9*x", "too small" },
    { "x*c", "c" },                             { "x;", "" },
    { "hardtanh:1,2,3", "too many numbers" },   { "x^a; a=1", "the derivative of the formula by a learned number is not a number at x = -20" },
    { "tanh(1e39*x)", "too large for float" },  { "x/(1e-46+|x|)", "too small for float" },
    { "sqrt(|x|)", "the derivative of the formula is not a number at x = 0" },
    { "exp(x^2)", "the formula is too large for float at x = -20" },
};

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        Activation act = activation_with(ACT_tanh, 5);
        Error error = { 0 };
        if (activation_parse(mistakes[i].text, &act, &error) && *mistakes[i].says)
            fail_msg("'%s' is accepted", mistakes[i].text);
        if (*mistakes[i].says) {
            assert_int_equal(error.code, EXIT_usage);
            if (!strstr(error.text, mistakes[i].says))
                fail_msg("'%s' says \"%s\", expected \"%s\"", mistakes[i].text, error.text, mistakes[i].says);
            assert_true(activation_key(act) == ACT_tanh && act.parameters[0] == 5);
        }
    }
}

/* What is drawn depends on the number's place in N C H W, whatever the layout. */
static void test_noise(void **state)
{
    (void)state;
    Activation rrelu;
    assert_true(activation_parse("rrelu", &rrelu, NULL));
    const View plain = { 3, 21, 17, 13, 1, 21 }, others[] = { { 3, 21, 17, 13, 8, 24 }, { 3, 21, 17, 13, 21, 21 } };
    FormulaKernel kernel = { .formula = formula_of(rrelu.info), .view = plain, .draws = true, .parameters = { 0.125f, 0.33333334f } };
    const size_t count = view_count(&plain);
    float *x = allocate(view_count(&others[0]), sizeof *x, "x"), *y = allocate(count, sizeof *y, "y"), *z = allocate(view_count(&others[0]), sizeof *z, "z");
    for (size_t i = 0; i < view_count(&others[0]); i++)
        x[i] = -1;
    const FormulaInputs in = { .x = x, .dy = x, .key = 99 };
    kernel_formula_forward(&kernel, &in, y);
    double sum = 0, square = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(-y[i] >= 0.125f && -y[i] <= 0.33333334f);
        sum += (double)-y[i];
        square += (double)(y[i] * y[i]);
    }
    const double mean = sum / (double)count, variance = square / (double)count - mean * mean, width = 1.0 / 3 - 1.0 / 8;
    assert_true(fabs(mean - (1.0 / 3 + 1.0 / 8) / 2) < 5 * width / sqrt(12.0 * (double)count));
    assert_true(fabs(variance / (width * width / 12) - 1) < 0.05);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        kernel.view = others[i];
        kernel_formula_forward(&kernel, &in, z);
        for (int n = 0; n < plain.n; n++)
            for (int c = 0; c < plain.c; c++)
                for (int h = 0; h < plain.h; h++)
                    for (int w = 0; w < plain.w; w++)
                        assert_true(y[view_offset(&plain, n, c, h, w)] == z[view_offset(&others[i], n, c, h, w)]);
    }
    kernel.view = plain;
    kernel_formula_backward(&kernel, &in, z, NULL, NULL);      /* of x = -1 and dy = -1 */
    for (size_t i = 0; i < count; i++)
        assert_true(z[i] == y[i]);
    kernel.draws = false;
    kernel_formula_forward(&kernel, &in, y);
    for (size_t i = 0; i < count; i++)
        assert_true(fabsf(y[i] + 11.0f / 48) < 1e-6f);
    free(x);
    free(y);
    free(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_say_what_their_loops_do), cmocka_unit_test(test_every_row_is_a_formula),
        cmocka_unit_test(test_typed), cmocka_unit_test(test_gains_of_parameters), cmocka_unit_test(test_mistakes), cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
