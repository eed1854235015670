/* test_expression.c - formulas: parsed, printed, differentiated and computed in double. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "expression_tree.h"
#include "formulas.h"
#include "fuzz_formulas.h"

enum { RANDOM_FORMULAS = 2000, TEXT = 8 * EXPRESSION_LENGTH };

static const char *const names[] = { "a", "b" };

static Expression *parsed(const char *text)
{
    Error error;
    Expression *e = strchr(text, ';') ? expression_parse(text, &error) : expression_parse_with(text, names, 2, &error);
    if (!e)
        fail_msg("%s: %s\n%s", text, error.text, error.below);
    return e;
}

/* ---- values by hand ---- */

static const struct { const char *text; double x, value; } values[] = {
    { "1 + 2*3", 0, 7 },           { "2^3^2", 0, 512 },             { "2**3", 0, 8 },              { "-x^2", 3, -9 },
    { "(-x)^2", 3, 9 },            { "2^-1", 0, 0.5 },              { "10 - 4 - 3", 0, 3 },        { "16/4/2", 0, 2 },
    { ".5 + 1.e1 + 1e-1", 0, 10.6 }, { "pi", 0, 3.14159265358979324 }, { "log(e)", 0, 1 },         { "--x", 2, 2 },
    { "!x", 0, 1 },                { "!x", 5, 0 },                  { "x < 2", 1, 1 },             { "x < 2", 2, 0 },
    { "x <= 2 && x >= 2", 2, 1 },  { "x == 1 || x == 2", 2, 1 },    { "1 || 0 && 0", 0, 1 },       { "x != 2", 2, 0 },
    { "x > 0 ? 1 : x < -1 ? 2 : 3", -5, 2 },                        { "x > 0 ? 1 : x < -1 ? 2 : 3", -0.5, 3 },
    { "2 + 1 > 2 ? 4 : 5", 0, 4 }, { "|x|", -3, 3 },                { "||x| - x|", -3, 6 },        { "min(x, 2) + max(x, 2)", 1, 3 },
    { "clamp(x, -1, 2)", 7, 2 },   { "clamp(x, -1, 2)", -7, -1 },   { "sign(x)", -2, -1 },         { "sign(x)", 0, 0 },
    { "relu(x)", -2, 0 },          { "sigmoid(x)", 0, 0.5 },        { "tanh(x)", 0, 0 },           { "softplus(x)", 0, 0.69314718055994531 },
    { "phi(x)", 0, 0.5 },          { "normal(x)", 0, 0.39894228040143268 }, { "erf(x)", 0, 0 },    { "relu6(x)", 9, 6 },
    { "hardswish(x)", 1, 2.0 / 3 }, { "hardsigmoid(x)", 9, 1 },     { "softsign(x)", -1, -0.5 },   { "sqrt(x)", 9, 3 },
    { "sigmoid(x)", -1000, 0 },    { "softplus(x)", 1000, 1000 },   { "tanh(softplus(x))", 800, 1 }, { "\tx\n+ 1 ", 1, 2 },
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        Expression *e = parsed(values[i].text);
        const double got = expression_value(e, values[i].x, 0, NULL);
        if (!(fabs(got - values[i].value) <= 1e-15 * fmax(1, fabs(values[i].value))))
            fail_msg("%s at %g is %.17g, expected %.17g", values[i].text, values[i].x, got, values[i].value);
        expression_free(e);
    }
}

static void test_nan(void **state)
{
    (void)state;
    for (const char *const *text = formulas_known; *text; text++) {
        Expression *e = parsed(*text);
        if (!isnan(expression_value(e, NAN, 1, NULL)))
            fail_msg("%s of NaN is %g", *text, expression_value(e, NAN, 1, NULL));
        expression_free(e);
    }
}

/* ---- mistakes ---- */

