/* test_expression_code.c - formulas as vector code, in every instruction set, against their values in double.
 *
 * The kernels must be right to 2 units in the last place of the scale (formula_tolerance). phi is exact to 2 units of 1, and what is no
 * normal float may be 0. The program runs itself once for each CONVZOO_ISA. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expression_tree.h"
#include "formulas.h"
#include "kernels.h"
#include "layouts.h"

enum { DENSE = 201, RANDOM_FORMULAS = 200 };

static const float extremes[] = { 0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-40f, -1e-40f, 1e-45f, 1e-30f, -1e-30f, 1e30f, -1e30f, 1e4f, -1e4f, 88.7f,
                                  -88.7f, 89.3f, -103.5f, 5.5f, -5.5f, 1.0f, -1.0f, 3.0f, -3.0f, 6.0f, 3e5f };

enum { EXTREMES = sizeof extremes / sizeof *extremes, POINTS = DENSE + EXTREMES };

/* -50 to 50, and what is more likely to go wrong. */
static void fill_points(float x[POINTS])
{
    for (int i = 0; i < DENSE; i++)
        x[i] = (float)(-50.0 + 100.0 * i / (DENSE - 1)) * (i % 3 ? 1.0f : 0.1f);
    memcpy(x + DENSE, extremes, sizeof extremes);
}

static const char *const names[] = { "a", "b" };

static Expression *parsed(const char *text)
{
    Error error;
    Expression *e = strchr(text, ';') ? expression_parse(text, &error) : expression_parse_with(text, names, 2, &error);
    if (!e)
        fail_msg("%s: %s\n%s", text, error.text, error.below);
    return e;
}

/* ---- values ---- */

/* Whether a value on the way is a number that float has not: too large, or so small that few digits are left. */
static bool goes_beyond_float(const Expression *e, const double values[])
{
    for (int i = 0; i < e->count; i++) {
        const double size = fabs(values[i]);
        if ((isfinite(size) && size > (double)FLT_MAX) || (size > 0 && size < (double)FLT_MIN && operator_info(e->nodes[i].operator)->operands))
            return true;
    }
    return false;
}

typedef struct Tally { int checked, left_out; double worst; } Tally;

/* factor: what the value is multiplied by. */
static void check_value(const Expression *e, const char *text, const double at[4], double factor, float got, Tally *tally)
{
    static double values[FORMULA_NODES];
    assert_true(e->count <= FORMULA_NODES);
    expression_values(e, at[EXPRESSION_x], at[EXPRESSION_g], at + EXPRESSION_parameter, values);
    const double expected = factor * expression_value(e, at[EXPRESSION_x], at[EXPRESSION_g], at + EXPRESSION_parameter);
    const bool special = isnan(expected) || isinf(expected);
    const double tolerance = fabs(factor) * formula_tolerance(e, values, 2 * (double)FLT_EPSILON, 2 * (double)FLT_MIN, true) + 1e-30;
    const bool loose = isnan(at[0]) && factor != 1;      /* of a NaN a slope may be anything */
    const bool wild = !special && tolerance > 0.01 * fmax(fabs(factor), fabs(expected));      /* an error turns a sine around */
    if (loose || wild || goes_beyond_float(e, values) || !isfinite(tolerance) || (isfinite(expected) && fabs(expected) > (double)FLT_MAX)) {
        tally->left_out++;
        return;
    }
    tally->checked++;
    const double error = fabs((double)got - expected);
    if (special ? !(isnan(expected) ? isnan(got) : (double)got == expected) : !(error <= tolerance))
        fail_msg("%s: %s at x=%.9g g=%g is %.9g, expected %.12g, error %.3g of at most %.3g", kernels_isa(), text, at[0], at[1], (double)got, expected, error,
                 tolerance);
    if (!special)
        tally->worst = fmax(tally->worst, 2 * error / tolerance);
}

static void check_formula(const char *text, const float *x, const float *g, Tally *tally)
{
    Expression *formulas[1 + EXPRESSION_OUTPUTS] = { parsed(text) };
    int variables = EXPRESSION_parameter + expression_parameter_count(formulas[0]);
    for (int variable = 0; variable < variables; variable++)
        formulas[1 + variable] = expression_derivative(formulas[0], variable);
    Error error;
    ExpressionCode *value = expression_compile((const Expression *const *)formulas, 1, false, &error);
    ExpressionCode *slopes = expression_compile((const Expression *const *)formulas + 1, variables, true, &error);
    assert_true(value && slopes);

    static float dy[POINTS], y[1 + EXPRESSION_OUTPUTS][POINTS];
    const float parameters[EXPRESSION_PARAMETERS] = { 0.75f, -1.25f, 0, 0 };
    for (int i = 0; i < POINTS; i++)
        dy[i] = (float)(0.5 + (i * 7) % 13) * (i % 2 ? 1.0f : -1.0f);
    const ExpressionStrips in = { .inputs = { x, g, parameters, parameters + 1, parameters + 2, parameters + 3, dy } };
    kernel_expression(value, POINTS, &in, (float *const[]){ y[0] });
    kernel_expression(slopes, POINTS, &in, (float *const[]){ y[1], y[2], y[3], y[4], y[5], y[6] });
    for (int i = 0; i < POINTS; i++) {
        const double at[4] = { (double)x[i], (double)g[i], (double)parameters[0], (double)parameters[1] };
        for (int k = 0; k <= variables; k++)
            check_value(formulas[k], text, at, k ? (double)dy[i] : 1, y[k][i], tally);
    }
    for (int k = 0; k <= variables; k++)
        expression_free(formulas[k]);
    expression_code_free(value);
    expression_code_free(slopes);
}

