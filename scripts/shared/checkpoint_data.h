/* checkpoint_data.h - the images that a checkpoint is looked at with: those of the run that it lies in, unless the command line says
 * otherwise. */

#ifndef CONVZOO_CHECKPOINT_DATA_H
#define CONVZOO_CHECKPOINT_DATA_H

#include "model.h"
#include "options.h"

/* Options that the command line leaves out are taken from the args.json beside the checkpoint, if there is one (options_load). */
bool checkpoint_data_options(const OptionTable *table, const char *checkpoint, void *flags, OptionLine *line, Error *error);

/* Opens a split as the model reads its images: size, channels, orientation, crop and classes become the model's. data has the rest; of
 * val_split (a share or a file's name) its part for validation. The caller frees it. NULL and a line. */
Dataset *checkpoint_data_open(DataOptions data, const char *val_split, const char *split, const Model *model, Error *error);

#endif
