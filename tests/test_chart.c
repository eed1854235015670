/* test_chart.c - charts as files: kinds, sizes, colours, places, and what cannot be written. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chart_parts.h"
#include "metrics_shown.h"
#include "scratch.h"

typedef struct { int r, g, b; } Colour;

static const Colour blue = { 0, 114, 178 }, vermilion = { 213, 94, 0 };

typedef struct Picture {
    int      w, h;
    uint8_t *rgb;
} Picture;

static Picture picture_save(const Chart *chart)
{
    char path[256];
    Error error = { 0 };
    scratch_path(path, scratch_folder, "chart.png");
    if (!chart_save(chart, path, &error))
        fail_msg("%s", error.text);
    png_image image = { .version = PNG_IMAGE_VERSION };
    assert_true(png_image_begin_read_from_file(&image, path));
    image.format = PNG_FORMAT_RGB;
    Picture picture = { (int)image.width, (int)image.height, malloc(PNG_IMAGE_SIZE(image)) };
    assert_true(png_image_finish_read(&image, NULL, picture.rgb, 0, NULL));
    return picture;
}

/* How many pixels have the colour, and the middle of them. */
static int find_colour(const Picture *picture, Colour colour, double *x, double *y)
{
    int count = 0;
    *x = *y = 0;
    for (int i = 0; i < picture->w * picture->h; i++) {
        const uint8_t *p = picture->rgb + 3 * i;
        if (abs(p[0] - colour.r) + abs(p[1] - colour.g) + abs(p[2] - colour.b) > 6)
            continue;
        *x += i % picture->w;
        *y += i / picture->w;
        count++;
    }
    *x /= count ? count : 1;
    *y /= count ? count : 1;
    return count;
}

/* Two levels: the higher number stands higher, each in the palette's colour. */
static void lines(void **state)
{
    (void)state;
    const double x[] = { 0, 1 }, low[] = { 1, 1 }, high[] = { 3, 3 };
    for (int log = 0; log < 2; log++) {
        Chart *chart = chart_new("Two lines");
        chart_panel(chart, (ChartPanel){ .x_label = "x", .y_label = "y, metres", .y_log = log });
        chart_line(chart, (ChartSeries){ .count = 2, .x = x, .y = low });
        chart_line(chart, (ChartSeries){ .count = 2, .x = x, .y = high });
        Picture picture = picture_save(chart);
        double x1, y1, x2, y2;
        assert_int_equal(picture.w, 900);
        assert_int_equal(picture.h, 540);
        assert_true(find_colour(&picture, blue, &x1, &y1) > 500);
        assert_true(find_colour(&picture, vermilion, &x2, &y2) > 500);
        assert_true(y1 > y2 + 200);
        assert_true(fabs(x1 - x2) < 2);
        free(picture.rgb);
        chart_free(chart);
    }
}

/* A gap in the middle of a line is left white; two panels make a wider page, and their legend has a row a name. */
static void gaps_and_panels(void **state)
{
    (void)state;
    int counts[2];
    for (int gap = 0; gap < 2; gap++) {
        double y[101];
        for (int i = 0; i <= 100; i++)
            y[i] = gap && i > 25 && i < 75 ? NAN : 1;
        Chart *chart = chart_new(NULL);
        for (int panel = 0; panel < 2; panel++) {
            chart_panel(chart, (ChartPanel){ .title = "panel" });
            chart_line(chart, (ChartSeries){ .name = "one", .count = 101, .y = y });
        }
        Picture picture = picture_save(chart);
        double x, at;
        assert_int_equal(picture.w, 1280);
        counts[gap] = find_colour(&picture, blue, &x, &at);
        free(picture.rgb);
        chart_free(chart);
    }
    assert_in_range(2 * counts[1], counts[0] - 40, counts[0] + 160);
}

