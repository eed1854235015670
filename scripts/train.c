/* train.c - trains a network: data, options, a run, and its result as one line. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common_options.h"
#include "compute_threads.h"
#include "layers.h"
#include "plots.h"
#include "progress.h"
#include "rank_placement.h"
#include "ranks_open.h"
#include "stop.h"
#include "text.h"
#include "time_plan.h"
#include "train_options.h"
#include "trials.h"

static void list_architectures(void)
{
    for (int i = 0; i < architecture_count(); i++) {
        const Architecture *arch = architecture_at(i);
        printf("%-20s %s%s%s%s\n", arch->key, arch->about, *arch->aliases ? " (also: " : "", arch->aliases,
               *arch->aliases ? ")" : "");
    }
}

static void list_activations(void)
{
    for (int i = 0; i < activation_count(); i++)
        printf("%-12s %s\n", activation_at(i)->key, activation_at(i)->formula);
}

static void list_steps(void)
{
    for (int i = 0; i < step_count(); i++) {
        char form[256];
        printf("%-58s %s\n", step_form(step_at(i), form, sizeof form), step_at(i)->about);
    }
}

/* The layer table, for the data as it is. */
static bool print_summary(const TrainerOptions *options, Error *error)
{
    DataOptions sizes = options->data;
    sizes.undecoded = true;
    Dataset *data = dataset_open(&sizes, SPLIT_val, error);
    if (!data)
        return false;
    ArchOptions arch = trainer_network_options(options, data->height);
    arch.classes = data->classes;
    Network *network = architecture_network(options->arch, (Shape){ data->channels, data->height, data->width }, &arch, error);
    if (network)
        layers_print(network, NULL, stdout);
    network_free(network);
    dataset_free(data);
    return network != NULL;
}

/* Threads may be other ones in a run that goes on. */
static void tell_threads(OptionLine *line)
{
    const char *given = *options_given(&train_options, line, "threads");
    const char *before = line->loaded[options_given(&train_options, line, "threads") - line->given];
    if (ranks_announced() == 0 && given && before && atoi(given) != atoi(before))
        fprintf(stderr, "%s: warning: %d threads, the run began with %d: last bits of the results may differ\n", program_name(),
                atoi(given), atoi(before));
}

/* What the run began with, as a value given again may be; another one would change nothing. */
static bool same_start(OptionLine *line, Error *error)
{
    char **given = options_given(&train_options, line, "initial-checkpoint");
    const char *before = line->loaded[given - line->given];
    return !*given || (before && !strcmp(*given, before)) ||
           error_set(error, EXIT_usage, "two beginnings: --initial-checkpoint: a resumed run goes on with its own weights: leave it out, or start a new run");
}

/* To resume: where the run is, and what it began with. The caller frees *folder. */
static bool find_run(TrainFlags *flags, OptionLine *line, char **folder, Error *error)
{
    if (*options_given(&train_options, line, "output"))
        return error_set(error, EXIT_usage, "two folders: --output: a resumed run stays in its own: leave --output out");
    *folder = strcmp(flags->resume, "auto") ? run_folder_of(flags->resume) : run_folder_newest("runs", error);
    if (!*folder)
        return false;
    char *arguments = run_folder_file(*folder, RUN_arguments);
    const bool loaded = options_load(&train_options, arguments, flags, line, error);
    free(arguments);
    if (!loaded || !same_start(line, error))
        return false;
    tell_threads(line);
    return true;
}

/* Everything the run is to be; what the options' texts point to stays with the line, the config, *folder and *data. */
static bool resolve(TrainFlags *flags, OptionLine *line, SettingTexts *config, char **folder, char **data, Error *error)
{
    if ((flags->resume && !find_run(flags, line, folder, error)) ||
        (flags->config && !train_options_config(flags->config, config, error)) || !train_options_resolve(flags, line, config, error))
        return false;
    TrainerOptions *o = &flags->trainer;
    if (flags->find_lr + flags->overfit_batch + flags->dry_run + (flags->resume != NULL) > 1)
        return error_set(error, EXIT_usage, "one at a time: --find-lr, --overfit-batch, --dry-run and --resume: use one of them");
    if (!o->data.path)
        o->data.path = dataset_default_path();
    if (strcmp(o->data.path, "shapes") && (*data = realpath(o->data.path, NULL)) != NULL)
        o->data.path = *data;           /* args.json holds wherever it is read from */
    o->resume = flags->resume != NULL;
    if (o->resume)
        o->folder = *folder;
    return true;
}

