/* command_inspect.c - activations inspect: a trained network, activation by activation. */

#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compute_threads.h"
#include "inspection.h"
#include "run_folder.h"
#include "text.h"

typedef struct InspectFlags {
    const char *data, *val_split, *split, *output, *csv;
    int64_t     seed, limit, batch, threads;
} InspectFlags;

#define FIELD(name) .field = offsetof(InspectFlags, name)

/* What is kept comes from the args.json beside the checkpoint, as in evaluate. */
static const Setting options[] = {
    { "data", "data-dir data-path", 0, SETTING_text, FIELD(data), "PATH|shapes", .shown = "the run's", .group = "Options", .help = "images, as train takes them" },
    { "split", NULL, 0, SETTING_text, FIELD(split), "NAME", "train", .choices = SPLIT_NAMES, .group = "Options", .help = "test, val or train", .keep = KEEP_call },
    { "val-split", NULL, 0, SETTING_text, FIELD(val_split), "F|NAME", .shown = "the run's", .group = "Options", .help = "share, or file, that training kept for validation" },
    { "seed", NULL, 0, SETTING_whole, FIELD(seed), "N", "42", "the run's", .most = 1e15, .group = "Options", .help = "which images that share is" },
    { "limit", NULL, 0, SETTING_whole, FIELD(limit), "N", "256", .least = 1, .most = 1e9, .group = "Options", .help = "use only N images", .keep = KEEP_call },
    { "batch-size", "batch", 'b', SETTING_whole, FIELD(batch), "N", "64", .least = 1, .most = 65536, .group = "Options", .help = "images at once", .keep = KEEP_call },
    { "output", NULL, 'o', SETTING_text, FIELD(output), "FILE", .group = "Options", .help = "a picture: its name ends in .png, .svg or .pdf", .keep = KEEP_call },
    { "csv", NULL, 0, SETTING_text, FIELD(csv), "FILE", .group = "Options", .help = "the table's numbers", .keep = KEEP_call },
    { "threads", NULL, 0, SETTING_whole, FIELD(threads), "N", "0", "cores", .most = 1024, .group = "Options", .help = "how many to compute with", .keep = KEEP_call },
};

static bool load_run_options(const char *checkpoint, InspectFlags *flags, OptionLine *line, Error *error)
{
    const char *slash = strrchr(checkpoint, '/');
    char *folder = slash ? text_format("%.*s", (int)(slash - checkpoint), checkpoint) : text_copy(".");
    char *arguments = run_folder_file(folder, RUN_arguments);
    const bool ok = access(arguments, F_OK) != 0 || options_load(&command_inspect.options, arguments, flags, line, error);
    free(arguments);
    free(folder);
    return ok;
}

static Dataset *open_data(const InspectFlags *flags, OptionLine *line, const Model *model, Error *error)
{
    DataOptions data = {
        .path = flags->data, .seed = (uint64_t)flags->seed, .limit = (uint32_t)flags->limit, .side = model->info.side, .channels = model->info.channels,
        .as_stored = model->info.as_stored, .fit = model->info.fit, .class_names = model->info.classes, .classes = model->info.class_count,
        .threads = (int)flags->threads, .val_if_none = !*options_given(&command_inspect.options, line, "val-split"),
    };
    Split split = SPLIT_train;
    while (strcmp(flags->split, split_name(split)))
        split++;
    return split_hold_out(flags->val_split, &data, error) ? dataset_open(&data, split, error) : NULL;
}

static bool print_inspection(const InspectFlags *flags, const Inspection *inspection, Error *error)
{
    Table *table = inspection_table(inspection);
    Chart *chart = inspection_chart(inspection);
    table_print(table, stdout);
    printf("loss %.4f over %u images\n", inspection->loss, inspection->images);
    const bool ok = (!flags->output || chart_save(chart, flags->output, error)) && (!flags->csv || table_save(table, flags->csv, error));
    chart_free(chart);
    table_free(table);
    return ok;
}

static bool inspect(const char *path, InspectFlags *flags, OptionLine *line, Error *error)
{
    Model model;
    if (!load_run_options(path, flags, line, error) || !model_open(path, &model, error))
        return false;
    compute_threads_settle(flags->threads);
    Dataset *data = open_data(flags, line, &model, error);
    bool ok = data;
    if (ok) {
        Inspection *inspection = inspection_new(&model, data, (uint32_t)flags->batch < data->count ? (int)flags->batch : (int)data->count);
        ok = print_inspection(flags, inspection, error);
        inspection_free(inspection);
        dataset_free(data);
    }
    model_close(&model);
    return ok;
}

static bool run(void *data, OptionLine *line, Error *error)
{
    InspectFlags *flags = data;
    if (!line->argument_count)
        return error_set(error, EXIT_usage, "no checkpoint: inspect: name a run's folder or a .safetensors file");
    if (flags->output && !chart_check_path(flags->output, error))
        return false;
    char *path = model_file(line->arguments[0], error);
    const bool ok = path && inspect(path, flags, line, error);
    free(path);
    return ok;
}

const Command command_inspect = {
    .options = {
        .command = "inspect", .usage = "CHECKPOINT|RUN [OPTION...]",
        .about = "Look inside a trained network: for each activation what it reads on real images, dead channels,\nflat parts, and the gradient that reaches it.",
        .examples = "runs/lenet-relu-1\nbest.safetensors --data photos/ --split val -o inside.png\n",
        .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1,
    },
    .brief = "inside a checkpoint: means, dead and flat shares, gradients by layer",
    .size = sizeof(InspectFlags), .run = run,
};
