/* checkpoint_data.c - see checkpoint_data.h. */

#include "checkpoint_data.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run_folder.h"
#include "text.h"

/* The args.json of the folder that the file is in; NULL: there is none. The caller frees it. */
static char *arguments_beside(const char *checkpoint)
{
    char *folder = run_folder_of(checkpoint), *arguments = run_folder_file(folder, RUN_arguments);
    free(folder);
    if (access(arguments, F_OK) == 0)
        return arguments;
    free(arguments);
    return NULL;
}

bool checkpoint_data_options(const OptionTable *table, const char *checkpoint, void *flags, OptionLine *line, Error *error)
{
    char *file = realpath(checkpoint, NULL), *arguments = arguments_beside(checkpoint);
    if (!arguments && file)      /* a link that leads into a run's folder */
        arguments = arguments_beside(file);
    const bool ok = !arguments || options_load(table, arguments, flags, line, error);
    free(arguments);
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
