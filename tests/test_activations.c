/* test_activations.c - the catalogue: values, derivatives, gains, names. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "activations.h"

/* PyTorch's values and gradients in double. */
static const struct { ActivationKey key; double parameter, x, f, df; } values[] = {
    { ACT_identity, 0, -1.5, -1.5, 1 },
    { ACT_identity, 0, 2, 2, 1 },
    { ACT_relu, 0, -1.5, 0, 0 },
    { ACT_relu, 0, 2, 2, 1 },
    { ACT_relu, 0, 0, 0, 0 },
    { ACT_relu6, 0, -1.5, 0, 0 },
    { ACT_relu6, 0, 2, 2, 1 },
    { ACT_relu6, 0, 7.5, 6, 0 },
    { ACT_leaky_relu, 0.125, -1.5, -0.1875, 0.125 },
    { ACT_leaky_relu, 0.5, -1.5, -0.75, 0.5 },
    { ACT_leaky_relu, 0.125, 2, 2, 1 },
    { ACT_prelu, 0.25, -1.5, -0.375, 0.25 },
    { ACT_prelu, 0.25, 2, 2, 1 },
    { ACT_elu, 1, -1.5, -0.77686983985157, 0.22313016014843 },
    { ACT_elu, 0.5, -1.5, -0.388434919925785, 0.111565080074215 },
    { ACT_elu, 1, 2, 2, 1 },
    { ACT_celu, 1, -1.5, -0.77686983985157, 0.22313016014843 },
    { ACT_celu, 0.5, -1.5, -0.475106465816068, 0.049787068367864 },
    { ACT_celu, 1, 2, 2, 1 },
    { ACT_selu, 0, -1.5, -1.36581435336725, 0.392284987480124 },
    { ACT_selu, 0, 2, 2.10140197471096, 1.05070098735548 },
    { ACT_sigmoid, 0, -1.5, 0.182425523806356, 0.149146452070333 },
    { ACT_sigmoid, 0, 2, 0.880797077977882, 0.104993585403507 },
    { ACT_tanh, 0, -1.5, -0.905148253644866, 0.180706638923649 },
    { ACT_tanh, 0, 2, 0.964027580075817, 0.0706508248531644 },
    { ACT_silu, 0, -1.5, -0.273638285709535, -0.0412941542991429 },
    { ACT_silu, 0, 2, 1.76159415595576, 1.0907842487849 },
    { ACT_gelu, 0, -1.5, -0.100210801903287, -0.12746919222998 },
    { ACT_gelu, 0, 2, 1.95449973610364, 1.0852318010782 },
    { ACT_gelu_tanh, 0, -1.5, -0.100428423019767, -0.127710793151433 },
    { ACT_gelu_tanh, 0, 2, 1.95459769408777, 1.08609925662362 },
    { ACT_mish, 0, -1.5, -0.298099742166807, -0.0640978158922587 },
    { ACT_mish, 0, 2, 1.94395895953399, 1.06931793427949 },
    { ACT_hardswish, 0, -1.5, -0.375, 0 },
    { ACT_hardswish, 0, 2, 1.66666666666667, 1.16666666666667 },
    { ACT_hardswish, 0, -4, 0, 0 },
    { ACT_hardswish, 0, 4, 4, 1 },
    { ACT_hardsigmoid, 0, -1.5, 0.25, 0.166666666666667 },
    { ACT_hardsigmoid, 0, 2, 0.833333333333333, 0.166666666666667 },
    { ACT_hardsigmoid, 0, -4, 0, 0 },
    { ACT_hardsigmoid, 0, 4, 1, 0 },
    { ACT_softplus, 0, -1.5, 0.201413277982752, 0.182425523806356 },
    { ACT_softplus, 0, 2, 2.12692801104297, 0.880797077977882 },
    { ACT_softplus, 0, 100, 100, 1 },
    { ACT_softsign, 0, -1.5, -0.6, 0.16 },
    { ACT_softsign, 0, 2, 0.666666666666667, 0.111111111111111 },
};

enum { VALUES = sizeof values / sizeof *values };

static void near(const char *what, const char *name, double x, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("%s: %s at %.17g is %.17g, expected %.17g", name, what, x, got, expected);
}

