/* parts.h - what takes part in a run beside the training itself: logs, averages, early stopping.
 *
 * A part is one file in parts/, which defines a RunPart named part_<key>, and a row in parts.def. It has the hooks that it needs.
 * Its state is a pure function of the run so far, or is kept in last.safetensors: a run that was stopped leaves the same bytes. */

#ifndef CONVZOO_PARTS_H
#define CONVZOO_PARTS_H

#include "kept.h"
#include "loader.h"
#include "schedule.h"
#include "weights_copy.h"

typedef struct Trainer      Trainer;
typedef struct TrainerEpoch TrainerEpoch;

typedef enum { METRIC_top1, METRIC_loss } EarlyMetric;      /* of the validation */

/* What a run has beside the training; {0}: its log alone. */
typedef struct PartOptions {
    bool  ema;                   /* an average of the weights is validated and kept as the best: parts/ema.c */
    float ema_decay;             /* the share of it that a step leaves */
    bool  ema_warmup;            /* a smaller share in the first steps */
    int   swa_start;             /* the first epoch, from 1, whose weights are averaged, validated and kept as the best; 0: none */
    float swa_lr;                /* the learning rate from there on; 0: the schedule's */
    bool  lookahead;             /* slow weights: parts/lookahead.c */
    int   lookahead_k;           /* steps between their turns */
    float lookahead_alpha;
    bool  lookahead_rising;      /* alpha by the step, as airbench does it */
    float sam_rho;               /* sharpness-aware minimisation; 0: none */
    int   accumulate;            /* batches a step; 0 or 1: one */
    int   early_stop;            /* epochs without a better figure after which the run ends; 0: never */
    float early_delta;           /* how much better it must be */
    EarlyMetric early_metric;
    int   suspects;              /* training images with the highest losses that are listed at the end: parts/suspects.c; 0: none */
    bool  tensorboard;           /* event files: parts/tensorboard.c */
    int   act_stats;             /* epochs between records of the layers' activity: parts/activity_record.c; 0: none */
} PartOptions;

enum {
#define X(key) PART_##key,
#include "parts.def"
#undef X
    PART_COUNT
};

/* Hooks that are NULL are not called; the others get the state that `open` made. */
typedef struct RunPart {
    const char *key;
    /* Its state, or NULL if it takes no part in this run. All is compiled, nothing of an older run is loaded. */
    void *(*open)(Trainer *trainer);
    /* Adds what last.safetensors keeps of it: asked for when a checkpoint is written and when one is read. */
    void (*keep)(void *state, Kept *kept);
    /* Opens its files, without what they hold of epochs that are not done: the checkpoint does not know them. */
    bool (*cut_back)(Trainer *trainer, void *state, Error *error);
    /* What the schedule's rate becomes in a step, from 0. */
    float (*lr)(const Trainer *trainer, uint64_t step, float lr);
    /* The gradients of a batch are there; the weights have not moved. False and a line ends the run. */
    bool (*after_gradients)(Trainer *trainer, void *state, const Batch *batch, Error *error);
    /* The optimiser has moved the weights, and no part has yet. */
    void (*after_optimizer)(Trainer *trainer, void *state);
    /* The weights have moved. */
    void (*after_step)(Trainer *trainer, void *state);
    /* The epoch's last step is done; again if a signal came during the validation. */
    void (*before_validation)(Trainer *trainer, void *state);
    /* What is validated, and saved as the best, in place of the network's weights. */
    WeightsCopy *(*average)(void *state);
    void (*after_epoch)(Trainer *trainer, void *state, const TrainerEpoch *epoch);
    /* The run is over, whatever epochs are left. */
    bool (*finished)(const void *state);
    void (*close)(void *state);
} RunPart;

/* False and a line for parts that do not go together. */
bool parts_check(const PartOptions *options, Error *error);
void parts_open(Trainer *trainer);
void parts_close(Trainer *trainer);
Kept parts_keep(const Trainer *trainer);
bool parts_cut_back(Trainer *trainer, Error *error);
/* The learning rate of a step: the schedule's, the run's or another, unless a part has its own. */
float parts_lr(const Trainer *trainer, const Schedule *schedule, uint64_t step);
bool parts_after_gradients(Trainer *trainer, const Batch *batch, Error *error);
void parts_after_optimizer(Trainer *trainer);
void parts_after_step(Trainer *trainer);
void parts_before_validation(Trainer *trainer);
void parts_after_epoch(Trainer *trainer, const TrainerEpoch *epoch);
bool parts_finished(const Trainer *trainer);

/* The key of the part whose average stands for the weights; NULL: they stand for themselves. */
const char *parts_average_key(const Trainer *trainer);
/* The network gets the average's values, the average the network's; called again it is as before. Nothing without an average. */
void parts_swap_average(Trainer *trainer);
/* Keys of all parts that have such averages, by index; NULL after the last. */
const char *parts_averages(int index);

#endif
