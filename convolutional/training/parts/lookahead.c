/* lookahead.c - slow weights that follow the optimizer's (Zhang et al., 2019, arXiv:1907.08610).
 *
 *   every k steps   slow += alpha (weights - slow);  weights = slow
 *   in the last     weights = slow
 *
 * Rising (airbench's, arXiv:2404.00498): alpha is 1 - 0.95^k (step / steps)^3, so that the slow weights take all in at first and hold
 * back in the end, and statistics are slow as well. */

#include "trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Lookahead {
    WeightsCopy slow;
    bool        statistics;
} Lookahead;

static void *lookahead_open(Trainer *t)
{
    if (!t->options.parts.lookahead)
        return NULL;
    Lookahead *l = allocate(1, sizeof *l, "slow weights");
    weights_copy_take(&l->slow, t->network);
    l->statistics = t->options.parts.lookahead_rising;
    return l;
}

static void lookahead_keep(void *state, Kept *kept)
{
    const Lookahead *l = state;
    kept_block(kept, (KeptBlock){ .owner = "lookahead", .values = l->slow.values, .last = l->statistics ? PARAM_buffer : PARAM_plain });
}

static float alpha_of(const Trainer *t)
{
    const PartOptions *o = &t->options.parts;
    const double done = (double)t->state.step / (double)t->schedule.steps;
    return o->lookahead_rising ? (float)(1.0 - pow(0.95, o->lookahead_k) * done * done * done) : o->lookahead_alpha;
}

static void lookahead_after_step(Trainer *t, void *state)
{
    Lookahead *l = state;
    Parameters *p = network_parameters(t->network);
    const size_t count = l->statistics ? p->total : p->trained;
    const bool turn = t->state.step % (uint64_t)t->options.parts.lookahead_k == 0, last = t->state.step == t->schedule.steps;
    if (turn)
        weights_copy_approach(&l->slow, t->network, count, alpha_of(t));
    if (turn || last) {
        memcpy(p->values, l->slow.values, count * sizeof *p->values);
        p->version++;
    }
}

static void lookahead_close(void *state)
{
    Lookahead *l = state;
    weights_copy_free(&l->slow);
    free(l);
}

const RunPart part_lookahead = {
    .key = "lookahead", .open = lookahead_open, .keep = lookahead_keep, .after_step = lookahead_after_step, .close = lookahead_close,
};
