/* test_names.c - names as people type them: without case and dashes, and the nearest of wrong ones. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "activations.h"
#include "architectures.h"
#include "names.h"
#include "optimizer.h"
#include "plan_text.h"
#include "schedule.h"

static void test_match(void **state)
{
    (void)state;
    static const struct { const char *words, *name; bool match; } cases[] = {
        { "resnet18", "ResNet-18", true },            { "leaky_relu leaky", "LEAKY", true },
        { "leaky_relu leaky", "leakyrelu", true },    { "leaky_relu leaky", "leaky-relu", true },
        { "relu relu6", "relu6", true },              { "relu6", "relu", false },
        { "relu", "relu6", false },                   { "relu", "", false },
        { "", "", false },                            { "", "relu", false },
        { "relu", "-_", false },                      { "a b", "a b", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (names_match(cases[i].words, cases[i].name, strlen(cases[i].name)) != cases[i].match)
            fail_msg("'%s' among '%s'", cases[i].name, cases[i].words);
    assert_true(names_match("relu", "relu:0.1", 4));

    char name[32] = "Channels_LAST";
    assert_true(names_settle("blocked channels-last", name));
    assert_string_equal(name, "channels-last");
    snprintf(name, sizeof name, "channelslast");      /* too short to be written there */
    assert_false(names_settle("blocked channels-last", name));
}

static void test_nearest(void **state)
{
    (void)state;
    static const struct { const char *wrong, *meant; } cases[] = {
        { "resnet99",   "did you mean resnet18? " },       { "resnt18",   "did you mean resnet18? " },
        { "conv",       "did you mean convnext? " },       { "vgg",       "did you mean vgg16? " },
        { "VGG-19",     "did you mean vgg16? " },          { "mobilenet", "" },
        { "letne",      "did you mean lenet? " }, { "", "" },
        { "lenet:relu", "did you mean lenet or alexnet? " },
        { "a name that is longer than any name that a table of names could hold", "" },
    };
    static const char *const rows[] = { "lenet", "alexnet", "vgg16 vgg", "resnet18", "efficientnet_lite0", "convnext convnext_pico" };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        NameSearch search = { .wrong = cases[i].wrong };
        char text[256];
        for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
            names_consider(&search, rows[row], NULL);
        names_meant(&search, "", text, sizeof text);
        if (strcmp(text, cases[i].meant))
            fail_msg("%s: '%s', expected '%s'", cases[i].wrong, text, cases[i].meant);
    }
    /* At most three, the nearest first, an alias where that is nearer. */
    NameSearch search = { .wrong = "rellu" };
    char text[256];
    names_consider(&search, "prelu", NULL);
    names_consider(&search, "selu", NULL);
    names_consider(&search, "relu6", NULL);
    names_consider(&search, "celu", "rellu_");
    names_consider(&search, "relu", NULL);
    assert_string_equal(names_meant(&search, "--", text, sizeof text), "did you mean --rellu_, --relu or --prelu? ");
}

/* What each catalogue says of a wrong name, and that it takes a right one in any spelling. */
static void test_catalogues(void **state)
{
    (void)state;
    Error error;
    Activation act;
    OptimizerKind kind;
    ScheduleKind schedule;
    Plan plan;
    assert_non_null(architecture_find("ResNet-18", &error));
    assert_non_null(architecture_find("EFFICIENTNET-lite0", &error));
    assert_null(architecture_find("resnet99", &error));
    assert_string_equal(error.text, "unknown architecture 'resnet99': did you mean resnet18? 'train --list-archs' shows all");
    assert_true(activation_parse("Leaky-ReLU:0.2", &act, &error) && activation_key(act) == ACT_leaky_relu && act.parameters[0] == 0.2f);
    assert_true(activation_parse("HardSwish", &act, &error) && activation_key(act) == ACT_hardswish);
    assert_false(activation_parse("gelu_tahn:2", &act, &error));
    assert_non_null(strstr(error.text, "did you mean gelu_tanh? 'activations list' shows all"));
    assert_false(activation_parse("maxout", &act, &error));
    assert_string_equal(error.text, "unknown activation 'maxout': 'activations list' shows all");
    assert_true(optimizer_parse("AdamW", "--opt", &kind, &error) && kind == OPTIMIZER_adamw);
    assert_false(optimizer_parse("adma", "--opt", &kind, &error));
    assert_non_null(strstr(error.text, "unknown optimizer 'adma': --opt: did you mean adam"));
    assert_non_null(strstr(error.text, "choose one of sgd adamw"));
    assert_true(schedule_parse("Cosine", &schedule, &error));
    assert_false(schedule_parse("cosin3", &schedule, &error));
    assert_non_null(strstr(error.text, "unknown schedule 'cosin3': --sched: did you mean cosine? choose one of cosine step constant"));
    assert_true(plan_parse("Channels_Last,Direct", &plan, &error) && plan.layout == LAYOUT_channels_last && plan.direct_only);
}

/* No two things of a catalogue differ by case and dashes alone. */
static void test_no_name_twice(void **state)
{
    (void)state;
    for (int i = 0; i < architecture_count(); i++)
        for (int j = 0; j < architecture_count(); j++)
            if (i != j && names_match(architecture_at(j)->aliases, architecture_at(i)->key, strlen(architecture_at(i)->key)))
                fail_msg("%s is two architectures", architecture_at(i)->key);
    for (int i = 0; i < activation_count(); i++)
        for (int j = 0; j < activation_count(); j++) {
            const ActivationInfo *a = activation_at(i), *b = activation_at(j);
            if (i != j && (names_match(b->aliases, a->key, strlen(a->key)) || names_match(b->key, a->key, strlen(a->key))))
                fail_msg("%s is two activations", a->key);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match), cmocka_unit_test(test_nearest), cmocka_unit_test(test_catalogues),
        cmocka_unit_test(test_no_name_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