/* column: of the caret, from 1; says: a part of the message. */
static const struct { const char *text; int column; const char *says; } mistakes[] = {
    { "", 1, "a value is missing at the end" },       { "x*", 3, "a value is missing at the end" },  { "x + * 2", 5, "before '*'" },
    { "(x + 1", 7, "')' is missing" },                { "x + 1)", 6, "')' has no beginning" },       { "|x", 3, "'|' is missing" },
    { "x = 1", 3, "write ==" },                       { "x & 1", 3, "write &&" },                    { "1 < x < 2", 7, "do not chain" },
    { "2x", 2, "write * to multiply" },               { "x 2", 3, "write * to multiply" },           { "(x)(x)", 4, "write * to multiply" },
    { "x > 0 ? x", 10, "':' is missing" },            { "x if x > 0 else 0", 3, "is Python's" },     { "x and 1", 3, "write &&" },
    { "torch.sigmoid(x)", 1, "is Python's" },         { "x*F.relu(x)", 3, "is Python's" },           { "sigmod(x)", 1, "did you mean sigmoid" },
    { "x*nothing(x)", 3, "there are exp" },           { "x*alpha", 3, "'; alpha=1'" },               { "sigmoid x", 9, "write sigmoid(x)" },
    { "max(x)", 6, "max has 2 operands" },            { "sin(x, 1)", 6, "sin has 1 operand:" },      { "1e999*x", 1, "beyond" },
    { "x*b; b", 7, "'=' is missing" },                { "x*b; b=", 8, "a number is missing" },       { "x*b; 1", 6, "a parameter is missing" },
    { "x*b; b=1 b=2", 10, "has a meaning" },          { "x*sin; sin=2", 8, "has a meaning" },        { "x*x; x=2", 6, "has a meaning" },
    { "x; b=1", 2, "does not use the parameter 'b'" }, { "x*b; b=one", 8, "a number is missing" },   { "x \xC3\x97 2", 3, "ASCII" },
    { "a*b*c*d*f*x; a=1 b=1 c=1 d=1 f=1", 30, "more than 4 parameters" },                            { "x @ 2", 3, "'@' means nothing" },
    { "x*abcdefghijklmnopqrstuvwxyz; abcdefghijklmnopqrstuvwxyz=1", 31, "at most 23 fit" },
};

static void check_mistake(const char *text, int column, const char *says)
{
    Error error;
    Expression *e = expression_parse(text, &error);
    if (e)
        fail_msg("'%s' parses", text);
    const char *caret = strrchr(error.below, '\n');
    if (error.code != EXIT_usage || !strstr(error.text, says) || strchr(error.text, '\n') || !caret || strspn(caret + 1, " ") != (size_t)column + 3)
        fail_msg("'%s': expected \"%s\" and a caret at %d: %s\n%s", text, says, column, error.text, error.below);
}

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        check_mistake(mistakes[i].text, mistakes[i].column, mistakes[i].says);
}

/* Of a long line the part around the mistake is shown. */
static void test_bounds(void **state)
{
    (void)state;
    char text[4 * EXPRESSION_LENGTH];
    for (int pair = 0; pair < 4; pair++) {
        static const char *const opening[] = { "(", "-", "1?", "2^" }, *const closing[] = { ")", "", ":1", "" };
        size_t at = 0;
        for (int i = 0; i < 100; i++)
            at += (size_t)sprintf(text + at, "%s", opening[pair]);
        at += (size_t)sprintf(text + at, "x");
        for (int i = 0; i < 100; i++)
            at += (size_t)sprintf(text + at, "%s", closing[pair]);
        check_mistake(text, 39, "more than 64 levels");
    }
    memset(text, 'x', EXPRESSION_LENGTH + 1);
    text[EXPRESSION_LENGTH + 1] = '\0';
    check_mistake(text, 39, "at most 512 are read");
    size_t at = 0;
    while (at + 8 < EXPRESSION_LENGTH)
        at += (size_t)sprintf(text + at, at ? "+%d/x" : "%d/x", (int)at);
    check_mistake(text, 39, "more than 256 operations");
}

/* ---- printed and parsed again ---- */

