/* pipeline.c - see pipeline.h; its text is read and written in pipeline_text.c. */

#include "pipeline.h"

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

void pipeline_drop(Pipeline *pipeline, const char *key)
{
    const int place = place_of(pipeline, key);
    if (place == pipeline->count)
        return;
    pipeline->count--;
    memmove(&pipeline->steps[place], &pipeline->steps[place + 1], (size_t)(pipeline->count - place) * sizeof *pipeline->steps);
}

bool pipeline_is_plain(const Pipeline *pipeline, int *crop_pad, bool *flip)
{
    int at = 0;
    *crop_pad = 0;
    *flip = false;
    const Step *step = pipeline->steps;
    if (at < pipeline->count && step[at].info->apply == step_crop && step[at].word == 0 && step[at].rate == 1.0f)
        *crop_pad = (int)step[at++].numbers[0];
    if (at < pipeline->count && step[at].info->apply == step_hflip && step[at].word == 0 && step[at].rate == 1.0f &&
        step[at].numbers[0] == 0.5f) {
        *flip = true;
        at++;
    }
    return at == pipeline->count;
}

void pipeline_apply(const Pipeline *pipeline, Canvas *canvas, uint64_t seed, uint32_t epoch, uint32_t sample)
{
    const Random now = random_stream(seed, epoch, sample, RANDOM_step), always = random_stream(seed, 0, sample, RANDOM_sample);
    for (int i = 0; i < pipeline->count; i++) {
        const Step *step = &pipeline->steps[i];
        Draw draw = { .random = random_branch(now, (uint64_t)i), .sample = random_branch(always, (uint64_t)i), .epoch = epoch };
        if (step->rate < 1.0f && random_uniform(&draw.random) >= step->rate)
            continue;
        step->info->apply(canvas, step, &draw);
    }
}
