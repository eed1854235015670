/* accumulation.c - a step on the mean gradient of several batches: what one batch of their size would give, but for batch norm's
 * statistics, which are those of each. */

#include "trainer.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 14 };      /* floats */

/* The sum so far. */
static void *accumulation_open(Trainer *t)
{
    return t->turns > 1 ? allocate(network_parameters(t->network)->trained, sizeof(float), "summed gradients") : NULL;
}

static void sum_up(size_t count, float *restrict sum, const float *restrict g)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += g[i];
}

static void take_mean(size_t count, float *restrict g, const float *restrict sum, float share)
{
    for (size_t i = 0; i < count; i++)
        g[i] = share * sum[i];
}

static bool accumulation_after_gradients(Trainer *t, void *state, const Batch *batch, Error *error)
{
    (void)batch;
    (void)error;
    const Parameters *p = network_parameters(t->network);
    const bool last = t->turn == t->turns - 1;
    float *sum = state, *g = p->gradients;
    if (t->turn == 0)
        memset(sum, 0, p->trained * sizeof *sum);
    #pragma omp parallel for schedule(static)
    for (size_t i = 0; i < p->trained; i += CHUNK) {
        const size_t count = p->trained - i < CHUNK ? p->trained - i : CHUNK;
        sum_up(count, sum + i, g + i);
        if (last)
            take_mean(count, g + i, sum + i, 1.0f / (float)t->turns);
    }
    return true;
}

const RunPart part_accumulation = {
    .key = "accumulation", .open = accumulation_open, .after_gradients = accumulation_after_gradients, .close = free,
};
