/* runner.c - the runs of a sweep as processes of their own; see sweep.h. */

#define _GNU_SOURCE      /* wait4 */

#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "json_made.h"
#include "list.h"
#include "own_folder.h"
#include "run_folder.h"
#include "text.h"

enum { POLL_NANOSECONDS = 20000000, LOCK_SECONDS = 60 };

static void rest(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = POLL_NANOSECONDS }, NULL);
}

/* train, which lies beside this program; the caller frees it. */
static char *train_path(Error *error)
{
    char *folder = own_folder(error);
    if (!folder)
        return NULL;
    char *train = text_format("%s/train", folder);
    free(folder);
    if (access(train, X_OK) == 0)
        return train;
    error_set(error, EXIT_input, "cannot run: %s: %s: build or install all of convzoo", train, strerror(errno));
    free(train);
    return NULL;
}

static void add_setting(List *arguments, const Setting *setting, const char *text)
{
    const bool denied = (setting->type == SETTING_switch || setting->deniable) && !strcmp(text, "false");
    if (denied || setting->type == SETTING_switch)
        list_add(arguments, text_format("--%s%s", denied ? "no-" : "", setting->name));
    else
        list_add(arguments, text_format("--%s=%s", setting->name, text));
}

/* A run that has begun has its settings in its own folder. */
static List arguments_of(const Sweep *sweep, const SweepRun *run)
{
    List arguments = { 0 };
    char *begun = run_folder_file(run->folder, RUN_arguments);
    list_add(&arguments, text_copy("train"));
    if (access(begun, F_OK) == 0) {
        list_add(&arguments, text_format("--resume=%s", run->folder));
    } else {
        list_add(&arguments, text_format("--output=%s", run->folder));
        list_add(&arguments, text_format("--seed=%llu", (unsigned long long)run->seed));
        list_add(&arguments, text_format("--threads=%d", sweep->threads));
        for (int i = 0; i < settings_count(); i++)
            if (sweep->common[i])
                add_setting(&arguments, settings_at(i), sweep->common[i]);
        for (int i = 0; i < sweep->grid->count; i++)
            add_setting(&arguments, settings_at(sweep->grid->axes[i].setting), grid_value(sweep->grid, run->choice, i));
    }
    list_add(&arguments, text_copy("--progress=none"));
    list_add(&arguments, NULL);
    free(begun);
    return arguments;
}

/* In the child: nothing that allocates. A Ctrl-C of the terminal is the sweep's affair, which passes it on; when the sweep is killed, its runs are told to
 * stop, and save themselves. */
static _Noreturn void become_train(const char *train, char **arguments, int output, pid_t parent)
{
    const int input = open("/dev/null", O_RDONLY);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == parent && input >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0) {
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
        execv(train, arguments);
    }
    _exit(127);
}

/* Whether another process has the run's folder: a killed sweep's run may still be saving. `why` says which. */
static bool is_held(const SweepRun *run, Error *why)
{
    if (access(run->folder, F_OK) != 0)
        return false;
    const int lock = folder_lock(run->folder, why);
    folder_unlock(lock);
    return lock < 0;
}

static bool start(const Sweep *sweep, SweepRun *run, const char *train, Error *error)
{
    char *log = text_format("%s/logs/%s.log", sweep->folder, run->name);
    const int output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    bool ok = output >= 0 || error_set(error, EXIT_write, "cannot write: %s: %s: check the disk and its permissions", log, strerror(errno));
    free(log);
    if (!ok)
        return false;
    List arguments = arguments_of(sweep, run);
    const pid_t parent = getpid();
    run->begun = seconds_now();
    run->child = fork();
    if (run->child == 0)
        become_train(train, (char **)arguments.items, output, parent);
    ok = run->child > 0 || error_set(error, EXIT_memory, "cannot start train: %s: close other programs, or use fewer --jobs", strerror(errno));
    run->state = ok ? SWEEP_running : run->state;
    close(output);
    list_clear(&arguments, free);
    return ok;
}

static SweepRun *run_of(const Sweep *sweep, pid_t child)
{
    for (int i = 0; i < sweep->count; i++)
        if (sweep->runs[i].state == SWEEP_running && sweep->runs[i].child == child)
            return &sweep->runs[i];
    return NULL;
}

