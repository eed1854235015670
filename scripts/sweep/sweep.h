/* sweep.h - the runs of a sweep: where each is, how far, and what came of it.
 *
 *   DIR/plan.json           what all runs have and what is varied: another sweep is not mixed in
 *   DIR/<choice>-seed=N/    a run, as train leaves it;  DIR/logs/: what train printed
 *   DIR/results.jsonl       a line each time that a run has ended
 *   DIR/choices.csv, runs.csv, comparisons.csv, results.json, curves.png, sweep.html */

#ifndef CONVZOO_SWEEP_H
#define CONVZOO_SWEEP_H

#include <signal.h>
#include <sys/types.h>

#include "folder.h"
#include "grid.h"

typedef enum { SWEEP_waiting, SWEEP_running, SWEEP_done, SWEEP_failed } SweepState;

typedef struct SweepRun {
    int        choice;
    uint64_t   seed;
    char      *name, *folder;
    SweepState state;
    pid_t      child;
    double     begun;            /* seconds_now, of the attempt that is under way */
    double     seconds;          /* of all attempts */
    double     memory;           /* bytes, the most of any */
} SweepRun;

typedef struct Sweep {
    const Grid *grid;
    char *const *common;         /* settings that all runs have, by row; NULL: not given */
    const char *folder;
    SweepRun   *runs;            /* seeds of the first choice, of the second, ... */
    int         count, seeds, jobs, threads;
    LogFile     log;
    int         lock;
    bool        quiet;
} Sweep;

/* Names the runs, and reads what is known of them. Nothing is written. */
bool sweep_open(Sweep *sweep, uint64_t seed, Error *error);
/* Makes the folder, takes it for this process, writes the plan or compares it. */
bool sweep_claim(Sweep *sweep, Error *error);
void sweep_close(Sweep *sweep);

/* Runs what is not done, `jobs` at a time, until all have ended or *stop is a signal's number. Returns the exit code: that of the first run that
 * failed, or 128 + *stop. */
int sweep_run(Sweep *sweep, const volatile sig_atomic_t *stop, Error *error);

int sweep_count(const Sweep *sweep, SweepState state);
/* For people: "to do". */
const char *sweep_state(SweepState state);

/* What came of it. Prints the table, or one JSON object, and writes the files into the folder. False and a line. */
bool results_print(const Sweep *sweep, bool json, Error *error);

#endif