/* A picture of training images as they are augmented, in the folder where the program was started. */
static int preview(TrainerOptions *options, int count, Error *error)
{
    static const char path[] = "preview.png";
    options->data.threads = compute_threads_settle(options->data.threads);
    if (!trainer_preview(options, path, count, error))
        return (int)error->code;
    printf("%s\n", path);
    return EXIT_ok;
}

/* plots NULL: none. */
static int train(const TrainerOptions *options, Plots *plots, Error *error)
{
    Trainer *trainer = trainer_open(options, error);
    if (!trainer)
        return (int)error->code;
    if (plots)
        plots->trainer = trainer;
    const int code = trainer_run(trainer, error);
    if (plots && trainer->state.epoch > 0)
        plots_draw(plots);
    if (code == EXIT_ok && trainer->folder && trainer->state.best_top1 >= 0.0) {
        print_printable(trainer->folder->files[RUN_best]);
        printf("  val top1 %.2f%%  epoch %u\n", 100.0 * trainer->state.best_top1, trainer->state.best_epoch + 1);
    }
    trainer_close(trainer);
    return code;
}

/* ---- trials ---- */

/* plot: as find-lr.png too, in the folder where the program was started. */
static int print_rates(Trainer *trainer, bool plot, Error *error)
{
    static const char path[] = "find-lr.png";
    RatePoint points[RATE_POINTS];
    float suggested;
    const int count = trials_rates(trainer, points, &suggested);
    printf("%10s %10s %10s\n", "lr", "loss", "smoothed");
    for (int i = 0; i < count; i++)
        printf("%10.3g %10.4f %10.4f\n", (double)points[i].lr, points[i].loss, points[i].smooth);
    if (trainer_stop(trainer))
        return 128 + trainer_stop(trainer);
    if (suggested > 0.0f)
        printf("suggested: --lr %.2g, where the loss falls fastest\n", (double)suggested);
    else
        printf("no rate made the loss fall in these %d steps: look at the labels, or at --overfit-batch\n", count);
    if (plot && !plots_save_rates(points, count, suggested, path, error))
        return (int)error->code;
    if (plot)
        printf("%s\n", path);
    return EXIT_ok;
}

static int print_overfit(Trainer *trainer, Error *error)
{
    enum { MOST = 200 };
    Overfit result;
    const int code = trials_overfit(trainer, MOST, &result, error);
    if (code != EXIT_ok)
        return code;
    printf("one batch of %d images, %d steps at lr %g: loss %.4f -> %.4f, %.1f%% right: ", trainer->options.batch, result.steps,
           (double)trainer->options.lr, result.first_loss, result.loss, 100.0 * result.top1);
    puts(result.falls ? "the loss falls: network, labels and loss work together"
                      : "the loss does not fall: try another --lr (--find-lr), and --no-aug --no-dropout");
    return code;
}

static int print_dry_run(Trainer *trainer, Error *error)
{
    DryRun result;
    char run[64] = "";
    if (trainer->options.max_seconds > 0.0)
        time_plan_make(trainer);      /* which tells it */
    const int code = trials_dry(trainer, &result, error);
    if (code != EXIT_ok)
        return code;
    const double val_seconds = result.val_seconds * loader_batches(trainer->val_loader);
    const double epoch_seconds = result.step_seconds * trainer->batches + val_seconds;
    const double run_seconds = result.step_seconds * stages_steps_left(trainer) + val_seconds * trainer->options.epochs;
    if (!trainer->state.planned_steps)
        snprintf(run, sizeof run, ", the run about %.3g minutes", run_seconds / 60.0);
    printf("loss %.4f in training, %.4f in validation; a step takes %.3g ms, an epoch about %.3g s%s; nothing was written\n",
           result.loss, result.val_loss, 1e3 * result.step_seconds, epoch_seconds, run);
    return code;
}

