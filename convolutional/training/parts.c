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

void parts_open(Trainer *t)
{
    for (int i = 0; i < PART_COUNT; i++)
        t->parts[i] = parts[i]->open(t);
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

void parts_after_epoch(Trainer *t, const TrainerEpoch *epoch)
{
    for (int i = 0; i < PART_COUNT; i++)
        if (t->parts[i] && parts[i]->after_epoch)
            parts[i]->after_epoch(t, t->parts[i], epoch);
}

void parts_close(Trainer *t)
{
    for (int i = 0; i < PART_COUNT; i++)
        if (t->parts[i] && parts[i]->close)
            parts[i]->close(t->parts[i]);
}
