/* test_resize.c - images are scaled, cropped and converted as documented: against the definitions in double precision, and against
 * what Pillow makes of them (tests/reference/make_resize_golden.py). */

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

#include "image.h"
#include "names.h"

/* Sample `c` at (y, x) of the picture. */
static int sample(int y, int x, int c)
{
    return (37 * y + 53 * x + 89 * c + 11) % 256;
}

/* Bilinear with a triangle that grows when shrinking, straight from its definition. */
static double filtered(const uint8_t *line, int from, int step, double scale, int at)
{
    const double support = fmax(1, scale), centre = (at + 0.5) * scale;
    double sum = 0, weights = 0;
    for (int j = 0; j < from; j++) {
        const double weight = fmax(0, 1 - fabs(j + 0.5 - centre) / support);
        sum += weight * line[j * step];
        weights += weight;
    }
    return sum / weights;
}

typedef struct FitCase {
    int height, width, wanted_height, wanted_width;
    int scaled_height, scaled_width, top, left;      /* by torchvision's rules */
} FitCase;

static const FitCase fit_cases[] = {
    { 9, 9, 4, 4,      4, 4, 0, 0 },
    { 5, 7, 11, 11,    11, 15, 0, 2 },      /* 11 * 7 / 5 = 15; (15 - 11) / 2 */
    { 40, 13, 6, 6,    18, 6, 6, 0 },
    { 8, 21, 8, 8,     8, 21, 0, 6 },       /* 6.5 rounds to the even 6 */
    { 8, 11, 8, 8,     8, 11, 0, 2 },       /* 1.5 rounds to the even 2 */
    { 6, 10, 3, 7,     4, 7, 0, 0 },        /* 0.5 rounds to 0 */
    { 10, 1, 2, 2,     20, 2, 9, 0 },
};

static void fit_reference(const FitCase *test, const uint8_t *plane, uint8_t *out)
{
    uint8_t *rows = allocate((size_t)test->height, (size_t)test->wanted_width, "rows");
    for (int y = 0; y < test->height; y++)
        for (int x = 0; x < test->wanted_width; x++)
            rows[y * test->wanted_width + x] = (uint8_t)lrint(filtered(plane + y * test->width, test->width, 1,
                (double)test->width / test->scaled_width, x + test->left));
    for (int y = 0; y < test->wanted_height; y++)
        for (int x = 0; x < test->wanted_width; x++)
            out[y * test->wanted_width + x] = (uint8_t)lrint(filtered(rows + x, test->height, test->wanted_width,
                (double)test->height / test->scaled_height, y + test->top));
    free(rows);
}

static void test_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fit_cases / sizeof *fit_cases; i++) {
        const FitCase *test = &fit_cases[i];
        const int pixels = test->height * test->width, wanted = test->wanted_height * test->wanted_width;
        uint8_t planes[3 * 600], mixed[3 * 600], fitted[3 * 600], from_mixed[3 * 600], expected[600];
        for (int c = 0; c < 3; c++)
            for (int k = 0; k < pixels; k++)
                planes[c * pixels + k] = mixed[3 * k + c] = (uint8_t)sample(k / test->width, k % test->width, c);
        const ImageSize size = { 3, test->height, test->width }, to = { 3, test->wanted_height, test->wanted_width };
        image_fit(&(Image){ .size = size, .pixels = planes, .pixel_step = 1, .plane_step = (size_t)pixels }, to, (ImageFit){ 0 }, fitted);
        image_fit(&(Image){ .size = size, .pixels = mixed, .pixel_step = 3, .plane_step = 1 }, to, (ImageFit){ 0 }, from_mixed);
        assert_memory_equal(fitted, from_mixed, 3 * (size_t)wanted);
        for (int c = 0; c < 3; c++) {
            fit_reference(test, planes + c * pixels, expected);
            for (int k = 0; k < wanted; k++)
                if (abs(fitted[c * wanted + k] - expected[k]) > 1)
                    fail_msg("%dx%d -> %dx%d: channel %d, pixel %d is %d, expected %d", test->height, test->width,
                             test->wanted_height, test->wanted_width, c, k, fitted[c * wanted + k], expected[k]);
        }
    }
}

