/* test_sheet.c - sheets of pictures: where pixels go, that letters are written and cut, and what is refused. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "filters.h"
#include "mistakes.h"
#include "modules.h"
#include "parameters.h"
#include "scratch.h"
#include "sheet.h"

enum { SIDE = 64, GAP = 12, LINE = 17, CHANNELS = 3 };

typedef struct Read {
    int      h, w;
    uint8_t *pixels;
} Read;

static Read read_back(const Sheet *sheet)
{
    char path[256];
    Error error = { 0 };
    if (!sheet_save(sheet, scratch_path(path, scratch_folder, "sheet.png"), &error))
        fail_msg("%s", error.text);
    png_image image = { .version = PNG_IMAGE_VERSION };
    assert_true(png_image_begin_read_from_file(&image, path));
    image.format = PNG_FORMAT_RGB;
    Read read = { (int)image.height, (int)image.width, malloc(PNG_IMAGE_SIZE(image)) };
    assert_non_null(read.pixels);
    assert_true(png_image_finish_read(&image, NULL, read.pixels, 0, NULL));
    return read;
}

static void expect(const Read *read, int y, int x, const uint8_t *rgb, const char *what)
{
    const uint8_t *got = read->pixels + ((size_t)y * (size_t)read->w + (size_t)x) * CHANNELS;
    if (memcmp(got, rgb, CHANNELS))
        fail_msg("%s: %d %d %d at %d, %d, expected %d %d %d", what, got[0], got[1], got[2], y, x, rgb[0], rgb[1], rgb[2]);
}

/* Pixels of a part that are darker than grey. */
static int dark(const Read *read, int top, int left, int h, int w)
{
    int count = 0;
    for (int y = top; y < top + h; y++)
        for (int x = left; x < left + w && x < read->w; x++)
            count += read->pixels[((size_t)y * (size_t)read->w + (size_t)x) * CHANNELS] < 128;
    return count;
}

static const uint8_t white[] = { 255, 255, 255 }, red[] = { 255, 0, 0 }, green[] = { 0, 255, 0 }, blue[] = { 0, 0, 255 }, yellow[] = { 255, 255, 0 };
static const uint8_t frame[] = { SHEET_FRAME, SHEET_FRAME, SHEET_FRAME };

/* Four pixels, enlarged; a long one in the middle of its place; a large one made smaller. */
static void pixels(void **state)
{
    (void)state;
    uint8_t four[4 * CHANNELS], long_one[8 * CHANNELS], large[100 * 200 * CHANNELS];
    const uint8_t *const colours[] = { red, green, blue, yellow };
    for (int i = 0; i < 4; i++)
        memcpy(four + i * CHANNELS, colours[i], CHANNELS);
    for (int i = 0; i < 8; i++)
        memcpy(long_one + i * CHANNELS, blue, CHANNELS);
    for (int i = 0; i < 100 * 200; i++)
        memcpy(large + i * CHANNELS, i % 200 < 100 ? red : green, CHANNELS);
    Sheet *sheet = sheet_new(3, (SheetOptions){ .columns = 2, .side = SIDE });
    sheet_picture(sheet, 0, four, 2, 2);
    sheet_picture(sheet, 1, long_one, 1, 8);
    sheet_picture(sheet, 2, large, 100, 200);
    Read read = read_back(sheet);
    assert_int_equal(read.w, GAP + 2 * (SIDE + GAP));
    assert_int_equal(read.h, GAP + 2 * (SIDE + GAP));
    expect(&read, GAP, GAP, red, "a corner");
    expect(&read, GAP + SIDE / 2 - 1, GAP + SIDE / 2 - 1, red, "the last of the first pixel");
    expect(&read, GAP, GAP + SIDE / 2, green, "the second pixel");
    expect(&read, GAP + SIDE / 2, GAP, blue, "the third pixel");
    expect(&read, GAP + SIDE - 1, GAP + SIDE - 1, yellow, "the last pixel");
    expect(&read, GAP + SIDE, GAP, frame, "the line below");
    expect(&read, GAP - 1, GAP - 1, frame, "the corner of the line");
    expect(&read, GAP + 10, GAP + SIDE, frame, "the line to the right");
    expect(&read, GAP + SIDE + 1, GAP, white, "below");
    expect(&read, GAP + 10, GAP + SIDE + 1, white, "to the right");
    expect(&read, GAP, 2 * GAP + SIDE, white, "above a long one");
    expect(&read, GAP + SIDE / 2, 2 * GAP + SIDE, blue, "a long one");
    expect(&read, GAP + SIDE / 2 + 4, 2 * GAP + SIDE, frame, "the line below a long one");
    expect(&read, GAP + SIDE / 2 + 5, 2 * GAP + SIDE, white, "below a long one");
    expect(&read, 2 * GAP + SIDE + SIDE / 2, GAP + 10, red, "a large one, left");
    expect(&read, 2 * GAP + SIDE + SIDE / 2, GAP + SIDE - 10, green, "a large one, right");
    free(read.pixels);
    sheet_free(sheet);
}

/* The ends of the scale of colours; the same where all numbers are alike. */
static void numbers(void **state)
{
    (void)state;
    uint8_t lowest[CHANNELS], highest[CHANNELS];
    const float values[] = { -1, 3 };
    chart_heat_colour(0, lowest);
    chart_heat_colour(1, highest);
    Sheet *sheet = sheet_new(2, (SheetOptions){ .columns = 2, .side = SIDE });
    sheet_numbers(sheet, 0, values, 1, 2, -1, 3);
    sheet_numbers(sheet, 1, values, 1, 2, 5, 5);
    Read read = read_back(sheet);
    expect(&read, GAP + SIDE / 2, GAP, lowest, "the smallest");
    expect(&read, GAP + SIDE / 2, GAP + SIDE - 1, highest, "the largest");
    expect(&read, GAP + SIDE / 2, 2 * GAP + SIDE, lowest, "all alike");
    free(read.pixels);
    sheet_free(sheet);
}