static void check_round_trip(const Expression *e, const char *of)
{
    char text[TEXT], again_text[TEXT];
    expression_text(e, text, sizeof text);
    if (strlen(text) > EXPRESSION_LENGTH)
        return;
    Error error;
    Expression *again = strchr(text, ';') && expression_parameter_count(e) == 1 ? expression_parse(text, &error) : NULL;
    if (!again) {
        char *semicolon = strchr(text, ';');
        if (semicolon)
            *semicolon = '\0';
        again = expression_parse_with(text, names, 2, &error);
    }
    if (!again)
        fail_msg("%s is printed as %s: %s\n%s", of, text, error.text, error.below);
    if (strcmp(expression_text(again, again_text, sizeof again_text), text) && strncmp(again_text, text, strlen(text)))
        fail_msg("%s is printed as %s and then as %s", of, text, again_text);
    expression_free(again);
}

static void test_round_trip(void **state)
{
    (void)state;
    char text[EXPRESSION_LENGTH + 1];
    Random random = random_stream(12, 0, 0, RANDOM_shapes);
    for (int i = 0; i < RANDOM_FORMULAS; i++) {
        formula_random(&random, true, text, sizeof text);
        Expression *e = parsed(text), *derivative = expression_derivative(e, EXPRESSION_x);
        check_round_trip(e, text);
        check_round_trip(derivative, text);
        expression_free(e);
        expression_free(derivative);
    }
}

static void test_parameters(void **state)
{
    (void)state;
    char text[TEXT];
    Expression *e = parsed(" a*relu(x) - b*relu(-x); a=0.25, b = -1e-3 ");
    assert_int_equal(expression_parameter_count(e), 2);
    assert_string_equal(expression_parameter_name(e, 1), "b");
    assert_true(expression_parameter_default(e, 0) == 0.25 && expression_parameter_default(e, 1) == -1e-3);
    assert_true(expression_reads(e, EXPRESSION_x) && !expression_reads(e, EXPRESSION_g) && expression_reads(e, EXPRESSION_parameter + 1));
    assert_string_equal(expression_text(e, text, sizeof text), "a*relu(x) - b*relu(-x); a=0.25 b=-0.001");
    assert_string_equal(expression_source(e), "a*relu(x) - b*relu(-x); a=0.25, b = -1e-3");
    Error error;
    Expression *again = expression_parse(text, &error);
    assert_true(expression_equal(e, again));
    assert_string_equal(expression_text(e, text, 8), "a*re...");
    assert_true(expression_value(e, -2, 0, (const double[]){ 1, 3 }) == -6 && expression_value(e, -2, 0, NULL) == 2e-3);
    expression_free(e);
    expression_free(again);
}

/* ---- derivatives ---- */

static const struct { const char *text; int variable; const char *derivative; } derivatives[] = {
    { "x^2", EXPRESSION_x, "2*x" },                   { "x^3", EXPRESSION_x, "3*x^2" },              { "3*x + 1", EXPRESSION_x, "3" },
    { "sigmoid(x)", EXPRESSION_x, "sigmoid_slope(x)" }, { "tanh(x)", EXPRESSION_x, "tanh_slope(x)" },
    { "softplus(2*x)", EXPRESSION_x, "2*sigmoid(2*x)" }, { "x*sigmoid(x)", EXPRESSION_x, "sigmoid(x) + x*sigmoid_slope(x)" },
    { "relu(x)", EXPRESSION_x, "x > 0 ? 1 : 0" },     { "x > 0 ? x : 0.1*x", EXPRESSION_x, "x > 0 ? 1 : 0.1" },
    { "x*sigmoid(g)", EXPRESSION_x, "sigmoid(g)" },   { "x*sigmoid(g)", EXPRESSION_g, "x*sigmoid_slope(g)" }, { "x + 1", EXPRESSION_g, "0" },
    { "gelu(x)", EXPRESSION_x, "phi(x) + x*normal(x)" }, { "-cos(x)", EXPRESSION_x, "sin(x)" },    { "x*sqrt(0*g)", EXPRESSION_x, "sqrt(0*g)" },
};

static void test_derivatives(void **state)
{
    (void)state;
    char text[TEXT];
    for (size_t i = 0; i < sizeof derivatives / sizeof *derivatives; i++) {
        Expression *e = parsed(derivatives[i].text), *d = expression_derivative(e, derivatives[i].variable);
        if (strcmp(expression_text(d, text, sizeof text), derivatives[i].derivative))
            fail_msg("the derivative of %s is %s, expected %s", derivatives[i].text, text, derivatives[i].derivative);
        expression_free(e);
        expression_free(d);
    }
}

