/* test_explorer.c - the explorer page as text: it stands alone, and its numbers are the catalogue's. tests/test_explorer.py opens it in a browser. */

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

#include "activations.h"
#include "chart_json.h"
#include "commands.h"
#include "experiment.h"
#include "explorer.h"
#include "expression.h"
#include "scratch.h"

enum { MOST_BYTES = 400 * 1000 };

static char *page;

static int open_page(void **state)
{
    Error error;
    page = explorer_page("linear-collapse", &error);
    assert_non_null(page);
    return commands_setup(state);
}

static int close_page(void **state)
{
    free(page);
    return commands_teardown(state);
}

/* What the page's data element holds. */
static json_t *read_data(void)
{
    static const char before[] = "<script type=\"application/json\" id=\"data\">", after[] = "</script>";
    const char *begin = strstr(page, before);
    assert_non_null(begin);
    begin += sizeof before - 1;
    const char *end = strstr(begin, after);
    assert_non_null(end);
    assert_null(memchr(begin, '<', (size_t)(end - begin)));
    json_error_t error;
    json_t *data = json_loadb(begin, (size_t)(end - begin), JSON_REJECT_DUPLICATES, &error);
    if (!data)
        fail_msg("%s at line %d, column %d", error.text, error.line, error.column);
    return data;
}

static void test_stands_alone(void **state)
{
    (void)state;
    static const char *const absent[] = {
        "src=", "@import", "url(http", "href=\"http", "fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "eval(", "new Function", "import(", "{{", "}}\n", "<iframe", "<object",
    };
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        if (strstr(page, absent[i]))
            fail_msg("the page has '%s': ...%.60s", absent[i], strstr(page, absent[i]));
    assert_non_null(strstr(page, "default-src 'none'"));
    assert_non_null(strstr(page, "<!DOCTYPE html>"));
    assert_non_null(strstr(page, "</html>"));
    assert_true(strlen(page) < MOST_BYTES);
    /* The only addresses are names: of SVG's elements. */
    for (const char *at = page; (at = strstr(at, "http")); at++)
        if (strncmp(at, "http://www.w3.org/2000/svg", 26) && strncmp(at, "http-equiv", 10))
            fail_msg("an address: %.60s", at);
}

static void test_catalogue(void **state)
{
    (void)state;
    json_t *data = read_data(), *rows = json_object_get(data, "activations");
    assert_int_equal(json_array_size(rows), activation_count());
    for (int i = 0; i < activation_count(); i++) {
        const Activation act = activation_of_info(activation_at(i));
        const json_t *row = json_array_get(rows, (size_t)i), *values = json_object_get(row, "values");
        assert_string_equal(json_string_value(json_object_get(row, "key")), act.info->key);
        assert_string_equal(json_string_value(json_object_get(row, "formula")), act.info->formula);
        assert_int_equal(json_array_size(json_object_get(row, "parameters")), activation_parameter_count(act.info));
        assert_true(json_array_size(json_object_get(row, "properties")) >= 8);
        bool has_one = false;
        for (size_t k = 0; k < json_array_size(values); k++) {
            const json_t *value = json_array_get(values, k);
            const double x = json_number_value(json_array_get(value, 0));
            assert_true(json_number_value(json_array_get(value, 1)) == activation_value(act, x));
            assert_true(json_number_value(json_array_get(value, 2)) == activation_slope(act, x));
            has_one |= x == 1;
        }
        assert_true(has_one);
    }
    json_decref(data);
}

/* Each function that a formula may use is in the page's tables, which the page's reader goes by. */
static void test_language(void **state)
{
    (void)state;
    json_t *data = read_data(), *language = json_object_get(data, "language");
    const json_t *const tables[] = { json_object_get(language, "functions"), json_object_get(language, "shorthands") };
    char names[1024] = "";
    for (int t = 0; t < 2; t++)
        for (size_t i = 0; i < json_array_size(tables[t]); i++) {
            strcat(names, *names ? " " : "");
            strcat(names, json_string_value(json_object_get(json_array_get(tables[t], i), "name")));
        }
    assert_string_equal(names, expression_functions());
    for (size_t i = 0; i < json_array_size(tables[0]); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(tables[0], i), "name"));
        char first[64], second[64];
        snprintf(first, sizeof first, "\n    %s: ", name);
        snprintf(second, sizeof second, "\n    %s,\n", name);
        if (!strstr(page, first) && !strstr(page, second))
            fail_msg("a function without a value: '%s': write its row in laboratory/explorer/special.js", name);
    }
    assert_int_equal(json_integer_value(json_object_get(json_object_get(language, "limits"), "length")), EXPRESSION_LENGTH);
    json_decref(data);
}