static void test_values(void **state)
{
    (void)state;
    bool seen[ACT_COUNT] = {0};
    for (size_t i = 0; i < VALUES; i++) {
        const ActivationInfo *row = activation_info(values[i].key);
        const Activation act = activation_with(values[i].key, (float)values[i].parameter);
        near("f", row->key, values[i].x, activation_value(act, values[i].x), values[i].f, 1e-14);
        near("f'", row->key, values[i].x, activation_slope(act, values[i].x), values[i].df, 1e-14);
        seen[values[i].key] = true;
    }
    for (ActivationKey key = ACT_native + 1; key < ACT_COUNT; key++)
        if (!seen[key])
            fail_msg("%s has no known value in this test", activation_info(key)->key);
}

static double distance_to_kink(const ActivationInfo *row, double x)
{
    double distance = INFINITY;
    for (int i = 0; i < row->kink_count; i++)
        distance = fmin(distance, fabs(x - row->kinks[i]));
    return distance;
}

static void check_derivative(Activation act)
{
    const ActivationInfo *row = act.info;
    const double h = 1e-5;
    for (int i = -4000; i <= 4000; i++) {
        const double x = i * 0.005 + 0.0013;
        if (distance_to_kink(row, x) > 10 * h)
            near("f' against differences", row->key, x, activation_slope(act, x),
                 (activation_value(act, x + h) - activation_value(act, x - h)) / (2 * h), 1e-7);
    }
    /* No jump that `kinks` does not name: the grid above avoids round numbers. */
    for (int i = -40; i <= 40; i++) {
        const double x = i * 0.5;
        if (distance_to_kink(row, x) > 0.1)
            near("f' on both sides", row->key, x, activation_slope(act, x - 1e-7), activation_slope(act, x + 1e-7), 1e-6);
    }
}

static void test_derivatives(void **state)
{
    (void)state;
    for (ActivationKey key = ACT_native + 1; key < ACT_COUNT; key++) {
        const ActivationInfo *row = activation_info(key);
        check_derivative(activation_of(key));
        if (*row->parameters) {
            check_derivative(activation_with(key, 0.3f));
            check_derivative(activation_with(key, 1.7f));
        }
    }
}

/* Far out every function follows a line, f ~ slope x + offset, and f' its slope. */
static const struct { ActivationKey key; double left, left_offset, right, right_offset; } tails[] = {
    { ACT_identity, 1, 0, 1, 0 },       { ACT_relu, 0, 0, 1, 0 },      { ACT_relu6, 0, 0, 0, 6 },
    { ACT_leaky_relu, 0.125, 0, 1, 0 },  { ACT_prelu, 0.25, 0, 1, 0 },  { ACT_elu, 0, -1, 1, 0 },
    { ACT_celu, 0, -1, 1, 0 },          { ACT_sigmoid, 0, 0, 0, 1 },   { ACT_tanh, 0, -1, 0, 1 },
    { ACT_silu, 0, 0, 1, 0 },           { ACT_gelu, 0, 0, 1, 0 },      { ACT_gelu_tanh, 0, 0, 1, 0 },
    { ACT_mish, 0, 0, 1, 0 },           { ACT_hardswish, 0, 0, 1, 0 }, { ACT_hardsigmoid, 0, 0, 0, 1 },
    { ACT_softplus, 0, 0, 1, 0 },       { ACT_selu, 0, -1.7580993408473766, 1.0507009873554805, 0 },
};

static void test_tails(void **state)
{
    (void)state;
    static const double far[] = { 100, 709, 746, 1e4 };
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        const ActivationInfo *row = activation_info(tails[i].key);
        const Activation act = tails[i].key == ACT_leaky_relu ? activation_with(ACT_leaky_relu, 0.125f) : activation_of(tails[i].key);
        for (size_t j = 0; j < sizeof far / sizeof *far; j++) {
            const double x = far[j];
            near("f", row->key, -x, activation_value(act, -x), -x * tails[i].left + tails[i].left_offset, 1e-15);
            near("f'", row->key, -x, activation_slope(act, -x), tails[i].left, 1e-15);
            near("f", row->key, x, activation_value(act, x), x * tails[i].right + tails[i].right_offset, 1e-15);
            near("f'", row->key, x, activation_slope(act, x), tails[i].right, 1e-15);
        }
    }
    for (ActivationKey key = ACT_native + 1; key < ACT_COUNT; key++) {
        const Activation act = activation_of(key);
        assert_true(isnan(activation_value(act, NAN)));
        assert_true(isfinite(activation_value(act, -1e4)) && isfinite(activation_slope(act, -1e4)));
        assert_true(isfinite(activation_value(act, 1e4)) && isfinite(activation_slope(act, 1e4)));
    }
}

