/* test_parameter_groups.c - which parameters are stepped how: what the text means, what it does, and what it must not. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "architectures.h"
#include "optimizer_net.h"
#include "parameter_groups.h"

/* ---- freezing ---- */

/* Frozen parameters keep their bytes under every rule, with gradients that are not finite even, and take no part in the norm. */
static void frozen_is_left_alone(void **state)
{
    (void)state;
    for (int kind = 0; kind < OPTIMIZER_COUNT; kind++) {
        OptimizerOptions options = net_options((OptimizerKind)kind);
        strcpy(options.param_groups, "* frozen; fc.weight trained");
        OptimizerNet s = optimizer_net(&net_plans[1]);
        Parameters *p = network_parameters(s.net);
        Optimizer *optimizer = optimizer_new(s.net, &options);
        net_fill(s.net, p->values, 7000, 1);
        float *before = malloc(p->total * sizeof *before), squares = 0;
        memcpy(before, p->values, p->total * sizeof *before);
        net_fill(s.net, p->gradients, 0, 100);
        const Param *fc = network_param_find(s.net, "fc.weight");
        for (size_t i = 0; i < fc->count; i++)
            squares += (float)pow(net_number(500, i), 2);      /* the sixth parameter */
        p->gradients[parameters_span(s.net, network_param_find(s.net, "bn.bias")).offset] = NAN;
        const double norm = optimizer_step(optimizer, 0.02f);
        if (!(fabs(norm - sqrt((double)squares)) < 1e-5))
            fail_msg("%s: norm %g of what is trained, expected %g", optimizer_name((OptimizerKind)kind), norm, sqrt((double)squares));
        const ParamSpan span = parameters_span(s.net, fc);
        assert_memory_equal(before, p->values, span.offset * sizeof(float));
        assert_memory_equal(before + span.offset + span.room, p->values + span.offset + span.room,
                            (p->total - span.offset - span.room) * sizeof(float));
        assert_memory_not_equal(before + span.offset, p->values + span.offset, span.room * sizeof(float));
        optimizer_free(optimizer);
        free(before);
        optimizer_net_free(&s);
    }
}

/* What the network has frozen is left alone until it no longer is. */
static void frozen_by_the_network(void **state)
{
    (void)state;
    OptimizerNet s = optimizer_net(&net_plans[0]);
    Parameters *p = network_parameters(s.net);
    Param *mix = network_param_find(s.net, "mix.weight");
    const OptimizerOptions options = net_options(OPTIMIZER_sgd);
    mix->frozen = true;
    Optimizer *optimizer = optimizer_new(s.net, &options);
    const ParamSpan span = parameters_span(s.net, mix);
    float *before = malloc(span.room * sizeof *before);
    memcpy(before, p->values + span.offset, span.room * sizeof *before);
    net_fill(s.net, p->gradients, 0, 100);
    optimizer_step(optimizer, 0.1f);
    assert_memory_equal(before, p->values + span.offset, span.room * sizeof *before);
    mix->frozen = false;
    optimizer_regroup(optimizer, optimizer->steps);
    net_fill(s.net, p->gradients, 1, 100);
    optimizer_step(optimizer, 0.1f);
    assert_memory_not_equal(before, p->values + span.offset, span.room * sizeof *before);
    assert_int_equal(optimizer->group_count, 4);      /* it begins later than its neighbours */
    free(before);
    optimizer_free(optimizer);
    optimizer_net_free(&s);
}

/* ---- groups as text ---- */