static double number_of(const json_t *row, const json_t *columns, const char *column)
{
    for (size_t c = 0; c < json_array_size(columns); c++)
        if (!strcmp(json_string_value(json_array_get(columns, c)), column))
            return json_number_value(json_array_get(row, c));
    fail_msg("no column '%s'", column);
    return NAN;
}

/* The table is the experiment's, and the chart's bars are the table's numbers, to the digits that each has. */
static void test_experiments(void **state)
{
    (void)state;
    ExperimentResult result = { 0 };
    Error error;
    assert_true(experiment_run(experiment_find("linear-collapse", &error), &(ExperimentOptions){ 0 }, &result, &error));
    json_t *data = read_data(), *experiments = json_object_get(data, "experiments"), *experiment = json_array_get(experiments, 0);
    static const char column[] = "largest difference / largest output";
    const json_t *rows = json_object_get(experiment, "rows"), *columns = json_object_get(experiment, "columns");
    assert_int_equal(json_array_size(experiments), 1);
    assert_string_equal(json_string_value(json_object_get(experiment, "command")), "activations experiment linear-collapse");
    assert_int_equal(json_array_size(rows), table_rows(result.table));
    for (int r = 0; r < table_rows(result.table); r++)
        assert_true(fabs(number_of(json_array_get(rows, (size_t)r), columns, column) / table_number_at(result.table, r, column) - 1) < 1e-8);
    const json_t *series = json_object_get(json_array_get(json_object_get(json_object_get(experiment, "chart"), "panels"), 0), "series");
    const char *bars = json_string_value(json_object_get(json_array_get(series, 0), "y"));
    assert_string_equal(json_string_value(json_object_get(json_array_get(series, 0), "name")), "identity");
    assert_true(fabs(strtod(bars, NULL) / table_number_at(result.table, 0, column) - 1) < 1e-4);
    json_decref(data);
    table_free(result.table);
    chart_free(result.chart);
}

/* Names may have what JSON or PLplot reads as something else. */
static void test_chart_json(void **state)
{
    (void)state;
    static const double y[] = { 1, 0.5, 1.0 / 3 };
    double many[1000];
    for (int i = 0; i < 1000; i++)
        many[i] = i;
    Chart *chart = chart_new("a # b");
    chart_panel(chart, (ChartPanel){ .x_label = "x", .y_label = "\"y\"", .y_log = true });
    chart_line(chart, (ChartSeries){ .name = "#u", .count = 3, .y = y });
    chart_line(chart, (ChartSeries){ .name = "again", .count = 3, .y = y, .dashed = true });
    chart_line(chart, (ChartSeries){ .name = "many", .count = 1000, .y = many });
    chart_level(chart, 2, NULL);
    json_t *json = chart_json(chart);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_non_null(strstr(text, "\"title\":\"a # b\""));
    assert_non_null(strstr(text, "{\"label\":\"\\\"y\\\"\",\"log\":true,"));
    assert_non_null(strstr(text, "{\"name\":\"#u\",\"kind\":\"line\",\"dashed\":false,\"y\":\"1 0.5 0.33333\",\"x\":\"0 1 2\"}"));
    assert_non_null(strstr(text, "{\"name\":\"again\",\"kind\":\"line\",\"dashed\":true,\"y\":\"1 0.5 0.33333\"}"));
    assert_non_null(strstr(text, "\"y\":\"0 4 8 12 "));
    assert_non_null(strstr(text, "{\"name\":null,\"kind\":\"level\",\"dashed\":false,\"y\":\"2\","));
    free(text);
    json_decref(json);
    chart_free(chart);
}

static void test_command(void **state)
{
    (void)state;
    static const Case good[] = {
        { "activations explore -o page.html --experiments linear-collapse", 0, "page.html", "" },
        { "activations explore --output other.html --experiments linear-collapse && cmp page.html other.html", 0, "other.html", "" },
        { "activations explore --help", 0, "-o, --output=FILE", "" },
    };
    static const Case bad[] = {
        { "activations explore", 2, NULL, "explore: say -o FILE.html" },
        { "activations explore -o nowhere/page.html", 7, NULL, "nowhere/page.html: No such file or directory" },
        { "activations explore -o page.html --experiments vanishin", 2, NULL, "did you mean vanishing" },
        { "activations explore -o page.html gelu", 2, NULL, "gelu" },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        check(&good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_mistake(&bad[i]);
    char path[256];
    assert_true(scratch_holds(scratch_path(path, folder, "page.html"), page, strlen(page)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stands_alone),
        cmocka_unit_test(test_catalogue),
        cmocka_unit_test(test_language),
        cmocka_unit_test(test_experiments),
        cmocka_unit_test(test_chart_json),
        cmocka_unit_test(test_command),
    };
    return cmocka_run_group_tests(tests, open_page, close_page);
}
