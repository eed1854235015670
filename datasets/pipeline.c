/* pipeline.c - see pipeline.h; its text is read and written in pipeline_text.c. */

#include "pipeline.h"

#include <math.h>
#include <string.h>

static int place_of(const Pipeline *pipeline, const char *key)
{
    int place = 0;
    while (place < pipeline->count && strcmp(pipeline->steps[place].info->key, key))
        place++;
    return place;
}

const Step *pipeline_find(const Pipeline *pipeline, const char *key)
{
    const int place = place_of(pipeline, key);
    return place < pipeline->count ? &pipeline->steps[place] : NULL;
}

bool pipeline_set(Pipeline *pipeline, const char *text, Error *error)
{
    Pipeline one;
    if (!pipeline_parse(text, &one, error))
        return false;
    CHECK(one.count == 1, "'%s' is not one step", text);
    const int place = place_of(pipeline, one.steps[0].info->key);
    if (place == PIPELINE_MOST)
        return error_set(error, EXIT_usage, "an augmentation of more than %d steps: %s: leave steps out", PIPELINE_MOST, text);
    pipeline->steps[place] = one.steps[0];
    pipeline->count += place == pipeline->count;
    return true;
}

static float scaled(float value, const StepNumber *number, double factor)
{
    const double product = number->whole ? round(value * factor) : value * factor;
    const double least = number->whole && value >= 1.0f ? fmax(1.0, (double)number->least) : (double)number->least;
    return (float)fmin(fmax(product, least), (double)number->most);
}

void pipeline_scale(Pipeline *pipeline, double factor)
{
    for (int i = 0; i < pipeline->count; i++) {
        Step *step = &pipeline->steps[i];
        for (int k = 0; k < step_number_count(step->info); k++)
            if (!strcmp(step->info->numbers[k].name, "pixels"))
                step->numbers[k] = scaled(step->numbers[k], &step->info->numbers[k], factor);
    }
}

/* The step with its usual word, for every image. */
static bool is_plain(const Step *step, StepApply *apply)
{
    return step->info->apply == apply && step->word == 0 && step->rate == 1.0f;
}

bool pipeline_is_plain(const Pipeline *pipeline, int *crop_pad, bool *flip)
{
    bool cropped = false;
    *crop_pad = 0;
    *flip = false;
    for (int i = 0; i < pipeline->count; i++) {
        const Step *step = &pipeline->steps[i];
        if (step->info->mix)
            continue;
        if (is_plain(step, step_crop) && !cropped && !*flip) {
            cropped = true;
            *crop_pad = (int)step->numbers[0];
        } else if (is_plain(step, step_hflip) && !*flip && step->numbers[0] == 0.5f) {
            *flip = true;
        } else {
            return false;
        }
    }
    return true;
}

bool pipeline_is_light(const Pipeline *pipeline)
{
    for (int i = 0; i < pipeline->count; i++)
        if (pipeline->steps[i].info->apply != step_crop && pipeline->steps[i].info->apply != step_hflip)
            return false;
    return true;
}

void pipeline_apply(const Pipeline *pipeline, Canvas *canvas, uint64_t seed, uint32_t epoch, uint32_t sample)
{
    const Random now = random_stream(seed, epoch, sample, RANDOM_step), always = random_stream(seed, 0, sample, RANDOM_sample);
    for (int i = 0; i < pipeline->count; i++) {
        const Step *step = &pipeline->steps[i];
        if (!step->info->apply)
            continue;
        Draw draw = { .random = random_branch(now, (uint64_t)i), .sample = random_branch(always, (uint64_t)i), .epoch = epoch };
        if (step->rate < 1.0f && random_uniform(&draw.random) >= step->rate)
            continue;
        step->info->apply(canvas, step, &draw);
    }
}

bool pipeline_mix(const Pipeline *pipeline, MixedBatch *batch, uint64_t seed, uint32_t epoch, uint32_t number)
{
    enum { EPOCHS = 1 };                                   /* of a mixing step's numbers */
    const uint64_t behind_samples = 1ull << 32;            /* streams that no sample has */
    const Step *mixing[PIPELINE_MOST];
    uint32_t count = 0;
    for (int i = 0; i < pipeline->count; i++) {
        const Step *step = &pipeline->steps[i];
        if (step->info->mix && (step->numbers[EPOCHS] == 0.0f || (float)epoch < step->numbers[EPOCHS]))
            mixing[count++] = step;
    }
    if (!count)
        return false;
    Random random = random_stream(seed, epoch, behind_samples + number, RANDOM_step);
    const Step *step = mixing[random_below(&random, count)];
    if (step->rate < 1.0f && random_uniform(&random) >= step->rate)
        return false;
    step->info->mix(batch, step, &random);
    return true;
}
