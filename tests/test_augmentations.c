/* test_augmentations.c - the steps of a pipeline: what they draw, how often, and that nothing but (seed, epoch, sample) decides it. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "pipeline.h"

enum { HEIGHT = 13, WIDTH = 23, CHANNELS = 3, BYTES = CHANNELS * HEIGHT * WIDTH, SAMPLES = 10000 };

static const float means[3] = { 0.4f, 0.5f, 0.3f }, stds[3] = { 0.25f, 0.2f, 0.3f };

static Pipeline parsed(const char *text)
{
    Pipeline pipeline;
    Error error;
    if (!pipeline_parse(text, &pipeline, &error))
        fail_msg("'%s': %s", text, error.text);
    return pipeline;
}

/* Colours of all kinds, unlike their mirror images, between 40 and 219. */
static void draw_picture(uint8_t *pixels)
{
    for (int c = 0; c < CHANNELS; c++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                *pixels++ = (uint8_t)(40 + (7 * x + 11 * y * (c + 1) + x * y + 50 * c) % 180);
}

/* What a pipeline makes of the picture. */
static const uint8_t *augmented(Canvas *canvas, const char *text, uint64_t seed, uint32_t epoch, uint32_t sample)
{
    const Pipeline pipeline = parsed(text);
    draw_picture(canvas->pixels);
    pipeline_apply(&pipeline, canvas, seed, epoch, sample);
    return canvas->pixels;
}

static Canvas new_canvas(void)
{
    return canvas_new((ImageSize){ CHANNELS, HEIGHT, WIDTH }, means, stds);
}

/* Every row changes pictures, in different ways for different samples, epochs and seeds, and the same way again. */
static void test_every_step_is_drawn(void **state)
{
    (void)state;
    Canvas canvas = new_canvas();
    uint8_t original[BYTES], copy[BYTES];
    draw_picture(original);
    for (int i = 0; i < step_count(); i++) {
        const char *key = step_at(i)->key;
        int changed = 0, by_epoch = 0, by_seed = 0;
        if (!step_at(i)->apply)
            continue;
        for (uint32_t sample = 0; sample < 40; sample++) {
            memcpy(copy, augmented(&canvas, key, 3, 1, sample), BYTES);
            changed += memcmp(copy, original, BYTES) != 0;
            by_epoch += memcmp(copy, augmented(&canvas, key, 3, 2, sample), BYTES) != 0;
            by_seed += memcmp(copy, augmented(&canvas, key, 4, 1, sample), BYTES) != 0;
            memset(canvas.spare, (int)sample, BYTES);
            assert_memory_equal(copy, augmented(&canvas, key, 3, 1, sample), BYTES);
        }
        const bool drawn = strcmp(key, "posterize") && strcmp(key, "solarize");      /* these two do the same to every picture */
        if (!changed || (drawn && (!by_epoch || !by_seed)))
            fail_msg("%s: of 40 pictures %d are changed, %d differ by epoch, %d by seed", key, changed, by_epoch, by_seed);
    }
    canvas_free(&canvas);
}

/* A step draws from a stream of its own: what follows it, or how much it draws, is nothing to it. */
static void test_steps_are_apart(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "hflip:0.5 crop:0", "hflip:0.5" }, { "crop:0 hflip:0.5", "crop:0@0.5 hflip:0.5" }, { "crop:3 hflip:0", "crop:3" },
    };
    Canvas canvas = new_canvas();
    uint8_t copy[BYTES];
    for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++)
        for (uint32_t sample = 0; sample < 50; sample++) {
            memcpy(copy, augmented(&canvas, pairs[p][0], 9, 0, sample), BYTES);
            if (memcmp(copy, augmented(&canvas, pairs[p][1], 9, 0, sample), BYTES))
                fail_msg("'%s' and '%s' differ for sample %u", pairs[p][0], pairs[p][1], sample);
        }
    canvas_free(&canvas);
}

/* So large a share of the pictures is changed. Four standard deviations of 10,000 draws at 0.5 are 0.02. */
static const struct { const char *text; double share; } rates[] = {
    { "hflip:0.5", 0.5 },
    { "hflip:0.1", 0.1 },
    { "hflip:1@0.3", 0.3 },
    { "hflip:0.5@0.5", 0.25 },
    { "hflip:0", 0 },
    { "hflip:1", 1 },
    { "hflip:0.5,alternating", 0.5 },
    { "vflip:0.5", 0.5 },
    { "grayscale:0.2", 0.2 },
    { "erase:0.25", 0.25 },
    { "autocontrast:0.5", 0.5 },
    { "invert:0.5", 0.5 },
    /* rates */
};

