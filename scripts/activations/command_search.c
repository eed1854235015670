/* command_search.c - activations search: formulas that train better, if there are any. */

#include "commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "compute_threads.h"
#include "search.h"
#include "settings_forms.h"

typedef struct SearchFlags {
    const char *arch, *others, *data, *output, *csv;
    double      seconds;
    int64_t     seed, seeds, epochs, limit, generations, threads;
} SearchFlags;

static bool read_budget(const char *text, void *field, Error *error)
{
    return setting_duration_read("budget", text, field, error);
}

static const SettingForm form_budget = { read_budget, setting_duration_write };

#define FIELD(name) .field = offsetof(SearchFlags, name)

static const Setting options[] = {
    { "budget", NULL, 0, SETTING_text, FIELD(seconds), "TIME", "1h", .form = &form_budget, .group = "Options", .help = "for everything, such as 90s, 20m or 2h; two seeds of the finals are trained in any case" },
    { "arch", NULL, 0, SETTING_text, FIELD(arch), "NAME", "lenet", .group = "Options", .help = "the network that is searched on" },
    { "others", NULL, 0, SETTING_text, FIELD(others), "A,B", "mlp,baseline", .group = "Options", .help = "networks of the finals beside it" },
    { "data", "data-dir data-path", 0, SETTING_text, FIELD(data), "PATH|shapes", .shown = "shapes", .group = "Options", .help = "images to train with" },
    { "limit", NULL, 0, SETTING_whole, FIELD(limit), "N", "0", "all", .most = 1e9, .group = "Options", .help = "images of each split" },
    { "epochs", NULL, 0, SETTING_whole, FIELD(epochs), "N", "3", .least = 1, .most = 10000, .group = "Options", .help = "of each training" },
    { "seeds", NULL, 0, SETTING_whole, FIELD(seeds), "N", "5", .least = 2, .most = 100, .group = "Options", .help = "of the finals, as time allows" },
    { "generations", NULL, 0, SETTING_whole, FIELD(generations), "N", "0", "as time allows", .most = 10000, .group = "Options", .help = "at most" },
    { "seed", NULL, 0, SETTING_whole, FIELD(seed), "N", "0", .most = 1e15, .group = "Options", .help = "of all random numbers" },
    { "output", NULL, 'o', SETTING_text, FIELD(output), "FILE", .group = "Options", .help = "a picture of what was tried: .png, .svg or .pdf" },
    { "csv", NULL, 0, SETTING_text, FIELD(csv), "FILE", .group = "Options", .help = "the finals' numbers" },
    { "threads", NULL, 0, SETTING_whole, FIELD(threads), "N", "0", "cores", .most = 1024, .group = "Options", .help = "how many to compute with" },
};

static void tell(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

static bool run(void *data, OptionLine *line, Error *error)
{
    const SearchFlags *flags = data;
    (void)line;
    if (flags->output && !chart_check_path(flags->output, error))
        return false;
    compute_threads_settle(flags->threads);
    const SearchOptions o = {
        .score = { .arch = flags->arch, .data = flags->data, .limit = (int)flags->limit, .epochs = (int)flags->epochs }, .others = flags->others,
        .seconds = flags->seconds, .generations = (int)flags->generations, .seeds = (int)flags->seeds, .seed = (uint64_t)flags->seed, .note = tell,
    };
    SearchResult result;
    bool ok = search_run(&o, &result, error);
    if (ok) {
        table_print(result.finals, stdout);
        printf("%d formulas tried. %s\n", result.tried, result.found
               ? "One is better than silu and gelu on every network here, beyond noise: try it on your own data."
               : "None is better than silu and gelu on every network here, beyond noise.");
    }
    ok = ok && (!flags->output || chart_save(result.chart, flags->output, error)) && (!flags->csv || table_save(result.finals, flags->csv, error));
    table_free(result.finals);
    chart_free(result.chart);
    return ok;
}

const Command command_search = {
    .options = {
        .command = "search", .usage = "[OPTION...]",
        .about = "Search for activations: formulas change at random, are trained and halved; the best three meet silu and gelu.",
        .examples = "--budget 2h --arch lenet --data data/cifar-10-batches-bin\n--budget 5m --limit 2000 --epochs 2 -o search.png\n",
        .options = options, .count = sizeof options / sizeof *options,
    },
    .brief = "formulas that train better than silu and gelu, if there are any",
    .size = sizeof(SearchFlags), .run = run,
};
