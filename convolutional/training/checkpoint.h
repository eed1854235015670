/* checkpoint.h - a network and its training state in one safetensors file.
 *
 *   best.safetensors    weights, statistics, counters under their state_dict names: loads in PyTorch, strict
 *   last.safetensors    the same, with optimizer.<state>.<parameter> tensors, those of the run's parts, and the run's counters in
 *                       the metadata
 *
 * Metadata (text): format, arch, act, classes, mean, std, img_size, in_chans, exif_orientation ("applied"); of options of the network
 * and of how images come to their size, those that are not the usual ones; held_out, where training drew its validation images from the
 * others; temperature and reject_below where evaluate has found them
 * (info_keys.c has the rows of these); and for resume the run's own keys. */

#ifndef CONVZOO_CHECKPOINT_H
#define CONVZOO_CHECKPOINT_H

#include "architectures.h"
#include "image.h"
#include "kept.h"
#include "safetensors.h"

enum { CHECKPOINT_MAX_CHANNELS = 3 };

/* What evaluate and predict need to know beside the weights. */
typedef struct ModelInfo {
    char   arch[64];
    char   act[ACTIVATION_TEXT];               /* NAME, NAME:P or a formula */
    char **classes;                            /* class_count names; owned, model_info_clear */
    int    class_count;
    int    channels, side;                     /* in_chans, img_size */
    float  mean[CHECKPOINT_MAX_CHANNELS], std[CHECKPOINT_MAX_CHANNELS];
    ArchOptions network;                       /* what has a row in info_keys.c is kept, where it is not the architecture's own */
    bool   as_stored;                          /* EXIF orientation was not applied to the photographs: exif_orientation is missing */
    char   held_out[128];                      /* which images training validated on, as Dataset has it; "": a part of their own, or not known */
    ImageFit fit;                              /* how images come to img_size: crop, interpolation, crop_pct */
    double temperature;                        /* that logits are divided by before they become probabilities; 0: 1 */
    double reject_below;                       /* an image whose largest probability is below this is unknown; 0: none is */
} ModelInfo;

void model_info_clear(ModelInfo *info);
/* Whether a checkpoint can have these names of classes: printable, not empty, all different, 7 MiB in all. False and a line (EXIT_usage). */
bool class_names_check(char *const *names, int count, Error *error);

/* A run's counters, so that resume goes on at the very step. */
typedef struct RunState {
    uint64_t step;                 /* done since the start */
    uint32_t epoch, batch;         /* the next batch to do */
    double   best_top1;            /* < 0: none yet */
    uint32_t best_epoch;
    uint32_t best_owed;            /* 1: best.safetensors could not be written then, and holds ... */
    uint32_t kept_epoch;           /* ... the weights of this epoch, */
    double   kept_top1;            /* with this figure; < 0: there is none */
    uint64_t planned_steps;        /* of the whole run, where a time was given (time_plan.h); 0: epochs say it */
    double   loss_sum;             /* of the running epoch so far */
    uint64_t hits, seen;
    uint64_t data_hash;
    char     machine[96];          /* program, oneDNN and instruction set: others give other last bits */
    char     settings[8192];       /* JSON of the options that shape the result; resume refuses others */
} RunState;

/* Whether the weights of this state are the best ones: it is the end of their epoch. */
bool run_state_is_best(const RunState *run);

/* optimizer, run and parts NULL: a file of weights alone (best). parts: what the parts of the run keep. Numbers are written so that
 * they read back the same bits. keep_previous: see safetensors_write. */
bool checkpoint_save(const char *path, const char *keep_previous, Network *network, const ModelInfo *info,
                     const Optimizer *optimizer, const RunState *run, const Kept *parts, Error *error);

/* Reads the metadata alone: which network to build. Fails if a key is missing or does not parse. */
bool checkpoint_info(const char *path, ModelInfo *info, Error *error);
/* Writes the info's temperature and reject_below into a file that is there; no byte of its tensors changes. */
bool checkpoint_set_calibration(const char *path, const ModelInfo *info, Error *error);
/* Reads weights (and optimizer state, counters and what parts keep when not NULL) into a network built from the info. All names, shapes and
 * types are compared first; one line lists up to ten differences and then nothing has been loaded. */
bool checkpoint_load(const char *path, Network *network, Optimizer *optimizer, RunState *run, const Kept *parts, Error *error);
/* Reads an average that a part has kept, <part>.<parameter>, as the network's weights; part NULL: the weights themselves. */
bool checkpoint_load_average(const char *path, const char *part, Network *network, Error *error);
/* Reads weights that another program may have written: names wrapped ("module.") or of another layout (checkpoint_naming.h),
 * without batch norm's counters. note: one line that says what was done about names, "" if nothing had to be. */
bool checkpoint_import(const char *path, Network *network, char *note, size_t size, Error *error);

#endif