static void test_rates(void **state)
{
    (void)state;
    Canvas canvas = new_canvas();
    uint8_t original[BYTES];
    draw_picture(original);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        const double expected = rates[i].share, bound = 4 * sqrt(expected * (1 - expected) / SAMPLES);
        int changed = 0;
        for (uint32_t sample = 0; sample < SAMPLES; sample++)
            changed += memcmp(original, augmented(&canvas, rates[i].text, 5, 0, sample), BYTES) != 0;
        if (!(fabs((double)changed / SAMPLES - expected) <= bound))
            fail_msg("%s: %d of %d are changed, expected a share of %g +- %g", rates[i].text, changed, SAMPLES, expected, bound);
    }
    canvas_free(&canvas);
}

/* Where numpy.pad(mode="reflect") and mode="edge" find pixel i of a line of n. */
static int padded_place(int i, int n, bool reflect)
{
    while (reflect && (i < 0 || i >= n))
        i = i < 0 ? -i : 2 * (n - 1) - i;
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

static bool is_shifted(const uint8_t *got, const uint8_t *original, int dy, int dx, bool reflect)
{
    for (int i = 0; i < BYTES; i++) {
        const int c = i / (HEIGHT * WIDTH), y = padded_place(i / WIDTH % HEIGHT + dy, HEIGHT, reflect), x = padded_place(i % WIDTH + dx, WIDTH, reflect);
        if (got[i] != original[(c * HEIGHT + y) * WIDTH + x])
            return false;
    }
    return true;
}

/* Each picture is the padded one at some place, and all places come up. */
static void test_crop_edges(void **state)
{
    (void)state;
    static const struct { const char *text; int pad; bool reflect; } cases[] = {
        { "crop:2,reflect", 2, true }, { "crop:15,reflect", 15, true }, { "crop:2,edge", 2, false }, { "crop:20,edge", 20, false },
    };
    Canvas canvas = new_canvas();
    uint8_t original[BYTES];
    draw_picture(original);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int pad = cases[i].pad, samples = pad == 2 ? 300 : 20;
        int places = 0, seen = 0;
        bool reached[5][5] = { { false } };
        for (uint32_t sample = 0; sample < (uint32_t)samples; sample++) {
            const uint8_t *got = augmented(&canvas, cases[i].text, 1, 0, sample);
            int found = 0;
            for (int dy = -pad; dy <= pad; dy++)
                for (int dx = -pad; dx <= pad; dx++)
                    if (is_shifted(got, original, dy, dx, cases[i].reflect)) {
                        found++;
                        if (pad == 2)
                            reached[dy + 2][dx + 2] = true;
                    }
            seen += found > 0;
        }
        for (int k = 0; k < 25; k++)
            places += reached[k / 5][k % 5];
        if (seen != samples || (pad == 2 && places != 25))
            fail_msg("%s: %d of %d pictures are shifted ones, %d places", cases[i].text, seen, samples, places);
    }
    canvas_free(&canvas);
}

/* In a picture of 10 x and 10 y the first and last pixels say which box it was. */
static void test_resized_crop(void **state)
{
    (void)state;
    Canvas canvas = new_canvas();
    const Pipeline pipeline = parsed("resizedcrop:0.2,0.5,1,1.8");
    double areas = 0;
    for (uint32_t sample = 0; sample < 1000; sample++) {
        for (int i = 0; i < BYTES; i++)
            canvas.pixels[i] = (uint8_t)(10 * (i / (HEIGHT * WIDTH) ? i / WIDTH % HEIGHT : i % WIDTH));
        pipeline_apply(&pipeline, &canvas, 1, 0, sample);
        const int left = canvas.pixels[0], right = canvas.pixels[WIDTH - 1];
        const int top = canvas.pixels[HEIGHT * WIDTH], bottom = canvas.pixels[2 * HEIGHT * WIDTH - 1];
        assert_true(left % 10 == 0 && right % 10 == 0 && top % 10 == 0 && bottom % 10 == 0);
        const double width = (right - left) / 10 + 1, height = (bottom - top) / 10 + 1, area = width * height / (HEIGHT * WIDTH);
        assert_true(area >= 0.2 * 0.9 && area <= 0.5 * 1.1);       /* sides are rounded to pixels */
        assert_true((width + 0.5) / (height - 0.5) >= 1 && (width - 0.5) / (height + 0.5) <= 1.8);
        areas += area;
    }
    assert_true(fabs(areas / 1000 - 0.35) < 0.012);                 /* four standard deviations */
    canvas_free(&canvas);
}

