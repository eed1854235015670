/* sweep.c - trains a network in several ways, each with several seeds, and says which is best: scripts/sweep/. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common_options.h"
#include "names.h"
#include "stop.h"
#include "sweep.h"
#include "text.h"
#include "train_options.h"

typedef struct SweepFlags {
    TrainerOptions trainer;      /* first: the settings' rows count from here */
    Grid        grid;
    const char *archs, *folder;
    int64_t     seeds, jobs;
    bool        dry_run, json, quiet;
} SweepFlags;

#define FIELD(name) .field = offsetof(SweepFlags, name)

/* Each --set adds an axis. */
static bool read_set(const char *text, void *field, Error *error)
{
    return grid_add(field, text, error);
}

static const char *write_set(const void *field, char *text, size_t size)
{
    (void)field;
    snprintf(text, size, "%s", "");
    return text;
}

static const SettingForm form_set = { read_set, write_set };

static const Setting options[] = {
    { "arch", "model", 'a', SETTING_text, FIELD(archs), "NAME,NAME", "baseline", .group = "Sweep", .help = "architectures" },
    { "set", NULL, 0, SETTING_text, FIELD(grid), "NAME=V,V", .form = &form_set, .group = "Sweep",
      .help = "vary an option of train, such as act=relu,silu; may be given several times; values with commas in them: part them by semicolons" },
    { "seeds", NULL, 0, SETTING_whole, FIELD(seeds), "N", "3", .least = 1, .most = 1000, .group = "Sweep", .help = "runs of each choice: --seed, and those after it" },
    { "jobs", NULL, 0, SETTING_whole, FIELD(jobs), "N", "1", .least = 1, .most = 1024, .group = "Sweep", .help = "runs at a time; they share the cores" },
    { "output", "output-dir save-dir", 0, SETTING_text, FIELD(folder), "DIR", .shown = "sweep", .fallback = "sweep", .group = "Sweep", .help = "folder of the runs; with one that there is, the sweep goes on" },
    { "dry-run", NULL, 0, SETTING_switch, FIELD(dry_run), .group = "Sweep", .help = "list the runs, and what of them is done; nothing is written" },
    { "json", NULL, 0, SETTING_switch, FIELD(json), .group = "Sweep", .help = "print one JSON object" },
    { "quiet", NULL, 'q', SETTING_switch, FIELD(quiet), .group = "Sweep", .help = "print only warnings, errors and the result" },
};

/* The settings that all runs have; what a sweep has in its own way is left out. */
static bool is_wanted(const Setting *setting)
{
    return !names_match("arch output max-steps", setting->name, strlen(setting->name));
}

static const OptionTable table = {
    .usage = "[OPTION...]",
    .about = "Train in several ways, each with several seeds, and compare them; all other options are train's. Stopped in whatever way, the same command goes on.",
    .examples = "--arch lenet --set act=relu,silu,gelu --set lr=0.01,0.1 --seeds 3 --jobs 2 --output acts\n"
                "--arch resnet18,convnext --epochs 4 --seeds 5 --output archs --dry-run\n"
                "--set 'opt-betas=0.9,0.999;0.95,0.99' --opt adamw\n",
    .shared = settings_at, .shared_count = settings_count, .wanted = is_wanted,
    .options = options, .count = sizeof options / sizeof *options,
    .tried = tried_in_training,
};

/* By row of the settings; what the line holds stays the line's. */
static bool common_settings(const SweepFlags *flags, const OptionLine *line, char *common[SETTINGS_MOST], Error *error)
{
    options_shared(&table, line, common);
    common[settings_index("seed")] = NULL;      /* each run has its own */
    for (int i = 0; i < settings_count(); i++)
        if (common[i] && !grid_text_check(settings_at(i), common[i], error))
            return false;
    for (int i = 0; i < flags->grid.count; i++) {
        const int setting = flags->grid.axes[i].setting;
        if (common[setting])
            return error_set(error, EXIT_usage, "given twice: --%s: leave it out, or out of --set", settings_at(setting)->name);
    }
    return true;
}

