/* command_explore.c - activations explore: the catalogue as a page for a browser. */

#include "commands.h"

#include <stdio.h>

#include "compute_threads.h"
#include "explorer.h"

typedef struct ExploreFlags {
    const char *output, *experiments;
    int64_t     threads;
} ExploreFlags;

#define FIELD(name) .field = offsetof(ExploreFlags, name)

static const Setting options[] = {
    { "output", NULL, 'o', SETTING_text, FIELD(output), "FILE", .group = "Options", .help = "the page: open it in a browser" },
    { "experiments", NULL, 0, SETTING_text, FIELD(experiments), "A,B,C", EXPLORER_all, .group = "Options", .help = "those to run for the page; none: quickly done" },
    { "threads", NULL, 0, SETTING_whole, FIELD(threads), "N", "1", .most = 1024, .group = "Options", .help = "how many to compute with; 0: as many as there are cores" },
};

static bool run(void *data, OptionLine *line, Error *error)
{
    const ExploreFlags *flags = data;
    (void)line;
    if (!flags->output)
        return error_set(error, EXIT_usage, "no file: explore: say -o FILE.html");
    compute_threads_settle(flags->threads);
    if (!explorer_save(flags->output, flags->experiments, error))
        return false;
    printf("%s\n", flags->output);
    return true;
}

const Command command_explore = {
    .options = {
        .command = "explore", .usage = "-o FILE",
        .about = "Write a page for a browser: curves and slopes of all activations, a box for formulas of your own, experiments, a quiz. It needs no network.",
        .examples = "-o explorer.html\n-o explorer.html --experiments vanishing,dead\n", .options = options, .count = sizeof options / sizeof *options,
    },
    .brief = "all of it as a page for a browser: curves, formulas, experiments, a quiz",
    .size = sizeof(ExploreFlags), .run = run,
};