/* At random in the first epoch; then every image is mirrored in every other epoch. */
static void test_alternating_flips(void **state)
{
    (void)state;
    Canvas canvas = new_canvas();
    uint8_t original[BYTES];
    draw_picture(original);
    for (uint32_t sample = 0; sample < 200; sample++) {
        const bool first = memcmp(original, augmented(&canvas, "hflip:alternating", 2, 0, sample), BYTES) != 0;
        for (uint32_t epoch = 1; epoch < 6; epoch++)
            assert_int_equal(memcmp(original, augmented(&canvas, "hflip:alternating", 2, epoch, sample), BYTES) != 0, first != (epoch % 2 == 1));
    }
    canvas_free(&canvas);
}

/* Amounts are spread evenly over their range: on a picture of one level, brightness says which factor it was. */
static void test_amounts(void **state)
{
    (void)state;
    static const struct { const char *text; int least, most; } cases[] = {
        { "brightness:0.4", 60, 140 },
        /* amounts */
    };
    Canvas canvas = new_canvas();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Pipeline pipeline = parsed(cases[i].text);
        const double middle = (cases[i].least + cases[i].most) / 2.0, range = cases[i].most - cases[i].least;
        double sum = 0;
        int least = 255, most = 0;
        for (uint32_t sample = 0; sample < SAMPLES; sample++) {
            memset(canvas.pixels, 100, BYTES);
            pipeline_apply(&pipeline, &canvas, 6, 1, sample);
            const int level = canvas.pixels[BYTES / 2];
            sum += level;
            least = level < least ? level : least;
            most = level > most ? level : most;
        }
        const double bound = 4 * range / sqrt(12.0) / sqrt(SAMPLES) + 0.5;      /* and half a level, for levels are cut off */
        if (least < cases[i].least || least > cases[i].least + 1 || most > cases[i].most || most < cases[i].most - 1 ||
            !(fabs(sum / SAMPLES - middle) <= bound))
            fail_msg("%s: levels %d .. %d, mean %g; expected %d .. %d, %g +- %g", cases[i].text, least, most, sum / SAMPLES, cases[i].least,
                     cases[i].most, middle, bound);
    }
    canvas_free(&canvas);
}

/* The box around all bytes that differ from the picture; every one in it must be the mean. False if none differs. */
static bool find_erased(const Canvas *canvas, const uint8_t *original, Box *box)
{
    int top = HEIGHT, bottom = -1, left = WIDTH, right = -1;
    for (int i = 0; i < BYTES; i++) {
        const int y = i / WIDTH % HEIGHT, x = i % WIDTH;
        if (canvas->pixels[i] == original[i])
            continue;
        top = y < top ? y : top;
        bottom = y > bottom ? y : bottom;
        left = x < left ? x : left;
        right = x > right ? x : right;
    }
    *box = (Box){ top, left, bottom - top + 1, right - left + 1 };
    for (int i = 0; i < BYTES; i++) {
        const int y = i / WIDTH % HEIGHT, x = i % WIDTH;
        if (y >= top && y <= bottom && x >= left && x <= right)
            assert_int_equal(canvas->pixels[i], canvas->mean[i / (HEIGHT * WIDTH)]);
    }
    return bottom >= 0;
}

/* A square of five, smaller only where an edge cuts it. */
static void test_cutout(void **state)
{
    (void)state;
    Canvas canvas = new_canvas();
    uint8_t original[BYTES];
    draw_picture(original);
    for (uint32_t sample = 0; sample < 500; sample++) {
        Box box;
        augmented(&canvas, "cutout:5", 1, 0, sample);
        assert_true(find_erased(&canvas, original, &box));
        const bool at_side = box.x == 0 || box.x + box.width == WIDTH, at_end = box.y == 0 || box.y + box.height == HEIGHT;
        assert_true(box.width == 5 || (at_side && box.width >= 3 && box.width < 5));
        assert_true(box.height == 5 || (at_end && box.height >= 3 && box.height < 5));
    }
    canvas_free(&canvas);
}