/* Of an axis of epochs none is between two, however few there are. */
static void whole_ticks(void **state)
{
    (void)state;
    static const struct { double to; int least; } cases[] = { { 2, 2 }, { 3, 3 }, { 7, 7 }, { 12, 4 }, { 1000, 4 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ChartPlot plot = { .x = { .whole = true, .from = 1, .to = cases[i].to } };
        const ChartScale scale = chart_scale_x(&plot, 500, 40);
        assert_true(scale.count >= cases[i].least);
        for (int k = 0; k < scale.count; k++)
            if (scale.ticks[k] != floor(scale.ticks[k]) || strtod(scale.labels[k], NULL) != scale.ticks[k])
                fail_msg("1 to %g: a tick at %g, '%s'", cases[i].to, scale.ticks[k], scale.labels[k]);
    }
}

/* A bar twice as high has twice the pixels. */
static void bars(void **state)
{
    (void)state;
    const char *const names[] = { "a", "b" };
    int counts[2];
    for (int i = 0; i < 2; i++) {
        Chart *chart = chart_new("Bars");
        chart_panel(chart, (ChartPanel){ .y_label = "share, %", .y_from = 0, .y_to = 10, .x_names = names, .x_name_count = 2 });
        chart_bars(chart, (ChartSeries){ .count = 2, .y = (double[]){ 2, i ? 6 : 2 } });
        Picture picture = picture_save(chart);
        double x, y;
        counts[i] = find_colour(&picture, blue, &x, &y);
        free(picture.rgb);
        chart_free(chart);
    }
    assert_true(counts[0] > 5000);
    assert_in_range(counts[1], 1.95 * counts[0], 2.05 * counts[0]);
}

/* The scale's ends are dark violet and yellow; what is no number stays white. */
static void heat(void **state)
{
    (void)state;
    Chart *chart = chart_new("Heat");
    const double values[] = { 0, 0, NAN, 0, 0, 5 };
    chart_panel(chart, (ChartPanel){ .x_label = "epoch", .y_label = "layer" });
    chart_heat(chart, (ChartHeat){ .columns = 3, .rows = 2, .values = values, .label = "share" });
    Picture picture = picture_save(chart);
    double x1, y1, x2, y2;
    const int dark = find_colour(&picture, (Colour){ 68, 1, 84 }, &x1, &y1);
    const int light = find_colour(&picture, (Colour){ 253, 231, 37 }, &x2, &y2);
    assert_true(light > 5000);
    assert_in_range(dark, 3.9 * light, 4.1 * light);
    assert_true(x2 > x1 && y2 > y1);
    free(picture.rgb);
    chart_free(chart);
}

/* Two classes, of which the images have one and all are right: a cell of 100%, beside it one of 0%; the row of the other class is blank. */
static void confusion(void **state)
{
    (void)state;
    const float logits[] = { 1, 0, 2, 0, 3, 0 };
    const uint16_t labels[] = { 0, 0, 0 };
    char *names[] = { "cat", "dog" };
    Metrics *metrics = metrics_new(&(Outputs){ .count = 3, .classes = 2, .logits = logits, .labels = labels });
    Chart *chart = metrics_confusion_chart(metrics, names);
    Picture picture = picture_save(chart);
    double x1, y1, x2, y2;
    const int never = find_colour(&picture, (Colour){ 68, 1, 84 }, &x1, &y1);
    const int always = find_colour(&picture, (Colour){ 253, 231, 37 }, &x2, &y2);
    assert_true(always > 5000);
    assert_in_range(never, 0.95 * always, 1.05 * always);
    assert_true(x1 > x2 && fabs(y1 - y2) < 10);
    free(picture.rgb);
    chart_free(chart);
    metrics_free(metrics);
}

static Chart *chart_of_everything(void)
{
    static const char *const names[] = { "a long name", "#1", "\xFF\x01", "τ" };
    const double y[] = { 1e-300, 1e300, -INFINITY, NAN };
    Chart *chart = chart_new("50 #% \n");
    chart_panel(chart, (ChartPanel){ .x_names = names, .x_name_count = 4, .y_log = true });
    chart_bars(chart, (ChartSeries){ .name = "bars", .count = 4, .y = y });
    chart_points(chart, (ChartSeries){ .name = "points", .count = 4, .y = y });
    for (int i = 0; i < 70; i++)
        chart_line(chart, (ChartSeries){ .name = "line", .count = i % 5, .y = y });
    chart_mark(chart, 1, 1, "a mark");
    chart_mark(chart, NAN, 1, "none");
    chart_level(chart, 0, "no place for it");
    chart_panel(chart, (ChartPanel){ .y_from = -1, .y_to = 1 });
    chart_line(chart, (ChartSeries){ .count = 4, .y = y, .dashed = true });
    return chart;
}

static void kinds(void **state)
{
    (void)state;
    static const struct { const char *name, *begins; } files[] = {
        { "a.png", "\x89PNG" }, { "a.svg", "<?xml" }, { "a.PDF", "%PDF" },
    };
    Chart *chart = chart_of_everything();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[256];
        Error error = { 0 };
        size_t size;
        scratch_path(path, scratch_folder, files[i].name);
        if (!chart_save(chart, path, &error))
            fail_msg("%s: %s", files[i].name, error.text);
        char *bytes = scratch_read(path, &size);
        assert_true(size > 2000);
        assert_memory_equal(bytes, files[i].begins, strlen(files[i].begins));
        free(bytes);
    }
    chart_free(chart);
}

static void refused(void **state)
{
    (void)state;
    static const struct { const char *path; ExitCode code; const char *says; } cases[] = {
        { "chart.jpg", EXIT_usage, "'chart.jpg': let its name end in .png, .svg or .pdf" },
        { "chart", EXIT_usage, "no kind of picture" },
        { "a.png/chart", EXIT_usage, "no kind of picture" },
        { "no/such/folder/chart.svg", EXIT_write, "no/such/folder/chart.svg" },
    };
    Chart *chart = chart_new("x");
    chart_panel(chart, (ChartPanel){ .x_label = "x" });
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error = { 0 };
        if (chart_save(chart, cases[i].path, &error) || error.code != cases[i].code || !strstr(error.text, cases[i].says))
            fail_msg("%s: code %d: %s", cases[i].path, (int)error.code, error.text);
    }
    chart_free(chart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines), cmocka_unit_test(gaps_and_panels), cmocka_unit_test(whole_ticks), cmocka_unit_test(bars), cmocka_unit_test(heat),
        cmocka_unit_test(confusion), cmocka_unit_test(kinds), cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
