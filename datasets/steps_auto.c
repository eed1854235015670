/* steps_auto.c - augmentations that choose among operations: RandAugment (Cubuk et al., 2019, arXiv:1909.13719) as timm has it,
 * TrivialAugment (Müller and Hutter, 2021, arXiv:2103.10158) and AugMix (Hendrycks et al., 2019, arXiv:1912.02781) as torchvision.
 * Pictures are interpolated bilinearly, and the mean comes in from outside. torchvision moves by whole pixels, timm by parts of one as well. */

#include "steps.h"

#include <math.h>
#include <string.h>

#include "random_shares.h"

/* An operation and the range of its amount: base +- (from ... to) by a level of 0 .. 1. */
typedef struct Operation {
    void (*apply)(Canvas *canvas, float amount);
    float base, from, to;
    bool  either_way;              /* + or -, at random */
} Operation;

/* ---- operations of one number ---- */

static float side(const Canvas *canvas)
{
    return (float)canvas->size.width;
}

static void identity(Canvas *canvas, float amount)        { (void)canvas, (void)amount; }
static void shear_x(Canvas *canvas, float amount)         { canvas_shear(canvas, amount, 0); }
static void shear_y(Canvas *canvas, float amount)         { canvas_shear(canvas, 0, amount); }
static void translate_x(Canvas *canvas, float amount)     { canvas_translate(canvas, 0, amount * side(canvas)); }
static void translate_y(Canvas *canvas, float amount)     { canvas_translate(canvas, amount * (float)canvas->size.height, 0); }
static void pixels_x(Canvas *canvas, float amount)        { canvas_translate(canvas, 0, truncf(amount)); }
static void pixels_y(Canvas *canvas, float amount)        { canvas_translate(canvas, truncf(amount), 0); }
static void share_x(Canvas *canvas, float amount)         { pixels_x(canvas, amount * side(canvas)); }
static void share_y(Canvas *canvas, float amount)         { pixels_y(canvas, amount * (float)canvas->size.height); }
static void posterize_down(Canvas *canvas, float amount)  { canvas_posterize(canvas, (int)amount); }
static void posterize_up(Canvas *canvas, float amount)    { canvas_posterize(canvas, (int)ceilf(amount)); }
static void posterize_near(Canvas *canvas, float amount)  { canvas_posterize(canvas, (int)lrintf(amount)); }
static void solarize_down(Canvas *canvas, float amount)   { canvas_solarize(canvas, (int)amount); }
static void solarize_up(Canvas *canvas, float amount)     { canvas_solarize(canvas, (int)ceilf(amount)); }
static void solarize_add(Canvas *canvas, float amount)    { canvas_solarize_add(canvas, (int)amount); }
static void autocontrast(Canvas *canvas, float amount)    { (void)amount, canvas_autocontrast(canvas); }
static void equalize(Canvas *canvas, float amount)        { (void)amount, canvas_equalize(canvas); }
static void invert(Canvas *canvas, float amount)          { (void)amount, canvas_invert(canvas); }

/* ---- what is chosen from ---- */

static const Operation rand_plain[] = {
    { autocontrast, 0, 0, 0, false },        { equalize, 0, 0, 0, false },           { invert, 0, 0, 0, false },
    { canvas_rotate, 0, 0, 30, true },       { posterize_down, 0, 0, 4, false },     { solarize_down, 0, 0, 256, false },
    { solarize_add, 0, 0, 110, false },      { canvas_saturation, 0, 0.1f, 1.9f, false }, { canvas_contrast, 0, 0.1f, 1.9f, false },
    { canvas_brightness, 0, 0.1f, 1.9f, false }, { canvas_sharpness, 0, 0.1f, 1.9f, false },
    { shear_x, 0, 0, 0.3f, true },           { shear_y, 0, 0, 0.3f, true },
    { translate_x, 0, 0, 0.45f, true },      { translate_y, 0, 0, 0.45f, true },
};

static const Operation rand_increasing[] = {
    { autocontrast, 0, 0, 0, false },        { equalize, 0, 0, 0, false },           { invert, 0, 0, 0, false },
    { canvas_rotate, 0, 0, 30, true },       { posterize_up, 0, 4, 0, false },       { solarize_up, 0, 256, 0, false },
    { solarize_add, 0, 0, 110, false },      { canvas_saturation, 1, 0, 0.9f, true }, { canvas_contrast, 1, 0, 0.9f, true },
    { canvas_brightness, 1, 0, 0.9f, true }, { canvas_sharpness, 1, 0, 0.9f, true },
    { shear_x, 0, 0, 0.3f, true },           { shear_y, 0, 0, 0.3f, true },
    { translate_x, 0, 0, 0.45f, true },      { translate_y, 0, 0, 0.45f, true },
};