/* Areas between the bounds, but for the rounding of sides, and sides of 0.3 to 1 / 0.3. */
static void test_erase(void **state)
{
    (void)state;
    Canvas canvas = new_canvas();
    uint8_t original[BYTES];
    double areas = 0;
    int erased = 0;
    draw_picture(original);
    for (uint32_t sample = 0; sample < 1000; sample++) {
        Box box;
        augmented(&canvas, "erase:1,0.1,0.3", 1, 0, sample);
        if (!find_erased(&canvas, original, &box))
            continue;
        const double height = box.height, width = box.width, size = HEIGHT * WIDTH;
        assert_true((height + 0.5) * (width + 0.5) >= 0.1 * size && (height - 0.5) * (width - 0.5) <= 0.3 * size);
        assert_true((height + 0.5) / (width - 0.5) >= 0.3 && (width + 0.5) / (height - 0.5) >= 0.3);
        areas += height * width / size;
        erased++;
    }
    assert_int_equal(erased, 1000);
    assert_true(fabs(areas / erased - 0.2) < 0.02);      /* large boxes that are very tall do not fit */
    canvas_free(&canvas);
}

/* How often a step gives this picture, which an operation with amounts computed by hand gives. */
static double share_of(Canvas *canvas, const char *text, void (*operate)(Canvas *canvas, float amount), float amount)
{
    uint8_t expected[BYTES];
    int same = 0;
    draw_picture(canvas->pixels);
    operate(canvas, amount);
    memcpy(expected, canvas->pixels, BYTES);
    for (uint32_t sample = 0; sample < SAMPLES; sample++)
        same += !memcmp(expected, augmented(canvas, text, 8, 0, sample), BYTES);
    return (double)same / SAMPLES;
}

static void shear_x(Canvas *canvas, float slope)           { canvas_shear(canvas, slope, 0); }
static void shear_y(Canvas *canvas, float slope)           { canvas_shear(canvas, 0, slope); }
static void right(Canvas *canvas, float pixels)            { canvas_translate(canvas, 0, pixels); }
static void down(Canvas *canvas, float pixels)             { canvas_translate(canvas, pixels, 0); }
static void posterize(Canvas *canvas, float bits)          { canvas_posterize(canvas, (int)bits); }
static void solarize(Canvas *canvas, float level)          { canvas_solarize(canvas, (int)level); }
static void solarize_add(Canvas *canvas, float add)        { canvas_solarize_add(canvas, (int)add); }
static void autocontrast(Canvas *canvas, float unused)     { (void)unused, canvas_autocontrast(canvas); }
static void equalize(Canvas *canvas, float unused)         { (void)unused, canvas_equalize(canvas); }
static void invert(Canvas *canvas, float unused)           { (void)unused, canvas_invert(canvas); }
static void nothing(Canvas *canvas, float unused)          { (void)canvas, (void)unused; }

/* Each of timm's operations, with its own formula's amount at that magnitude, once in fifteen times. */
static const struct { const char *text; void (*operate)(Canvas *canvas, float amount); float amount; double share; } choices[] = {
    { "randaugment:8,1,0,1", canvas_rotate, 24, 1.0 / 30 },             { "randaugment:8,1,0,1", canvas_rotate, -24, 1.0 / 30 },
    { "randaugment:8,1,0,1", posterize, 3, 1.0 / 15 },                  { "randaugment:8,1,0,1", solarize, 204, 1.0 / 15 },
    { "randaugment:8,1,0,1", solarize_add, 88, 1.0 / 15 },              { "randaugment:8,1,0,1", canvas_brightness, 1.54f, 1.0 / 15 },
    { "randaugment:8,1,0,1", canvas_contrast, 1.54f, 1.0 / 15 },        { "randaugment:8,1,0,1", canvas_sharpness, 1.54f, 1.0 / 15 },
    { "randaugment:8,1,0,1", canvas_saturation, 1.54f, 1.0 / 15 },      { "randaugment:8,1,0,1", shear_x, 0.3f * 0.8f, 1.0 / 30 },
    { "randaugment:8,1,0,1", shear_y, -0.3f * 0.8f, 1.0 / 30 },               { "randaugment:8,1,0,1", right, 0.45f * 0.8f * WIDTH, 1.0 / 30 },
    { "randaugment:8,1,0,1", down, -0.45f * 0.8f * HEIGHT, 1.0 / 30 },         { "randaugment:8,1,0,1", autocontrast, 0, 1.0 / 15 },
    { "randaugment:8,1,0,1", invert, 0, 1.0 / 15 },                     { "randaugment:8,1,0,0.5", invert, 0, 1.0 / 30 },
    { "randaugment:8,1,0,1", equalize, 0, 1.0 / 15 },
    { "randaugment:8,1,0,1,increasing", posterize, 1, 1.0 / 15 },       { "randaugment:8,1,0,1,increasing", solarize, 52, 1.0 / 15 },
    { "randaugment:8,1,0,1,increasing", canvas_contrast, 0.28f, 1.0 / 30 }, { "randaugment:8,1,0,1,increasing", canvas_contrast, 1.72f, 1.0 / 30 },
    { "randaugment:8,2,0,0.5", nothing, 0, 0.25 + 0.25 / 225 },      /* two inversions give the picture back */
    { "trivialaugment", autocontrast, 0, 1.0 / 14 },                    { "trivialaugment", canvas_rotate, 135, 1.0 / 14 / 62 },
    { "trivialaugment", posterize, 3, 5.0 / 14 / 31 },                  { "trivialaugment", right, 32, (9 + 19) / 31.0 / 14 },   /* moved out of sight, across or down */
    { "trivialaugment", nothing, 0, (1 + (9 + 3 + 5) / 31.0) / 14 },    /* identity, the weakest of nine others, posterize to 8 bits, solarize above 219 */
    /* choices */
};

