/* command_inspect.c - activations inspect: a trained network, activation by activation. */

#include "commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "checkpoint_data.h"
#include "compute_threads.h"
#include "history.h"
#include "inspection.h"
#include "run_folder.h"

typedef struct InspectFlags {
    const char *data, *val_split, *split, *output, *csv, *show;
    bool        history;
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
    { "history", NULL, 0, SETTING_switch, FIELD(history), .group = "Options", .help = "over the run's epochs instead, as train --act-stats kept it", .keep = KEEP_call },
    { "show", NULL, 0, SETTING_text, FIELD(show), "A,B", "dead,gradient", .group = "Options", .help = "with --history, one or two of" QUANTITY_NAMES, .keep = KEEP_call },
    { "output", NULL, 'o', SETTING_text, FIELD(output), "FILE", .group = "Options", .help = "a picture: its name ends in .png, .svg or .pdf", .keep = KEEP_call },
    { "csv", NULL, 0, SETTING_text, FIELD(csv), "FILE", .group = "Options", .help = "the table's numbers", .keep = KEEP_call },
    { "threads", NULL, 0, SETTING_whole, FIELD(threads), "N", "0", "cores", .most = 1024, .group = "Options", .help = "how many to compute with", .keep = KEEP_call },
};

static Dataset *open_data(const InspectFlags *flags, OptionLine *line, const Model *model, Error *error)
{
    const DataOptions data = {
        .path = flags->data, .seed = (uint64_t)flags->seed, .limit = (uint32_t)flags->limit, .threads = (int)flags->threads,
    };
    return checkpoint_data_open(&(CheckpointSplit){ &command_inspect.options, line, flags->split, flags->val_split, model->info.held_out }, data, model, error);
}

static bool print_inspection(const InspectFlags *flags, const Activity *inspection, Error *error)
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
    if (!checkpoint_data_options(&command_inspect.options, path, flags, line, error) || !model_open(path, &model, error))
        return false;
    compute_threads_settle(flags->threads);
    Dataset *data = activity_has_layers(model.network) ? open_data(flags, line, &model, error) : NULL;
    if (!activity_has_layers(model.network))
        error_set(error, EXIT_usage, "no activation to look at: %s: its network has none but identity: name another checkpoint", path);
    bool ok = data;
    if (ok) {
        Activity *inspection = inspection_new(&model, data, (uint32_t)flags->batch < data->count ? (int)flags->batch : (int)data->count);
        ok = print_inspection(flags, inspection, error);
        activity_free(inspection);
        dataset_free(data);
    }
    model_close(&model);
    return ok;
}

/* ---- over the epochs ---- */

static bool print_history(const InspectFlags *flags, const History *history, const Quantity *shown, int count, Error *error)
{
    Table *table = history_table(history), *numbers = history_numbers(history);
    Chart *chart = history_chart(history, shown, count);
    table_print(table, stdout);
    printf("epochs %s to %s, %d recorded\n", history->epoch_names[0], history->epoch_names[history->epochs - 1], history->epochs);
    const bool ok = (!flags->output || chart_save(chart, flags->output, error)) && (!flags->csv || table_save(numbers, flags->csv, error));
    chart_free(chart);
    table_free(numbers);
    table_free(table);
    return ok;
}

static bool show_history(const char *run, const InspectFlags *flags, Error *error)
{
    Quantity shown[CHART_PANELS];
    const int count = quantities_parse(flags->show, shown, error);
    if (count == 0)
        return false;
    char *folder = run_folder_of(run), *path = run_folder_file(folder, RUN_activity);
    History *history = history_open(path, error);
    const bool ok = history && print_history(flags, history, shown, count, error);
    history_free(history);
    free(path);
    free(folder);
    return ok;
}

static bool run(void *data, OptionLine *line, Error *error)
{
    InspectFlags *flags = data;
    if (!line->argument_count)
        return error_set(error, EXIT_usage, "no checkpoint: inspect: name a run's folder or a .safetensors file");
    if (flags->output && !chart_check_path(flags->output, error))
        return false;
    if (!flags->history && *options_given(&command_inspect.options, line, "show"))
        return error_set(error, EXIT_usage, "--show changes nothing: it is for --history: leave it out, or add --history");
    if (flags->history)
        return show_history(line->arguments[0], flags, error);
    char *path = model_file(line->arguments[0], error);
    const bool ok = path && inspect(path, flags, line, error);
    free(path);
    return ok;
}

const Command command_inspect = {
    .options = {
        .command = "inspect", .usage = "CHECKPOINT|RUN [OPTION...]",
        .about = "Look inside a trained network: for each activation what it reads on real images, dead channels,\nflat parts, and the gradient that reaches it.",
        .examples = "runs/lenet-relu-1\nruns/lenet-relu-1 --history -o history.png\nbest.safetensors --data photos/ --split val -o inside.png\n",
        .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1,
    },
    .brief = "inside a checkpoint: means, dead and flat shares, gradients by layer",
    .size = sizeof(InspectFlags), .run = run,
};
