/* evaluate.c - the loss and accuracy of a checkpoint on a data set, and what else can be said of them: scripts/evaluate/. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint_data.h"
#include "common_options.h"
#include "compute_threads.h"
#include "measured.h"
#include "options.h"
#include "plan_text.h"
#include "tta_options.h"

typedef struct EvaluateFlags {
    const char *data, *val_split, *split, *plan, *tta, *format, *compare, *fit_reject;
    int64_t     batch, limit, threads, seed, misclassified;
    double      tta_below;
    bool        skip_bad, use_ema, json, quiet, fit_temperature;
    Details     details;
} EvaluateFlags;

#define FIELD(name) .field = offsetof(EvaluateFlags, name)
#define WHERE       "-|FILE"

/* What is not `once` comes from the args.json beside the checkpoint, so that val is what training held out. */
static const Setting options[] = {
    { "data", "data-dir data-path", 0, SETTING_text, FIELD(data), "PATH|shapes", .shown = "the run's", .group = "Data",
      .help = "folder of CIFAR, MNIST-style files, or class folders" },
    { "split", NULL, 0, SETTING_text, FIELD(split), "NAME", .shown = "test; val to fit", .choices = SPLIT_NAMES, .group = "Data", .help = "test, val or train", .keep = KEEP_call },
    { "val-split", NULL, 0, SETTING_text, FIELD(val_split), "F|NAME", .shown = "the run's", .group = "Data", .help = "share, or file, that training kept for validation" },
    { "seed", NULL, 0, SETTING_whole, FIELD(seed), "N", "42", "the run's", .most = 1e15, .group = "Data", .help = "which images that share is", .rare = true },
    { "skip-bad", NULL, 0, SETTING_switch, FIELD(skip_bad), .group = "Data", .help = "skip damaged images, up to 1%", .rare = true },
    { "limit", NULL, 0, SETTING_whole, FIELD(limit), "N", "0", "all", .most = 1e9, .group = "Data", .help = "use only N images", .keep = KEEP_call },
    { "per-class", "classification-report", 0, SETTING_text, FIELD(details.per_class), WHERE, .group = "Results",
      .help = "precision, recall and F1 of each class; - prints, FILE is .csv, or a picture .png, .svg, .pdf", .keep = KEEP_call },
    { "confusion-matrix", "confusion", 0, SETTING_text, FIELD(details.confusion), WHERE, .group = "Results", .help = "which classes are taken for which",
      .keep = KEEP_call },
    { "calibration", "reliability", 0, SETTING_text, FIELD(details.calibration), WHERE, .group = "Results",
      .help = "how often it is right by how sure it is", .keep = KEEP_call },
    { "misclassified", "top-losses show-misclassified", 0, SETTING_whole, FIELD(misclassified), "N", "0", "none", .most = 1e6, .group = "Results",
      .help = "print the N mistakes that it is surest of", .keep = KEEP_call },
    { "misclassified-sheet", NULL, 0, SETTING_text, FIELD(details.sheet), "FILE.png", .group = "Results", .help = "draw them, 25 unless --misclassified says how many",
      .keep = KEEP_call, .rare = true },
    { "curves", NULL, 0, SETTING_text, FIELD(details.curves), "FILE", .group = "Results", .help = "draw the run's loss and accuracy by epoch, in .png, .svg or .pdf",
      .keep = KEEP_call },
    { "rates", NULL, 0, SETTING_text, FIELD(details.rates), "FILE", .group = "Results", .help = "draw its learning rate and images a second", .keep = KEEP_call, .rare = true },
    { "filters", NULL, 0, SETTING_text, FIELD(details.filters), "FILE.png", .group = "Results", .help = "draw the first convolution's filters", .keep = KEEP_call, .rare = true },
    { "predictions", NULL, 0, SETTING_text, FIELD(details.predictions), "FILE", .group = "Results", .help = "a .csv with a line an image", .keep = KEEP_call },
    { "compare", NULL, 0, SETTING_text, FIELD(compare), "OTHER", .group = "Results", .help = "another checkpoint or run on the same images, by McNemar's test",
      .keep = KEEP_call },
    { "results-format", "format", 0, SETTING_text, FIELD(format), "NAME", "text", .choices = "text csv json", .group = "Results", .help = "text, csv or json", .keep = KEEP_call },
    { "json", NULL, 0, SETTING_switch, FIELD(json), .group = "Results", .help = "print one JSON object", .keep = KEEP_call },
    { "fit-temperature", "temperature-scaling", 0, SETTING_switch, FIELD(fit_temperature), .group = "Kept in the checkpoint",
      .help = "find what logits are to be divided by, so that it is as sure as it is right", .keep = KEEP_call },
    { "fit-reject", NULL, 0, SETTING_text, FIELD(fit_reject), "WISH", .group = "Kept in the checkpoint",
      .help = "find how sure it must be to give an answer: coverage:P of the images get one, or precision:P of the answers are right", .keep = KEEP_call },
    TTA_OPTIONS(EvaluateFlags),
    { "batch-size", "batch", 'b', SETTING_whole, FIELD(batch), "N", "256", .least = 1, .most = 65536, .group = "Run", .help = "images at once", .keep = KEEP_call },
    { "threads", NULL, 0, SETTING_whole, FIELD(threads), "N", "0", "cores", .most = 1024, .group = "Run", .help = "how many to compute with", .keep = KEEP_call },
    { "plan", NULL, 0, SETTING_text, FIELD(plan), "NAME", "default", .group = "Run", .help = "how the computation is laid out: " PLAN_WORDS, .keep = KEEP_call, .rare = true },
    { "use-ema", "ema", 0, SETTING_switch, FIELD(use_ema), .group = "Run", .help = "the averaged weights that last.safetensors has of a run with --model-ema or --swa-start", .keep = KEEP_call, .rare = true },
    { "quiet", NULL, 'q', SETTING_switch, FIELD(quiet), .group = "Run", .help = "print only the result", .keep = KEEP_call },
};

