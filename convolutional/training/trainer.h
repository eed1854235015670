/* trainer.h - a training run, from files to checkpoints, for programs that embed it.
 *
 *   TrainerOptions options = trainer_defaults(architecture_find("resnet18", &error), NULL);
 *   options.data.path = "photos";
 *   Trainer *trainer = trainer_open(&options, &error);
 *   int code = trainer_run(trainer, &error);
 *   trainer_close(trainer);
 *
 * A run is a pure function of its options, its data and the number of threads: stopped anywhere and
 * resumed, it leaves the same bytes in last.safetensors and best.safetensors. Only `epochs` may be another one when it is
 * resumed, for more of them or for fewer that are not begun: the rates are from there on those of the new number. */

#ifndef CONVZOO_TRAINER_H
#define CONVZOO_TRAINER_H

#include <signal.h>

#include "activity.h"
#include "architectures.h"
#include "augment_options.h"
#include "checkpoint.h"
#include "fine_tune.h"
#include "loader.h"
#include "loss.h"
#include "parts.h"
#include "plan_cache.h"
#include "program.h"
#include "run_folder.h"
#include "schedule.h"
#include "slices.h"
#include "stages.h"
#include "vitals.h"
#include "weights_copy.h"

/* Where a run stands, for reports. */
typedef struct TrainerStep {
    uint32_t epoch, epochs;            /* from 0 */
    uint32_t batch, batches;           /* done in this epoch, of how many */
    uint64_t step, steps;              /* done in the run, of how many */
    double   loss, top1;               /* over the epoch so far */
    double   step_loss;                /* of this step */
    double   gradient_norm;
    float    lr;
    double   images_per_second;        /* of training, in this epoch and call */
    double   gflops;                   /* a second, of training: forward, and twice as much backward */
    double   seconds_left;             /* of training: the run's, */
    double   epoch_seconds_left;       /* and the epoch's */
} TrainerStep;

struct TrainerEpoch {
    uint32_t epoch, epochs;            /* from 0 */
    uint64_t step;
    float    lr;                       /* of the last step */
    double   train_loss, train_top1;
    double   val_loss, val_top1, val_top5;
    bool     best;
    double   images_per_second;
    double   seconds, val_seconds;     /* of training and of evaluation, in this call */
};

/* Who is told; any member may be NULL. */
typedef struct TrainerReport {
    void  *context;
    void (*note)(void *context, const char *text);            /* a line about the run */
    void (*step)(void *context, const TrainerStep *step);
    void (*epoch)(void *context, const TrainerEpoch *epoch);
} TrainerReport;

/* What becomes of the learning rate where the batch is not the recipe's. */
#define LR_SCALINGS(X)                                                                     \
    X(none,   "it stays")                                                                  \
    X(linear, "as many times larger as the batch (Goyal et al., 2017, arXiv:1706.02677)")  \
    X(sqrt,   "with the square root of that")

#define X(key, about) LR_SCALING_##key,
typedef enum { LR_SCALINGS(X) LR_SCALING_COUNT } LrScaling;
#undef X

typedef struct TrainerOptions {
    const Architecture *arch;
    RecipeKind   recipe;               /* where all that is not given comes from */
    ArchOptions  network;              /* its classes are the data's */
    int          small_stem;           /* network.stem, where that is 0 and images have up to SMALLEST_SIDE pixels a side */
    FineTuneOptions fine_tune;

    DataOptions  data;                 /* its seed becomes the run's */
    bool         no_augment;
    StageSizes   train_sizes;          /* of the training images, over the epochs; validation has the full size */
    int          crop_pad;             /* zeros around an image before the random crop */
    Flip         flip;
    AugmentOptions augment;            /* beyond crops and flips */
    int          loader_threads;       /* that make batches; 0: 1, or 2 where images are more than cropped and flipped */

    int          epochs;
    int          batch;                /* a last short batch is left out; a data set smaller than the batch is the batch. 0: usual_batch,
                                          or a half, a quarter, ... of that, down to 16, if an epoch had fewer than 20 steps */
    int          usual_batch;
    int          val_batch;
    bool         balanced;             /* every class as often as another in an epoch */
    LossKind     loss;
    float        label_smoothing;
    float        logit_scale;          /* 0: 1; in the training loss alone */
    bool         class_weights;        /* rare classes count more: by the inverse of their number */
    OptimizerOptions optimizer;
    PartOptions  parts;
    ScheduleKind schedule;
    float        lr, min_lr;
    double       warmup_epochs;        /* < 0: a tenth of the steps */
    double       decay_epochs;         /* schedule step; 0: a third of the epochs */
    float        decay_rate;
    ScheduleOptions schedule_options;
    uint64_t     seed;
    double       max_seconds;          /* since it was opened, in which the run is to end: time_plan.h says in how many steps; 0: epochs say it */
    Plan         plan;

    /* Several processes, which all open the same run, train it together; the first of them writes and reports. batch and val_batch are
     * those of all. NULL: one alone. */
    Ranks       *ranks;
    bool         reproducible;         /* the same bits for any number of ranks that is a power of two, up to the parts (slices.h) */
    int          bn_group;             /* images over which batch norm takes its statistics; 0: those of a rank; BN_SYNC: those of all ranks */
    LrScaling    lr_scaling;           /* of the rates, with the batch */
    ExchangeOptions exchange;

    bool         trial;                /* for trials.h alone: no folder, nothing is written */
    const char  *folder;               /* NULL: runs/<arch>-<act>-<n> */
    bool         resume;               /* go on in `folder` */
    const char  *arguments;            /* what a new run keeps as args.json; NULL: nothing */
    uint64_t     save_steps;           /* also save every so many steps; 0: at the ends of epochs alone */
    uint64_t     most_steps;           /* stop, saved, after so many steps of the run; 0: no */
    const volatile sig_atomic_t *stop; /* a signal's number appears there: save and stop; NULL: never */
    TrainerReport report;
} TrainerOptions;

