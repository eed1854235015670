/* trainer_data.c - see trainer_data.h. */

#include "trainer_data.h"

#include "trainer_images.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_WARNINGS = 10,       /* of a kind */
    BATCH_LEAST = 16,
    STEPS_ENOUGH = 20,        /* an epoch; with fewer the weights hardly move before the rate falls */
};

/* As many images a step as leave a small data set enough steps. */
static int fitting_batch(int usual, uint32_t images)
{
    int batch = usual;
    while (batch > BATCH_LEAST && images < (uint32_t)(STEPS_ENOUGH * batch))
        batch /= 2;
    return batch;
}

static int smaller(int a, uint32_t b)
{
    return (uint32_t)a < b ? a : (int)b;
}

static void describe_data(const Trainer *t)
{
    char text[1024];
    uint32_t *counts = allocate((size_t)t->train_set->classes, sizeof *counts, "a histogram");
    dataset_describe(t->train_set, text, sizeof text);
    trainer_note(t, "%s", text);
    if (t->val_set->skipped)
        trainer_note(t, "validation: %s", t->val_set->skipped);

    size_t at = 0;
    dataset_histogram(t->train_set, counts);
    text[0] = '\0';
    for (int i = 0; i < t->train_set->classes && at < 200; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "  %.40s %u", t->train_set->class_names[i], counts[i]);
    trainer_note(t, "training on%s%s; validating on %u", text, at < 200 ? "" : "  ...", t->val_set->count);
    int empty = 0;
    for (int i = 0; i < t->train_set->classes; i++)
        if (counts[i] == 0 && empty++ < MOST_WARNINGS)
            trainer_note(t, "warning: class without a training image: %.100s", t->train_set->class_names[i]);
    if (empty > MOST_WARNINGS)
        trainer_note(t, "warning: and %d more classes without one", empty - MOST_WARNINGS);
    free(counts);
}

/* How many batches make a step: as --grad-accum-steps says, and no more than an epoch has. */
static int batches_a_step(const Trainer *t)
{
    const int wanted = t->options.parts.accumulate;
    return wanted > 1 ? smaller(wanted, t->train_set->count / (uint32_t)t->options.batch) : 1;
}

/* The rates that suit the images of a step, of a batch that was asked for as it has become; one that few images made smaller counts as usual. */
static void scale_rates(Trainer *t, bool asked)
{
    TrainerOptions *o = &t->options;
    const int images = (asked ? o->batch : o->usual_batch) * batches_a_step(t);
    if (images == o->usual_batch || o->lr_scaling == LR_SCALING_none)
        return;
    const double times = (double)images / o->usual_batch;
    const float factor = (float)(o->lr_scaling == LR_SCALING_sqrt ? sqrt(times) : times);
    o->lr *= factor;
    o->min_lr *= factor;
    o->parts.swa_lr *= factor;
    trainer_note(t, "--lr-scaling: %d images a step instead of %d: lr %g instead of %g", images, o->usual_batch, (double)o->lr, (double)(o->lr / factor));
}

/* Few steps an epoch are told, and what the batch became. */
static bool settle_batch(Trainer *t, Error *error)
{
    TrainerOptions *o = &t->options;
    const uint32_t images = t->train_set->count;
    const bool automatic = o->batch == 0;
    o->batch = smaller(automatic ? fitting_batch(o->usual_batch, images) : o->batch, images);
    o->val_batch = smaller(o->val_batch, t->val_set->count);
    const uint32_t steps = images / (uint32_t)o->batch / (uint32_t)batches_a_step(t);
    if (automatic && o->batch < o->usual_batch)
        trainer_note(t, "note: %u images are few: %d at a time instead of %d, which are %u steps an epoch (-b N decides)", images,
                     o->batch, o->usual_batch, steps);
    else if (steps < STEPS_ENOUGH)
        trainer_note(t, "note: an epoch has only %u steps: with a smaller -b, or more --epochs, the network learns more", steps);
    return slices_settle(t, error);
}

bool trainer_data_open(Trainer *t, Error *error)
{
    TrainerOptions *o = &t->options;
    o->data.seed = o->seed;
    o->data.ranks = o->ranks;
    const DataOptions train_data = trainer_train_data(o);
    t->train_set = dataset_open(&train_data, SPLIT_train, error);
    DataOptions val_data = o->data;
    val_data.skipped_before = t->train_set ? t->train_set->damaged : 0;
    t->val_set = t->train_set ? dataset_open(&val_data, SPLIT_val, error) : NULL;
    if (!t->val_set)
        return false;
    if (t->train_set->height != t->train_set->width)
        return error_set(error, EXIT_input, "images are not square: %s: %dx%d: use --img-size N to resize them",
                         t->train_set->path, t->train_set->width, t->train_set->height);
    describe_data(t);
    trainer_settle_augmentation(o, t->train_set);
    trainer_tell_augmentation(t);
    if (o->data.as_stored && !strcmp(t->train_set->kind, "folder"))
        trainer_note(t, "EXIF orientation is not applied: the run began with a program that did not");
    const bool asked = o->batch != 0;
    if (!settle_batch(t, error))
        return false;
    scale_rates(t, asked);
    return true;
}
