/* checkpoint_data.h - the images that a checkpoint is looked at with: those of the run that it lies in, unless the command line says
 * otherwise. */

#ifndef CONVZOO_CHECKPOINT_DATA_H
#define CONVZOO_CHECKPOINT_DATA_H

#include "model.h"
#include "options.h"

/* Options that the command line leaves out are taken from the args.json beside the checkpoint, if there is one (options_load). */
bool checkpoint_data_options(const OptionTable *table, const char *checkpoint, void *flags, OptionLine *line, Error *error);

/* Which images of the data. */
typedef struct CheckpointSplit {
    const OptionTable *table;
    OptionLine        *line;           /* whether --val-split and --seed were given or loaded */
    const char        *split, *val_split;
    const char        *held_out;       /* what training held out, as the checkpoint says: used for those of the two that were neither */
} CheckpointSplit;

/* Opens a split as the model reads its images: size, channels, orientation, crop and classes become the model's. data has the rest, and the
 * seed for a val_split that was given or loaded. The caller frees it. NULL and a line. */
Dataset *checkpoint_data_open(const CheckpointSplit *split, DataOptions data, const Model *model, Error *error);

/* Whether training may have seen the images, drawn from the train part, that validation is to be made on. */
typedef enum { SEEN_none, SEEN_unknown, SEEN_some } Seen;
Seen checkpoint_data_seen(const CheckpointSplit *split, const Dataset *data);

#endif
