/* train_options.h - train's flags: the table, and what they mean to the trainer. */

#ifndef CONVZOO_TRAIN_OPTIONS_H
#define CONVZOO_TRAIN_OPTIONS_H

#include "options.h"
#include "trainer.h"

typedef struct TrainFlags {
    const char *arch, *act, *data, *val_split, *opt, *betas, *sched, *hflip, *plan, *output, *resume, *progress;
    double  lr, momentum, eps, weight_decay, clip_grad, smoothing;
    double  warmup_epochs, min_lr, decay_epochs, decay_rate;
    int64_t epochs, batch, val_batch, limit, img_size, in_chans, crop_pad, seed, threads, max_steps, save_steps, log_interval;
    bool    nesterov, dropout, squeeze_excite, amp, aug, skip_bad, summary, quiet, list_archs, list_acts;
} TrainFlags;

extern const OptionTable train_options;

/* Flags to the trainer's options; a flag without a value takes the architecture's recipe, and then holds it.
 * The texts stay the flags'. */
bool train_options_resolve(TrainFlags *flags, TrainerOptions *options, Error *error);

#endif
