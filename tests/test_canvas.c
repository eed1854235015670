/* test_canvas.c - every operation on a picture against PIL (tests/reference/make_augment_golden.py), and noise by its statistics. */

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

#include "canvas.h"
#include "errors.h"

typedef void Operate(Canvas *canvas, const float *values);

static void do_rotate(Canvas *canvas, const float *v)       { canvas_rotate(canvas, v[0]); }
static void do_shear(Canvas *canvas, const float *v)        { canvas_shear(canvas, v[0], v[1]); }
static void do_translate(Canvas *canvas, const float *v)    { canvas_translate(canvas, v[0], v[1]); }
static void do_enlarge(Canvas *canvas, const float *v)      { canvas_enlarge(canvas, (Box){ (int)v[0], (int)v[1], (int)v[2], (int)v[3] }); }
static void do_mirror(Canvas *canvas, const float *v)       { (void)v, canvas_mirror(canvas); }
static void do_turn_over(Canvas *canvas, const float *v)    { (void)v, canvas_turn_over(canvas); }
static void do_brightness(Canvas *canvas, const float *v)   { canvas_brightness(canvas, v[0]); }
static void do_contrast(Canvas *canvas, const float *v)     { canvas_contrast(canvas, v[0]); }
static void do_sharpness(Canvas *canvas, const float *v)    { canvas_sharpness(canvas, v[0]); }
static void do_saturation(Canvas *canvas, const float *v)   { canvas_saturation(canvas, v[0]); }
static void do_hue(Canvas *canvas, const float *v)          { canvas_hue(canvas, v[0]); }
static void do_grey(Canvas *canvas, const float *v)         { (void)v, canvas_grey(canvas); }
static void do_invert(Canvas *canvas, const float *v)       { (void)v, canvas_invert(canvas); }
static void do_posterize(Canvas *canvas, const float *v)    { canvas_posterize(canvas, (int)v[0]); }
static void do_solarize(Canvas *canvas, const float *v)     { canvas_solarize(canvas, (int)v[0]); }
static void do_solarize_add(Canvas *canvas, const float *v) { canvas_solarize_add(canvas, (int)v[0]); }
static void do_equalize(Canvas *canvas, const float *v)     { (void)v, canvas_equalize(canvas); }
static void do_autocontrast(Canvas *canvas, const float *v) { (void)v, canvas_autocontrast(canvas); }
static void do_blur(Canvas *canvas, const float *v)         { canvas_blur(canvas, v[0]); }

/* Levels by which a pixel may differ, and how large a share of the pixels may. Warps compute in float, PIL in double; enlarging
 * and blur differ by roundings between rows and columns. */
static const struct { const char *name; Operate *operate; int most; double share; } operations[] = {
    { "rotate", do_rotate, 1, 0.02 },       { "shear", do_shear, 1, 0.02 },           { "translate", do_translate, 0, 0 },
    { "enlarge", do_enlarge, 1, 0.1 },     { "mirror", do_mirror, 0, 0 },            { "turn over", do_turn_over, 0, 0 },
    { "brightness", do_brightness, 0, 0 },  { "contrast", do_contrast, 0, 0 },        { "sharpness", do_sharpness, 0, 0 },
    { "saturation", do_saturation, 0, 0 },  { "hue", do_hue, 0, 0 },                  { "grey", do_grey, 0, 0 },
    { "invert", do_invert, 0, 0 },          { "posterize", do_posterize, 0, 0 },      { "solarize", do_solarize, 0, 0 },
    { "equalize", do_equalize, 0, 0 },      { "autocontrast", do_autocontrast, 0, 0 }, { "solarize_add", do_solarize_add, 0, 0 },
    { "blur", do_blur, 1, 0.35 },
};

enum { OPERATIONS = sizeof operations / sizeof *operations };

static const float means[3] = { 120.0f / 255, 95.0f / 255, 70.0f / 255 }, stds[3] = { 0.25f, 0.2f, 0.3f };

static Canvas picture(ImageSize size)
{
    Canvas canvas = canvas_new(size, means, stds);
    uint8_t *at = canvas.pixels;
    for (int c = 0; c < size.channels; c++)
        for (int y = 0; y < size.height; y++)
            for (int x = 0; x < size.width; x++)
                *at++ = (uint8_t)((30 + 9 * x + 5 * y * (c + 1) + (x * y * 7 + c * 31) % 23 * 3 + 40 * ((x / 5 + y / 4) % 2)) % 240);
    return canvas;
}

/* "colour: shear 0.3 0": the operation, by the longest name that it begins with, and its values. */
static int operation_of(const char *name, float *values)
{
    int found = -1;
    for (int i = 0; i < OPERATIONS; i++) {
        const size_t length = strlen(operations[i].name);
        if (!strncmp(name, operations[i].name, length) && (name[length] == ' ' || !name[length]))
            found = i;
    }
    if (found < 0)
        fail_msg("'%s' is no operation", name);
    const char *at = name + strlen(operations[found].name);
    for (int i = 0; i < 4 && *at; i++) {
        char *end;
        values[i] = strtof(at, &end);
        at = end;
    }
    return found;
}

static uint8_t digits_byte(const char *hex)
{
    unsigned value;
    if (sscanf(hex, "%2x", &value) != 1)
        fail_msg("no hexadecimal digits: %.8s", hex);
    return (uint8_t)value;
}

