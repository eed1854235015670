/* parts.h - what takes part in a run beside the training itself: logs, averages, early stopping.
 *
 * A part is one file in parts/, which defines a RunPart named part_<key>, and a row in parts.def. It has the hooks that it needs.
 * Its state is a pure function of the run so far, or is kept in last.safetensors: a run that was stopped leaves the same bytes. */

#ifndef CONVZOO_PARTS_H
#define CONVZOO_PARTS_H

#include "kept.h"
#include "loader.h"

typedef struct Trainer      Trainer;
typedef struct TrainerEpoch TrainerEpoch;

enum {
#define X(key) PART_##key,
#include "parts.def"
#undef X
    PART_COUNT
};

/* The trainer's options name it; hooks that are NULL are not called. Called with the state that `open` made. */
typedef struct RunPart {
    const char *key;
    /* Its state, or NULL if it takes no part in this run. All is compiled, nothing of an older run is loaded. */
    void *(*open)(Trainer *trainer);
    /* Adds what last.safetensors keeps of it: asked for when a checkpoint is written and when one is read. */
    void (*keep)(void *state, Kept *kept);
    /* Opens its files, without what they hold of epochs that are not done: the checkpoint does not know them. */
    bool (*cut_back)(Trainer *trainer, void *state, Error *error);
    void (*after_epoch)(Trainer *trainer, void *state, const TrainerEpoch *epoch);
    void (*close)(void *state);
} RunPart;

void parts_open(Trainer *trainer);
Kept parts_keep(const Trainer *trainer);
bool parts_cut_back(Trainer *trainer, Error *error);
void parts_after_epoch(Trainer *trainer, const TrainerEpoch *epoch);
void parts_close(Trainer *trainer);

#endif
