/* test_evaluate.c - evaluate and predict beyond one figure, as a person runs them. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "scratch.h"

/* A run whose network knows a little, and a picture. */
#define RUN "train lenet --data shapes --limit 400 --epochs 2 --threads 1 -b 32 --output run -q"

static int evaluate_setup(void **state)
{
    if (commands_setup(state))
        return 1;
    char path[256];
    unsigned char bytes[15 + 40 * 30 * 3];
    const int header = snprintf((char *)bytes, sizeof bytes, "P6\n40 30\n255\n");
    for (int i = 0; i < 40 * 30 * 3; i++)
        bytes[header + i] = (unsigned char)(i * 7);
    scratch_write(scratch_path(path, folder, "one.ppm"), bytes, (size_t)header + 40 * 30 * 3);
    check(&(Case){ RUN, 0, NULL, NULL });
    return 0;
}

static json_t *json_of(const char *command)
{
    char *out, *err;
    json_error_t where;
    const int code = run(command, &out, &err);
    if (code != 0)
        fail_msg("%s: exit %d: %s", command, code, err);
    json_t *object = json_loads(out, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(object))
        fail_msg("%s: %s: %s", command, where.text, out);
    free(out);
    free(err);
    return object;
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("'%s' is no number", key);
    return json_number_value(value);
}

static double number_in(const char *command, const char *key)
{
    json_t *object = json_of(command);
    const double number = number_of(object, key);
    json_decref(object);
    return number;
}

/* ---- views ---- */

#define PREDICT "predict run one.ppm --output-type logit --results-format jsonl --threads 1 "
#define EVALUATE "evaluate run --limit 100 --threads 1 -q --json "

static double first_logit(const char *command)
{
    json_t *object = json_of(command);
    const double logit = json_number_value(json_array_get(json_object_get(object, "logits"), 0));
    json_decref(object);
    return logit;
}

static void test_views(void **state)
{
    (void)state;
    static const Case mistakes[] = {
        { "evaluate run --tta twice",                2, "", "none flip flip-shift ten" },
        { "predict run one.ppm --tta flip --tta-below 2", 2, "", "--tta-below" },
        { "evaluate run --ten-crop",                 2, "", "use --tta ten" },
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        check_mistake(&mistakes[i]);
    const double loss = number_in(EVALUATE, "loss"), logit = first_logit(PREDICT);
    static const char *const sets[] = { "flip", "flip-shift", "ten" };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        char command[256];
        snprintf(command, sizeof command, EVALUATE "--tta %s", sets[i]);
        assert_true(fabs(number_in(command, "loss") - loss) > 1e-6);
        snprintf(command, sizeof command, PREDICT "--tta %s", sets[i]);
        assert_true(fabs(first_logit(command) - logit) > 1e-6);
        /* So little asked for that no image needs a second look. */
        snprintf(command, sizeof command, EVALUATE "--tta %s --tta-below 0.01", sets[i]);
        assert_true(number_in(command, "loss") == loss);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_views) };
    return cmocka_run_group_tests(tests, evaluate_setup, commands_teardown);
}