static int check_case(const char *key, const char *hex)
{
    const bool grey = !strncmp(key, "grey: ", 6);
    float values[4] = { 0 };
    const int i = operation_of(strchr(key, ' ') + 1, values);
    const bool large = operations[i].operate == do_equalize;
    Canvas canvas = picture((ImageSize){ grey ? 1 : 3, large ? 23 : 9, large ? 31 : 13 });
    if (strlen(hex) != 2 * canvas_bytes(&canvas))
        fail_msg("%s: %zu digits for %zu bytes", key, strlen(hex), canvas_bytes(&canvas));
    operations[i].operate(&canvas, values);
    size_t differ = 0;
    for (size_t k = 0; k < canvas_bytes(&canvas); k++) {
        const int expected = digits_byte(hex + 2 * k), got = canvas.pixels[k];
        differ += got != expected;
        if (abs(got - expected) > operations[i].most)
            fail_msg("%s: byte %zu is %d, expected %d", key, k, got, expected);
    }
    if ((double)differ > operations[i].share * (double)canvas_bytes(&canvas))
        fail_msg("%s: %zu of %zu bytes differ", key, differ, canvas_bytes(&canvas));
    canvas_free(&canvas);
    return i;
}

static void test_as_pil(void **state)
{
    (void)state;
    int seen[OPERATIONS] = { 0 };
    json_error_t problem;
    json_t *golden = json_load_file(TESTS_FOLDER "/golden/augmentations.json", 0, &problem), *hex;
    assert_non_null(golden);
    const char *key;
    json_object_foreach(golden, key, hex)
        seen[check_case(key, json_string_value(hex))]++;
    for (int i = 0; i < OPERATIONS; i++)
        if (!seen[i])
            fail_msg("no golden picture of %s", operations[i].name);
    json_decref(golden);
}

/* What needs colours leaves grey pictures alone, and one of two planes too. */
static void test_no_colours(void **state)
{
    (void)state;
    static Operate *const coloured[] = { do_saturation, do_hue, do_grey };
    for (size_t i = 0; i < sizeof coloured / sizeof *coloured; i++)
        for (int channels = 1; channels < 3; channels++) {
            Canvas canvas = picture((ImageSize){ channels, 5, 7 }), before = picture(canvas.size);
            coloured[i](&canvas, (const float[4]){ 0.3f });
            assert_memory_equal(canvas.pixels, before.pixels, canvas_bytes(&canvas));
            canvas_free(&canvas);
            canvas_free(&before);
        }
}

/* Mean and deviation of n values: within five standard errors. */
static void check_moments(const char *name, const uint8_t *values, size_t count, double mean, double deviation)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    const double got = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - got) * (values[i] - got);
    const double spread = sqrt(squares / (double)count), error = 5 * deviation / sqrt((double)count);
    if (!(fabs(got - mean) <= error && fabs(spread - deviation) <= error))
        fail_msg("%s: %g +- %g, expected %g +- %g", name, got, spread, mean, deviation);
}

static void test_noise(void **state)
{
    (void)state;
    const ImageSize size = { 3, 120, 140 };
    Canvas canvas = canvas_new(size, means, (const float[]){ 0.1f, 0.08f, 0.05f });
    Random random = random_stream(1, 2, 3, RANDOM_step);
    memset(canvas.pixels, 128, canvas_bytes(&canvas));
    canvas_noise(&canvas, 12, &random);
    check_moments("noise", canvas.pixels, canvas_bytes(&canvas), 128, 12);

    canvas_fill(&canvas, (Box){ 0, 0, 120, 140 }, FILL_noise, &random);
    check_moments("red of a noisy box", canvas.pixels, canvas_plane(&canvas), 120, 25.5);
    check_moments("blue of a noisy box", canvas.pixels + 2 * canvas_plane(&canvas), canvas_plane(&canvas), 70, 12.75);
    canvas_free(&canvas);
}

/* A box changes what lies in it, all of it, and nothing else. */
static void test_fill(void **state)
{
    (void)state;
    static const Box boxes[] = { { 0, 0, 9, 13 }, { 2, 3, 4, 5 }, { 8, 12, 1, 1 }, { 0, 12, 9, 1 } };
    for (size_t b = 0; b < sizeof boxes / sizeof *boxes; b++)
        for (CanvasFill fill = FILL_mean; fill <= FILL_noise; fill++) {
            Canvas canvas = picture((ImageSize){ 3, 9, 13 }), before = picture(canvas.size);
            Random random = random_stream(4, 0, b, RANDOM_step);
            canvas_fill(&canvas, boxes[b], fill, &random);
            for (size_t i = 0; i < canvas_bytes(&canvas); i++) {
                const int y = (int)(i / 13 % 9) - boxes[b].y, x = (int)(i % 13) - boxes[b].x, c = (int)(i / 117);
                const bool inside = y >= 0 && y < boxes[b].height && x >= 0 && x < boxes[b].width;
                const uint8_t first = canvas.pixels[c * 117 + boxes[b].y * 13 + boxes[b].x];
                if (!inside)
                    assert_int_equal(canvas.pixels[i], before.pixels[i]);
                else if (fill != FILL_noise)
                    assert_int_equal(canvas.pixels[i], fill == FILL_mean ? canvas.mean[c] : first);
            }
            canvas_free(&canvas);
            canvas_free(&before);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_pil), cmocka_unit_test(test_no_colours), cmocka_unit_test(test_noise), cmocka_unit_test(test_fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
