/* report.c - a page for a browser about one run, or several side by side. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint_data.h"
#include "common_options.h"
#include "compute_threads.h"
#include "evaluation.h"
#include "options.h"
#include "page.h"
#include "report.h"
#include "run_folder.h"
#include "text.h"

typedef struct ReportFlags {
    const char *output, *data, *val_split, *split;
    int64_t     seed, limit, images, batch, threads;
    bool        skip_bad, records_only;
} ReportFlags;

#define FIELD(name) .field = offsetof(ReportFlags, name)

/* What is not of this call comes from the args.json of each run, as in evaluate. */
static const Setting options[] = {
    { "output", NULL, 'o', SETTING_text, FIELD(output), "FILE", "report.html", .group = "Page", .help = "the page: open it in a browser", .keep = KEEP_call },
    { "images", NULL, 0, SETTING_whole, FIELD(images), "N", "8", .most = 1000, .group = "Page", .help = "images shown at most behind a cell of the confusion matrix", .keep = KEEP_call },
    { "records-only", NULL, 0, SETTING_switch, FIELD(records_only), .group = "Page", .help = "leave out what the network must be run for", .keep = KEEP_call },
    { "data", "data-dir data-path", 0, SETTING_text, FIELD(data), "PATH|shapes", .shown = "the run's", .group = "Data", .help = "folder of CIFAR, MNIST-style files, or class folders" },
    { "split", NULL, 0, SETTING_text, FIELD(split), "NAME", "test", .choices = SPLIT_NAMES, .group = "Data", .help = "test, val or train", .keep = KEEP_call },
    { "val-split", NULL, 0, SETTING_text, FIELD(val_split), "F|NAME", .shown = "the run's", .group = "Data", .help = "share, or file, that training kept for validation" },
    { "seed", NULL, 0, SETTING_whole, FIELD(seed), "N", "42", "the run's", .most = 1e15, .group = "Data", .help = "which images that share is", .rare = true },
    { "skip-bad", NULL, 0, SETTING_switch, FIELD(skip_bad), .group = "Data", .help = "skip damaged images, up to 1%", .rare = true },
    { "limit", NULL, 0, SETTING_whole, FIELD(limit), "N", "0", "all", .most = 1e9, .group = "Data", .help = "use only N images", .keep = KEEP_call },
    { "batch-size", "batch", 'b', SETTING_whole, FIELD(batch), "N", "128", .least = 1, .most = 65536, .group = "Run", .help = "images at once", .keep = KEEP_call },
    { "threads", NULL, 0, SETTING_whole, FIELD(threads), "N", "0", "cores", .most = 1024, .group = "Run", .help = "how many to compute with", .keep = KEEP_call },
};

static const OptionTable table = {
    .usage = "[OPTION...] RUN...",
    .about = "Write a page for a browser about a run: settings, curves, confusion matrix with its images, mistakes, calibration, layers. Several runs stand side by\n"
             "side. The page needs no network. What cannot be read is told, and the rest is made.",
    .examples = "runs/resnet18-relu-1 -o report.html\n"
                "runs/resnet18-relu-1 runs/resnet18-gelu-1 -o compared.html\n"
                "runs/lenet-relu-1 --split val --images 20\n",
    .options = options, .count = sizeof options / sizeof *options, .most_arguments = REPORT_RUNS,
    .tried = tried_on_a_checkpoint,
};

static void tell(void *context, const char *text)
{
    char *line = text_format("%s: %s", (const char *)context, text);
    note_print(NULL, line);
    free(line);
}

static Dataset *open_data(const ReportFlags *flags, OptionLine *line, const Model *model, Error *error)
{
    const DataOptions data = {
        .path = flags->data, .seed = (uint64_t)flags->seed, .limit = (uint32_t)flags->limit, .skip_bad = flags->skip_bad,
        .threads = (int)flags->threads, .named = true,
    };
    return checkpoint_data_open(&(CheckpointSplit){ &table, line, flags->split, flags->val_split, model->info.held_out }, data, model, error);
}

