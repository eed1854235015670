/* test_properties.c - what is computed of activations, against published facts and numbers by hand. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "choices.h"
#include "curves.h"
#include "frameworks.h"
#include "properties.h"

static Activation named(const char *text)
{
    Activation act;
    Error error = { 0 };
    if (!activation_parse(text, &act, &error))
        fail_msg("%s: %s", text, error.text);
    return act;
}

static void near(const char *what, const char *name, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s of %s is %.17g, expected %.17g", what, name, got, expected);
}

/* Ramachandran et al., 2017: swish; Hendrycks and Gimpel, 2016: gelu; Howard et al., 2019: -3/8 at -3/2. Digits of mpmath. */
static void minima(void **state)
{
    (void)state;
    static const struct { const char *name; double value, at; } cases[] = {
        { "silu", -0.27846454276107380, -1.2784645427610738 }, { "gelu", -0.16997120747990366, -0.75179152469356446 },
        { "mish", -0.30884341301725043, -1.1924312145154952 }, { "hardswish", -0.375, -1.5 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Properties p = properties_of(named(cases[i].name));
        near("minimum", cases[i].name, p.least, cases[i].value, 1e-6);
        near("place of the minimum", cases[i].name, p.least_at, cases[i].at, 1e-6);
        assert_false(p.rises || p.falls);
    }
}

/* The seeds of every table on activations: slopes, kinks, saturation. */
static const struct {
    const char *name;
    bool        rises, left, right;
    Smoothness  smooth;
    int         kinks;
    double      slope_least, slope_most;
} facts[] = {
    { "identity",    1, 0, 0, SMOOTH_twice, 0, 1, 1 },
    { "relu",        1, 1, 0, SMOOTH_kinks, 1, 0, 1 },
    { "relu6",       1, 1, 1, SMOOTH_kinks, 2, 0, 1 },
    { "leaky_relu:0.2", 1, 0, 0, SMOOTH_kinks, 1, 0.2, 1 },
    { "elu",         1, 1, 0, SMOOTH_once, 0, 0, 1 },
    { "elu:0.5",     1, 1, 0, SMOOTH_kinks, 1, 0, 1 },
    { "selu",        1, 1, 0, SMOOTH_kinks, 1, 0, 1.0507009873554805 * 1.6732632423543772 },
    { "sigmoid",     1, 1, 1, SMOOTH_twice, 0, 0, 0.25 },
    { "tanh",        1, 1, 1, SMOOTH_twice, 0, 0, 1 },
    { "softsign",    1, 1, 1, SMOOTH_once, 0, 1 / (51.0 * 51), 1 },
    { "softplus",    1, 1, 0, SMOOTH_twice, 0, 0, 1 },
    { "gelu",        0, 1, 0, SMOOTH_twice, 0, -0.12890406466020163, 1.1289040646602016 },      /* at x = -+ sqrt 2 */
    { "silu",        0, 1, 0, SMOOTH_twice, 0, -0.09983944, 1.09983944 },
    { "hardswish",   0, 1, 0, SMOOTH_kinks, 2, -0.5, 1.5 },
    { "hardsigmoid", 1, 1, 1, SMOOTH_kinks, 2, 0, 1.0 / 6 },
};

static void shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        const Properties p = properties_of(named(facts[i].name));
        if (p.rises != facts[i].rises || p.saturates_left != facts[i].left || p.saturates_right != facts[i].right ||
            p.smooth != facts[i].smooth || p.kinks != facts[i].kinks)
            fail_msg("%s: rises %d, saturates %d %d, smooth %d, %d kinks", facts[i].name, p.rises, p.saturates_left, p.saturates_right, p.smooth, p.kinks);
        near("least slope", facts[i].name, p.slope_least, facts[i].slope_least, 1e-6);
        near("largest slope", facts[i].name, p.slope_most, facts[i].slope_most, 1e-6);
    }
}

/* Means over a normal number: relu's is 1 / sqrt(2 pi), half of z^2 is left; selu's mean 0 and variance 1 are what it was made for. */
static void means(void **state)
{
    (void)state;
    static const struct { const char *name; double mean, square, slope_square; } cases[] = {
        { "identity", 0, 1, 1 }, { "relu", 0.39894228040143268, 0.5, 0.5 }, { "leaky_relu:0.5", 0.19947114020071634, 0.625, 0.625 },
        { "selu", 0, 1, NAN },   { "sigmoid", 0.5, NAN, NAN },              { "tanh", 0, NAN, NAN },
        { "gelu", 0.28209479177387814, NAN, NAN },      /* 1 / sqrt(4 pi) */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Properties p = properties_of(named(cases[i].name));
        near("mean", cases[i].name, p.mean, cases[i].mean, 1e-9);
        near("gain", cases[i].name, p.gain * p.gain * p.square, 1, 1e-12);
        if (!isnan(cases[i].square))
            near("square", cases[i].name, p.square, cases[i].square, 1e-9);
        if (!isnan(cases[i].slope_square))
            near("square of the slope", cases[i].name, p.slope_square, cases[i].slope_square, 1e-9);
    }
}