static void groups_merge(void **state)
{
    (void)state;
    static const struct { const char *text; int groups; } cases[] = {
        { "", 2 }, { " ; ", 2 }, { "* lr*2", 2 }, { "head lr*10", 4 }, { "norm-bias lr*64 decay/64", 4 }, { "bias decay*1", 3 },
    };
    OptimizerNet s = optimizer_net(&net_plans[1]);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        OptimizerOptions options = { .kind = OPTIMIZER_sgd };
        strcpy(options.param_groups, cases[c].text);
        Optimizer *optimizer = optimizer_new(s.net, &options);
        if (optimizer->group_count != cases[c].groups)
            fail_msg("'%s': %d groups, expected %d", cases[c].text, optimizer->group_count, cases[c].groups);
        assert_int_equal(optimizer->groups[0].first, 0);
        for (int i = 1; i < optimizer->group_count; i++)
            assert_int_equal(optimizer->groups[i].first, optimizer->groups[i - 1].last);
        assert_int_equal(optimizer->groups[optimizer->group_count - 1].last, network_parameters(s.net)->trained);
        optimizer_free(optimizer);
    }
    optimizer_net_free(&s);
}

static void settings_of_parameters(void **state)
{
    (void)state;
    static const struct { const char *text, *param; ParameterSettings expected; } cases[] = {
        { "",                                      "conv.weight", { 1, 1, false, false } },
        { "",                                      "bn.weight",   { 1, 0, false, false } },
        { "norm-bias lr*64 decay/64",              "bn.bias",     { 64, 1.0f / 64, false, false } },
        { "norm-bias lr*64 decay/64",              "mix.bias",    { 1, 0, false, false } },
        { "norm lr/4",                             "bn.weight",   { 0.25f, 0, false, false } },
        { "norm-weight frozen",                    "bn.weight",   { 1, 0, true, false } },
        { "bias lr*2",                             "fc.bias",     { 2, 0, false, false } },
        { "weight decay*0.5",                      "mix.weight",  { 1, 0.5f, false, false } },
        { "head lr*10;fc.bias lr*20",              "fc.bias",     { 20, 0, false, false } },
        { "head lr*10;fc.bias lr*20",              "fc.weight",   { 10, 1, false, false } },
        { "*.weight lr*2 ; conv.* decay*3 frozen", "conv.weight", { 2, 3, true, false } },
        { "* frozen; head trained",                "fc.weight",   { 1, 1, false, false } },
        { "* frozen; head trained",                "mix.bias",    { 1, 0, true, false } },
        { "mix.* other",                           "mix.weight",  { 1, 1, false, true } },
        { "mix.* other; mix.* lr*2",               "mix.weight",  { 2, 1, false, true } },
        { "mix.* other",                           "fc.weight",   { 1, 1, false, false } },
    };
    OptimizerNet s = optimizer_net(&net_plans[0]);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        Error error = { 0 };
        if (!parameter_groups_check(cases[c].text, s.net, &error))
            fail_msg("'%s': %s", cases[c].text, error.text);
        const ParameterSettings got = parameter_settings(cases[c].text, s.net, network_param_find(s.net, cases[c].param));
        const ParameterSettings *expected = &cases[c].expected;
        if (got.lr != expected->lr || got.decay != expected->decay || got.frozen != expected->frozen || got.other != expected->other)
            fail_msg("'%s' of %s: lr %g decay %g frozen %d other %d", cases[c].text, cases[c].param, (double)got.lr, (double)got.decay, got.frozen,
                     got.other);
    }
    optimizer_net_free(&s);
}

/* What the recipes leave to the rule beside Muon's: nothing at 32 pixels but VGG's second linear layer, at 224 all in front of the head that are large. */
static void huge_by_size(void **state)
{
    (void)state;
    static const struct { const char *arch; int side; const char *huge; } cases[] = {
        { "baseline", 32, "" }, { "baseline", 224, "classifier.1.weight " }, { "alexnet", 32, "" },
        { "alexnet", 224, "classifier.1.weight classifier.4.weight " }, { "vgg16", 32, "classifier.3.weight " },
        { "vgg16", 224, "classifier.0.weight classifier.3.weight " }, { "resnet18", 224, "" }, { "convnext_tiny", 224, "" },
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        Error error = { 0 };
        const Architecture *arch = architecture_find(cases[c].arch, &error);
        const ArchOptions options = { .classes = 10, .act = activation_of(arch->act) };
        Network *network = architecture_network(arch, (Shape){ 3, cases[c].side, cases[c].side }, &options, &error);
        char huge[200] = "";
        assert_non_null(network);
        assert_true(parameter_groups_check("huge other", network, &error));
        for (int i = 0; i < network_param_count(network); i++)
            if (parameter_settings("huge other", network, network_param(network, i)).other)
                snprintf(huge + strlen(huge), sizeof huge - strlen(huge), "%s ", network_param(network, i)->name);
        if (strcmp(huge, cases[c].huge))
            fail_msg("%s at %d: '%s' is huge, expected '%s'", cases[c].arch, cases[c].side, huge, cases[c].huge);
        network_free(network);
    }
}