static void test_functions(void **state)
{
    (void)state;
    float x[POINTS], g[POINTS];
    fill_points(x);
    for (int i = 0; i < POINTS; i++)
        g[i] = x[(i * 11) % DENSE];
    char names_left[1024], text[64], *rest = names_left;
    snprintf(names_left, sizeof names_left, "%s", expression_functions());
    for (char *name; (name = strtok_r(rest, " ", &rest));) {
        Tally tally = {0};
        const bool two = !strcmp(name, "min") || !strcmp(name, "max");
        snprintf(text, sizeof text, !strcmp(name, "clamp") ? "%s(x, -2, 3)" : two ? "%s(x, g)" : "%s(x)", name);
        check_formula(text, x, g, &tally);
        print_message("%-6s %-16s %4d values, %3d left out, worst %.2f units\n", kernels_isa(), text, tally.checked, tally.left_out, tally.worst);
    }
}

static void test_formulas(void **state)
{
    (void)state;
    float x[POINTS], g[POINTS];
    char text[EXPRESSION_LENGTH + 1];
    Random random = random_stream(14, 0, 0, RANDOM_shapes);
    Tally tally = {0};
    fill_points(x);
    for (int i = 0; i < POINTS; i++)
        g[i] = x[(i * 11) % DENSE];
    for (const char *const *known = formulas_known; *known; known++)
        if (!strchr(*known, ';'))
            check_formula(*known, x, g, &tally);
    for (int i = 0; i < RANDOM_FORMULAS; i++) {
        formula_random(&random, true, text, sizeof text);
        check_formula(text, x, g, &tally);
    }
    print_message("%-6s %d values, %d left out, worst %.2f units\n", kernels_isa(), tally.checked, tally.left_out, tally.worst);
    assert_true(tally.checked > 4 * tally.left_out);
}

/* Every pair of special values. */
static void test_powers(void **state)
{
    (void)state;
    static const float few[] = { 0.5f, 2, -2, 1.5f, 7, -7, 16777216.0f, 0.01f };
    enum { ALL = EXTREMES + sizeof few / sizeof *few };
    float x[ALL * ALL], g[ALL * ALL], dy[ALL * ALL], y[ALL * ALL], all[ALL];
    memcpy(all, extremes, sizeof extremes);
    memcpy(all + EXTREMES, few, sizeof few);
    for (int i = 0; i < ALL * ALL; i++) {
        x[i] = all[i / ALL];
        g[i] = all[i % ALL];
        dy[i] = 1;
    }
    Expression *e = parsed("x^g");
    Error error;
    ExpressionCode *code = expression_compile((const Expression *const[]){ e }, 1, true, &error);      /* a NaN is C's */
    kernel_expression(code, ALL * ALL, &(ExpressionStrips){ .inputs = { x, g, [EXPRESSION_dy] = dy } }, (float *const[]){ y });
    for (int i = 0; i < ALL * ALL; i++) {
        const double expected = pow((double)x[i], (double)g[i]);
        const float nearest = (float)expected;
        const bool same = isnan(expected) ? isnan(y[i]) : isinf(nearest) ? y[i] == nearest
                        : fabs((double)y[i] - expected) <= 1.2e-7 * fabs(expected) + 1.5e-45;
        if (!same)
            fail_msg("%s: %.9g^%.9g is %.9g, expected %.9g", kernels_isa(), (double)x[i], (double)g[i], (double)y[i], expected);
    }
    expression_code_free(code);
    expression_free(e);
}

/* ---- the code ---- */

