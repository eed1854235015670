/* checkpoint_data.c - see checkpoint_data.h. */

#include "checkpoint_data.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run_folder.h"
#include "text.h"

bool checkpoint_data_options(const OptionTable *table, const char *checkpoint, void *flags, OptionLine *line, Error *error)
{
    char *file = realpath(checkpoint, NULL), *folder = run_folder_of(file ? file : checkpoint);      /* the run's, also where a link leads there */
    char *arguments = run_folder_file(folder, RUN_arguments);
    const bool ok = access(arguments, F_OK) != 0 || options_load(table, arguments, flags, line, error);
    free(arguments);
    free(folder);
    free(file);
    return ok;
}

Dataset *checkpoint_data_open(DataOptions data, const char *val_split, const char *split, const Model *model, Error *error)
{
    const ModelInfo *info = &model->info;
    data.side = info->side;
    data.channels = info->channels;
    data.as_stored = info->as_stored;
    data.fit = info->fit;
    data.class_names = info->classes;
    data.classes = info->class_count;
    Split which = SPLIT_train;
    while (strcmp(split, split_name(which)))
        which++;
    return split_hold_out(val_split, &data, error) ? dataset_open(&data, which, error) : NULL;
}