static const OptionTable table = {
    .usage = "[OPTION...] CHECKPOINT|RUN",
    .about = "Print a checkpoint's loss and accuracy. Network, classes and normalisation are the checkpoint's.",
    .examples = "runs/resnet18-relu-1          # the run's best.safetensors\n"
                "best.safetensors --data photos/ --split val --json\n"
                "runs/resnet18-relu-1 --tta flip-shift --per-class - --confusion-matrix confusion.png\n"
                "runs/resnet18-relu-1 --fit-temperature --fit-reject precision:0.95\n",
    .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1,
    .tried = tried_on_a_checkpoint,
};

/* What opens the data, for the checkpoint and for the one it is compared with: the first's images. */
typedef struct Opening {
    const EvaluateFlags *flags;
    CheckpointSplit      split;
} Opening;

static Dataset *open_data(void *context, const Model *model, Error *error)
{
    const Opening *opening = context;
    const EvaluateFlags *flags = opening->flags;
    const DataOptions data = {
        .path = flags->data, .seed = (uint64_t)flags->seed, .limit = (uint32_t)flags->limit, .skip_bad = flags->skip_bad,
        .threads = (int)flags->threads, .named = flags->misclassified > 0 || flags->details.predictions,
    };
    return checkpoint_data_open(&opening->split, data, model, error);
}

static void tell_data(const EvaluateFlags *flags, const Model *model, const Dataset *data, Seen seen)
{
    char text[1024];
    dataset_describe(data, text, sizeof text);
    if (*model->note)
        note_print(NULL, model->note);
    note_print(NULL, text);
    if (seen != SEEN_none)
        note_print(NULL, seen == SEEN_some ? "warning: training held out others, and has seen some of these images: leave --seed and --val-split out"
                                           : "warning: training may have seen these images: nothing says which it held out: --seed and --val-split do");
    else if (strcmp(split_name(data->split), flags->split))
        note_print(NULL, data->split == SPLIT_val ? "warning: the data has no test part: these are the images that training "
                                                    "held out, which chose best.safetensors"
                                                  : "the data has no val part, and nothing was held out: these are the test "
                                                    "images, which chose best.safetensors");
    if (strcmp(flags->tta, view_set_name(VIEWS_none)) && !data->mirror_ok)
        note_print(NULL, "warning: --tta mirrors images, and mirrored digits or letters are others: compare with --tta none");
}

/* What is learnt from an image that training saw, or that tests are counted on, is worth nothing. */
static bool check_fit(EvaluateFlags *flags, Fit *fit, Error *error)
{
    fit->temperature = flags->fit_temperature;
    if (!fit_parse(flags->fit_reject, fit, error))
        return false;
    const bool fits = fit->temperature || fit->reject;
    if (!flags->split)
        flags->split = split_name(fits ? SPLIT_val : SPLIT_test);
    if (fits && strcmp(flags->split, split_name(SPLIT_val)))
        return error_set(error, EXIT_usage, "fitted on images that it must not know: --split %s: leave it out: --fit-temperature and --fit-reject use what "
                         "training held out, --split val", flags->split);
    return !fits || !flags->use_ema ||
           error_set(error, EXIT_usage, "two sets of weights in one file: --use-ema: --fit-temperature and --fit-reject are for the weights that predict uses: "
                     "leave --use-ema out");
}