/* Each line stands below its picture, and leaves the next one's place white. */
static void letters(void **state)
{
    (void)state;
    Sheet *sheet = sheet_new(2, (SheetOptions){ .columns = 2, .side = SIDE, .lines = 2, .title = "W" });
    sheet_line(sheet, 0, 0, "Mäuse # 5%");
    sheet_line(sheet, 0, 1, "a text that is much longer than its picture is wide");
    Read read = read_back(sheet);
    const int text = read.h - 2 * LINE - GAP;
    assert_true(dark(&read, 0, 0, 46, read.w) > 20);
    assert_true(dark(&read, text, GAP, LINE, SIDE) > 30);
    assert_true(dark(&read, text + LINE, GAP, LINE, SIDE) > 30);
    assert_int_equal(dark(&read, text, 2 * GAP + SIDE, 2 * LINE, SIDE), 0);
    assert_int_equal(dark(&read, read.h - 2 * LINE - GAP - SIDE, GAP, SIDE, 2 * SIDE), 0);
    free(read.pixels);
    sheet_free(sheet);
}

/* ---- sheets that are made elsewhere ---- */

/* Grey where a weight is 0, and the largest weight of a filter at an end. */
static void filters(void **state)
{
    (void)state;
    Error error;
    Network *net = network_new();
    Tensor *image = network_input(net, (Shape){ 3, 6, 6 });
    linear(net, "fc", flatten(net, "flat", conv2d(net, "conv", image, 2, (Conv2d){ .kernel = 2 })), 2);
    parameters_init(net, 1);
    float weights[2 * 3 * 4] = { 0 };
    weights[0] = 2;           /* filter 0, red, first pixel */
    weights[5] = -2;          /* green, second */
    weights[10] = 1;          /* blue, third */
    parameters_import(net, network_parameters(net)->values, network_param_find(net, "conv.weight"), weights);
    Sheet *sheet = filters_sheet(net, &error);
    assert_non_null(sheet);
    Read read = read_back(sheet);
    const int top = read.h - GAP - SIDE;
    expect(&read, top, GAP, (const uint8_t[]){ 255, 128, 128 }, "red of the first pixel");
    expect(&read, top, GAP + SIDE - 1, (const uint8_t[]){ 128, 0, 128 }, "no green in the second");
    expect(&read, top + SIDE - 1, GAP, (const uint8_t[]){ 128, 128, 191 }, "half of blue in the third");
    expect(&read, top + SIDE - 1, GAP + SIDE - 1, (const uint8_t[]){ 128, 128, 128 }, "the fourth");
    expect(&read, top, 2 * GAP + SIDE, (const uint8_t[]){ 128, 128, 128 }, "a filter of zeros");
    free(read.pixels);
    sheet_free(sheet);
    network_free(net);
}

/* Image 1 and 2 are called wrong, 2 more surely: it comes first; images of one channel are grey. */
static void mistakes(void **state)
{
    (void)state;
    uint8_t images[] = { 10, 10, 10, 10, 20, 20, 20, 20, 30, 30, 30, 30 };
    uint16_t labels[] = { 0, 0, 1 };
    char *classes[] = { "cat", "dog" };
    const float logits[] = { 3, 0, 0, 1, 5, 0 };
    const Dataset data = { .channels = 1, .height = 2, .width = 2, .classes = 2, .count = 3, .images = images, .labels = labels };
    const Outputs outputs = { 3, 2, logits, labels };
    Sheet *sheet = mistakes_sheet(&data, &outputs, classes, 0, 25);
    assert_non_null(sheet);
    Read read = read_back(sheet);
    assert_int_equal(read.w, GAP + 2 * (160 + GAP));
    expect(&read, GAP, GAP, (const uint8_t[]){ 30, 30, 30 }, "the surest");
    expect(&read, GAP, 2 * GAP + 160, (const uint8_t[]){ 20, 20, 20 }, "the other");
    assert_true(dark(&read, read.h - 2 * LINE - GAP, GAP, LINE, 160) > 30);
    free(read.pixels);
    sheet_free(sheet);
    assert_null(mistakes_sheet(&data, &(Outputs){ 1, 2, logits, labels }, classes, 0, 25));
}

static void refused(void **state)
{
    (void)state;
    Error error = { 0 };
    char path[256];
    Sheet *sheet = sheet_new(1, (SheetOptions){ .side = SIDE });
    assert_false(sheet_save(sheet, "x.jpg", &error));
    assert_int_equal(error.code, EXIT_usage);
    assert_false(sheet_save(sheet, scratch_path(path, scratch_folder, "none/x.png"), &error));
    assert_int_equal(error.code, EXIT_write);
    sheet_free(sheet);
    sheet = sheet_new(1000, (SheetOptions){ .columns = 1, .side = SIDE });
    assert_false(sheet_save(sheet, scratch_path(path, scratch_folder, "x.png"), &error));
    assert_non_null(strstr(error.text, "ask for fewer images"));
    sheet_free(sheet);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(pixels), cmocka_unit_test(numbers), cmocka_unit_test(letters), cmocka_unit_test(filters),
                                         cmocka_unit_test(mistakes), cmocka_unit_test(refused) };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
