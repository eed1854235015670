/* train.c - trains a network: data, options, a run, and its result as one line. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common_options.h"
#include "compute_threads.h"
#include "progress.h"
#include "stop.h"
#include "text.h"
#include "train_options.h"

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
    for (int key = ACT_native + 1; key < ACT_COUNT; key++) {
        const ActivationInfo *info = activation_info((ActivationKey)key);
        printf("%-12s %s\n", info->key, info->formula);
    }
}

/* The layer table, for the data as it is. */
static bool print_summary(const TrainerOptions *options, Error *error)
{
    Dataset *data = dataset_open(&options->data, SPLIT_val, error);
    if (!data)
        return false;
    const ArchOptions arch = {
        .classes = data->classes, .act = options->act.key == ACT_native ? options->arch->act : options->act,
        .no_dropout = options->no_dropout, .squeeze_excite = options->squeeze_excite,
    };
    Network *network = architecture_network(options->arch, (Shape){ data->channels, data->height, data->width }, &arch, error);
    if (network)
        network_print(network, stdout);
    network_free(network);
    dataset_free(data);
    return network != NULL;
}

/* Where the run is and, to resume, what it began with. The caller frees *folder. */
static bool find_folder(TrainFlags *flags, OptionLine *line, char **folder, Error *error)
{
    *folder = NULL;
    if (!flags->resume) {
        *folder = flags->output ? text_copy(flags->output) : NULL;
        return true;
    }
    if (flags->output)
        return error_set(error, EXIT_usage, "two folders: --output: a resumed run stays in its own: leave --output out");
    *folder = strcmp(flags->resume, "auto") ? run_folder_of(flags->resume) : run_folder_newest("runs", error);
    if (!*folder)
        return false;
    const int64_t threads = flags->threads;
    bool *threads_given = options_given(&train_options, line, "threads"), wanted = *threads_given;
    char *arguments = run_folder_file(*folder, RUN_arguments);
    *threads_given = false;
    const bool loaded = options_load(&train_options, arguments, flags, line, error);
    free(arguments);
    if (loaded && wanted && threads != flags->threads) {
        fprintf(stderr, "%s: warning: %d threads, the run began with %d: last bits of the results may differ\n", program_name(),
                (int)threads, (int)flags->threads);
        flags->threads = threads;
    }
    return loaded;
}

static int train(const TrainerOptions *options, Error *error)
{
    Trainer *trainer = trainer_open(options, error);
    if (!trainer)
        return (int)error->code;
    const int code = trainer_run(trainer, error);
    if (code == EXIT_ok && trainer->state.best_top1 >= 0.0) {
        print_printable(trainer->folder->files[RUN_best]);
        printf("  val top1 %.2f%%  epoch %u\n", 100.0 * trainer->state.best_top1, trainer->state.best_epoch + 1);
    }
    trainer_close(trainer);
    return code;
}

/* Runs what the flags ask for; the exit code, and a line in `error` unless it is EXIT_ok. */
static int run(TrainFlags *flags, OptionLine *line, Error *error)
{
    TrainerOptions options;
    char *folder = NULL, *data = NULL, *arguments = NULL;
    bool ready = find_folder(flags, line, &folder, error);
    if (ready && !flags->data)
        flags->data = dataset_default_path();
    if (ready && strcmp(flags->data, "shapes") && (data = realpath(flags->data, NULL)) != NULL)
        flags->data = data;           /* args.json holds wherever it is read from */
    ready = ready && train_options_resolve(flags, &options, error);
    int code = ready ? EXIT_ok : (int)error->code;
    if (ready && flags->summary)
        code = print_summary(&options, error) ? EXIT_ok : (int)error->code;
    else if (ready) {
        flags->threads = compute_threads_settle(flags->threads);
        arguments = options_text(&train_options, flags, error);
        code = arguments ? EXIT_ok : (int)error->code;
    }
    if (arguments) {
        Progress progress = progress_new(flags->progress, flags->quiet, (uint64_t)flags->log_interval);
        options.arguments = arguments;
        options.folder = folder;
        options.resume = flags->resume != NULL;
        options.stop = stop_watch(progress.quiet);
        options.report = progress_report(&progress);
        code = train(&options, error);
        progress_clear(&progress);
    }
    free(arguments);
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
    TrainFlags flags;
    OptionLine line;
    Error error = { 0 };
    compute_threads_bound_wait(argv);
    options_start(&train_options, argc, argv, &flags, &line);
    if (line.argument_count > 0 && *options_given(&train_options, &line, "arch")) {
        error_set(&error, EXIT_usage, "two architectures: '%s' and '%s': name one", flags.arch, line.arguments[0]);
        error_exit(&error);
    }
    if (line.argument_count > 0) {
        flags.arch = line.arguments[0];
        *options_given(&train_options, &line, "arch") = true;
    }
    int code = EXIT_ok;
    if (flags.list_archs)
        list_architectures();
    else if (flags.list_acts)
        list_activations();
    else
        code = run(&flags, &line, &error);
    options_free(&line);
    if (code == EXIT_ok && !result_flush(&error))
        code = EXIT_write;
    if (code != EXIT_ok)
        error_print(&error);
    return code;
}