static bool note_end(Sweep *sweep, const SweepRun *run, double seconds, double memory, int code, Error *error)
{
    json_t *line = json_made(json_pack("{s:s, s:b, s:i, s:f, s:f}", "run", run->name, "done", run->state == SWEEP_done, "code", code, "seconds", seconds,
                                       "memory_bytes", memory));
    char *text = json_written(line, JSON_REAL_PRECISION(9));
    const bool ok = log_append(&sweep->log, text, error);
    free(text);
    json_decref(line);
    return ok;
}

/* What a run's end means; its exit code, or 128 and the signal that killed it. */
static bool end_run(Sweep *sweep, SweepRun *run, int status, const struct rusage *usage, bool stopping, int *code, Error *error)
{
    const double seconds = seconds_now() - run->begun, memory = 1024.0 * (double)usage->ru_maxrss;
    const int own = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    const bool stopped = own == 128 + SIGTERM || own == 128 + SIGINT || own == 128 + SIGHUP;
    run->state = own == EXIT_ok ? SWEEP_done : stopped && stopping ? SWEEP_waiting : SWEEP_failed;
    run->seconds += seconds;
    run->memory = memory > run->memory ? memory : run->memory;
    if (run->state == SWEEP_failed)
        fprintf(stderr, "%s: a run failed: %s: exit code %d: see %s/logs/%s.log\n", program_name(), run->name, own, sweep->folder, run->name);
    else if (run->state == SWEEP_done && !sweep->quiet)
        fprintf(stderr, "%d of %d  %s  %.1f s\n", sweep_count(sweep, SWEEP_done), sweep->count, run->name, run->seconds);
    if (run->state == SWEEP_failed && *code == EXIT_ok)
        *code = own;
    return note_end(sweep, run, seconds, memory, own, error);
}

/* Begins what can be; `why`: what keeps another from it. */
static bool start_next(Sweep *sweep, const char *train, Error *why, Error *error)
{
    for (int i = 0; i < sweep->count && sweep_count(sweep, SWEEP_running) < sweep->jobs; i++) {
        SweepRun *run = &sweep->runs[i];
        if (run->state == SWEEP_waiting && !is_held(run, why) && !start(sweep, run, train, error))
            return false;
    }
    return true;
}

/* Where nothing runs and all that waits is held, that is waited for, but not for ever. *since: how long already. */
static bool wait_for_held(const Sweep *sweep, double *since, const Error *why, Error *error)
{
    if (sweep_count(sweep, SWEEP_running) > 0 || sweep_count(sweep, SWEEP_waiting) == 0) {
        *since = 0;
        return true;
    }
    *since = *since > 0 ? *since : seconds_now();
    if (seconds_now() < *since + LOCK_SECONDS)
        return true;
    *error = *why;
    return false;
}

static void stop_all(const Sweep *sweep)
{
    for (int i = 0; i < sweep->count; i++)
        if (sweep->runs[i].state == SWEEP_running)
            kill(sweep->runs[i].child, SIGTERM);
}

int sweep_run(Sweep *sweep, const volatile sig_atomic_t *stop, Error *error)
{
    char *train = train_path(error);
    bool ok = train != NULL, stopping = false;
    int code = EXIT_ok;
    Error held = { 0 };
    double since = 0;
    for (;;) {
        ok = ok && (*stop || (start_next(sweep, train, &held, error) && wait_for_held(sweep, &since, &held, error)));
        if ((!ok || *stop) && !stopping) {      /* once: a second one would be the run's second signal */
            stop_all(sweep);
            stopping = true;
        }
        if (sweep_count(sweep, SWEEP_running) == 0 && (stopping || sweep_count(sweep, SWEEP_waiting) == 0))
            break;
        int status;
        struct rusage usage;
        const pid_t child = wait4(-1, &status, WNOHANG, &usage);
        SweepRun *run = child > 0 ? run_of(sweep, child) : NULL;
        if (run)
            ok = end_run(sweep, run, status, &usage, stopping, &code, ok ? error : NULL) && ok;
        else if (child <= 0)
            rest();
    }
    free(train);
    return !ok ? (int)error->code : *stop ? 128 + *stop : code;
}
