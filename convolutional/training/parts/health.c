/* health.c - warnings while a run goes wrong, each once, with what to do. */

#include "trainer.h"

#include <math.h>
#include <stdlib.h>

enum {
    RATE_STEPS = 100,          /* a loss that has risen after fewer may come down again */
    CHANCE_STEPS = 300,        /* with fewer, a network may still be at its beginning */
};

typedef struct Health {
    uint64_t steps;            /* seen by this call */
    double   first, recent;    /* losses: of the first step; of the last twenty or so */
    bool     told_rate, told_chance;
} Health;

static void *health_open(Trainer *t)
{
    return t->options.trial ? NULL : allocate(1, sizeof(Health), "what is watched in a run");      /* trials go too far on purpose */
}

/* A loss that has risen, and is worse than that of guessing all classes alike. */
static void health_after_step(Trainer *t, void *state)
{
    Health *h = state;
    if (h->steps++ == 0)
        h->first = h->recent = t->step_loss;
    h->recent += 0.05 * (t->step_loss - h->recent);
    if (h->told_rate || h->steps < RATE_STEPS || h->recent < fmax(1.5 * h->first, 1.2 * log(t->info.class_count)))
        return;
    h->told_rate = h->told_chance = true;      /* that the network then guesses is no news */
    trainer_note(t, "warning: the loss rises: it was %.3g and is %.3g after %llu steps: the learning rate, %g, is too high: start again "
                 "with a tenth of it (--lr %g), or with --clip-grad 1; --find-lr shows which rates this network takes", h->first,
                 h->recent, (unsigned long long)t->state.step, (double)t->options.lr, (double)t->options.lr / 10.0);
}

/* The accuracy of guessing the largest class, and what luck may add on so many images. */
static double chance(const Dataset *data, double images)
{
    uint32_t *counts = allocate((size_t)data->classes, sizeof *counts, "a histogram"), largest = 0;
    dataset_histogram(data, counts);
    for (int i = 0; i < data->classes; i++)
        largest = counts[i] > largest ? counts[i] : largest;
    free(counts);
    const double share = (double)largest / data->count;
    return share + 3.0 * sqrt(share * (1.0 - share) / images);
}

static void health_after_epoch(Trainer *t, void *state, const TrainerEpoch *epoch)
{
    Health *h = state;
    if (h->told_chance || epoch->step < CHANCE_STEPS ||
        epoch->train_top1 > chance(t->train_set, (double)t->batches * t->turns * t->options.batch) ||
        epoch->val_top1 > chance(t->val_set, t->val_set->count))
        return;
    h->told_chance = true;
    trainer_note(t, "warning: after %llu steps the network still guesses (%.1f%% right in training, %.1f%% in validation): try another "
                 "learning rate (--find-lr), look whether the labels belong to the images, and whether it can learn a single batch "
                 "(--overfit-batch)", (unsigned long long)epoch->step, 100.0 * epoch->train_top1, 100.0 * epoch->val_top1);
}

const RunPart part_health = {
    .key = "health", .open = health_open, .after_step = health_after_step, .after_epoch = health_after_epoch, .close = free,
};
