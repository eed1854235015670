/* test_locale.c - convzoo.h in a program whose locale writes 0,2. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "comma_locale.h"
#include "convzoo.h"
#include "scratch.h"

static const char *half(void)
{
    static char text[16];
    snprintf(text, sizeof text, "%g", 0.5);
    return text;
}

static void sees_its_locale(void *context, const ConvzooProgress *progress)
{
    (void)progress;
    snprintf(context, 16, "%s", half());
}

/* Numbers in options and files have a point; the caller's and the callback's have not. */
static void test_locale(void **state)
{
    (void)state;
    char path[256], seen[16] = "", mine[16];
    ConvzooError error;
    if (!comma_locale_set())
        skip();
    snprintf(mine, sizeof mine, "%s", half());
    assert_string_equal(mine, "0,5");
    const ConvzooModelOptions options = { .architecture = "lenet", .activation = "leaky_relu:0.25", .classes = 3, .threads = 1 };
    ConvzooModel *model = convzoo_model_new(&options, &error), *loaded = NULL;
    if (!model || convzoo_model_save(model, scratch_path(path, scratch_folder, "comma.safetensors"), &error) != CONVZOO_OK ||
        !(loaded = convzoo_model_load(path, 1, &error)))
        fail_msg("%s", error.text);
    ConvzooTraining *training = convzoo_training_new(model, 4, NULL, &error);
    if (!training)
        fail_msg("%s", error.text);
    convzoo_training_free(training);
    convzoo_model_free(model);
    convzoo_model_free(loaded);
    const ConvzooRunOptions run = {
        .architecture = "lenet", .data = "shapes", .folder = scratch_path(path, scratch_folder, "comma"), .epochs = 1, .batch = 25, .limit = 50, .threads = 1,
        .progress = sees_its_locale, .context = seen,
    };
    if (convzoo_run(&run, NULL, &error) != CONVZOO_OK)
        fail_msg("%s", error.text);
    assert_string_equal(seen, mine);
    assert_string_equal(half(), mine);
    comma_locale_reset();
    char log[300];
    size_t count;
    snprintf(log, sizeof log, "%s/log.csv", path);
    char *csv = scratch_read(log, &count);
    assert_non_null(csv);
    int head = 0, line = 0;      /* as many commas in each */
    const char *end = strchr(csv, '\n');
    for (const char *at = csv; *at; at++)
        *(at < end ? &head : &line) += *at == ',';
    assert_int_equal(head, line);
    free(csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_locale) };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
