/* swa.c - stochastic weight averaging (Izmailov et al., 2018, arXiv:1803.05407): the mean of the weights at the ends of epochs.
 *
 *   at the end of epoch e >= start   average += (weights - average) / (e - start + 1)
 *
 * Statistics of the averaged weights are measured over an epoch of training images (statistics.h). Before that epoch the average is
 * the network itself. */

#include "statistics.h"

#include <stdlib.h>

typedef struct Swa {
    WeightsCopy average;
    uint64_t    count;           /* ends of epochs in it */
} Swa;

static void *swa_open(Trainer *t)
{
    if (t->options.parts.swa_start == 0)
        return NULL;
    Swa *swa = allocate(1, sizeof *swa, "an average");
    weights_copy_take(&swa->average, t->network);
    if (t->options.parts.swa_start > t->options.epochs && t->options.max_seconds == 0)
        trainer_note(t, "warning: nothing is averaged: --swa-start %d: the run has %d epochs", t->options.parts.swa_start, t->options.epochs);
    return swa;
}

static void swa_keep(void *state, Kept *kept)
{
    Swa *swa = state;
    kept_block(kept, (KeptBlock){ .owner = "swa", .values = swa->average.values, .counters = swa->average.counters,
                                  .last = PARAM_counter });
    kept_whole(kept, "swa.count", &swa->count);
}

/* A validation that a signal ended is begun again: the weights are in the average then, their statistics may not be. */
static void swa_before_validation(Trainer *t, void *state)
{
    Swa *swa = state;
    const uint64_t epochs = t->state.epoch + 1, start = (uint64_t)t->options.parts.swa_start;
    if (epochs < start) {
        weights_copy_take(&swa->average, t->network);
        return;
    }
    if (swa->count < epochs - start + 1)
        weights_copy_approach(&swa->average, t->network, network_parameters(t->network)->trained, 1.0f / (float)++swa->count);
    weights_copy_swap(&swa->average, t->network);
    statistics_measure(t);
    weights_copy_swap(&swa->average, t->network);
}

static float swa_rate(const Trainer *t, uint64_t step, float lr)
{
    const PartOptions *o = &t->options.parts;
    return o->swa_lr > 0.0f && step / t->batches + 1 >= (uint64_t)o->swa_start ? o->swa_lr : lr;
}

static WeightsCopy *swa_average(void *state)
{
    return &((Swa *)state)->average;
}

static void swa_close(void *state)
{
    Swa *swa = state;
    weights_copy_free(&swa->average);
    free(swa);
}

const RunPart part_swa = {
    .key = "swa", .open = swa_open, .keep = swa_keep, .lr = swa_rate, .before_validation = swa_before_validation,
    .average = swa_average, .close = swa_close,
};