/* One step of the rule from the formula's values, with its gradients; the values of mix.weight, which the caller frees. */
static float *mix_after_a_step(const OptimizerOptions *options, float lr)
{
    OptimizerNet s = optimizer_net(&net_plans[0]);
    Parameters *p = network_parameters(s.net);
    Optimizer *optimizer = optimizer_new(s.net, options);
    net_fill(s.net, p->values, 7000, 1);
    net_fill(s.net, p->gradients, 0, 100);
    optimizer_step(optimizer, lr);
    const ParamSpan span = parameters_span(s.net, network_param_find(s.net, "mix.weight"));
    float *values = malloc(span.room * sizeof *values);
    memcpy(values, p->values + span.offset, span.room * sizeof *values);
    optimizer_free(optimizer);
    optimizer_net_free(&s);
    return values;
}

/* What Muon would take is stepped by the rule beside it. */
static void stepped_by_the_other(void **state)
{
    (void)state;
    OptimizerOptions muon = net_options(OPTIMIZER_muon), adamw = muon, plain = muon;
    strcpy(muon.param_groups, "mix.* other");
    muon.other = adamw.kind = OPTIMIZER_adamw;
    muon.other_lr = 0.5f;
    float *got = mix_after_a_step(&muon, 0.25f), *expected = mix_after_a_step(&adamw, 0.125f), *without = mix_after_a_step(&plain, 0.25f);
    assert_memory_equal(got, expected, 5 * 19 * sizeof(float));
    assert_memory_not_equal(got, without, 5 * 19 * sizeof(float));
    free(got);
    free(expected);
    free(without);
}

static void groups_that_make_no_sense(void **state)
{
    (void)state;
    static const struct { const char *text, *error; } cases[] = {
        { "fc.* lr=10",        "bad word 'lr=10' for 'fc.*': --param-groups: use lr*F" },
        { "fc.* lr*10, decay", "bad word 'lr*10,'" },
        { "fc.* lr/0",         "bad word 'lr/0'" },
        { "fc.* lr*-1",        "bad word 'lr*-1'" },
        { "fc.* frozenly",     "bad word 'frozenly'" },
        { "bn.* frozen; fc.*", "nothing is said of 'fc.*'" },
        { "fc2.* lr*10",       "no parameter is called 'fc2.*': --param-groups: use a pattern of names such as conv.weight bn.weight bn.bias "
                               "mix.weight or one of weight bias norm norm-bias norm-weight head huge" },
        { "bn.running_mean frozen", "no parameter is called 'bn.running_mean'" },
    };
    OptimizerNet s = optimizer_net(&net_plans[0]);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        Error error = { 0 };
        assert_false(parameter_groups_check(cases[c].text, s.net, &error));
        assert_int_equal(error.code, EXIT_usage);
        if (!strstr(error.text, cases[c].error))
            fail_msg("'%s', expected '%s'", error.text, cases[c].error);
    }
    assert_true(parameter_groups_check("fc2.* lr*10", NULL, NULL));
    optimizer_net_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frozen_is_left_alone),
        cmocka_unit_test(frozen_by_the_network),
        cmocka_unit_test(groups_merge),
        cmocka_unit_test(huge_by_size),
        cmocka_unit_test(settings_of_parameters),
        cmocka_unit_test(stepped_by_the_other),
        cmocka_unit_test(groups_that_make_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
