/* test_rank_watch.c - the ranks of a job end together, in time, with one line, whatever becomes of one of them.
 *
 * Each rank is a process. Rank 0 gives its address to this one, which starts the others, and does to one what the case says. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "errors.h"
#include "rank_watch.h"

enum { RANKS = 4, UNREACHED = 99 };

static const double BOUND = 5.0, SILENT = 1.5, HANG = 1.0;

#define LOST "was lost (its connection closed) at step 812: resume with --resume runs/x"
#define SILENCE "was lost (no sign of life for 1.5 s: stopped, or its network is down) at step 812: resume with --resume runs/x"

/* What a rank does once all have started, a letter each:
 *   r  goes on           w  waits for the others      h  works, and does not get on
 *   f  fails             F  the same after 0.4 s      p  fails for a peer's sake      x  ends without a word
 *   A  does something long of its own, and leaves     W  waits as long, and leaves           0-9  leaves after so many tenths */
typedef struct WatchCase {
    const char *name, *acts;
    int         victim, signal;      /* signal 0: none */
    double      after;               /* seconds from the start to the signal */
    int         codes[RANKS];        /* minus a signal's number if that is what ends it */
    int         rank;                /* that the line names */
    const char *reason;              /* what it says then; NULL: there is no line */
    bool        suspended;           /* before, all are stopped for longer than silence is allowed, and go on */
    bool        deaf;                /* nobody reads stderr, which is full */
} WatchCase;

/* What the processes of a job share. */
typedef struct Shared {
    char        address[RANK_ADDRESS];
    atomic_int  listening, started, go, endings;
} Shared;

static Shared *shared;
static char    host[RANK_HOST];

static void seconds_pass(double seconds)
{
    usleep((unsigned)(1e6 * seconds));
}

static void note_ending(void *context)
{
    (void)context;
    atomic_fetch_add(&shared->endings, 1);
}

static RankWatchOptions options_of(int rank, int count)
{
    return (RankWatchOptions){ .rank = rank, .count = count, .beat_seconds = 0.1, .silent_seconds = SILENT, .hang_seconds = HANG,
                               .ending = note_ending };
}

static _Noreturn void leave(RankWatch *watch)
{
    rank_watch_leave(watch);
    _exit(EXIT_ok);
}

static _Noreturn void act(RankWatch *watch, char what)
{
    if (what == 'f' || what == 'F') {
        for (int i = 0; what == 'F' && i < 40; i++, seconds_pass(0.01))
            rank_watch_progress(watch);
        rank_watch_fail(watch, EXIT_input, "data/x.png: damaged: remove it");
    }
    if (what == 'p')
        rank_watch_fail(watch, EXIT_peer, "exchange: it failed: see the other ranks");
    if (what == 'x')
        _exit(EXIT_ok);
    if (strchr("wWA", what))
        rank_watch_state(watch, what == 'A' ? RANK_apart : RANK_waits);
    if (what == 'W' || what == 'A') {
        seconds_pass(2.0 * HANG);
        leave(watch);
    }
    for (int i = 0; what != 'h' && what != 'w'; i++) {
        if (what >= '0' && what <= '9' && i >= 10 * (what - '0'))
            leave(watch);
        rank_watch_progress(watch);
        seconds_pass(0.01);
    }
    for (;;)
        pause();
}

static _Noreturn void rank_run(const char *acts, int rank, int output)
{
    Error error;
    const RankWatchOptions options = options_of(rank, (int)strlen(acts));
    dup2(output, STDERR_FILENO);
    RankWatch *watch = rank == 0 ? rank_watch_listen(&options, shared->address, &error)
                                 : rank_watch_join(&options, shared->address, &error);
    atomic_store(&shared->listening, 1);
    if (!watch || !rank_watch_start(watch, &error)) {
        error_print(&error);
        _exit(UNREACHED);
    }
    rank_watch_advise(watch, "resume with --resume runs/x");
    rank_watch_step(watch, 812);
    atomic_fetch_add(&shared->started, 1);
    for (; !atomic_load(&shared->go); seconds_pass(0.005))
        rank_watch_progress(watch);
    act(watch, acts[rank]);
}

