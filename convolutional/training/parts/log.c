/* log.c - log.jsonl: an object an epoch. */

#include "json_made.h"
#include "log_object.h"
#include "saves.h"

#include <stdlib.h>

/* All that it has is the run folder's. */
static void *log_begin(Trainer *t)
{
    return t->folder ? &t->folder->log : NULL;
}

static bool log_cut_back(Trainer *t, void *state, Error *error)
{
    (void)state;
    return run_folder_log(t->folder, t->state.epoch, error);
}

json_t *log_object(const TrainerEpoch *epoch)
{
    return json_made(json_pack("{s:i, s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}",
        "epoch", (int)epoch->epoch + 1, "epochs", (int)epoch->epochs, "step", (json_int_t)epoch->step, "lr", json_finite((double)epoch->lr),
        "train_loss", json_finite(epoch->train_loss), "train_top1", json_finite(epoch->train_top1),
        "val_loss", json_finite(epoch->val_loss), "val_top1", json_finite(epoch->val_top1), "val_top5", json_finite(epoch->val_top5),
        "best", epoch->best, "images_per_second", json_finite(epoch->images_per_second),
        "seconds", json_finite(epoch->seconds), "val_seconds", json_finite(epoch->val_seconds)));
}

static void log_after_epoch(Trainer *t, void *state, const TrainerEpoch *epoch)
{
    (void)state;
    json_t *object = log_object(epoch);
    char *line = json_written(object, JSON_REAL_PRECISION(7));
    json_decref(object);
    saves_log(t, line);
    free(line);
}

const RunPart part_log = { .key = "log", .open = log_begin, .cut_back = log_cut_back, .after_epoch = log_after_epoch };
