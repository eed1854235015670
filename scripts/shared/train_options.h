/* train_options.h - train's flags: the settings of a run (settings.h), and what train alone has. */

#ifndef CONVZOO_TRAIN_OPTIONS_H
#define CONVZOO_TRAIN_OPTIONS_H

#include "options.h"
#include "settings.h"

typedef struct TrainFlags {
    TrainerOptions trainer;      /* first: the settings' rows count from here */
    const char *resume, *config, *progress;
    int64_t log_interval, preview;
    double  rank_timeout;                         /* seconds */
    int     batch_per_rank;                       /* 0: the batch is that of all ranks */
    bool    find_lr, overfit_batch, dry_run;      /* one of these: trials.h in place of a run */
    bool    summary, quiet, plots, list_archs, list_acts, list_augs;
} TrainFlags;

extern const OptionTable train_options;

/* Reads --config's file: lines of "name: value", or the JSON of an args.json. */
bool train_options_config(const char *path, SettingTexts *config, Error *error);

/* Fills flags->trainer from what the line and the file give; a setting without a value takes the architecture's recipe. With
 * --resume, the run's own settings (line->loaded) stand in the recipe's place. Texts stay the line's and the file's. */
bool train_options_resolve(TrainFlags *flags, const OptionLine *line, const SettingTexts *config, Error *error);

#endif
