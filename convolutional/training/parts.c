/* parts.c - see parts.h. */

#include "trainer.h"

#define X(key) extern const RunPart part_##key;
#include "parts.def"
#undef X

static const RunPart *const parts[PART_COUNT] = {
#define X(key) [PART_##key] = &part_##key,
#include "parts.def"
#undef X
};

bool parts_check(const PartOptions *o, Error *error)
{
    return !o->ema || o->swa_start == 0 ||
           error_set(error, EXIT_usage, "two averages: --model-ema and --swa-start: one set of weights is validated: leave one out");
}

void parts_open(Trainer *t)
{
    for (int i = 0; i < PART_COUNT; i++)
        t->parts[i] = parts[i]->open(t);
}

void parts_close(Trainer *t)
{
    for (int i = 0; i < PART_COUNT; i++)
        if (t->parts[i] && parts[i]->close)
            parts[i]->close(t->parts[i]);
}

Kept parts_keep(const Trainer *t)
{
    Kept kept = { 0 };
    for (int i = 0; i < PART_COUNT; i++)
        if (t->parts[i] && parts[i]->keep)
            parts[i]->keep(t->parts[i], &kept);
    return kept;
}

bool parts_cut_back(Trainer *t, Error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < PART_COUNT; i++)
        if (t->parts[i] && parts[i]->cut_back)
            ok = parts[i]->cut_back(t, t->parts[i], error);
    return ok;
}

float parts_lr(const Trainer *t, const Schedule *schedule, uint64_t step)
{
    float lr = schedule_lr(schedule, step);
    for (int i = 0; i < PART_COUNT; i++)
        if (t->parts[i] && parts[i]->lr)
            lr = parts[i]->lr(t, step, lr);
    return lr;
}

bool parts_after_gradients(Trainer *t, const Batch *batch, Error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < PART_COUNT; i++)
        if (t->parts[i] && parts[i]->after_gradients)
            ok = parts[i]->after_gradients(t, t->parts[i], batch, error);
    return ok;
}

void parts_after_optimizer(Trainer *t)
{
    for (int i = 0; i < PART_COUNT; i++)
        if (t->parts[i] && parts[i]->after_optimizer)
            parts[i]->after_optimizer(t, t->parts[i]);
}

void parts_after_step(Trainer *t)
{
    for (int i = 0; i < PART_COUNT; i++)
        if (t->parts[i] && parts[i]->after_step)
            parts[i]->after_step(t, t->parts[i]);
}

void parts_before_validation(Trainer *t)
{
    for (int i = 0; i < PART_COUNT; i++)
        if (t->parts[i] && parts[i]->before_validation)
            parts[i]->before_validation(t, t->parts[i]);
}

void parts_after_epoch(Trainer *t, const TrainerEpoch *epoch)
{
    for (int i = 0; i < PART_COUNT; i++)
        if (t->parts[i] && parts[i]->after_epoch)
            parts[i]->after_epoch(t, t->parts[i], epoch);
}

bool parts_finished(const Trainer *t)
{
    for (int i = 0; i < PART_COUNT; i++)
        if (t->parts[i] && parts[i]->finished && parts[i]->finished(t->parts[i]))
            return true;
    return false;
}

/* ---- averages ---- */

/* Of several, the last one in the list; PART_COUNT: none. */
static int average_index(const Trainer *t)
{
    int found = PART_COUNT;
    for (int i = 0; i < PART_COUNT; i++)
        found = t->parts[i] && parts[i]->average ? i : found;
    return found;
}

const char *parts_average_key(const Trainer *t)
{
    const int i = average_index(t);
    return i < PART_COUNT ? parts[i]->key : NULL;
}

void parts_swap_average(Trainer *t)
{
    const int i = average_index(t);
    if (i < PART_COUNT)
        weights_copy_swap(parts[i]->average(t->parts[i]), t->network);
}

const char *parts_averages(int index)
{
    for (int i = 0; i < PART_COUNT; i++)
        if (parts[i]->average && index-- == 0)
            return parts[i]->key;
    return NULL;
}