/* slope: of dy times the derivative. */
static const struct { const char *text, *code, *slope; } codes[] = {
    { "x*sigmoid(x)", "silu x -> y0\n", "silu_slope_times x dy -> y0\n" },
    { "x*tanh(softplus(x))", "mish x -> y0\n", "mish_slope_times x dy -> y0\n" },
    { "gelu(x)", "gelu x -> y0\n", "gelu_slope_times x dy -> y0\n" },
    { "relu(x)", "relu x -> y0\n", "choose_less 0 x dy 0 -> y0\n" },
    { "x > 0 ? x : 0.1*x", "multiply 0.1 x -> r0\nchoose_less 0 x x r0 -> y0\n", "multiply dy 0.1 -> r0\nchoose_less 0 x dy r0 -> y0\n" },
    { "x*sigmoid(g)", "sigmoid_times g x -> y0\n", "sigmoid_times g dy -> y0\n" },
    { "tanh(x)", "tanh x -> y0\n", "tanh_slope_times x dy -> y0\n" },
    { "x*g + 1", "multiply_add x g 1 -> y0\n", "multiply dy g -> y0\n" },
    { "3", "copy 3 -> y0\n", "copy 0 -> y0\n" },
    { "x", "copy x -> y0\n", "copy dy -> y0\n" },
    { "x > 0 ? x : 0", "choose_less 0 x x 0 -> r0\nchoose_not_equal x x x r0 -> y0\n", "choose_less 0 x dy 0 -> y0\n" },
    { "x*sigmoid(x) + sigmoid(x)", "sigmoid x -> r0\nmultiply_add x r0 r0 -> y0\n",
      "sigmoid_both x -> r0 r1\nmultiply_add x r1 r0 -> r0\nadd r0 r1 -> r0\nmultiply dy r0 -> y0\n" },
};

static void check_code(const Expression *e, bool times_dy, const char *expected)
{
    Error error;
    ExpressionCode *code = expression_compile((const Expression *const[]){ e }, 1, times_dy, &error);
    char *text = expression_code_text(code);
    assert_string_equal(text, expected);
    free(text);
    expression_code_free(code);
}

static void test_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        Expression *e = parsed(codes[i].text), *d = expression_derivative(e, EXPRESSION_x);
        check_code(e, false, codes[i].code);
        check_code(d, true, codes[i].slope);
        expression_free(e);
        expression_free(d);
    }
}

/* Parameters a value each element, in place, and with any number of threads. */
static void test_strips(void **state)
{
    (void)state;
    enum { COUNT = 40001 };
    Error error;
    Expression *e = parsed("x*sigmoid(a*x) + sin(b*x); a=1 b=2");
    ExpressionCode *code = expression_compile((const Expression *const[]){ e }, 1, false, &error);
    float *x = allocate(COUNT, sizeof *x, "x"), *a = allocate(COUNT, sizeof *a, "a"), *y = allocate(COUNT, sizeof *y, "y"), b = 0.7f;
    for (int i = 0; i < COUNT; i++) {
        x[i] = (float)(i % 1001) / 100 - 5;
        a[i] = (float)(i % 17) / 8;
    }
    ExpressionStrips in = { .inputs = { [EXPRESSION_x] = x, [EXPRESSION_parameter] = a, [EXPRESSION_parameter + 1] = &b }, .each = { true } };
    omp_set_num_threads(1);
    kernel_expression(code, COUNT, &in, &y);
    for (int i = 0; i < COUNT; i++) {
        const double parameters[] = { (double)a[i], (double)b }, expected = expression_value(e, (double)x[i], 0, parameters);
        if (!(fabs((double)y[i] - expected) <= 2e-6))
            fail_msg("%s: element %d is %.9g, expected %.9g", kernels_isa(), i, (double)y[i], expected);
    }
    omp_set_num_threads(3);
    kernel_expression(code, COUNT, &in, &x);
    assert_memory_equal(x, y, COUNT * sizeof *y);
    free(x);
    free(a);
    free(y);
    expression_code_free(code);
    expression_free(e);
}

/* The widest formula that can be typed still runs. */
static void test_wide(void **state)
{
    (void)state;
    char text[EXPRESSION_LENGTH + 1];
    size_t length = 0;
    int values = 0;
    for (; length + 12 < EXPRESSION_LENGTH / 2; values++)
        length += (size_t)sprintf(text + length, "(x+%d)*(", values);
    length += (size_t)sprintf(text + length, "x");
    for (int i = 0; i < values; i++)
        length += (size_t)sprintf(text + length, ")");
    Error error;
    Expression *e = parsed(text), *d = expression_derivative(e, EXPRESSION_x);
    ExpressionCode *code = expression_compile((const Expression *const[]){ e, d }, 2, false, &error);
    assert_non_null(code);
    float x = 1, y[2];
    kernel_expression(code, 1, &(ExpressionStrips){ .inputs = { &x } }, (float *const[]){ y, y + 1 });
    assert_true(fabs((double)y[0] / expression_value(e, 1, 0, NULL) - 1) < 1e-4 || isinf(y[0]));
    expression_code_free(code);
    expression_free(e);
    expression_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions), cmocka_unit_test(test_formulas), cmocka_unit_test(test_powers), cmocka_unit_test(test_codes),
        cmocka_unit_test(test_strips),    cmocka_unit_test(test_wide),
    };
    if (!getenv("CONVZOO_ISA"))
        return run_every_isa();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