static int try_out(const TrainFlags *flags, Error *error)
{
    TrainerOptions options = flags->trainer;
    options.trial = true;
    Trainer *trainer = trainer_open(&options, error);
    if (!trainer)
        return (int)error->code;
    int code = EXIT_ok;
    if (flags->find_lr)
        code = print_rates(trainer, flags->plots, error);
    else
        code = flags->overfit_batch ? print_overfit(trainer, error) : print_dry_run(trainer, error);
    if (code > 128)
        error_set(error, (ExitCode)code, "stopped before the answer: %s: nothing was written: start it again",
                  flags->find_lr ? "--find-lr" : flags->overfit_batch ? "--overfit-batch" : "--dry-run");
    trainer_close(trainer);
    return code;
}

/* ---- a run ---- */

/* What rank 0 does with the flags, or one process alone; of other ranks nothing is seen. */
static int train_with_progress(TrainFlags *flags, Error *error)
{
    TrainerOptions *o = &flags->trainer;
    const bool first = ranks_first(o->ranks);
    if (flags->batch_per_rank)
        o->batch = flags->batch_per_rank * ranks_count(o->ranks);
    o->data.threads = o->ranks ? rank_placement_settle(o->ranks, o->data.threads, flags->quiet) : compute_threads_settle(o->data.threads);
    flags->quiet = flags->quiet || !first;
    flags->plots = flags->plots && first;
    char *arguments = first || ranks_print_nothing(error) ? options_text(&train_options, flags, error) : NULL;
    if (!ranks_agree(o->ranks, arguments != NULL, error)) {
        free(arguments);
        return (int)error->code;
    }
    Progress progress = progress_new(flags->progress, flags->quiet, (uint64_t)flags->log_interval);
    o->arguments = arguments;
    const bool trial = flags->find_lr || flags->overfit_batch || flags->dry_run;
    o->stop = stop_watch(progress.quiet, !trial);
    o->report = first ? progress_report(&progress) : (TrainerReport){ 0 };
    Plots plots;
    if (flags->plots)
        o->report = plots_report(&plots, o->report);
    const int code = trial ? try_out(flags, error) : train(o, flags->plots ? &plots : NULL, error);
    stop_end();
    progress_clear(&progress);
    free(arguments);
    return code;
}

/* Runs what the flags ask for; the exit code, and a line in `error` unless it is EXIT_ok. */
static int run(TrainFlags *flags, OptionLine *line, Error *error)
{
    SettingTexts config = { 0 };
    char *folder = NULL, *data = NULL;
    int code = EXIT_ok;
    if (flags->preview > 0 || flags->summary) {
        if (ranks_announced() > 0)
            return EXIT_ok;
        ranks_alone();
    }
    if (!resolve(flags, line, &config, &folder, &data, error))
        code = (int)error->code;
    else if (flags->preview > 0)
        code = preview(&flags->trainer, (int)flags->preview, error);
    else if (flags->summary)
        code = print_summary(&flags->trainer, error) ? EXIT_ok : (int)error->code;
    else if (!ranks_open(&flags->trainer.ranks, flags->rank_timeout, error))
        code = (int)error->code;
    else
        code = train_with_progress(flags, error);
    ranks_leave(flags->trainer.ranks);
    settings_texts_clear(&config);
    free(data);
    free(folder);
    return code;
}

/* A reader that has left (train | head -1) takes nothing from a run: it is saved, and its log has every epoch. */
static bool result_flush(Error *error)
{
    return (fflush(stdout) != 0 && errno == EPIPE) || output_flush(error);
}

int main(int argc, char **argv)
{
    TrainFlags flags = { 0 };
    OptionLine line;
    Error error = { 0 };
    compute_threads_bound_wait(argv);
    ranks_expect();
    options_start(&train_options, argc, argv, &flags, &line);
    if (line.argument_count > 0 && *options_given(&train_options, &line, "arch")) {
        error_set(&error, EXIT_usage, "two architectures: '%s' and '%s': name one", *options_given(&train_options, &line, "arch"),
                  line.arguments[0]);
        error_exit(&error);
    }
    if (line.argument_count > 0)
        *options_given(&train_options, &line, "arch") = text_copy(line.arguments[0]);
    int code = EXIT_ok;
    if (flags.list_archs)
        list_architectures();
    else if (flags.list_acts)
        list_activations();
    else if (flags.list_augs)
        list_steps();
    else
        code = run(&flags, &line, &error);
    options_free(&line);
    if (code == EXIT_ok && !result_flush(&error))
        code = EXIT_write;
    if (code != EXIT_ok)
        error_print(&error);
    ranks_close(code);
    return code;
}