/* gain^2 E f(z)^2 = 1 for a standard normal z, but for those that saturate on both sides and follow Xavier. */
static void test_gains(void **state)
{
    (void)state;
    for (ActivationKey key = ACT_native + 1; key < ACT_COUNT; key++) {
        const ActivationInfo *row = activation_info(key);
        if (key == ACT_sigmoid || key == ACT_hardsigmoid || key == ACT_tanh) {
            near("gain", row->key, 0, (double)row->gain, key == ACT_tanh ? 5.0 / 3 : 1, 1e-7);
            continue;
        }
        double moment = 0;
        for (double z = -12; z <= 12; z += 1e-3) {
            const double f = activation_value(activation_of(key), z);
            moment += f * f * exp(-z * z / 2) * 1e-3 / sqrt(2 * M_PI);
        }
        near("gain", row->key, 0, (double)row->gain, 1 / sqrt(moment), 1e-6);
    }
}

static void test_texts(void **state)
{
    (void)state;
    char names[512] = "";
    for (ActivationKey key = ACT_native + 1; key < ACT_COUNT; key++) {
        const ActivationInfo *row = activation_info(key);
        const char *const texts[] = { row->key, row->formula, row->derivative, row->range, row->good_for, row->bad_for };
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            if (!texts[i] || !*texts[i])
                fail_msg("row %d ('%s') lacks text %zu", (int)key, row->key, i);
        assert_non_null(row->parameters);
        assert_non_null(row->paper);
        char aliases[128], *rest = NULL;
        snprintf(aliases, sizeof aliases, "%s", row->aliases);
        for (char *alias = strtok_r(aliases, " ", &rest); alias; alias = strtok_r(NULL, " ", &rest)) {
            Activation act;
            if (!activation_parse(alias, &act, NULL) || activation_key(act) != key)
                fail_msg("alias '%s' does not give '%s'", alias, row->key);
        }
        assert_true(row->gain >= 1 && row->gain < 3);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", key > ACT_native + 1 ? " " : "", row->key);
    }
    assert_memory_equal(activation_names(), names, strlen(names));      /* then those of formulas.def */
}

static const struct { const char *text; ActivationKey key; float parameter; const char *again; } names[] = {
    { "identity", ACT_identity, 0, "identity" },        { "linear", ACT_identity, 0, "identity" },
    { "relu", ACT_relu, 0, "relu" },                    { "relu6", ACT_relu6, 0, "relu6" },
    { "leaky_relu", ACT_leaky_relu, 0.01f, "leaky_relu" },
    { "leaky", ACT_leaky_relu, 0.01f, "leaky_relu" },   { "leaky:0.2", ACT_leaky_relu, 0.2f, "leaky_relu:0.2" },
    { "leaky-relu:1e-3", ACT_leaky_relu, 1e-3f, "leaky_relu:0.001" },
    { "leaky_relu:0.010", ACT_leaky_relu, 0.01f, "leaky_relu" },
    { "leaky_relu:-.5", ACT_leaky_relu, -0.5f, "leaky_relu:-0.5" },
    { "leaky_relu:0.333333343", ACT_leaky_relu, 1.0f / 3, "leaky_relu:0.33333334" },
    { "prelu", ACT_prelu, 0.25f, "prelu" },             { "prelu:0.1", ACT_prelu, 0.1f, "prelu:0.1" },
    { "elu", ACT_elu, 1, "elu" },                       { "elu:0.5", ACT_elu, 0.5f, "elu:0.5" },
    { "celu", ACT_celu, 1, "celu" },                    { "celu:2", ACT_celu, 2, "celu:2" },
    { "selu", ACT_selu, 0, "selu" },                    { "sigmoid", ACT_sigmoid, 0, "sigmoid" },
    { "logistic", ACT_sigmoid, 0, "sigmoid" },          { "tanh", ACT_tanh, 0, "tanh" },
    { "silu", ACT_silu, 0, "silu" },                    { "swish", ACT_silu, 0, "silu" },
    { "SiLU", ACT_silu, 0, "silu" },                    { "GELU", ACT_gelu, 0, "gelu" },
    { "gelu", ACT_gelu, 0, "gelu" },                    { "gelu_tanh", ACT_gelu_tanh, 0, "gelu_tanh" },
    { "gelu-tanh", ACT_gelu_tanh, 0, "gelu_tanh" },     { "mish", ACT_mish, 0, "mish" },
    { "hardswish", ACT_hardswish, 0, "hardswish" },     { "hard_swish", ACT_hardswish, 0, "hardswish" },
    { "hardsigmoid", ACT_hardsigmoid, 0, "hardsigmoid" }, { "hard-sigmoid", ACT_hardsigmoid, 0, "hardsigmoid" },
    { "softplus", ACT_softplus, 0, "softplus" },        { "softsign", ACT_softsign, 0, "softsign" },
    { "native", ACT_native, 0, "native" },
};

