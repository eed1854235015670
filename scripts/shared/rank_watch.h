/* rank_watch.h - ends the ranks of a job together: when one dies, is stopped, loses its network, hangs or gives up.
 *
 *     char address[RANK_ADDRESS];
 *     RankWatch *watch = rank == 0 ? rank_watch_listen(&options, address, &error) : NULL;
 *     ... rank 0's address, or that it has none, goes to all ranks, by MPI_Bcast ...
 *     if (rank > 0) watch = rank_watch_join(&options, address, &error);
 *     if (!watch || !rank_watch_start(watch, &error)) ...      of several ranks' errors rank 0's says which rank is missing
 *     rank_watch_advise(watch, "resume with --resume runs/x");
 *     for each step
 *         rank_watch_step(watch, step);
 *         for each kernel                                      rank_watch_progress(watch);
 *         rank_watch_state(watch, RANK_waits);                 until the exchange has come to its end
 *         rank_watch_state(watch, RANK_works);
 *     ... what all ranks do together has come to its end, MPI_Barrier ...
 *     rank_watch_leave(watch);
 *
 * A thread in each rank, which sleeps: every rank tells rank 0 that it lives and how far it is, rank 0 tells every rank that it
 * lives. When rank 0 finds a connection closed, or nothing comes, or a rank does not get on, it prints one line and tells all:
 *
 *     train: rank 2 on node7: was lost (its connection closed) at step 812: resume with --resume runs/x
 *
 * and every process ends by _exit, with EXIT_peer. If rank 0 is lost, the lowest rank on another machine prints the line (on one
 * machine the lowest). A rank that was stopped and goes on later finds that the others have ended, and ends without a word; so
 * does one whose machine slept, unless they all slept. If the network parts the ranks, each side says what it has lost.
 *
 * All functions but rank_watch_fail are for one thread; where `watch` is NULL (there is one rank) they do nothing. */

#ifndef CONVZOO_RANK_WATCH_H
#define CONVZOO_RANK_WATCH_H

#include "errors.h"
#include "rank_roll.h"

#include <stdint.h>

/* 0 means the usual number in brackets. */
typedef struct RankWatchOptions {
    int    rank, count;
    double beat_seconds;          /* between two signs of life (0.5) */
    double silent_seconds;        /* no sign of life for so long: lost (4) */
    double hang_seconds;          /* no progress for so long: hangs (never) */
    double join_seconds;          /* that may pass until all have come (30) */
    void (*ending)(void *context);      /* called by the watch's thread before the line and _exit; must not wait; may be NULL */
    void  *context;
} RankWatchOptions;

typedef struct RankWatch RankWatch;

/* Rank 0: address is for the others. NULL and a line if no port can be opened. */
RankWatch *rank_watch_listen(const RankWatchOptions *options, char address[RANK_ADDRESS], Error *error);

/* The other ranks. NULL and a line if rank 0 cannot be reached, or does not know the address's token. */
RankWatch *rank_watch_join(const RankWatchOptions *options, const char *address, Error *error);

/* Waits until all have come; from then on they are watched. False and a line if one is missing. */
bool rank_watch_start(RankWatch *watch, Error *error);

/* The rank has got on; as cheap as a counter. */
void rank_watch_progress(RankWatch *watch);
/* What it does from now on. It has got on. */
void rank_watch_state(RankWatch *watch, RankState state);
/* The step that lines name. It has got on. */
void rank_watch_step(RankWatch *watch, uint64_t step);

/* What lines of lost ranks end in: what to do. Copied. */
void rank_watch_advise(RankWatch *watch, const char *what_to_do);

/* This rank cannot go on, for a reason in the form `what: where: what to do`. Rank 0 prints `program: rank K on HOST: reason`,
 * every rank ends with this code. Where another rank is to blame (an exchange that failed) the code is EXIT_peer, and if that rank
 * turns out to be lost it is named instead. Between start and leave, from any thread. */
_Noreturn void rank_watch_fail(RankWatch *watch, ExitCode code, const char *reason);

/* The normal end, in any order: that this rank closes its connection is no loss. Once rank 0 has left nobody is watched. Frees
 * the watch, also one that was not started. */
void rank_watch_leave(RankWatch *watch);

#endif
