/* test_mix.c - images mixed in pairs, each with the unmixed other, and shares that say how much of each. */

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

enum { CHANNELS = 2, HEIGHT = 9, WIDTH = 14, PIXELS = HEIGHT * WIDTH, IMAGE = CHANNELS * PIXELS, MOST = 8, BATCHES = 4000 };

static float images[MOST * IMAGE];
static uint16_t labels[MOST], others[MOST];
static float shares[MOST];

/* Image i holds i everywhere: what a pixel is says whose it was. */
static MixedBatch new_batch(int count)
{
    for (int i = 0; i < count; i++) {
        labels[i] = (uint16_t)(100 + i);
        for (int k = 0; k < IMAGE; k++)
            images[i * IMAGE + k] = (float)i;
    }
    return (MixedBatch){ .size = { CHANNELS, HEIGHT, WIDTH }, .count = count, .images = images, .labels = labels, .others = others, .shares = shares };
}

static Step step_of(const char *text)
{
    Pipeline pipeline;
    Error error;
    if (!pipeline_parse(text, &pipeline, &error))
        fail_msg("'%s': %s", text, error.text);
    return pipeline.steps[0];
}

static void check_labels(const MixedBatch *batch)
{
    for (int i = 0; i < batch->count; i++) {
        assert_int_equal(labels[i], 100 + i);
        assert_int_equal(others[i], 100 + batch->count - 1 - i);
        assert_true(shares[i] >= 0 && shares[i] <= 1);
        if (i == batch->count - 1 - i)
            assert_true(shares[i] == 1);
    }
}

static void test_mixup(void **state)
{
    (void)state;
    const Step step = step_of("mixup:0.4");
    for (int count = 1; count <= MOST; count++) {
        MixedBatch batch = new_batch(count);
        Random random = random_stream(1, 2, (uint64_t)count, RANDOM_step);
        step.info->mix(&batch, &step, &random);
        check_labels(&batch);
        for (int i = 0; i < count; i++)
            for (int k = 0; k < IMAGE; k++) {
                const double expected = (double)shares[i] * i + (1 - (double)shares[i]) * (count - 1 - i);
                assert_true(fabs((double)images[i * IMAGE + k] - expected) <= 1e-5);
            }
    }
}

/* Pixels of the partner's number, all in one box, the same in both channels; the share is that of the rest. */
static void check_box(const MixedBatch *batch, int i)
{
    const float other = (float)(batch->count - 1 - i);
    int count = 0, top = HEIGHT, bottom = -1, left = WIDTH, right = -1;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            const float value = images[i * IMAGE + y * WIDTH + x];
            assert_true(value == images[i * IMAGE + PIXELS + y * WIDTH + x]);
            if (value == (float)i)
                continue;
            assert_true(value == other);
            count++;
            top = y < top ? y : top;
            bottom = y > bottom ? y : bottom;
            left = x < left ? x : left;
            right = x > right ? x : right;
        }
    if (count)
        assert_int_equal(count, (bottom - top + 1) * (right - left + 1));
    assert_true(fabs((1 - (double)shares[i]) * PIXELS - count) <= 1e-4);
}

static void test_cutmix(void **state)
{
    (void)state;
    const Step step = step_of("cutmix");
    double area = 0;
    enum { TIMES = 4000 };
    for (int time = 0; time < TIMES; time++) {
        const int count = 1 + time % MOST;
        MixedBatch batch = new_batch(count);
        Random random = random_stream(7, 2, (uint64_t)time, RANDOM_step);
        step.info->mix(&batch, &step, &random);
        check_labels(&batch);
        for (int i = 0; i < count; i++)
            if (i != count - 1 - i)
                check_box(&batch, i);
        area += count > 1 ? 1 - (double)shares[0] : 0;
    }
    assert_true(area / TIMES > 0.2 && area / TIMES < 0.5);      /* half of the area is drawn, and cut off at the edges */
}

/* How many of 4,000 batches are mixed, in this epoch, and in how many a pixel is a blend. */
static void count_mixed(const char *text, uint32_t epoch, int *mixed, int *blended)
{
    Pipeline pipeline;
    Error error;
    *mixed = *blended = 0;
    if (!pipeline_parse(text, &pipeline, &error))
        fail_msg("'%s': %s", text, error.text);
    for (uint32_t number = 0; number < BATCHES; number++) {
        MixedBatch batch = new_batch(2);
        *mixed += pipeline_mix(&pipeline, &batch, 1, epoch, number);
        *blended += images[0] != 0 && images[0] != 1;
    }
}

/* So many batches are mixed; where there are two ways, each has half of them. */
static void test_choice(void **state)
{
    (void)state;
    static const struct { const char *text; uint32_t epoch; double mixed, blended; } cases[] = {
        { "crop hflip", 0, 0, 0 },      { "mixup:4", 0, 1, 1 },         { "mixup:4@0.3", 0, 0.3, 0.3 },
        { "mixup:4,5", 4, 1, 1 },       { "mixup:4,5", 5, 0, 0 },
        { "cutmix", 0, 1, 0 },          { "mixup:4 cutmix", 3, 1, 0.5 }, { "mixup:4@0.5 cutmix@0.1", 3, 0.3, 0.25 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int mixed, blended;
        count_mixed(cases[i].text, cases[i].epoch, &mixed, &blended);
        const double bound = 4 * 0.5 / sqrt(BATCHES);
        if (!(fabs((double)mixed / BATCHES - cases[i].mixed) <= bound && fabs((double)blended / BATCHES - cases[i].blended) <= bound))
            fail_msg("'%s': %d of %d batches are mixed, %d blended", cases[i].text, mixed, BATCHES, blended);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mixup),
        cmocka_unit_test(test_cutmix),
        cmocka_unit_test(test_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
