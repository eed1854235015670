/* ranks.h - the processes that train one network together, on one machine or several.
 *
 * Training knows how many there are, which one it is, and four ways to send numbers. How they travel is the transport's affair: the
 * programs bring MPI (scripts/ranks/mpi.c). All ranks call the same functions in the same order.
 *
 * A transport that loses a rank does not return: it ends the process with EXIT_peer, after one line. */

#ifndef CONVZOO_RANKS_H
#define CONVZOO_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"

typedef enum {
    RANK_computes,           /* between kernels it says that it is alive */
    RANK_listens,            /* it waits for others */
    RANK_is_busy,            /* it reads or writes files, for as long as that may take */
} RankWork;

/* What `starts` says, of count + 1 numbers: rank r's part of a block are the elements starts[r] .. starts[r+1] - 1, each of `bytes` bytes. */
typedef struct RankTransport {
    /* Everybody gets what rank 0 has. */
    void (*broadcast)(void *state, void *data, size_t bytes);
    /* all: count times `bytes`, one rank's after another. */
    void (*gather)(void *state, const void *own, size_t bytes, void *all);
    /* Begins to send every rank its part of the block. received: count times the own part, by sender. Returns a request. */
    int  (*spread)(void *state, const void *block, const size_t *starts, size_t bytes, void *received);
    /* Begins to fill the block: everybody gives its own part. Returns a request. */
    int  (*collect)(void *state, void *block, const size_t *starts, size_t bytes);
    /* Whether a request has been carried out; moves all of them on. After true it is forgotten. */
    bool (*done)(void *state, int request);
    /* For who watches that all ranks get on: this one has done something; what it does from now on; where it is, and what to do if a rank is
     * lost. Any may be NULL. */
    void (*alive)(void *state);
    void (*turns_to)(void *state, RankWork work);
    void (*at_step)(void *state, uint64_t step);
    void (*advise)(void *state, const char *what_to_do);
} RankTransport;

typedef struct Ranks {
    int                  rank, count;
    RankWork             work;           /* what it does beside listening */
    bool                 crowded;        /* ranks share a core: who waits gives way at once */
    const RankTransport *transport;
    void                *state;
} Ranks;

/* NULL stands for one process alone, which has nobody to talk to. */
int  ranks_count(const Ranks *ranks);
int  ranks_rank(const Ranks *ranks);
/* Whether this is the rank that writes and prints. */
bool ranks_first(const Ranks *ranks);

void ranks_broadcast(const Ranks *ranks, void *data, size_t bytes);
void ranks_gather(const Ranks *ranks, const void *own, size_t bytes, void *all);
/* What rank 0 says, everywhere. */
bool ranks_decide(const Ranks *ranks, bool first_says);
/* Whether all ranks are well. Where one is not, false everywhere, with the line and the code of the first that is ill. */
bool ranks_agree(const Ranks *ranks, bool ok, Error *error);
/* Between two looks at requests, after so many in vain. */
void ranks_pause(const Ranks *ranks, int turns);
/* Until the request is carried out. */
void ranks_wait(const Ranks *ranks, int request);

void ranks_alive(const Ranks *ranks);
void ranks_turn_to(Ranks *ranks, RankWork work);
void ranks_at_step(const Ranks *ranks, uint64_t step);
void ranks_advise(const Ranks *ranks, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Parts of `count` elements, as equal as can be, cut at multiples of `unit`: where that of `rank` starts. One rank more: count. */
size_t ranks_start(const Ranks *ranks, size_t count, size_t unit, int rank);
/* All of these. starts: ranks + 1. */
void ranks_cut(const Ranks *ranks, size_t count, size_t unit, size_t *starts);

#endif
