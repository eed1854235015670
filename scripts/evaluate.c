/* evaluate.c - the loss and accuracy of a checkpoint on a data set. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint_data.h"
#include "clock.h"
#include "common_options.h"
#include "compute_threads.h"
#include "evaluation.h"
#include "model.h"
#include "options.h"
#include "plan_text.h"
#include "tta_options.h"

typedef struct EvaluateFlags {
    const char *data, *val_split, *split, *plan, *tta;
    int64_t     batch, limit, threads, seed;
    double      tta_below;
    bool        skip_bad, use_ema, json, quiet;
} EvaluateFlags;

#define FIELD(name) .field = offsetof(EvaluateFlags, name)

/* What is not `once` comes from the args.json beside the checkpoint, so that val is what training held out. */
static const Setting options[] = {
    { "data", "data-dir data-path", 0, SETTING_text, FIELD(data), "PATH|shapes", .shown = "the run's", .group = "Data",
      .help = "folder of CIFAR, MNIST-style files, or class folders" },
    { "split", NULL, 0, SETTING_text, FIELD(split), "NAME", "test", .choices = SPLIT_NAMES, .group = "Data", .help = "test, val or train", .keep = KEEP_call },
    { "val-split", NULL, 0, SETTING_text, FIELD(val_split), "F|NAME", .shown = "the run's", .group = "Data", .help = "share, or file, that training kept for validation" },
    { "seed", NULL, 0, SETTING_whole, FIELD(seed), "N", "42", "the run's", .most = 1e15, .group = "Data", .help = "which images that share is" },
    { "skip-bad", NULL, 0, SETTING_switch, FIELD(skip_bad), .group = "Data", .help = "skip damaged images, up to 1%" },
    { "limit", NULL, 0, SETTING_whole, FIELD(limit), "N", "0", "all", .most = 1e9, .group = "Data", .help = "use only N images", .keep = KEEP_call },
    { "batch-size", "batch", 'b', SETTING_whole, FIELD(batch), "N", "256", .least = 1, .most = 65536, .group = "Run", .help = "images at once", .keep = KEEP_call },
    { "threads", NULL, 0, SETTING_whole, FIELD(threads), "N", "0", "cores", .most = 1024, .group = "Run", .help = "how many to compute with", .keep = KEEP_call },
    { "plan", NULL, 0, SETTING_text, FIELD(plan), "NAME", "default", .group = "Run", .help = "how the computation is laid out: " PLAN_WORDS, .keep = KEEP_call },
    TTA_OPTIONS(EvaluateFlags),
    { "use-ema", "ema", 0, SETTING_switch, FIELD(use_ema), .group = "Run", .help = "the averaged weights that last.safetensors has of a run with --model-ema or --swa-start", .keep = KEEP_call },
    { "json", NULL, 0, SETTING_switch, FIELD(json), .group = "Run", .help = "print one JSON object", .keep = KEEP_call },
    { "quiet", NULL, 'q', SETTING_switch, FIELD(quiet), .group = "Run", .help = "print only the result", .keep = KEEP_call },
};

static const OptionTable table = {
    .usage = "[OPTION...] CHECKPOINT|RUN",
    .about = "Print a checkpoint's loss and accuracy. Network, classes and normalisation are the checkpoint's.",
    .examples = "runs/resnet18-relu-1          # the run's best.safetensors\n"
                "best.safetensors --data photos/ --split val --json\n",
    .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1,
    .tried = tried_on_a_checkpoint,
};

static Dataset *open_data(const EvaluateFlags *flags, OptionLine *line, const Model *model, Error *error)
{
    const DataOptions data = {
        .path = flags->data, .seed = (uint64_t)flags->seed, .limit = (uint32_t)flags->limit, .skip_bad = flags->skip_bad,
        .threads = (int)flags->threads, .val_if_none = !*options_given(&table, line, "val-split"),
    };
    return checkpoint_data_open(data, flags->val_split, flags->split, model, error);
}

static void print_result(const EvaluateFlags *flags, const char *path, const ModelInfo *info, Split split, const LossSum *sum,
                         double seconds)
{
    const double count = sum->count, loss = sum->loss / count, top1 = sum->top1 / count, top5 = sum->top5 / count;
    if (!flags->json) {
        print_printable(path);
        printf("  %s %s  %s: loss %.4f  top1 %.2f%%  top5 %.2f%%  of %u images  %.0f img/s\n", info->arch, info->act,
               split_name(split), loss, 100.0 * top1, 100.0 * top5, sum->count, count / seconds);
        return;
    }
    printf("{\"checkpoint\": ");
    print_json_string(path);
    printf(", \"arch\": ");
    print_json_string(info->arch);
    printf(", \"act\": ");
    print_json_string(info->act);
    printf(", \"split\": \"%s\", \"count\": %u, \"loss\": ", split_name(split), sum->count);
    if (isfinite(loss))
        printf("%.9g", loss);
    else
        printf("null");
    printf(", \"top1\": %.9g, \"top5\": %.9g, \"images_per_second\": %.1f}\n", top1, top5, count / seconds);
}

static int run(const char *path, EvaluateFlags *flags, OptionLine *line, Error *error)
{
    Plan plan;
    Model model;
    char text[1024];
    if (!plan_parse(flags->plan, &plan, error) || !checkpoint_data_options(&table, path, flags, line, error) ||
        !(flags->use_ema ? model_open_average : model_open)(path, &model, error))
        return (int)error->code;
    compute_threads_settle(flags->threads);
    Dataset *data = open_data(flags, line, &model, error);
    if (!data) {
        model_close(&model);
        return (int)error->code;
    }
    dataset_describe(data, text, sizeof text);
    if (!flags->quiet && *model.note)
        note_print(NULL, model.note);
    if (!flags->quiet)
        note_print(NULL, text);
    if (!flags->quiet && strcmp(split_name(data->split), flags->split))
        note_print(NULL, data->split == SPLIT_val ? "warning: the data has no test part: these are the images that training "
                                                    "held out, which chose best.safetensors"
                                                  : "the data has no val part, and nothing was held out: these are the test "
                                                    "images, which chose best.safetensors");

    LossSum sum;
    const int batch = (uint32_t)flags->batch < data->count ? (int)flags->batch : (int)data->count;
    Program *program = model_program(&model, &plan, batch, flags->quiet ? NULL : note_print, NULL);
    Views *views = views_new(model.network, program, tta_views(flags->tta, flags->tta_below));
    if (!flags->quiet && strcmp(flags->tta, view_set_name(VIEWS_none)) && !data->mirror_ok)
        note_print(NULL, "warning: --tta mirrors images, and mirrored digits or letters are others: compare with --tta none");
    Loader *loader = model_loader(&model, data, batch);
    const double begin = seconds_now();
    evaluate_views(views, loader, model.info.class_count, NULL, &sum, NULL);
    print_result(flags, path, &model.info, data->split, &sum, seconds_now() - begin);
    loader_free(loader);
    views_free(views);
    program_free(program);
    dataset_free(data);
    model_close(&model);
    if (!output_flush(error))
        return EXIT_write;
    return isfinite(sum.loss) ? EXIT_ok : model_diverged(path, error);
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