static void test_choices(void **state)
{
    (void)state;
    Canvas canvas = new_canvas();
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        const double expected = choices[i].share, bound = 4 * sqrt(expected * (1 - expected) / SAMPLES);
        const double share = share_of(&canvas, choices[i].text, choices[i].operate, choices[i].amount);
        if (!(fabs(share - expected) <= bound))
            fail_msg("%s, row %zu: a share of %g, expected %g +- %g", choices[i].text, i, share, expected, bound);
    }
    canvas_free(&canvas);
}

/* torchvision moves by int(32 k / 30) pixels: level k of the first fourteen by k, to the right once in two. */
static void test_moves_by_whole_pixels(void **state)
{
    (void)state;
    Canvas canvas = new_canvas();
    const double expected = 14.0 / (14 * 31 * 2), bound = 4 * sqrt(expected * (1 - expected) / SAMPLES);
    double share = 0;
    for (int pixels = 1; pixels <= 14; pixels++)
        share += share_of(&canvas, "trivialaugment", right, (float)pixels);
    if (!(fabs(share - expected) <= bound))
        fail_msg("a share of %g is moved by 1 to 14 pixels to the right, expected %g +- %g", share, expected, bound);
    canvas_free(&canvas);
}

/* Of severity 1 every operation is at its weakest, and of a picture of level 100 posterize alone makes another, of 96. A chain of one
 * to three operations out of thirteen is without it for ((12/13) + (12/13)^2 + (12/13)^3) / 3 of the pictures, and half of the picture
 * is the chains' in the mean. */
static void test_augmix(void **state)
{
    (void)state;
    Canvas canvas = new_canvas();
    const Pipeline pipeline = parsed("augmix:1");
    const double without = (12.0 / 13 + pow(12.0 / 13, 2) + pow(12.0 / 13, 3)) / 3;
    double lost = 0;
    int changed = 0;
    for (uint32_t sample = 0; sample < SAMPLES; sample++) {
        memset(canvas.pixels, 100, BYTES);
        pipeline_apply(&pipeline, &canvas, 1, 0, sample);
        const int level = canvas.pixels[0];
        for (int i = 0; i < BYTES; i++)
            assert_int_equal(canvas.pixels[i], level);
        assert_true(level >= 96 && level <= 100);
        lost += 100 - level;
        changed += level < 100;
    }
    const double most = 1 - pow(without, 3);
    assert_true(changed > SAMPLES * most / 2 && changed < SAMPLES * (most + 0.02));      /* where half a level is lost at least */
    assert_true(fabs(lost / SAMPLES - 4 * 0.5 * (1 - without)) < 0.05);
    canvas_free(&canvas);
}

/* tests */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_step_is_drawn),
        cmocka_unit_test(test_steps_are_apart),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_crop_edges),
        cmocka_unit_test(test_resized_crop),
        cmocka_unit_test(test_alternating_flips),
        cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_cutout),
        cmocka_unit_test(test_erase),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_moves_by_whole_pixels), cmocka_unit_test(test_augmix),
        /* list */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
