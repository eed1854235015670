/* early_stop.c - the run ends after so many epochs in which the validation did not get better. */

#include "trainer.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

typedef struct EarlyStop {
    uint64_t patience;           /* epochs */
    uint64_t waited;             /* since the best one */
    double   best;               /* accuracy, or the loss with a minus sign */
} EarlyStop;

static void *early_stop_open(Trainer *t)
{
    if (t->options.parts.early_stop == 0)
        return NULL;
    EarlyStop *e = allocate(1, sizeof *e, "early stopping");
    *e = (EarlyStop){ .patience = (uint64_t)t->options.parts.early_stop, .best = -DBL_MAX };
    return e;
}

static void early_stop_keep(void *state, Kept *kept)
{
    EarlyStop *e = state;
    kept_whole(kept, "early_stop.waited", &e->waited);
    kept_real(kept, "early_stop.best", &e->best);
}

static void early_stop_after_epoch(Trainer *t, void *state, const TrainerEpoch *epoch)
{
    EarlyStop *e = state;
    const PartOptions *o = &t->options.parts;
    const double now = o->early_metric == METRIC_loss ? -epoch->val_loss : epoch->val_top1;
    const bool better = now > e->best + (double)o->early_delta;      /* a loss that is no number is not */
    e->waited = better ? 0 : e->waited + 1;
    e->best = better ? now : e->best;
    if (e->waited >= e->patience)
        trainer_note(t, "stopping early, after epoch %u of %u: no better %s for %llu epochs", epoch->epoch + 1, epoch->epochs,
                     o->early_metric == METRIC_loss ? "loss" : "top1", (unsigned long long)e->waited);
}

static bool early_stop_finished(const void *state)
{
    const EarlyStop *e = state;
    return e->waited >= e->patience;
}

const RunPart part_early_stop = {
    .key = "early_stop", .open = early_stop_open, .keep = early_stop_keep, .after_epoch = early_stop_after_epoch,
    .finished = early_stop_finished, .close = free,
};
