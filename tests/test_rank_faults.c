/* test_rank_faults.c - ranks that are killed, stopped or told to end, one after another in one run, which goes on each time with another number of
 * them, and is in the end what it is without all that.
 *
 * A case begins when the run has finished an epoch more. How long the ends may take is not measured here (test_rank_watch does), but that
 * they come. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "rank_runs.h"
#include "scratch.h"

static int starters;

enum { STEPS_AN_EPOCH = 2 };

#define RUN "lenet --data shapes --limit 48 -b 24 --reproducible --mixup 0.4 --threads 1 -q --epochs 100000 "

typedef struct Fault {
    int         ranks, victim, signal;
    const char *line;            /* the only one of train, with the victim's number; its beginning */
    const char *mpich;           /* what MPICH must be told, to leave the others the time for that line */
} Fault;

#define LOST(rank) "train: rank " #rank " on "
#define STOPPED    "train: stopped at step "

static const Fault faults[] = {
    { 2, 0, SIGKILL, LOST(0), "-disable-auto-cleanup" },
    { 2, 1, SIGKILL, LOST(1), "-disable-auto-cleanup" },
    { 4, 2, SIGKILL, LOST(2), "-disable-auto-cleanup" },
    { 2, 1, SIGTERM, STOPPED, "" },
    { 4, 0, SIGINT,  STOPPED, "" },
    { 2, 0, SIGSTOP, LOST(0), "" },
    { 2, 1, SIGSTOP, LOST(1), "" },
};

static int epochs_logged(void)
{
    char path[256];
    char *log = scratch_read(scratch_path(path, folder, "run/log.jsonl"), &(size_t){ 0 });
    const int lines = log ? lines_of(log) : 0;
    free(log);
    return lines;
}

static void wait_for_epochs(int count, const char *name)
{
    for (int i = 0; i < 30000 && epochs_logged() < count; i++)
        usleep(2000);
    if (epochs_logged() < count) {
        char path[256], *err = scratch_read(scratch_path(path, folder, "stderr"), &(size_t){ 0 });
        fail_msg("%s: no epoch in a minute: %s", name, err ? err : "");
    }
}

/* All ranks' processes end by themselves, or by mpirun. */
static void wait_for_ends(const pid_t *pids, int count, const char *name)
{
    int left = 1;
    for (int i = 0; i < 30000 && left > 0; i++) {
        left = 0;
        for (int rank = 0; rank < count; rank++)
            left += !rank_runs_gone(pids[rank]);
        usleep(2000);
    }
    for (int rank = 0; rank < count; rank++)
        if (!rank_runs_gone(pids[rank])) {
            kill(pids[rank], SIGKILL);
            fail_msg("%s: rank %d is still there after a minute", name, rank);
        }
}

/* False if there is none, where that may be. */
static bool expect_line(const Fault *fault, const char *name, bool may_lack)
{
    char path[256];
    char *err = scratch_read(scratch_path(path, folder, "stderr"), &(size_t){ 0 });
    const char *line = strstr(err, fault->line);
    const int all = rank_runs_lines(err, "train: ") - rank_runs_lines(err, "train: warning: ");
    if (all == 0 && may_lack) {
        free(err);
        return false;
    }
    if (all != 1 || !line || !strstr(line, "--resume run\n") || (fault->line[7] == 'r' && !strstr(line, "was lost")))
        fail_msg("%s: one line expected, '%s...': %s", name, fault->line, err);
    free(err);
    return true;
}

/* True: all ended, and said why. */
static bool happens(const Fault *fault, const RankStarter *starter, bool may_lack)
{
    char name[128];
    pid_t pids[8];
    int status;
    const int before = epochs_logged();
    snprintf(name, sizeof name, "signal %d to rank %d of %d, %s", fault->signal, fault->victim, fault->ranks, starter->name);
    const pid_t child = rank_runs_start(starter, strcmp(starter->name, "mpich") ? "" : fault->mpich, fault->ranks,
                                        before ? RUN "--resume run" : RUN "--output run");
    for (int rank = 0; rank < fault->ranks; rank++)
        pids[rank] = rank_runs_pid(rank);
    wait_for_epochs(before + 2, name);
    assert_int_equal(kill(pids[fault->victim], fault->signal), 0);
    wait_for_ends(pids, fault->ranks, name);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status == 0)
        fail_msg("%s: all is well", name);
    return expect_line(fault, name, may_lack);
}

/* A rank needs a moment to see that another is gone. MPICH 4.0.2 kills those that are left within two milliseconds now and then, whatever it was told. */
static void happen(const Fault *fault, const RankStarter *starter)
{
    enum { TRIES = 3 };
    int tries = 1;
    while (!happens(fault, starter, tries < TRIES && fault->signal == SIGKILL && !strcmp(starter->name, "mpich")))
        tries++;
}

static void test_faults(void **state)
{
    (void)state;
    char line[512], *out, *err;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        for (int k = 0; k < starters; k++)
            happen(&faults[i], rank_runs_starter(k));
    const int epochs = epochs_logged() + 2;
    for (int ranks = 2; ranks > 0; ranks--) {      /* the same run is resumed by two, another begun by one */
        snprintf(line, sizeof line, RUN "--max-steps %d %s", epochs * STEPS_AN_EPOCH, ranks == 2 ? "--resume run" : "--output alone");
        const int code = rank_runs_do(rank_runs_starter(0), ranks, line, NULL, &out, &err);
        if (code != 0)
            fail_msg("%s: exit %d: %s", line, code, err);
        free(out);
        free(err);
    }
    rank_runs_same("alone", "run", "last.safetensors", "after all faults");
    rank_runs_same("alone", "run", "best.safetensors", "after all faults");
    assert_int_equal(epochs_logged(), epochs);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_faults, commands_setup, commands_teardown) };
    starters = rank_runs_starters();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
