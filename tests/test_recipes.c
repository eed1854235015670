/* test_recipes.c - recipes: what is not given comes from them, a fast and a best one change the default one, and a recipe that is changed
 * in part says what still holds. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

/* What a command line or a file of these settings gives. Its texts are valid until the next call. */
static TrainerOptions resolved(const char *text)
{
    static SettingTexts texts;
    TrainerOptions options;
    Error error;
    settings_texts_clear(&texts);
    if (!settings_parse(text, NULL, &texts, &error) || !settings_resolve(&(SettingLayer){ .texts = texts.of }, 1, &options, &error))
        fail_msg("%s: %s", text, error.text);
    return options;
}

static TrainerOptions of_arch(const Architecture *arch, const char *more)
{
    char text[256];
    snprintf(text, sizeof text, "arch=%s %s", arch->key, more);
    return resolved(text);
}

static void check_setting(const TrainerOptions *options, int index, const char *expected)
{
    char text[OPTIMIZER_GROUPS_ROOM], *end;
    const double number = strtod(expected, &end);
    setting_write(settings_at(index), options, text, sizeof text);
    if (*end || !*expected ? strcmp(expected, text) : fabs(number - atof(text)) > 1e-9)
        fail_msg("%s: %s is '%s', expected '%s'", options->arch->key, settings_at(index)->name, text, expected);
}

/* What is not given is the architecture's recipe, or what suits the optimiser that was given. */
static void test_default(void **state)
{
    (void)state;
    for (int i = 0; i < architecture_count(); i++) {
        const Architecture *arch = architecture_at(i);
        const TrainerOptions usual = of_arch(arch, "");
        SettingTexts recipe = { 0 };
        Error error;
        assert_ptr_equal(usual.arch, arch);
        assert_true(settings_parse(arch->recipes[RECIPE_default], NULL, &recipe, &error));
        for (int k = 0; k < settings_count(); k++)
            if (recipe.of[k])
                check_setting(&usual, k, recipe.of[k]);
        settings_texts_clear(&recipe);

        const bool sgd = usual.optimizer.kind == OPTIMIZER_sgd;
        const TrainerOptions other = of_arch(arch, sgd ? "opt=adamw lr=0.25" : "opt=sgd lr=0.25");
        check_setting(&other, settings_index("lr"), "0.25");
        check_setting(&other, settings_index("weight-decay"), sgd ? "0.05" : "0.0005");
        check_setting(&other, settings_index("momentum"), "0.9");
    }
}

/* A fast or best recipe is the default one with what its text changes. */
static void test_others(void **state)
{
    (void)state;
    static const char *const names[RECIPE_COUNT] = { [RECIPE_fast] = "fast", [RECIPE_best] = "best" };
    for (int i = 0; i < architecture_count(); i++)
        for (int kind = RECIPE_fast; kind <= RECIPE_best; kind++) {
            const Architecture *arch = architecture_at(i);
            char more[32], text[OPTIMIZER_GROUPS_ROOM];
            snprintf(more, sizeof more, "recipe=%s", names[kind]);
            const TrainerOptions usual = of_arch(arch, ""), got = of_arch(arch, more);
            TrainerOptions expected = usual;
            SettingTexts texts = { 0 };
            Error error;
            assert_true(settings_parse(arch->recipes[kind], NULL, &texts, &error));
            for (int k = 0; k < settings_count(); k++)
                assert_true(!texts.of[k] || setting_read(settings_at(k), texts.of[k], &expected, &error));
            expected.recipe = (RecipeKind)kind;
            for (int k = 0; k < settings_count(); k++)
                check_setting(&got, k, setting_write(settings_at(k), &expected, text, sizeof text));
            assert_true(kind == RECIPE_fast ? got.epochs < usual.epochs : got.epochs > usual.epochs);
            settings_texts_clear(&texts);
        }
}

typedef struct NoteCase {
    const char *settings, *note;
} NoteCase;

static void expect_notes(const char *(*note_of)(const TrainerOptions *, char *, size_t), const NoteCase *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const TrainerOptions options = resolved(cases[i].settings);
        char note[1024];
        assert_string_equal(note_of(&options, note, sizeof note), cases[i].note);
    }
}

static void test_note(void **state)
{
    (void)state;
    static const NoteCase cases[] = {
        { "arch=baseline", "" },
        { "arch=mlp lr=0.1", "recipe of mlp: lr 0.1 for 0.02; still in force: epochs 15, opt sgd, weight-decay 0.0005, clip-grad 1" },
        { "arch=mlp recipe=fast lr=0.1", "recipe of mlp: lr 0.1 for 0.02; still in force: epochs 3, opt sgd, weight-decay 0.0005, clip-grad 1" },
        { "arch=mlp opt=adamw epochs=3 clip-grad=2", "" },      /* nothing holds */
    };
    expect_notes(settings_recipe_note, cases, sizeof cases / sizeof *cases);
}

/* What a person asked for and does not get; what the recipe has, nobody asked for. */
static void test_idle(void **state)
{
    (void)state;
    static const NoteCase cases[] = {
        { "arch=lenet", "" },
        { "arch=lenet min-lr=0.1 lookahead-k=3", "--min-lr (with --sched cosine, linear, poly, plateau), --lookahead-k (with --lookahead)" },
        { "arch=lenet min-lr=0.1 lookahead-k=3 sched=cosine lookahead=true", "" },
        { "arch=lenet warmup-epochs=2", "--warmup-epochs (not with --sched onecycle, triangle)" },
        { "arch=lenet warmup-epochs=2 sched=constant", "" },
        { "arch=lenet mixup-prob=0.5", "--mixup-prob (with --mixup or --cutmix)" },
        { "arch=lenet mixup-prob=0.5 cutmix=1", "" },
        { "arch=lenet opt=adamw momentum=0.5", "--momentum (with --opt sgd, nesterov, rmsprop, lars, muon)" },
        { "arch=lenet clip-mode=value", "--clip-mode (with --clip-grad)" },
        { "arch=lenet freeze=conv1* unfreeze-epoch=2", "" },
        { "arch=airbench lookahead=false", "" },
    };
    expect_notes(settings_idle, cases, sizeof cases / sizeof *cases);
}

/* Nothing in a recipe is without effect in it: another network with the same settings would be told so. */
static void test_nothing_idle(void **state)
{
    (void)state;
    char idle[1024];
    const Architecture *plain = architecture_find("mlp", NULL);
    for (int i = 0; i < architecture_count(); i++) {
        TrainerOptions options = of_arch(architecture_at(i), "");
        options.arch = plain;
        settings_idle(&options, idle, sizeof idle);
        if (*idle)
            fail_msg("%s: %s", architecture_at(i)->key, idle);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_default), cmocka_unit_test(test_others), cmocka_unit_test(test_note), cmocka_unit_test(test_idle),
                                        cmocka_unit_test(test_nothing_idle) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