/* PyTorch's values at kinks. */
static void test_kinks(void **state)
{
    (void)state;
    static const struct { const char *text; double x, slope; } kinks[] = {
        { "relu(x)", 0, 0 },       { "|x|", 0, 0 },           { "max(x, 0)", 0, 0.5 },      { "min(x, 2*x)", 0, 1.5 }, { "relu6(x)", 0, 0 },
        { "relu6(x)", 6, 0 },      { "clamp(x, -1, 1)", 1, 1 }, { "hardsigmoid(x)", 3, 0 }, { "hardswish(x)", 3, 1.5 }, { "hardswish(x)", -3, -0.5 }, { "x^0", 0, 0 },
        { "relu(sqrt(x) - 1)", 0, 0 },
        { "min(6, exp(x))", 800, 0 }, { "max(x, 1 - exp(-x))", -800, 1 },      /* what is not chosen may be infinite */
    };
    for (size_t i = 0; i < sizeof kinks / sizeof *kinks; i++) {
        Expression *e = parsed(kinks[i].text), *d = expression_derivative(e, EXPRESSION_x);
        const double got = expression_value(d, kinks[i].x, 0, NULL);
        if (got != kinks[i].slope)
            fail_msg("the slope of %s at %g is %g, expected %g", kinks[i].text, kinks[i].x, got, kinks[i].slope);
        expression_free(e);
        expression_free(d);
    }
}

/* The value with one variable moved by h. */
static double moved(const Expression *e, const double at[4], int variable, double h)
{
    double to[4];
    memcpy(to, at, sizeof to);
    to[variable] += h;
    return expression_value(e, to[EXPRESSION_x], to[EXPRESSION_g], to + EXPRESSION_parameter);
}

/* Whether a value on the way is infinite: the slope there may be anything. */
static bool is_infinite(const Expression *e, const double at[4])
{
    double all[1024];
    assert_true(e->count <= 1024);
    expression_values(e, at[EXPRESSION_x], at[EXPRESSION_g], at + EXPRESSION_parameter, all);
    for (int i = 0; i < e->count; i++)
        if (isinf(all[i]))
            return true;
    return false;
}

/* Central differences of steps h and h / 2 tell by how far they are from each other how exact they are: false where they are not (a kink, a
 * jump, an end of the domain). */
static bool check_slope(const Expression *e, const Expression *d, const double at[4], int variable, const char *text)
{
    const double h = 1e-4;
    const double wide = (moved(e, at, variable, h) - moved(e, at, variable, -h)) / (2 * h);
    const double near = (moved(e, at, variable, h / 2) - moved(e, at, variable, -h / 2)) / h;
    const double best = (4 * near - wide) / 3, size = fmax(1, fabs(best)), noise = 1e-10 * fmax(1, fabs(moved(e, at, variable, 0)));
    if (!(fabs(near - wide) <= 1e-4 * size) || is_infinite(e, at) || is_infinite(d, at))
        return false;
    const double got = moved(d, at, variable, 0);
    if (!(fabs(got - best) <= fabs(near - wide) + 1e-7 * size + noise))
        fail_msg("variable %d of %s: slope %.12g at %g %g %g %g, central differences say %.12g", variable, text, got, at[0], at[1], at[2], at[3], best);
    return true;
}

static void check_derivatives(const char *text, Random *random, int *checked)
{
    Expression *e = parsed(text);
    for (int variable = 0; variable < EXPRESSION_parameter + expression_parameter_count(e); variable++) {
        Expression *d = expression_derivative(e, variable);
        for (int i = 0; i < 10; i++) {
            double at[4];
            for (int k = 0; k < 4; k++)
                at[k] = 6 * (double)random_uniform(random) - 3;
            *checked += check_slope(e, d, at, variable, text);
        }
        expression_free(d);
    }
    expression_free(e);
}

