/* steps.c - the table of steps, and those that draw little; see steps.h. */

#include "steps.h"

#include "errors.h"

static const StepInfo table[] = {
#define STEP(name, ...) { .key = #name, .apply = step_##name, __VA_ARGS__ },
#include "augmentations.def"
#undef STEP
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
#include "augmentations.def"
#undef STEP
        ;
    return names + 1;
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

/* ---- the steps ---- */

void step_crop(Canvas *canvas, const Step *step, Draw *draw)
{
    const int most = (int)step->numbers[0], dy = either_way(most, draw), dx = either_way(most, draw);
    canvas_shift(canvas, dy, dx, (CanvasPadding)step->word);
}

void step_hflip(Canvas *canvas, const Step *step, Draw *draw)
{
    if (happens(step->numbers[0], draw))
        canvas_mirror(canvas);
}
