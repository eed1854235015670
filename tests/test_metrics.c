/* test_metrics.c - metrics, calibration, intervals and McNemar's test against definitions written out (make_metrics_golden.py), and
 * by hand. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "calibration.h"
#include "metrics_shown.h"
#include "significance.h"
#include "text.h"
#include "text_width.h"

enum { IMAGES = 90, CLASSES = 8 };

static float    logits[IMAGES * CLASSES];
static uint16_t labels[IMAGES];
static const Outputs outputs = { IMAGES, CLASSES, logits, labels };
static json_t *golden;

static int metrics_setup(void **state)
{
    (void)state;
    json_error_t problem;
    for (int i = 0; i < IMAGES; i++) {
        int called = 0;
        for (int k = 0; k < CLASSES; k++) {
            logits[i * CLASSES + k] = k < 7 ? (float)((37 * i + 11 * k * i + 7 * k) % 23 - 11) / 4 : -20;
            called = logits[i * CLASSES + k] > logits[i * CLASSES + called] ? k : called;
        }
        labels[i] = (uint16_t)(i % 5 > 1 ? called : 3 * i % 6);
    }
    golden = json_load_file(TESTS_FOLDER "/golden/metrics.json", 0, &problem);
    return golden == NULL;
}

static int metrics_teardown(void **state)
{
    (void)state;
    json_decref(golden);
    return 0;
}

static double cell(const char *key, size_t row, size_t column)
{
    return json_number_value(json_array_get(json_array_get(json_object_get(golden, key), row), column));
}

static size_t rows(const char *key)
{
    return json_array_size(json_object_get(golden, key));
}

static void near(const char *what, size_t row, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * (1 + fabs(expected))))
        fail_msg("%s, row %zu: %.17g, expected %.17g", what, row, got, expected);
}

static void test_classes(void **state)
{
    (void)state;
    Metrics *m = metrics_new(&outputs);
    assert_int_equal(rows("classes"), CLASSES);
    uint32_t all = 0;
    for (size_t k = 0; k < CLASSES; k++) {
        const ClassMetrics *each = &m->each[k];
        const double got[] = { each->images, each->called, each->precision, each->recall, each->f1 };
        for (size_t v = 0; v < 5; v++)
            near("a class", k, got[v], cell("classes", k, v), 1e-14);
        for (size_t p = 0; p < CLASSES; p++)
            all += m->confusion[k * CLASSES + p];
    }
    assert_int_equal(all, IMAGES);
    const double macro[] = { m->precision, m->recall, m->f1 };
    for (size_t v = 0; v < 3; v++)
        near("macro", v, macro[v], json_number_value(json_array_get(json_object_get(golden, "macro"), v)), 1e-14);
    metrics_free(m);
}

static void test_calibration(void **state)
{
    (void)state;
    for (size_t r = 0; r < rows("calibration"); r++) {
        const Calibration c = calibration_measure(&outputs, cell("calibration", r, 0));
        near("expected calibration error", r, c.error, cell("calibration", r, 1), 1e-12);
        near("worst bin", r, c.worst, cell("calibration", r, 2), 1e-12);
        near("loss", r, c.loss, cell("calibration", r, 3), 1e-12);
    }
    near("no temperature", 0, calibration_measure(&outputs, 0).error, cell("calibration", 0, 1), 1e-12);
    const double best = json_number_value(json_object_get(golden, "temperature"));
    near("temperature", 0, calibration_temperature(&outputs), best, 1e-10);
}

/* Of those that are always right the coldest, of those that know nothing the hottest. */
static void test_temperature_bounds(void **state)
{
    (void)state;
    static const float right[] = { 3, 1, 0, 5 }, wrong[] = { 1, 3, 5, 0 };
    static const uint16_t two[] = { 0, 1 };
    near("all right", 0, calibration_temperature(&(Outputs){ 2, 2, right, two }), CALIBRATION_COLDEST, 1e-6);
    near("all wrong", 0, calibration_temperature(&(Outputs){ 2, 2, wrong, two }), CALIBRATION_HOTTEST, 1e-6);
}

static void test_intervals(void **state)
{
    (void)state;
    for (size_t r = 0; r < rows("intervals"); r++) {
        const Interval i = metrics_interval((uint32_t)cell("intervals", r, 0), (uint32_t)cell("intervals", r, 1));
        near("from", r, i.from, cell("intervals", r, 2), 1e-12);
        near("to", r, i.to, cell("intervals", r, 3), 1e-12);
    }
    const Interval none = metrics_interval(0, 0);
    assert_true(none.from == 0 && none.to == 1);
}