static void test_channels(void **state)
{
    (void)state;
    uint8_t rgb[] = { 255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30 }, out[12];
    image_fit(&(Image){ .size = { 3, 2, 2 }, .pixels = rgb, .pixel_step = 3, .plane_step = 1 }, (ImageSize){ 1, 2, 2 }, (ImageFit){ 0 }, out);
    static const uint8_t grey[] = { 76, 150, 29, 18 };      /* 0.299, 0.587, 0.114 */
    assert_memory_equal(out, grey, 4);
    image_fit(&(Image){ .size = { 1, 2, 2 }, .pixels = out, .pixel_step = 1, .plane_step = 4 }, (ImageSize){ 3, 2, 2 }, (ImageFit){ 0 }, out);
    assert_memory_equal(out + 4, grey, 4);
    assert_memory_equal(out + 8, grey, 4);
}

/* ---- Pillow's ---- */

static int number(const json_t *golden, const char *key)
{
    return (int)json_integer_value(json_object_get(golden, key));
}

static int place_of(const json_t *golden, const char *key, const char *const *choices, int count)
{
    const char *name = json_string_value(json_object_get(golden, key));
    int place = 0;
    while (place < count && !names_match(choices[place], name, strlen(name)))
        place++;
    assert_true(place < count);
    return place;
}

/* How many of the case's values differ, and how many there are. */
static void check_golden(const json_t *golden, int *off, int *values_of_all)
{
    const ImageSize size = { 3, number(golden, "height"), number(golden, "width") };
    const ImageSize wanted = { 3, number(golden, "wanted_height"), number(golden, "wanted_width") };
    const ImageFit fit = { (ImageCrop)place_of(golden, "crop", image_crops, CROPS), (ImageFilter)place_of(golden, "filter", image_filters, FILTERS),
                           json_real_value(json_object_get(golden, "crop_pct")) };
    const char *digits = json_string_value(json_object_get(golden, "planes"));
    const int values = 3 * wanted.height * wanted.width;
    uint8_t pixels[3 * 600], fitted[3 * 600];
    assert_int_equal(strlen(digits), 2 * values);
    assert_in_range(3 * size.height * size.width, 1, sizeof pixels);
    assert_in_range(values, 1, sizeof fitted);
    for (int k = 0; k < 3 * size.height * size.width; k++)
        pixels[k] = (uint8_t)sample(k / 3 / size.width, k / 3 % size.width, k % 3);
    image_fit(&(Image){ .size = size, .pixels = pixels, .pixel_step = 3, .plane_step = 1 }, wanted, fit, fitted);
    *values_of_all += values;
    for (int k = 0; k < values; k++) {
        unsigned expected = 0;
        assert_int_equal(sscanf(digits + 2 * k, "%2x", &expected), 1);
        if (abs(fitted[k] - (int)expected) > 1)
            fail_msg("%dx%d -> %dx%d, %s, %s, %g: value %d is %d, expected %u", size.height, size.width, wanted.height, wanted.width,
                     image_crops[fit.crop], image_filters[fit.filter], fit.crop_pct, k, fitted[k], expected);
        *off += fitted[k] != (int)expected;
    }
}

static void test_as_pillow(void **state)
{
    (void)state;
    json_t *all = json_load_file(TESTS_FOLDER "/golden/resizes.json", 0, NULL);
    assert_int_equal(json_array_size(all), 78);
    int off = 0, values = 0;
    for (size_t i = 0; i < json_array_size(all); i++)
        check_golden(json_array_get(all, i), &off, &values);
    print_message("%d of %d values differ by one\n", off, values);
    assert_true(off * 100 <= values);      /* Pillow adds whole numbers: a sum near a half may round otherwise */
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_as_pillow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
