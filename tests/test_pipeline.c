/* test_pipeline.c - an augmentation's text: what is read, what is refused, and what is written again. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "pipeline.h"
#include "scratch.h"

static Pipeline parsed(const char *text)
{
    Pipeline pipeline;
    Error error;
    if (!pipeline_parse(text, &pipeline, &error))
        fail_msg("'%s': %s", text, error.text);
    return pipeline;
}

static const struct { const char *text, *again; } accepted[] = {
    { "", "" },
    { "  ", "" },
    { "crop", "crop:4" },
    { "crop:2", "crop:2" },
    { "crop:4  hflip:0.5", "crop:4 hflip:0.5" },
    { "Crop:0 HFLIP", "crop:0 hflip:0.5" },
    { "crop:2,reflect", "crop:2,reflect" },
    { "crop:edge", "crop:4,edge" },
    { "crop:mean,3", "crop:3" },
    { "crop:4@0.25 hflip:1", "crop:4@0.25 hflip:1" },
    { "hflip:0.1 crop hflip:0.1@1", "hflip:0.1 crop:4 hflip:0.1" },
    { "hflip:alternating", "hflip:0.5,alternating" },
};

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        char text[PIPELINE_TEXT], again[PIPELINE_TEXT];
        const Pipeline pipeline = parsed(accepted[i].text);
        if (strcmp(pipeline_text(&pipeline, text), accepted[i].again))
            fail_msg("'%s' is written '%s', expected '%s'", accepted[i].text, text, accepted[i].again);
        const Pipeline second = parsed(text);
        assert_string_equal(pipeline_text(&second, again), text);
    }
}

static const struct { const char *text, *message; } refused[] = {
    { "corp:4", "unknown augmentation 'corp': --aug: did you mean crop? choose one of crop hflip " },
    { "crop:900", "'900' of crop: --aug: pixels is a whole number from 0 to 512" },
    { "crop:-1", "'-1' of crop: --aug: pixels is a whole number" },
    { "crop:1.5", "'1.5' of crop: --aug: pixels is a whole number" },
    { "crop:nan", "'nan' of crop: --aug: pixels is a whole number" },
    { "crop:", "'' of crop: --aug: write crop:pixels,mean|reflect|edge" },
    { "crop:4x", "'4x' of crop: --aug: write crop:pixels" },
    { "hflip:0.5,0.2", "'0.2' of hflip: --aug: write hflip:rate,random|alternating" },
    { "hflip:1.01", "'1.01' of hflip: --aug: rate is a number from 0 to 1" },
    { "crop:4@2", "'2' of crop:4: --aug: behind @ stands a share of the images, from 0 to 1" },
    { "crop:4@", "'' of crop:4: --aug: behind @" },
    { "crop:4,hflip", "'hflip' of crop: --aug: write crop:pixels" },
    { "crop crop crop crop crop crop crop crop crop crop crop crop crop crop crop crop crop", "more than 16 steps" },
    { "crop:44444444444444444444444444444444444444444444444444444444444444444444444444444444444444444444444", "too long for a step" },
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        Pipeline pipeline;
        Error error = { 0 };
        if (pipeline_parse(refused[i].text, &pipeline, &error))
            fail_msg("'%s' is accepted", refused[i].text);
        assert_int_equal(error.code, EXIT_usage);
        if (strncmp(error.text, refused[i].message, strlen(refused[i].message)) || strchr(error.text, '\n'))
            fail_msg("'%s': '%s', expected '%s...'", refused[i].text, error.text, refused[i].message);
    }
}

/* The choices are all there, to the last. */
static void test_choices_are_named(void **state)
{
    (void)state;
    Pipeline pipeline;
    Error error;
    assert_false(pipeline_parse("corp", &pipeline, &error));
    const char *choices = strstr(error.text, "choose one of ");
    assert_non_null(choices);
    assert_string_equal(choices + strlen("choose one of "), step_names());
}

/* Every row says what it does, and can be written with its usual values. */
static void test_rows(void **state)
{
    (void)state;
    for (int i = 0; i < step_count(); i++) {
        const StepInfo *info = step_at(i);
        assert_non_null(info->about);
        const Pipeline pipeline = parsed(info->key);
        assert_ptr_equal(pipeline.steps[0].info, info);
        for (int n = 0; n < step_number_count(info); n++)
            if (!(info->numbers[n].usual >= info->numbers[n].least && info->numbers[n].usual <= info->numbers[n].most))
                fail_msg("%s: %s is usually %g", info->key, info->numbers[n].name, (double)info->numbers[n].usual);
    }
}

