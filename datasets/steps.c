/* steps.c - the table of steps, and those that draw little; see steps.h. */

#include "steps.h"

#include "errors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const StepInfo table[] = {
#define STEP(name, ...) { .key = #name, .apply = step_##name, __VA_ARGS__ },
#define MIX(name, ...)  { .key = #name, .mix = mix_##name, __VA_ARGS__ },
#include "augmentations.def"
#undef STEP
#undef MIX
};

int step_count(void)
{
    return (int)(sizeof table / sizeof *table);
}

const StepInfo *step_at(int index)
{
    CHECK(index >= 0 && index < step_count(), "step %d of %d", index, step_count());
    return &table[index];
}

int step_number_count(const StepInfo *info)
{
    int count = 0;
    while (count < STEP_NUMBERS && info->numbers[count].name)
        count++;
    return count;
}

const char *step_names(void)
{
    static const char names[] =
#define STEP(name, ...) " " #name
#define MIX(name, ...)  " " #name
#include "augmentations.def"
#undef STEP
#undef MIX
        ;
    return names + 1;
}

const char *step_form(const StepInfo *info, char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, size, "%s", info->key);
    for (int i = 0; i < step_number_count(info) && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%c%s", i ? ',' : ':', info->numbers[i].name);
    if (info->words && at < size) {
        const size_t words = at + 1;
        snprintf(text + at, size - at, "%c%s", step_number_count(info) ? ',' : ':', info->words);
        for (char *space = strchr(text + words, ' '); space; space = strchr(space, ' '))
            *space = '|';
    }
    return text;
}

/* ---- what they draw ---- */

static bool happens(float rate, Draw *draw)
{
    return random_uniform(&draw->random) < rate;
}

/* -most .. most */
static int either_way(int most, Draw *draw)
{
    return (int)random_below(&draw->random, 2 * (uint32_t)most + 1) - most;
}

static float between(float least, float most, Draw *draw)
{
    return least + (most - least) * random_uniform(&draw->random);
}

/* 1 - share .. 1 + share */
static float factor(float share, Draw *draw)
{
    return between(1 - share, 1 + share, draw);
}

/* Zero to most. */
static int place_below(int most, Draw *draw)
{
    return (int)random_below(&draw->random, (uint32_t)most + 1);
}

/* ---- the steps ---- */

void step_crop(Canvas *canvas, const Step *step, Draw *draw)
{
    const int most = (int)step->numbers[0], dy = either_way(most, draw), dx = either_way(most, draw);
    canvas_shift(canvas, dy, dx, (CanvasPadding)step->word);
}

void step_hflip(Canvas *canvas, const Step *step, Draw *draw)
{
    enum { RANDOM, ALTERNATING };
    const bool first = random_uniform(&draw->sample) < step->numbers[0];      /* Jordan, 2024, arXiv:2404.00498 */
    if (step->word == ALTERNATING ? first != (draw->epoch % 2 == 1) : happens(step->numbers[0], draw))
        canvas_mirror(canvas);
}

/* As torchvision's RandomResizedCrop; after ten boxes that do not fit the picture stays whole. */
void step_resizedcrop(Canvas *canvas, const Step *step, Draw *draw)
{
    enum { LEAST, MOST, NARROWEST, WIDEST, TRIES = 10 };
    const float *numbers = step->numbers;
    const int height = canvas->size.height, width = canvas->size.width;
    for (int i = 0; i < TRIES; i++) {
        const float area = between(numbers[LEAST], numbers[MOST], draw) * (float)height * (float)width;
        const float ratio = expf(between(logf(numbers[NARROWEST]), logf(numbers[WIDEST]), draw));
        const int box_height = (int)lrintf(sqrtf(area / ratio)), box_width = (int)lrintf(sqrtf(area * ratio));
        if (box_height < 1 || box_width < 1 || box_height > height || box_width > width)
            continue;
        const int y = place_below(height - box_height, draw), x = place_below(width - box_width, draw);
        canvas_enlarge(canvas, (Box){ y, x, box_height, box_width });
        return;
    }
}