static void test_names(void **state)
{
    (void)state;
    bool seen[ACT_COUNT] = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Activation act = activation_with(ACT_tanh, 99);
        Error error = {0};
        if (!activation_parse(names[i].text, &act, &error))
            fail_msg("'%s': %s", names[i].text, error.text);
        if (activation_key(act) != names[i].key || act.parameters[0] != names[i].parameter)
            fail_msg("'%s' gives key %d, parameter %.9g", names[i].text, (int)activation_key(act), (double)act.parameters[0]);
        char text[64];
        assert_string_equal(activation_text(act, text, sizeof text), names[i].again);
        Activation again;
        assert_true(activation_parse(text, &again, &error));
        assert_true(again.info == act.info && again.parameters[0] == act.parameters[0]);
        seen[activation_key(act)] = true;
    }
    for (ActivationKey key = ACT_native; key < ACT_COUNT; key++)
        if (!seen[key])
            fail_msg("key %d is not among the names of this test", (int)key);
}

static const struct { const char *text, *says; } mistakes[] = {
    { "gelo", "unknown activation 'gelo': did you mean gelu" },
    { "", "'': 'activations list' shows all" },   { "rel", "did you mean relu, relu6 or " },
    { "relu ", "did you mean relu" },             { "relu\n", "\\x0A" },
    { "linear none", "'activations list' shows all" },  { ":0.1", "'activations list' shows all" },
    { "relu:0.1", "'relu:0.1': write 'relu'" },   { "silu:", "write 'silu'" },
    { "native:1", "'activations list' shows all" },
    { "leaky_relu:", "slope" },                   { "leaky:abc", "'leaky_relu:abc': write a number" },
    { "leaky:0.1x", "not a finite number" },      { "leaky: 0.1", "not a finite number" },
    { "leaky:0.1,2", "too many numbers" },           { "leaky:0.1:2", "not a finite number" },     { "elu:inf", "not a finite number" },
    { "elu:nan", "not a finite number" },         { "elu:0x10", "not a finite number" },
    { "elu:1e99", "not a finite number" },        { "elu:-", "not a finite number" },
    { "celu:0", "activation is not finite" },     { "celu:-1", "activation is not finite" },
    { "leaky:1e38", "activation is not finite" },
};

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        Activation act = activation_with(ACT_tanh, 5);
        Error error = {0};
        if (activation_parse(mistakes[i].text, &act, &error))
            fail_msg("'%s' is accepted", mistakes[i].text);
        assert_int_equal(error.code, EXIT_usage);
        if (!strstr(error.text, mistakes[i].says))
            fail_msg("'%s' says \"%s\", expected \"%s\"", mistakes[i].text, error.text, mistakes[i].says);
        assert_true(activation_key(act) == ACT_tanh && act.parameters[0] == 5);
    }
    Activation act;
    assert_false(activation_parse("gelo", &act, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_derivatives), cmocka_unit_test(test_tails),
        cmocka_unit_test(test_gains),  cmocka_unit_test(test_texts),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