static bool check_images(const Fit *fit, const Dataset *data, Seen seen, Error *error)
{
    if (!fit_is_wanted(fit) || (data->split == SPLIT_val && seen == SEEN_none))
        return true;
    return error_set(error, EXIT_input, "fitted on images that it must not know: %s: %s", data->path,
                     data->split != SPLIT_val ? "nothing was held out, these are the test images: train with --val-split, or say which images training held out"
                     : seen == SEEN_some ? "training held out others: leave --seed and --val-split out"
                     : "nothing says which images training held out: --seed and --val-split do");
}

static ResultsFormat format_of(const EvaluateFlags *flags)
{
    return flags->json || !strcmp(flags->format, "json") ? RESULTS_json : !strcmp(flags->format, "csv") ? RESULTS_csv : RESULTS_text;
}

static bool check_format(const EvaluateFlags *flags, Error *error)
{
    if (flags->compare && format_of(flags) == RESULTS_csv)
        return error_set(error, EXIT_usage, "two tables at once: --compare: with --results-format csv there is a line for one checkpoint: use json");
    return !flags->json || strcmp(flags->format, "csv") ||
           error_set(error, EXIT_usage, "two forms at once: --json, --results-format csv: leave one of them out");
}

/* The checkpoint's figures, and all that was asked for beside them. */
static bool tell(const EvaluateFlags *flags, Measured *measured, Model *model, const Fit *fit, const Pass *pass, Opening *opening, Error *error)
{
    const ResultsFormat format = format_of(flags);
    const bool finite = isfinite(measured->sum.loss);
    if (finite && fit_is_wanted(fit) && !fit_keep(measured, fit, &model->info, flags->quiet, error))
        return false;
    const Comparison comparison = { flags->compare, open_data, opening };
    figures_begin(measured, format);
    const bool ok = (!flags->compare || comparison_tell(measured, &comparison, pass, format, error)) &&
                    details_tell(measured, &flags->details, format, model->network, error);
    figures_end(format);
    if (ok && !finite)
        model_diverged(measured->path, error);
    return ok && finite;
}

static int run(const char *path, EvaluateFlags *flags, OptionLine *line, Error *error)
{
    Plan plan;
    Model model;
    Fit fit = { 0 };
    flags->details.misclassified = (int)flags->misclassified;
    if (!plan_parse(flags->plan, &plan, error) || !tta_check(flags->tta, flags->tta_below, error) || !check_format(flags, error) || !details_check(&flags->details, format_of(flags), error) || !check_fit(flags, &fit, error) ||
        !checkpoint_data_options(&table, path, flags, line, error) || (fit_is_wanted(&fit) && !fit_look(path, &fit, error)) ||
        !(flags->use_ema ? model_open_average : model_open)(path, &model, error))
        return (int)error->code;
    compute_threads_settle(flags->threads);
    Opening opening = { flags, { &table, line, flags->split, flags->val_split, model.info.held_out } };
    Dataset *data = comparison_check(flags->compare, &model.info, error) ? open_data(&opening, &model, error) : NULL;
    const Seen seen = data ? checkpoint_data_seen(&opening.split, data) : SEEN_none;
    if (data && !(check_images(&fit, data, seen, error) && comparison_check_images(flags->compare, data, error))) {
        dataset_free(data);
        data = NULL;
    }
    if (!data) {
        model_close(&model);
        return (int)error->code;
    }
    if (!flags->quiet)
        tell_data(flags, &model, data, seen);
    const Pass pass = { &plan, tta_views(flags->tta, flags->tta_below, model.info.temperature), (int)flags->batch, flags->quiet };
    Measured measured = measured_new(path, &model, data, &pass);
    const int code = tell(flags, &measured, &model, &fit, &pass, &opening, error) ? EXIT_ok : (int)error->code;
    measured_clear(&measured);
    dataset_free(data);
    model_close(&model);
    return code != EXIT_ok || output_flush(error) ? code : EXIT_write;
}

int main(int argc, char **argv)
{
    EvaluateFlags flags;
    OptionLine line;
    Error error = { 0 };
    compute_threads_bound_wait(argv);
    options_start(&table, argc, argv, &flags, &line);
    if (line.argument_count == 0) {
        error_set(&error, EXIT_usage, "no checkpoint: command line: usage is %s %s", program_name(), table.usage);
        error_exit(&error);
    }
    char *path = flags.use_ema ? model_average_file(line.arguments[0]) : model_file(line.arguments[0], &error);
    const int code = path ? run(path, &flags, &line, &error) : (int)error.code;
    free(path);
    options_free(&line);
    if (code != EXIT_ok)
        error_print(&error);
    return code;
}