void step_vflip(Canvas *canvas, const Step *step, Draw *draw)
{
    if (happens(step->numbers[0], draw))
        canvas_turn_over(canvas);
}

void step_rotate(Canvas *canvas, const Step *step, Draw *draw)
{
    canvas_rotate(canvas, between(-step->numbers[0], step->numbers[0], draw));
}

void step_translate(Canvas *canvas, const Step *step, Draw *draw)
{
    const float down = (float)canvas->size.height * step->numbers[0], right = (float)canvas->size.width * step->numbers[0];
    const int dy = (int)lrintf(between(-down, down, draw)), dx = (int)lrintf(between(-right, right, draw));
    canvas_shift(canvas, dy, dx, PAD_mean);
}

void step_shear_x(Canvas *canvas, const Step *step, Draw *draw)
{
    canvas_shear(canvas, between(-step->numbers[0], step->numbers[0], draw), 0);
}

void step_shear_y(Canvas *canvas, const Step *step, Draw *draw)
{
    canvas_shear(canvas, 0, between(-step->numbers[0], step->numbers[0], draw));
}

void step_brightness(Canvas *canvas, const Step *step, Draw *draw)
{
    canvas_brightness(canvas, factor(step->numbers[0], draw));
}

void step_contrast(Canvas *canvas, const Step *step, Draw *draw)
{
    canvas_contrast(canvas, factor(step->numbers[0], draw));
}

void step_saturation(Canvas *canvas, const Step *step, Draw *draw)
{
    canvas_saturation(canvas, factor(step->numbers[0], draw));
}

void step_sharpness(Canvas *canvas, const Step *step, Draw *draw)
{
    canvas_sharpness(canvas, factor(step->numbers[0], draw));
}

void step_hue(Canvas *canvas, const Step *step, Draw *draw)
{
    canvas_hue(canvas, between(-step->numbers[0], step->numbers[0], draw));
}

/* As torchvision's ColorJitter. */
void step_jitter(Canvas *canvas, const Step *step, Draw *draw)
{
    enum { OPERATIONS = 4 };
    uint32_t order[OPERATIONS];
    random_permutation(&draw->random, order, OPERATIONS);
    for (int i = 0; i < OPERATIONS; i++)
        switch (order[i]) {
        case 0: canvas_brightness(canvas, factor(step->numbers[0], draw)); break;
        case 1: canvas_contrast(canvas, factor(step->numbers[0], draw)); break;
        case 2: canvas_saturation(canvas, factor(step->numbers[0], draw)); break;
        default:
            if (step->numbers[1] > 0)
                canvas_hue(canvas, between(-step->numbers[1], step->numbers[1], draw));
        }
}

void step_grayscale(Canvas *canvas, const Step *step, Draw *draw)
{
    if (happens(step->numbers[0], draw))
        canvas_grey(canvas);
}

void step_noise(Canvas *canvas, const Step *step, Draw *draw)
{
    canvas_noise(canvas, 255 * step->numbers[0], &draw->random);
}

void step_blur(Canvas *canvas, const Step *step, Draw *draw)
{
    canvas_blur(canvas, between(0.1f, step->numbers[0], draw));
}

void step_posterize(Canvas *canvas, const Step *step, Draw *draw)
{
    (void)draw;
    canvas_posterize(canvas, (int)step->numbers[0]);
}

void step_solarize(Canvas *canvas, const Step *step, Draw *draw)
{
    (void)draw;
    canvas_solarize(canvas, (int)step->numbers[0]);
}

void step_equalize(Canvas *canvas, const Step *step, Draw *draw)
{
    if (happens(step->numbers[0], draw))
        canvas_equalize(canvas);
}

void step_autocontrast(Canvas *canvas, const Step *step, Draw *draw)
{
    if (happens(step->numbers[0], draw))
        canvas_autocontrast(canvas);
}

void step_invert(Canvas *canvas, const Step *step, Draw *draw)
{
    if (happens(step->numbers[0], draw))
        canvas_invert(canvas);
}