/* Architectures are the first axis. */
static bool whole_grid(const SweepFlags *flags, Grid *grid, Error *error)
{
    char *archs = text_format("arch=%s", flags->archs);
    bool ok = grid_add(grid, archs, error);
    for (int i = 0; ok && i < flags->grid.count; i++) {
        const Axis *axis = &flags->grid.axes[i];
        ok = axis->setting != settings_index("arch") || error_set(error, EXIT_usage, "not to be varied so: --set arch: use --arch a,b");
        if (ok && grid->count == GRID_AXES)
            ok = error_set(error, EXIT_usage, "more than %d settings are varied: --set: vary fewer", GRID_AXES - 1);
        if (ok)
            grid->axes[grid->count++] = *axis;
    }
    free(archs);
    return ok && (grid_choices(grid) <= GRID_CHOICES || error_set(error, EXIT_usage, "more than %d choices: --set: vary less at once", GRID_CHOICES));
}

static bool list_runs(const Sweep *sweep, Error *error)
{
    for (int i = 0; i < sweep->count; i++) {
        print_printable(sweep->runs[i].folder);
        printf("%s\n", sweep->runs[i].state == SWEEP_done ? "  done" : access(sweep->runs[i].folder, F_OK) == 0 ? "  begun" : "");
    }
    printf("%d runs, %d of them done; %d at a time, on %d thread%s each\n", sweep->count, sweep_count(sweep, SWEEP_done), sweep->jobs, sweep->threads,
           sweep->threads == 1 ? "" : "s");
    return output_flush(error);
}

static int run_and_tell(Sweep *sweep, bool json, Error *error)
{
    if (!sweep_claim(sweep, error))
        return (int)error->code;
    const volatile sig_atomic_t *stop = stop_watch(sweep->quiet, true);
    const int code = sweep_run(sweep, stop, error);
    stop_end();
    Error unsaved = { 0 };
    if (!results_print(sweep, json, &unsaved) && code == EXIT_ok) {
        *error = unsaved;
        return (int)error->code;
    }
    if (code != EXIT_ok && !error->text[0])
        error_set(error, EXIT_input, "%d of %d runs are done: %s: the same command goes on", sweep_count(sweep, SWEEP_done), sweep->count, sweep->folder);
    return code;
}

static int run(const SweepFlags *flags, const OptionLine *line, Error *error)
{
    Grid grid = { 0 };
    char *common[SETTINGS_MOST] = { NULL };
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    Sweep sweep = {
        .grid = &grid, .common = common, .folder = flags->folder, .seeds = (int)flags->seeds, .jobs = (int)flags->jobs, .quiet = flags->quiet,
        .threads = flags->trainer.data.threads > 0 ? flags->trainer.data.threads : cores / flags->jobs > 1 ? (int)(cores / flags->jobs) : 1,
        .lock = -1, .log = { .descriptor = -1 },
    };
    int code = EXIT_ok;
    if (!whole_grid(flags, &grid, error) || !common_settings(flags, line, common, error) || !sweep_open(&sweep, flags->trainer.seed, error))
        code = (int)error->code;
    else if (flags->dry_run)
        code = list_runs(&sweep, error) ? EXIT_ok : (int)error->code;
    else
        code = run_and_tell(&sweep, flags->json, error);
    sweep_close(&sweep);
    for (int i = 0; grid.count && i < grid.axes[0].count; i++)      /* the other axes are the flags' */
        free(grid.axes[0].values[i]);
    return code;
}

int main(int argc, char **argv)
{
    SweepFlags flags = { 0 };
    OptionLine line;
    Error error = { 0 };
    options_start(&table, argc, argv, &flags, &line);
    const int code = run(&flags, &line, &error);
    grid_clear(&flags.grid);
    options_free(&line);
    if (code != EXIT_ok)
        error_print(&error);
    return code;
}