/* What a run writes while it trains. */
typedef enum { SAVE_last, SAVE_best, SAVE_log, SAVE_KINDS } SaveKind;

/* Open to be read. */
struct Trainer {
    TrainerOptions options;
    Dataset   *train_set, *val_set;
    PlanSubject subject;               /* what the network is built from */
    Network   *network;
    ModelInfo  info;
    RunFolder *folder;
    Stages     stages;                 /* one a size of the training images */
    Program   *program, *val_program;  /* program and loader: the running stage's */
    Loader    *loader, *val_loader;
    LossOptions loss;
    float     *class_weights;          /* of the training images; NULL: none */
    Optimizer *optimizer;
    Schedule   schedule;
    Slices     slices;                 /* how a batch is shared out */
    uint32_t   turns, turn;            /* batches a step, and the one that is under way */
    int        stop;                   /* a signal that all ranks know of, where there are several; 0: none */
    bool       thawed;                 /* --unfreeze-epoch has come */
    uint32_t   batches;                /* steps an epoch */
    RunState   state;
    bool       prolonged;              /* resumed with another number of epochs */
    uint64_t   saved_step;             /* of last.safetensors; 0: there is none */
    bool       last_stale;             /* last.safetensors is of this step and yet lacks something */
    bool       last_damaged;           /* last.safetensors is not what a run goes on from: it must not become prev.safetensors */
    bool       last_is_best, previous_is_best; /* that file holds the best weights */
    bool       best_here;              /* best.safetensors was written by this call */
    WeightsCopy best_weights;          /* while best.safetensors is owed */
    char      *log_owed;               /* lines; NULL: none */
    Error      unsaved[SAVE_KINDS];    /* why the newest attempt to write one failed; no text: it did not */
    bool       told[SAVE_KINDS];
    float      step_lr;
    double     step_loss;              /* of the last step */
    double     opened;                 /* when */
    double     epoch_seconds;          /* spent in training, in this epoch and call */
    uint64_t   epoch_images;
    const Activity *activity;          /* the last measurement of --act-stats; NULL: none */
    const Vitals   *vitals;            /* of the last epoch; NULL: none yet */
    void      *parts[PART_COUNT];      /* their states; NULL: not of this run */
};

/* The architecture's recipe. optimizer, if not NULL, replaces the recipe's, with that one's usual rate and decay. */
TrainerOptions trainer_defaults(const Architecture *arch, const OptimizerKind *optimizer);
/* Those of the network for images of so many pixels a side, which may be small enough for small_stem. Without the number of classes. */
ArchOptions    trainer_network_options(const TrainerOptions *options, int side);

/* Opens data, network, folder and, to resume, the checkpoint. NULL and a line if anything is wrong. */
Trainer *trainer_open(const TrainerOptions *options, Error *error);
void     trainer_close(Trainer *trainer);

/* Writes a PNG of `count` training images as the network would see them (preview.h). */
bool trainer_preview(const TrainerOptions *options, const char *path, int count, Error *error);

/* Trains until the end, most_steps, a signal, or a number that is not finite. Returns EXIT_ok, or leaves a line in `error`
 * and returns 128 + signal, EXIT_diverged or EXIT_write. The network holds the last weights then, not the best ones. */
int trainer_run(Trainer *trainer, Error *error);

/* Whether every epoch is done. */
bool trainer_finished(const Trainer *trainer);

/* The learning rates of a run with these options and so many steps an epoch. */
Schedule trainer_schedule(const TrainerOptions *options, uint32_t batches);

/* Whether an epoch's last step is the one with this number, from 1. */
bool trainer_ends_epoch(const Trainer *trainer, uint64_t step);

/* The signal to stop for; 0: none. Where there are several ranks, they all know of it. */
int trainer_stop(const Trainer *trainer);
/* The signal that this process itself had; 0: none. Other ranks may not know of it yet. */
int trainer_own_stop(const Trainer *trainer);
/* trainer_stop, asked of all ranks now, by all of them. */
int trainer_agree_stop(Trainer *trainer);

/* The network's loss and hits on the validation images; all ranks have their share. False if it was stopped, which it is only
 * if `stoppable`. */
bool trainer_evaluate(Trainer *trainer, bool stoppable, LossSum *sum);

/* A hash of the training and the validation images. */
uint64_t trainer_data_hash(const Trainer *trainer);

/* Tells the report a line. */
void trainer_note(const Trainer *trainer, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