static void wait_for(const atomic_int *value, int wanted, const char *name)
{
    for (int i = 0; i < 6000 && atomic_load(value) < wanted; i++)
        seconds_pass(0.005);
    if (atomic_load(value) < wanted)
        fail_msg("%s: %d of %d ranks have come", name, atomic_load(value), wanted);
}

static pid_t start_rank(const char *acts, int rank, int output)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        rank_run(acts, rank, output);
    return child;
}

static void start_job(const char *name, const char *acts, int output, pid_t *children)
{
    const int count = (int)strlen(acts);
    memset(shared, 0, sizeof *shared);
    children[0] = start_rank(acts, 0, output);
    wait_for(&shared->listening, 1, name);
    for (int rank = 1; rank < count; rank++)
        children[rank] = start_rank(acts, rank, output);
    wait_for(&shared->started, count, name);
}

/* How it ended, as WatchCase has it. */
static int wait_code(const char *name, int rank, pid_t child, double until)
{
    int status;
    while (waitpid(child, &status, WNOHANG) != child) {
        if (rank_link_clock() > until) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            fail_msg("%s: rank %d had not ended within %g s", name, rank, BOUND);
        }
        seconds_pass(0.005);
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void fill(int pipe_end)
{
    static const char bytes[4096];
    fcntl(pipe_end, F_SETFL, O_NONBLOCK);
    while (write(pipe_end, bytes, sizeof bytes) > 0 || write(pipe_end, bytes, 1) > 0)
        ;
    fcntl(pipe_end, F_SETFL, 0);
}

/* All that was printed. */
static void read_all(int pipe_end, char *text, size_t size)
{
    size_t at = 0;
    for (ssize_t got; at < size - 1 && (got = read(pipe_end, text + at, size - 1 - at)) > 0; at += (size_t)got)
        ;
    text[at] = '\0';
}

static void suspend(const pid_t *children, int count)
{
    for (int rank = 0; rank < count; rank++)
        kill(children[rank], SIGSTOP);
    seconds_pass(1.4 * SILENT);
    for (int rank = 0; rank < count; rank++)
        kill(children[rank], SIGCONT);
    seconds_pass(0.5);
}

static void check_job(const WatchCase *c)
{
    char text[4096], expected[1024] = "";
    pid_t children[RANKS];
    int ends[2], ended = 0;
    const int count = (int)strlen(c->acts);
    assert_int_equal(pipe(ends), 0);
    if (c->deaf)
        fill(ends[1]);
    start_job(c->name, c->acts, ends[1], children);
    if (c->suspended)
        suspend(children, count);
    atomic_store(&shared->go, 1);
    seconds_pass(c->after);
    if (c->signal)
        kill(children[c->victim], c->signal);
    const double until = rank_link_clock() + BOUND;
    const int stopped = c->signal == SIGSTOP ? c->victim : -1;
    for (int i = 0; i < count; i++) {
        const int rank = (i + stopped + 1) % count;      /* the stopped one goes on when all others have ended */
        if (rank == stopped)
            kill(children[rank], SIGCONT);
        const int code = wait_code(c->name, rank, children[rank], rank == stopped ? rank_link_clock() + BOUND : until);
        if (code != c->codes[rank])
            fail_msg("%s: rank %d ended with %d, expected %d", c->name, rank, code, c->codes[rank]);
        ended += code > 0;
    }
    close(ends[1]);
    read_all(ends[0], text, sizeof text);
    close(ends[0]);
    if (c->reason)
        snprintf(expected, sizeof expected, "train: rank %d on %s: %s\n", c->rank, host, c->reason);
    if (!c->deaf && strcmp(text, expected) != 0)
        fail_msg("%s: printed:\n%sexpected:\n%s", c->name, text, expected);
    if (atomic_load(&shared->endings) != ended)      /* by the watch, each after its hook */
        fail_msg("%s: %d ended, %d hooks were called", c->name, ended, atomic_load(&shared->endings));
}

static void check_jobs(const WatchCase *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_job(&cases[i]);
}

#define CHECK_JOBS(cases) check_jobs(cases, sizeof cases / sizeof *cases)

static void test_killed(void **state)
{
    (void)state;
    static const WatchCase cases[] = {
        { .name = "a middle rank", .acts = "rrrr", .victim = 2, .signal = SIGKILL, .codes = { 8, 8, -SIGKILL, 8 }, .rank = 2, .reason = LOST },
        { .name = "rank 0",        .acts = "rrrr", .victim = 0, .signal = SIGKILL, .codes = { -SIGKILL, 8, 8, 8 }, .rank = 0, .reason = LOST },
        { .name = "rank 1 of 2",   .acts = "rr",   .victim = 1, .signal = SIGKILL, .codes = { 8, -SIGKILL },       .rank = 1, .reason = LOST },
        { .name = "rank 0 of 2",   .acts = "rr",   .victim = 0, .signal = SIGKILL, .codes = { -SIGKILL, 8 },       .rank = 0, .reason = LOST },
        { .name = "exits alone",   .acts = "rrxr",                                 .codes = { 8, 8, 0, 8 },        .rank = 2, .reason = LOST },
        { .name = "deaf stderr",   .acts = "rrr",  .victim = 2, .signal = SIGKILL, .codes = { 8, 8, -SIGKILL },    .deaf = true },
        { .name = "rank 0, when rank 1 has left", .acts = "r0rr", .victim = 0, .signal = SIGKILL, .after = 1.0,
          .codes = { -SIGKILL, 0, 8, 8 }, .rank = 0, .reason = LOST },
    };
    CHECK_JOBS(cases);
}

static void test_stopped(void **state)
{
    (void)state;
    static const WatchCase cases[] = {
        { .name = "a middle rank", .acts = "rrrr", .victim = 2, .signal = SIGSTOP, .codes = { 8, 8, 8, 8 }, .rank = 2, .reason = SILENCE },
        { .name = "rank 0",        .acts = "rrrr", .victim = 0, .signal = SIGSTOP, .codes = { 8, 8, 8, 8 }, .rank = 0, .reason = SILENCE },
        { .name = "all for a while, then one is killed", .acts = "rrr", .suspended = true, .victim = 1, .signal = SIGKILL,
          .codes = { 8, -SIGKILL, 8 }, .rank = 1, .reason = LOST },
    };
    CHECK_JOBS(cases);
}

static void test_hangs(void **state)
{
    (void)state;
    static const char hangs[] = "hangs (it has not got on for 1 s) at step 812: resume with --resume runs/x";
    static const WatchCase cases[] = {
        { .name = "one, and all wait for it", .acts = "wwhw", .codes = { 8, 8, 8, 8 }, .rank = 2, .reason = hangs },
        { .name = "rank 0",                   .acts = "hww",  .codes = { 8, 8, 8 },    .rank = 0, .reason = hangs },
        { .name = "one does something long",  .acts = "AWW",  .codes = { 0, 0, 0 } },
    };
    CHECK_JOBS(cases);
}

static void test_failures(void **state)
{
    (void)state;
    static const char file[] = "data/x.png: damaged: remove it", exchange[] = "exchange: it failed: see the other ranks";
    static const WatchCase cases[] = {
        { .name = "a middle rank", .acts = "rrfr", .codes = { 3, 3, 3, 3 }, .rank = 2, .reason = file },
        { .name = "rank 0",        .acts = "frr",  .codes = { 3, 3, 3 },    .rank = 0, .reason = file },
        { .name = "the only rank", .acts = "f",    .codes = { 3 },          .rank = 0, .reason = file },
        { .name = "for a peer",    .acts = "rpr",  .codes = { 8, 8, 8 },    .rank = 1, .reason = exchange },
        { .name = "rank 0 has left", .acts = "0F9", .codes = { 0, 3, 0 },   .rank = 1, .reason = file },
    };
    CHECK_JOBS(cases);
}

static void test_leaving(void **state)
{
    (void)state;
    static const char *const orders[] = { "0123", "3210", "1032", "0000", "2", "20", "02" };
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        check_job(&(WatchCase){ .name = orders[i], .acts = orders[i] });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed), cmocka_unit_test(test_stopped), cmocka_unit_test(test_hangs),
        cmocka_unit_test(test_failures), cmocka_unit_test(test_leaving),
    };
    program_name_set("train");
    gethostname(host, sizeof host - 1);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED || cmocka_run_group_tests(tests, NULL, NULL);
}