static const Operation trivial[] = {
    { identity, 0, 0, 0, false },            { shear_x, 0, 0, 0.99f, true },         { shear_y, 0, 0, 0.99f, true },
    { pixels_x, 0, 0, 32, true },            { pixels_y, 0, 0, 32, true },           { canvas_rotate, 0, 0, 135, true },
    { canvas_brightness, 1, 0, 0.99f, true }, { canvas_saturation, 1, 0, 0.99f, true }, { canvas_contrast, 1, 0, 0.99f, true },
    { canvas_sharpness, 1, 0, 0.99f, true }, { posterize_near, 0, 8, 2, false },     { solarize_up, 0, 255, 0, false },
    { autocontrast, 0, 0, 0, false },        { equalize, 0, 0, 0, false },
};

static const Operation mixed[] = {
    { shear_x, 0, 0, 0.3f, true },           { shear_y, 0, 0, 0.3f, true },          { share_x, 0, 0, 1.0f / 3, true },
    { share_y, 0, 0, 1.0f / 3, true },       { canvas_rotate, 0, 0, 30, true },      { posterize_near, 0, 4, 0, false },
    { solarize_up, 0, 255, 0, false },       { autocontrast, 0, 0, 0, false },       { equalize, 0, 0, 0, false },
    { canvas_brightness, 1, 0, 0.9f, true }, { canvas_saturation, 1, 0, 0.9f, true }, { canvas_contrast, 1, 0, 0.9f, true },
    { canvas_sharpness, 1, 0, 0.9f, true },
};

#define COUNT(array) ((uint32_t)(sizeof array / sizeof *array))

/* One of the operations, each as often as another, at this level. */
static void operate(Canvas *canvas, const Operation *operations, uint32_t count, float level, Random *random)
{
    const Operation *one = &operations[random_below(random, count)];
    const float way = one->either_way && random_below(random, 2) ? -1 : 1;
    one->apply(canvas, one->base + way * (one->from + (one->to - one->from) * level));
}

void step_randaugment(Canvas *canvas, const Step *step, Draw *draw)
{
    enum { MAGNITUDE, LAYERS, DEVIATION, RATE };
    const float *numbers = step->numbers;
    for (int layer = 0; layer < (int)numbers[LAYERS]; layer++) {
        if (random_uniform(&draw->random) >= numbers[RATE])
            continue;
        const float spread = numbers[DEVIATION] > 0 ? numbers[DEVIATION] * random_normal(&draw->random) : 0;
        const float level = fminf(fmaxf(numbers[MAGNITUDE] + spread, 0), 10) / 10;
        if (step->word)
            operate(canvas, rand_increasing, COUNT(rand_increasing), level, &draw->random);
        else
            operate(canvas, rand_plain, COUNT(rand_plain), level, &draw->random);
    }
}

void step_trivialaugment(Canvas *canvas, const Step *step, Draw *draw)
{
    enum { LEVELS = 31 };
    (void)step;
    const float level = (float)random_below(&draw->random, LEVELS) / (LEVELS - 1);
    operate(canvas, trivial, COUNT(trivial), level, &draw->random);
}

/* Chains of one to three operations, each begun from the picture as it is; their mean by drawn shares, and of that and the picture
 * a mixture once more. */
void step_augmix(Canvas *canvas, const Step *step, Draw *draw)
{
    enum { SEVERITY, WIDTH, ALPHA, LEVELS = 10, MOST_DEPTH = 3 };
    const int width = (int)step->numbers[WIDTH];
    const size_t bytes = canvas_bytes(canvas);
    float shares[STEP_MOST_CHAINS];
    const float of_picture = random_beta(&draw->random, step->numbers[ALPHA]);
    random_dirichlet(&draw->random, step->numbers[ALPHA], width, shares);
    memcpy(canvas->kept, canvas->pixels, bytes);
    for (size_t i = 0; i < bytes; i++)
        canvas->sums[i] = 0.5f + of_picture * canvas->kept[i];
    for (int chain = 0; chain < width; chain++) {
        const int depth = 1 + (int)random_below(&draw->random, MOST_DEPTH);
        const float share = (1 - of_picture) * shares[chain];
        memcpy(canvas->pixels, canvas->kept, bytes);
        for (int i = 0; i < depth; i++) {
            const float level = (float)random_below(&draw->random, (uint32_t)step->numbers[SEVERITY]) / (LEVELS - 1);
            operate(canvas, mixed, COUNT(mixed), level, &draw->random);
        }
        for (size_t i = 0; i < bytes; i++)
            canvas->sums[i] += share * canvas->pixels[i];
    }
    for (size_t i = 0; i < bytes; i++)
        canvas->pixels[i] = canvas->sums[i] < 255 ? (uint8_t)canvas->sums[i] : 255;
}
