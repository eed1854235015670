/* ema.c - an exponential moving average of weights and statistics, as timm's ModelEmaV3.
 *
 *   average += (1 - d) (weights - average)           after every step
 *   d = min(decay, 1 - step^(-2/3)) with warm-up; 0 in the first step, which the average starts from */

#include "trainer.h"

#include <math.h>
#include <stdlib.h>

static float decay_of(const PartOptions *options, uint64_t step)
{
    if (step <= 1)
        return 0.0f;
    const double risen = 1.0 - pow((double)step, -2.0 / 3.0);
    return options->ema_warmup && risen < (double)options->ema_decay ? (float)risen : options->ema_decay;
}

static void *ema_open(Trainer *t)
{
    if (!t->options.parts.ema)
        return NULL;
    WeightsCopy *average = allocate(1, sizeof *average, "an average");
    weights_copy_take(average, t->network);
    return average;
}

static void ema_keep(void *state, Kept *kept)
{
    const WeightsCopy *average = state;
    kept_block(kept, (KeptBlock){ .owner = "ema", .values = average->values, .counters = average->counters, .last = PARAM_counter });
}

static void ema_after_step(Trainer *t, void *state)
{
    const float decay = decay_of(&t->options.parts, t->state.step);
    weights_copy_approach(state, t->network, network_parameters(t->network)->total, 1.0f - decay);
    weights_copy_counters(state, t->network);
}

static WeightsCopy *ema_average(void *state)
{
    return state;
}

static void ema_close(void *state)
{
    weights_copy_free(state);
    free(state);
}

const RunPart part_ema = {
    .key = "ema", .open = ema_open, .keep = ema_keep, .after_step = ema_after_step, .average = ema_average, .close = ema_close,
};