static void test_central_differences(void **state)
{
    (void)state;
    char text[EXPRESSION_LENGTH + 1];
    Random random = random_stream(13, 0, 0, RANDOM_shapes);
    int checked = 0;
    for (const char *const *known = formulas_known; *known; known++)
        check_derivatives(*known, &random, &checked);
    for (int i = 0; i < RANDOM_FORMULAS; i++) {
        formula_random(&random, true, text, sizeof text);
        check_derivatives(text, &random, &checked);
    }
    print_message("%d slopes compared\n", checked);
    assert_true(checked > RANDOM_FORMULAS * 4 * 10 / 2);
}

/* ---- against mpmath ---- */

/* A number, or the text inf, -inf or nan. */
static double golden_number(const json_t *value)
{
    return json_is_string(value) ? strtod(json_string_value(value), NULL) : json_number_value(value);
}

typedef struct GoldenTally { int checked, left_out; double worst; } GoldenTally;

static void check_golden(const Expression *e, const char *what, const char *text, double x, const json_t *golden, GoldenTally *tally)
{
    static double all[FORMULA_NODES];
    assert_true(e->count <= FORMULA_NODES);
    if (json_is_null(golden) || (isnan(x) && !expression_reads(e, EXPRESSION_x)))
        return;
    expression_values(e, x, 0, NULL, all);
    const double got = expression_value(e, x, 0, NULL), expected = golden_number(golden);
    const double tolerance = formula_tolerance(e, all, 1e-12, 1e-300, false) + 1e-300;
    if (!isfinite(tolerance) || (isfinite(expected) && tolerance > 1e-3 * fmax(1, fabs(expected)))) {
        tally->left_out++;
        return;
    }
    tally->checked++;
    const bool same = got == expected || (isnan(got) && isnan(expected));
    if (!same && !(fabs(got - expected) <= tolerance))
        fail_msg("%s of %s at %.17g is %.17g, expected %.17g, at most %.3g off", what, text, x, got, expected, tolerance);
    if (!same)
        tally->worst = fmax(tally->worst, fabs(got - expected) / tolerance);
}

static void test_golden(void **state)
{
    (void)state;
    json_error_t problem;
    json_t *golden = json_load_file(TESTS_FOLDER "/golden/expressions.json", 0, &problem), *row, *point;
    size_t i, k;
    GoldenTally values_of = {0}, slopes_of = {0};
    assert_int_equal(json_array_size(golden), 200);
    json_array_foreach(golden, i, row) {
        const char *text = json_string_value(json_object_get(row, "formula"));
        Expression *e = parsed(text), *d = expression_derivative(e, EXPRESSION_x);
        json_array_foreach(json_object_get(row, "points"), k, point) {
            const double x = golden_number(json_array_get(point, 0)), at[4] = { x };
            check_golden(e, "the value", text, x, json_array_get(point, 1), &values_of);
            if (!is_infinite(e, at) && !is_infinite(d, at))
                check_golden(d, "the slope", text, x, json_array_get(point, 2), &slopes_of);
        }
        expression_free(e);
        expression_free(d);
    }
    print_message("%d values, %d left out, worst %.2g of 1e-12; %d slopes, %d left out, worst %.2g of 1e-12\n", values_of.checked, values_of.left_out,
                  values_of.worst, slopes_of.checked, slopes_of.left_out, slopes_of.worst);
    assert_true(values_of.checked > 1200 && slopes_of.checked > 1000);
    json_decref(golden);
}

/* ---- what nobody would type ---- */

static void test_fuzz(void **state)
{
    (void)state;
    const FuzzTally tally = fuzz_formulas(12, 0, 20000);
    print_message("%ld parsed, %ld refused, %ld derivatives, %ld codes run\n", tally.parsed, tally.refused, tally.differentiated, tally.run);
    assert_true(tally.parsed > 2000 && tally.refused > 5000 && tally.run > 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),       cmocka_unit_test(test_nan),   cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_bounds),       cmocka_unit_test(test_round_trip), cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_derivatives),  cmocka_unit_test(test_kinks), cmocka_unit_test(test_central_differences),
        cmocka_unit_test(test_golden),       cmocka_unit_test(test_fuzz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
