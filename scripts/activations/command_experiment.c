/* command_experiment.c - activations experiment: one table, one picture. */

#include "commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "common_options.h"
#include "compute_threads.h"
#include "experiment.h"

typedef struct ExperimentFlags {
    const char *acts, *output, *csv, *arch, *data;
    int64_t     seed, depth, width, steps, threads, seeds, epochs, limit;
} ExperimentFlags;

#define FIELD(name) .field = offsetof(ExperimentFlags, name)

static const Setting options[] = {
    { "acts", "act", 0, SETTING_text, FIELD(acts), "A,B,C", .shown = "the experiment's own", .group = "Options", .help = "activations to look at" },
    { "output", NULL, 'o', SETTING_text, FIELD(output), "FILE", .group = "Options", .help = "the picture: its name ends in .png, .svg or .pdf" },
    { "csv", NULL, 0, SETTING_text, FIELD(csv), "FILE", .group = "Options", .help = "the table's numbers" },
    { "seed", NULL, 0, SETTING_whole, FIELD(seed), "N", "0", .least = 0, .most = 1e15, .group = "Options", .help = "of all random numbers: the same seed, the same table" },
    { "depth", NULL, 0, SETTING_whole, FIELD(depth), "N", "0", "the experiment's own", .least = 1, .most = 400, .group = "Options", .help = "hidden layers" },
    { "width", NULL, 0, SETTING_whole, FIELD(width), "N", "0", "the experiment's own", .least = 1, .most = 4096, .group = "Options", .help = "units of each" },
    { "steps", NULL, 0, SETTING_whole, FIELD(steps), "N", "0", "the experiment's own", .least = 1, .most = 1e6, .group = "Options", .help = "of training" },
    { "arch", "model", 0, SETTING_text, FIELD(arch), "NAME", .shown = "lenet", .group = "Of zoo", .help = "the network that is trained" },
    { "data", NULL, 0, SETTING_text, FIELD(data), "PATH", .shown = "shapes", .group = "Of zoo", .help = "images, as train takes them" },
    { "seeds", NULL, 0, SETTING_whole, FIELD(seeds), "N", "0", "5", .least = 2, .most = 1000, .group = "Of zoo", .help = "runs of each activation" },
    { "epochs", NULL, 0, SETTING_whole, FIELD(epochs), "N", "0", "5", .least = 1, .most = 1e6, .group = "Of zoo", .help = "of each run" },
    { "limit", NULL, 0, SETTING_whole, FIELD(limit), "N", "0", "all", .least = 0, .most = 1e9, .group = "Of zoo", .help = "use only so many images" },
    { "threads", NULL, 0, SETTING_whole, FIELD(threads), "N", "1", .most = 1024, .group = "Options", .help = "how many to compute with; 0: as many as there are cores" },
};

static bool show(const Experiment *experiment, const ExperimentFlags *flags, const ExperimentOptions *o, Error *error)
{
    ExperimentResult result = { 0 };
    bool ok = experiment_run(experiment, o, &result, error);
    if (ok)
        table_print(result.table, stdout);
    ok = ok && (!flags->output || chart_save(result.chart, flags->output, error)) && (!flags->csv || table_save(result.table, flags->csv, error));
    table_free(result.table);
    chart_free(result.chart);
    return ok;
}

static bool run(void *data, OptionLine *line, Error *error)
{
    const ExperimentFlags *flags = data;
    ExperimentOptions o = { .seed = (uint64_t)flags->seed, .depth = (int)flags->depth, .width = (int)flags->width, .steps = (int)flags->steps,
                            .arch = flags->arch, .data = flags->data, .seeds = (int)flags->seeds, .epochs = (int)flags->epochs,
                            .limit = (int)flags->limit, .note = note_print };
    if (!line->argument_count) {
        for (int i = 0; i < experiment_count(); i++)
            printf("%-16s %s\n", experiment_at(i)->name, experiment_at(i)->about);
        return true;
    }
    const Experiment *experiment = experiment_find(line->arguments[0], error);
    if (!experiment || (flags->output && !chart_check_path(flags->output, error)))
        return false;
    Activation *acts = flags->acts ? experiment_acts(flags->acts, &o.act_count, error) : NULL;
    if (flags->acts && !acts)
        return false;
    o.acts = acts;
    compute_threads_settle(flags->threads);
    const bool shown = show(experiment, flags, &o, error);
    free(acts);
    return shown;
}

const Command command_experiment = {
    .options = {
        .command = "experiment", .usage = "[NAME] [OPTION...]",
        .about = "Run an experiment: print its table, draw its picture. Without a name: list them.",
        .examples = "\nvanishing -o vanishing.png\nzoo --arch lenet --acts relu,gelu --seeds 5\n",
        .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1,
    },
    .brief = "vanishing gradients, dead units, xor, ...: a table and a picture each",
    .size = sizeof(ExperimentFlags), .run = run,
};