/* Runs the network over the data. False and a line if its outputs are not finite. */
static bool measure(ReportRun *run, const Model *model, const char *file, const Dataset *data, const ReportFlags *flags, Error *error)
{
    const int batch = (uint32_t)flags->batch < data->count ? (int)flags->batch : (int)data->count;
    LossSum sum;
    float *logits = allocate((size_t)data->count * (size_t)model->info.class_count, sizeof *logits, "the outputs");
    Program *program = model_program(model, &(Plan){ 0 }, batch, NULL, NULL);
    Views *views = views_new(model->network, program, (ViewOptions){ 0 });
    Loader *loader = model_loader(model, data, batch);
    evaluate_views(views, loader, model->info.class_count, NULL, &sum, logits);
    const bool finite = isfinite(sum.loss);
    if (finite)
        report_results(run, model, data, &(Outputs){ data->count, model->info.class_count, logits, data->labels }, (int)flags->images);
    else
        model_diverged(file, error);
    loader_free(loader);
    views_free(views);
    program_free(program);
    free(logits);
    return finite;
}

/* The training images that the run suspects, looked up where it had them. */
static void show_suspects(ReportRun *run, const Model *model, const ReportFlags *flags, OptionLine *line)
{
    Error error;
    ReportFlags training = *flags;
    if (!report_suspect_count(run))
        return;
    training.split = split_name(SPLIT_train);
    training.limit = (int64_t)report_limit(run);
    Dataset *data = open_data(&training, line, model, &error);
    if (data)
        report_suspects(run, data);
    else
        report_note(run, error.text);
    dataset_free(data);
}

/* What the network says; false and a line where it cannot be asked. */
static bool look_at_model(ReportRun *run, const char *file, ReportFlags *flags, OptionLine *line, Error *error)
{
    Model model;
    if (!model_open(file, &model, error))
        return false;
    report_model(run, &model, file);
    const bool known = checkpoint_data_options(&table, file, flags, line, error);
    if (known)
        show_suspects(run, &model, flags, line);
    Dataset *data = known ? open_data(flags, line, &model, error) : NULL;
    const bool ok = data && measure(run, &model, file, data, flags, error);
    dataset_free(data);
    model_close(&model);
    return ok;
}

static bool no_run(const char *path, Error *error)
{
    char *page = text_format("%s/sweep.html", path);
    const bool sweep = access(page, F_OK) == 0;
    free(page);
    return sweep ? error_set(error, EXIT_input, "a sweep, not a run: %s: open its sweep.html in a browser, or name some of its runs", path)
                 : error_set(error, EXIT_input, "no run: %s: neither a log nor a checkpoint is there: name the folder of a run", path);
}

/* Options are read again for each run: each has its own args.json. */
static bool add_run(Report *report, const char *path, int argc, char **argv, Error *error)
{
    ReportFlags flags = { 0 };
    OptionLine line;
    Error wrong = { 0 };
    if (!options_parse(&table, argc, argv, &flags, &line, error))
        return false;
    char *folder = run_folder_of(path), *file = model_file(path, &wrong), *name = text_copy(path);
    ReportRun *run = report_run(report, path, folder, tell, name);
    if (!flags.records_only && (!file || !look_at_model(run, file, &flags, &line, &wrong)))
        report_note(run, wrong.text);
    const bool found = report_run_found(run) || no_run(path, error);
    free(name);
    free(folder);
    free(file);
    options_free(&line);
    return found;
}

static bool run(const ReportFlags *flags, const OptionLine *line, int argc, char **argv, Error *error)
{
    if (!line->argument_count)
        return error_set(error, EXIT_usage, "no run: command line: usage is %s %s", program_name(), table.usage);
    compute_threads_settle(flags->threads);
    bool ok = page_check_path(flags->output, error);
    Report *report = report_new();
    for (int i = 0; ok && i < line->argument_count; i++)
        ok = add_run(report, line->arguments[i], argc, argv, error);
    ok = ok && report_save(report, flags->output, error);
    report_free(report);
    return ok;
}

int main(int argc, char **argv)
{
    ReportFlags flags;
    OptionLine line;
    Error error = { 0 };
    compute_threads_bound_wait(argv);
    options_start(&table, argc, argv, &flags, &line);
    const bool done = run(&flags, &line, argc, argv, &error);
    if (done)
        print_printable(flags.output);
    if (done)
        putchar('\n');
    options_free(&line);
    if (!done || !output_flush(&error))
        error_exit(&error);
    return EXIT_ok;
}
