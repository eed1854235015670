/* ranks_open.c - see ranks_open.h. */

#include "ranks_open.h"

#include "host.h"
#include "own_folder.h"
#include "rank_watch.h"
#include "ranks_module.h"
#include "text.h"

#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How a starter tells a process about itself. Slurm's srun speaks as one of these (--mpi=pmix, pmi2). */
typedef struct Starter {
    const char *module;            /* convzoo_ranks_<module>.so */
    const char *rank, *count;      /* variables of the environment; count NULL: it says none */
} Starter;

static const Starter starters[] = {
    { "openmpi", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE" },
    { "mpich",   "PMI_RANK",             "PMI_SIZE" },
    { "openmpi", "PMIX_RANK",            "SLURM_NTASKS" },
};

/* The user's word: a library's name, or "none" for a process that is alone whatever the starter says. */
static const char CHOICE[] = "CONVZOO_MPI";

static const Starter *starter_find(void)
{
    if (getenv(CHOICE) && !strcmp(getenv(CHOICE), "none"))
        return NULL;
    for (size_t i = 0; i < sizeof starters / sizeof *starters; i++)
        if (getenv(starters[i].rank))
            return &starters[i];
    return NULL;
}

int ranks_announced(void)
{
    const Starter *starter = starter_find();
    return starter ? atoi(getenv(starter->rank)) : 0;
}

static int announced_count(const Starter *starter)
{
    const char *count = getenv(starter->count);
    return count ? atoi(count) : 1;
}

/* ---- errors: printed once in a job ---- */

static volatile sig_atomic_t exit_code;      /* where this process ends from here */

static const RanksModule *module;
static RankTransport transport;      /* the module's, and the watch */
static RankWatch *watched;
static Ranks job;

static void say_nothing(const Error *error)
{
    (void)error;
}

/* An error that ends this process ends them all. */
static void fail(const Error *error)
{
    rank_watch_fail(watched, error->code, error->text);
}

/* The transport's. */
static void failed(const char *what)
{
    Error error;
    error_set(&error, EXIT_peer, "the exchange between ranks failed: %s: go on with --resume DIR", what);
    if (watched)
        fail(&error);
    error_hand_to(NULL);
    error_exit(&error);
}

/* ---- who watches ---- */

static void ranks_are_alive(void *state)
{
    (void)state;
    rank_watch_progress(watched);
}

static void ranks_turn(void *state, RankWork work)
{
    static const RankState states[] = { [RANK_computes] = RANK_works, [RANK_listens] = RANK_waits, [RANK_is_busy] = RANK_apart };
    (void)state;
    rank_watch_state(watched, states[work]);
}

static void ranks_step(void *state, uint64_t step)
{
    (void)state;
    rank_watch_step(watched, step);
}

static void ranks_are_advised(void *state, const char *what_to_do)
{
    (void)state;
    rank_watch_advise(watched, what_to_do);
}

/* Rank 0 says where it listens, the others come. */
static bool watch_open(double hang_seconds, Error *error)
{
    const double never = 1e9;
    const RankWatchOptions options = { .rank = job.rank, .count = job.count, .hang_seconds = hang_seconds, .silent_seconds = hang_seconds > 0 ? 0 : never };
    char address[RANK_ADDRESS] = "";
    RankWatch *watch = job.rank == 0 ? rank_watch_listen(&options, address, error) : NULL;
    transport.broadcast(job.state, address, sizeof address);
    if (job.rank > 0 && *address)
        watch = rank_watch_join(&options, address, error);
    else if (job.rank > 0)
        error_set(error, EXIT_peer, "rank 0 cannot be reached: it says why");
    if (!watch || !rank_watch_start(watch, error)) {
        rank_watch_leave(watch);
        return false;
    }
    watched = watch;
    rank_watch_state(watched, RANK_apart);
    rank_watch_advise(watched, "start it again");
    return true;
}

/* The library beside the programs. */
static const RanksModule *module_load(const char *name, Error *error)
{
    char *folder = own_folder(error);
    if (!folder)
        return NULL;
    char *path = text_format("%s/convzoo_ranks_%s.so", folder, name);
    /* MPI loads more libraries, which look for its names everywhere. */
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    const RanksModule *(*entry)(void) = NULL;
    if (library)
        *(void **)&entry = dlsym(library, RANKS_MODULE_ENTRY);
    if (!entry)
        error_set(error, EXIT_input, "several processes, but no library for their MPI (%s): %s: install %s and build again, or use the mpirun of another MPI",
                  name, dlerror(), !strcmp(name, "mpich") ? "libmpich-dev" : "libopenmpi-dev");
    free(path);
    free(folder);
    return entry ? entry() : NULL;
}

/* What MPICH's starter is told where this process ends without the others: it waits for these, and these wait for it. */
static struct {
    int  file;      /* -1: the starter is another one */
    char line[48];
} last_word = { .file = -1 };

static void last_word_prepare(int code)
{
    if (getenv("PMI_FD"))
        last_word.file = atoi(getenv("PMI_FD"));
    snprintf(last_word.line, sizeof last_word.line, "cmd=abort exitcode=%d\n", code);
}

/* Told to end, the starter forgets what it has not yet read of what was printed. A signal's handler may call this. */
static void last_word_say(void)
{
    enum { TO_BE_READ = 500 };      /* milliseconds */
    if (last_word.file < 0)
        return;
    poll(NULL, 0, TO_BE_READ);
    (void)!write(last_word.file, last_word.line, strlen(last_word.line));
}

/* Valid until the next call. */
static const char *own_host(void)
{
    static char host[64];
    host_name(host, sizeof host);
    return host;
}

/* The library may be missing on the machine of one rank alone. Where rank 0 lacks it too, that says so, and its starter ends all of them before
 * another one speaks. */
static void tell_apart(Error *error)
{
    enum { PATIENCE = 2 };      /* seconds */
    const Error missing = *error;
    last_word_prepare(missing.code);
    atexit(last_word_say);
    if (ranks_announced() == 0)
        return;
    sleep(PATIENCE);
    error_set(error, missing.code, "rank %d on %s: %s", ranks_announced(), own_host(), missing.text);
    error_hand_to(NULL);
}

/* ---- ranks that never come ---- */

static char late[256];

static void is_late(int signal_number)
{
    (void)signal_number;
    const bool said = write(STDERR_FILENO, late, strlen(late)) >= 0;
    last_word_say();
    _exit(said ? EXIT_peer : EXIT_write);
}

/* Nobody watches a rank before all have met: one that is stopped until then would keep the others waiting for ever. One speaks a second before the next. */
static void meet_within(double seconds)
{
    snprintf(late, sizeof late, "%s: rank %d on %s: the other ranks have not all come within %.0f s: one of their machines may hang, or a firewall may be between: "
             "start it again\n", program_name(), ranks_announced(), own_host(), seconds);
    last_word_prepare(EXIT_peer);
    signal(SIGALRM, is_late);
    alarm((unsigned)ceil(seconds) + (unsigned)ranks_announced());
}

static void all_have_met(void)
{
    alarm(0);
    signal(SIGALRM, SIG_DFL);
}

/* What every rank does, also one that has nothing to go on with. */
static bool join(Ranks **ranks, double hang_seconds, Error *error)
{
    const Starter *starter = starter_find();
    char text[256] = "";
    *ranks = NULL;
    error_hand_to(ranks_announced() > 0 ? say_nothing : NULL);
    if (!starter || announced_count(starter) == 1)
        return true;
    module = module_load(getenv(CHOICE) ? getenv(CHOICE) : starter->module, error);
    if (!module) {
        tell_apart(error);
        return false;
    }
    if (hang_seconds > 0)
        meet_within(hang_seconds);
    if (!module->open(&job, failed, text, sizeof text)) {
        error_hand_to(NULL);
        return error_set(error, EXIT_peer, "cannot join the other ranks: %s: %s: see docs/ranks.md", starter->module, text);
    }
    if (job.count == 1) {
        all_have_met();
        return true;
    }
    transport = *job.transport;
    transport.alive = ranks_are_alive;
    transport.turns_to = ranks_turn;
    transport.at_step = ranks_step;
    transport.advise = ranks_are_advised;
    job.transport = &transport;
    job.work = RANK_is_busy;
    if (!watch_open(hang_seconds, error))
        return false;
    all_have_met();
    error_hand_to(fail);
    *ranks = &job;
    return true;
}

bool ranks_open(Ranks **ranks, double hang_seconds, Error *error)
{
    return join(ranks, hang_seconds, error) && ranks_agree(*ranks, true, error);
}

static void end_at_once(int signal_number)
{
    (void)signal_number;
    _exit(exit_code);
}

/* Everything is done and written by now. MPICH over UCX sometimes never comes back from the end of MPI. */
static void module_close(int code)
{
    enum { PATIENCE = 10 };      /* seconds */
    exit_code = code;
    fflush(NULL);
    signal(SIGALRM, end_at_once);
    alarm(PATIENCE);
    module->close();
    alarm(0);
    module = NULL;
}

bool ranks_print_nothing(Error *error)
{
    return freopen("/dev/null", "w", stdout) || error_set(error, EXIT_input, "cannot open: /dev/null: %s: a rank prints there", strerror(errno));
}

void ranks_leave(Ranks *ranks)
{
    if (!ranks)
        return;
    ranks_decide(ranks, true);      /* all have come here */
    rank_watch_leave(watched);
    watched = NULL;
    error_hand_to(ranks_first(ranks) ? NULL : say_nothing);
}

void ranks_close(int code)
{
    if (module)
        module_close(code);
}

/* ---- before the ranks are open ---- */

/* A rank that cannot begin: the others wait for it, and may have no idea why it does not come. */
static void cannot_begin(const Error *error)
{
    Error all = *error, other;
    Ranks *ranks;
    if (join(&ranks, 0.0, &other) && ranks_count(ranks) > 1) {
        ranks_agree(ranks, false, &all);
        ranks_leave(ranks);
    }
    error_print(error);      /* of rank 0; its own comes first */
    ranks_close(error->code);
}

void ranks_expect(void)
{
    const Starter *starter = starter_find();
    if (starter && announced_count(starter) > 1)
        error_hand_to(cannot_begin);
}

void ranks_alone(void)
{
    error_hand_to(NULL);
}