static void test_mcnemar(void **state)
{
    (void)state;
    for (size_t r = 0; r < rows("mcnemar"); r++) {
        const McNemar m = significance_mcnemar((unsigned)cell("mcnemar", r, 0), (unsigned)cell("mcnemar", r, 1));
        near("exact p", r, m.exact, cell("mcnemar", r, 2), 1e-12);
        near("chi2", r, m.chi2, cell("mcnemar", r, 3), 1e-12);
        near("its p", r, m.approximate, cell("mcnemar", r, 4), 1e-12);
    }
}

static void test_rejection(void **state)
{
    (void)state;
    Error error = { 0 };
    Rejection found;
    for (size_t r = 0; r < rows("rejection"); r++) {
        const char *by = json_string_value(json_array_get(json_array_get(json_object_get(golden, "rejection"), r), 0));
        assert_true(calibration_threshold(&outputs, 0, strcmp(by, "coverage") ? REJECT_precision : REJECT_coverage, cell("rejection", r, 1), &found, &error));
        near("threshold", r, found.below, cell("rejection", r, 2), 1e-12);
        near("coverage", r, found.coverage, cell("rejection", r, 3), 1e-12);
        near("precision", r, found.precision, cell("rejection", r, 4), 1e-12);
        const Rejection same = calibration_reject(&outputs, 0, found.below);
        assert_true(same.coverage == found.coverage && same.precision == found.precision);
    }
    assert_false(calibration_threshold(&outputs, 0, REJECT_precision, 1.01, &found, &error));
    assert_non_null(strstr(error.text, "no threshold gives a precision of 1.01"));
}

/* Ties, numbers that are none, and which mistakes come first. */
static void test_called(void **state)
{
    (void)state;
    static const float some[] = {
        1, 1, 0,      0, 2, 2,      0, NAN, 5,      1, 4, 0,      0, 0, 9,
    };
    static const uint16_t are[] = { 1, 1, 0, 0, 2 };
    static const int called[] = { 0, 1, 1, 1, 2 };
    const Outputs five = { 5, 3, some, are };
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(outputs_called(&five, i), called[i]);
    uint32_t images[5];
    assert_int_equal(metrics_mistakes(&(Outputs){ 2, 3, some + 9, are + 3 }, 0, images, 5), 1);
    assert_int_equal(images[0], 0);
    static const float sure[] = { 0, 3, 0, 5, 0, 4, 0, 4 };
    static const uint16_t first[] = { 0, 0, 0, 0 };
    assert_int_equal(metrics_mistakes(&(Outputs){ 4, 2, sure, first }, 0, images, 2), 2);
    assert_int_equal(images[0], 1);
    assert_int_equal(images[1], 2);
    /* Two runners-up that are near count less at a high temperature than one. */
    static const float near_ones[] = { 0, 2, 0,      3.5f, 4, -9 };
    assert_int_equal(metrics_mistakes(&(Outputs){ 2, 3, near_ones, first }, 1, images, 2), 2);
    assert_int_equal(images[0], 0);
    assert_int_equal(metrics_mistakes(&(Outputs){ 2, 3, near_ones, first }, 3, images, 2), 2);
    assert_int_equal(images[0], 1);
}

/* Names of wide letters and of letters of several bytes stand in columns as others do. */
static void test_wide_names(void **state)
{
    (void)state;
    static const float sure[] = { 3, 0, 0,      0, 3, 0,      0, 0, 3 };
    static const uint16_t classes[] = { 0, 1, 2 };
    char *names[] = { "cat", "x\u00E4\u00E4\u00E4\u00E4\u00E4", "\u98DB\u884C\u6A5F\u98DB\u884C\u6A5F" }, text[4096], *rest = text;
    Metrics *m = metrics_new(&(Outputs){ 3, 3, sure, classes });
    FILE *stream = fmemopen(text, sizeof text, "w");
    metrics_confusion_print(m, names, stream);
    assert_int_equal(fclose(stream), 0);
    int lines = 0;
    for (const char *line; (line = strsep(&rest, "\n")) && *line; lines++)
        if (text_width(line) != 12 + 3 * 12 || !text_is_printable(line))
            fail_msg("%d columns: '%s'", text_width(line), line);
    assert_int_equal(lines, 4);
    metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes), cmocka_unit_test(test_calibration), cmocka_unit_test(test_temperature_bounds),
        cmocka_unit_test(test_intervals), cmocka_unit_test(test_mcnemar), cmocka_unit_test(test_rejection), cmocka_unit_test(test_called),
        cmocka_unit_test(test_wide_names),
    };
    return cmocka_run_group_tests(tests, metrics_setup, metrics_teardown);
}
