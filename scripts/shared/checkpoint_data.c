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

static bool is_told(const CheckpointSplit *split, const char *option)
{
    char **given = options_given(split->table, split->line, option);
    return *given || split->line->loaded[given - split->line->given];
}

/* What was not told is the checkpoint's; data->seed is the one that may have been. */
static bool hold_out(const CheckpointSplit *split, DataOptions *data, Error *error)
{
    DataOptions own = *data;
    if (*split->held_out)
        dataset_hold_out(split->held_out, &own);      /* a checkpoint's is one */
    if (!is_told(split, "seed"))
        data->seed = own.seed;
    if (is_told(split, "val-split"))
        return split_hold_out(split->val_split, data, error);
    data->val_part = own.val_part;
    data->val_split = own.val_split;
    return true;
}

Seen checkpoint_data_seen(const CheckpointSplit *split, const Dataset *data)
{
    if (!data->held_out)
        return SEEN_none;
    if (*split->held_out && !strcmp(split->held_out, data->held_out))
        return SEEN_none;
    if (*split->held_out)      /* others were asked for, or these data have no such part: they may be others altogether */
        return *options_given(split->table, split->line, "val-split") || *options_given(split->table, split->line, "seed") ? SEEN_some : SEEN_unknown;
    return is_told(split, "val-split") || is_told(split, "seed") ? SEEN_none : SEEN_unknown;
}

Dataset *checkpoint_data_open(const CheckpointSplit *split, DataOptions data, const Model *model, Error *error)
{
    const ModelInfo *info = &model->info;
    data.val_if_none = !*options_given(split->table, split->line, "val-split");
    data.side = info->side;
    data.channels = info->channels;
    data.as_stored = info->as_stored;
    data.fit = info->fit;
    data.class_names = info->classes;
    data.classes = info->class_count;
    Split which = SPLIT_train;
    while (strcmp(split->split, split_name(which)))
        which++;
    return hold_out(split, &data, error) ? dataset_open(&data, which, error) : NULL;
}
