/* test_run_chart.c - a run's log as curves: the numbers that a chart gets, gaps, and logs that give none. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "chart_json.h"
#include "run_chart.h"
#include "scratch.h"

static const char text[] =
    "{\"epoch\": 1, \"epochs\": 3, \"lr\": 0.1, \"train_loss\": 2.5, \"train_top1\": 0.125, \"val_loss\": 2.25, \"val_top1\": 0.25, \"images_per_second\": 100}\n"
    "{\"note\": \"not an epoch\"}\n"
    "{\"epoch\": 2, \"epochs\": 3, \"lr\": 0.05, \"train_loss\": null, \"train_top1\": 0.5, \"val_loss\": 1.5, \"val_top1\": 0.75, \"images_per_second\": 200}\n"
    "{\"epoch\": 3, \"epochs\": 3, \"lr\": 0, \"train_loss\": 1, \"train_top1\": 0.625, \"val_loss\": 1.75, \"val_top1\": 0.75, \"images_per_second\": 150}\n"
    "{\"epoch\": 4, torn";

static const char *series_text(const json_t *chart, size_t panel, size_t series, const char *key)
{
    const json_t *one = json_array_get(json_object_get(json_array_get(json_object_get(chart, "panels"), panel), "series"), series);
    const char *found = json_string_value(json_object_get(one, key));
    return found ? found : "none";
}

static void curves(void **state)
{
    (void)state;
    static const struct { RunChartKind kind; size_t panel, series; const char *name, *y; } cases[] = {
        { RUN_CHART_learning, 0, 0, "training", "2.5 nan 1" },
        { RUN_CHART_learning, 0, 1, "validation", "2.25 1.5 1.75" },
        { RUN_CHART_learning, 1, 0, "training", "12.5 50 62.5" },
        { RUN_CHART_learning, 1, 1, "validation", "25 75 75" },
        { RUN_CHART_speed, 0, 0, "none", "0.1 0.05 0" },
        { RUN_CHART_speed, 1, 0, "none", "100 200 150" },
    };
    char path[256];
    scratch_write(scratch_path(path, scratch_folder, "log.jsonl"), text, sizeof text - 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error = { 0 };
        Chart *chart = run_chart(path, cases[i].kind, &error);
        if (!chart)
            fail_msg("%s", error.text);
        json_t *json = chart_json(chart);
        assert_string_equal(series_text(json, cases[i].panel, cases[i].series, "y"), cases[i].y);
        assert_string_equal(series_text(json, cases[i].panel, cases[i].series, "name"), cases[i].name);
        assert_string_equal(series_text(json, 0, 0, "x"), "1 2 3");
        json_decref(json);
        chart_free(chart);
    }
}

static void pictures(void **state)
{
    (void)state;
    char path[256], picture[256];
    Error error = { 0 };
    for (int lines = 1; lines <= 3; lines += 2) {
        const size_t size = lines == 1 ? (size_t)(strchr(text, '\n') - text) : sizeof text - 1;
        scratch_write(scratch_path(path, scratch_folder, "log.jsonl"), text, size);
        Chart *chart = run_chart(path, RUN_CHART_learning, &error);
        assert_non_null(chart);
        if (!chart_save(chart, scratch_path(picture, scratch_folder, "curves.png"), &error))
            fail_msg("%s", error.text);
        assert_true(scratch_exists(picture));
        chart_free(chart);
    }
}

static void refused(void **state)
{
    (void)state;
    char path[256];
    Error error = { 0 };
    assert_null(run_chart(scratch_path(path, scratch_folder, "none.jsonl"), RUN_CHART_learning, &error));
    assert_int_equal(error.code, EXIT_input);
    scratch_write(scratch_path(path, scratch_folder, "log.jsonl"), "{}\n\n[1]\n", 9);
    assert_null(run_chart(path, RUN_CHART_learning, &error));
    assert_non_null(strstr(error.text, "the run has done none yet"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(curves), cmocka_unit_test(pictures), cmocka_unit_test(refused) };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