/* Beyond what is looked at the slopes of some go on growing; those of others come to a bound there. */
static void unbounded_slopes(void **state)
{
    (void)state;
    static const struct { const char *name; double least, most; } cases[] = {
        { "x^2", -INFINITY, INFINITY }, { "exp(x/10)", 0, INFINITY }, { "x*log(1 + x*x)", 0, INFINITY }, { "x^3", 0, INFINITY },
        { "squareplus", 0, 1 }, { "softplus", 0, 1 }, { "x/(1 + exp(-x/8))", -0.1, 1.1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Properties p = properties_of(named(cases[i].name));
        if (!(p.slope_least == cases[i].least || fabs(p.slope_least - cases[i].least) < 1e-2) || !(p.slope_most == cases[i].most || fabs(p.slope_most - cases[i].most) < 1e-2))
            fail_msg("slopes of %s: %g to %g, expected %g to %g", cases[i].name, p.slope_least, p.slope_most, cases[i].least, cases[i].most);
    }
}

static void fixed_points(void **state)
{
    (void)state;
    static const struct { const char *name, *says; } cases[] = {
        { "identity", "every x" }, { "relu", "x >= 0" }, { "sigmoid", "0.659046" }, { "tanh", "0" }, { "softplus", "none" },
        { "hardswish", "0, x >= 3" }, { "hardsigmoid", "0.6" }, { "hardshrink", "x <= -0.5, 0, x >= 0.5" }, { "threshold", "0, x >= 1" },
        { "hardtanh:-0.3,0.3", "-0.3 to 0.3" }, { "x*x/10", "0, 10" }, { "sin(50*x)", "-0.919159, -0.90214, -0.798324, -0.77161, ..." },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Properties p = properties_of(named(cases[i].name));
        char text[PROPERTIES_TEXT];
        assert_string_equal(properties_fixed_points(&p, text), cases[i].says);
    }
}

/* The tanh form of gelu is off by at most 4.73e-4, near 2.699 on either side. */
static void gelu_error(void **state)
{
    (void)state;
    const Activation acts[] = { named("gelu"), named("gelu_tanh") };
    double at;
    near("difference", "gelu_tanh", curves_difference(acts, false, -6, 6, &at), 4.7323552e-4, 1e-9);
    near("its place", "gelu_tanh", fabs(at), 2.69894, 1e-3);
}

static void guide(void **state)
{
    (void)state;
    static const struct { const char *network; int depth; const char *norm, *budget, *answer; } cases[] = {
        { "", 0, "", "", "relu" },           { "mlp", 5, "", "", "relu" },           { "mlp", 30, "none", "", "selu" },
        { "mlp", 5, "none", "", "leaky_relu" }, { "cnn", 18, "batch", "", "relu" },  { "resnet", 152, "none", "", "relu" },
        { "cnn", 30, "none", "", "elu" },    { "transformer", 12, "layer", "", "gelu" }, { "language", 0, "", "large", "swiglu" },
        { "mobile", 0, "batch", "small", "hardswish" }, { "discriminator", 0, "", "", "leaky_relu:0.2" }, { "rnn", 0, "", "", "tanh" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const HiddenChoice *choice = choice_hidden(cases[i].network, cases[i].depth, cases[i].norm, cases[i].budget);
        if (strcmp(choice->activation, cases[i].answer))
            fail_msg("%s, %d layers, norm %s, budget %s: %s, expected %s", cases[i].network, cases[i].depth, cases[i].norm, cases[i].budget,
                     choice->activation, cases[i].answer);
    }
    for (int i = 0; i < choice_output_count(); i++)
        assert_ptr_equal(choice_output(choice_output_at(i)->task), choice_output_at(i));
    assert_null(choice_output("nonsense"));
}

/* Every activation of the catalogue is somewhere else too. */
static void names_elsewhere(void **state)
{
    (void)state;
    for (ActivationKey key = ACT_native + 1; key < ACT_COUNT; key++) {
        bool found = false;
        for (int i = 0; i < FRAMEWORKS; i++)
            found = found || *framework_activation(i, activation_of(key));
        if (!found)
            fail_msg("%s has no row in frameworks.def", activation_info(key)->key);
    }
    assert_string_equal(framework_activation(0, named("silu")), "SiLU");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minima), cmocka_unit_test(shapes), cmocka_unit_test(means), cmocka_unit_test(fixed_points), cmocka_unit_test(unbounded_slopes),
        cmocka_unit_test(gelu_error), cmocka_unit_test(guide), cmocka_unit_test(names_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