/* Every row stands in the page's table. */
static void test_page(void **state)
{
    (void)state;
    size_t size;
    char *page = scratch_read(TESTS_FOLDER "/../docs/augmentation.md", &size);
    assert_non_null(page);
    for (int i = 0; i < step_count(); i++) {
        const StepInfo *info = step_at(i);
        char written[128];
        snprintf(written, sizeof written, "`%s%s%s", info->key, info->numbers[0].name ? ":" : "`", info->numbers[0].name ? info->numbers[0].name : "");
        if (!strstr(page, written))
            fail_msg("docs/augmentation.md has no %s: a line for its table: %s", written, info->about);
    }
    free(page);
}

static void test_plain(void **state)
{
    (void)state;
    static const struct { const char *text; bool plain; int pad; bool flip; } cases[] = {
        { "", true, 0, false },                 { "crop:3", true, 3, false },          { "crop:3 hflip", true, 3, true },
        { "hflip:0.5", true, 0, true },         { "hflip crop", false, 0, false },     { "crop:3 hflip:0.4", false, 0, false },
        { "crop:3,edge", false, 0, false },     { "crop:3,mean", true, 3, false },     { "crop@0.5", false, 0, false },        { "crop hflip@0.5", false, 0, false }, { "crop hflip hflip", false, 0, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Pipeline pipeline = parsed(cases[i].text);
        int pad;
        bool flip;
        const bool plain = pipeline_is_plain(&pipeline, &pad, &flip);
        if (plain != cases[i].plain || (plain && (pad != cases[i].pad || flip != cases[i].flip)))
            fail_msg("'%s': plain %d, pad %d, flip %d", cases[i].text, plain, pad, flip);
    }
}

static void test_light(void **state)
{
    (void)state;
    static const struct { const char *text; bool light; } cases[] = {
        { "", true }, { "crop:3,edge hflip:0.4", true }, { "crop hflip:0.5,alternating", true }, { "crop hflip erase", false }, { "mixup:0.2", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Pipeline pipeline = parsed(cases[i].text);
        if (pipeline_is_light(&pipeline) != cases[i].light)
            fail_msg("'%s': light %d", cases[i].text, !cases[i].light);
    }
}

static void test_set(void **state)
{
    (void)state;
    char text[PIPELINE_TEXT];
    Error error;
    Pipeline pipeline = parsed("crop:4 hflip:0.5");
    assert_true(pipeline_set(&pipeline, "crop:2", &error));
    assert_true(pipeline_set(&pipeline, "hflip:0.1", &error));
    assert_string_equal(pipeline_text(&pipeline, text), "crop:2 hflip:0.1");
    assert_false(pipeline_set(&pipeline, "hflip:7", &error));
    assert_null(pipeline_find(&pipeline, "erase"));
    assert_true(pipeline_find(&pipeline, "hflip")->numbers[0] == 0.1f);
}

static void test_scale(void **state)
{
    (void)state;
    static const struct { const char *text; double factor; const char *scaled; } cases[] = {
        { "crop:4,reflect hflip:0.5 cutout:8 blur:1 rotate:15", 0.5, "crop:2,reflect hflip:0.5 cutout:4 blur:0.5 rotate:15" },
        { "crop:4 cutout:8", 0.75, "crop:3 cutout:6" },
        { "crop:1 cutout:1 blur:0.2", 0.25, "crop:1 cutout:1 blur:0.1" },
        { "crop:0", 0.5, "crop:0" },
        { "crop:400", 2.0, "crop:512" },
        { "crop:4 erase:0.25 mixup:0.2", 1.0, "crop:4 erase:0.25 mixup:0.2" },
    };
    char text[PIPELINE_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Pipeline pipeline = parsed(cases[i].text);
        pipeline_scale(&pipeline, cases[i].factor);
        assert_string_equal(pipeline_text(&pipeline, text), cases[i].scaled);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),  cmocka_unit_test(test_refused), cmocka_unit_test(test_rows),
        cmocka_unit_test(test_plain), cmocka_unit_test(test_light), cmocka_unit_test(test_set), cmocka_unit_test(test_scale), cmocka_unit_test(test_page),
        cmocka_unit_test(test_choices_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
