/* rank_guard.h - the thread behind rank_watch.h. For rank_watch.c alone. */

#ifndef CONVZOO_RANK_GUARD_H
#define CONVZOO_RANK_GUARD_H

#include "rank_watch.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

enum { RANK_ADVICE = 512 };

typedef enum { ASKED_nothing, ASKED_soon, ASKED_fail, ASKED_leave } Asked;

struct RankWatch {
    RankWatchOptions options;
    char             host[RANK_HOST];
    RankDoor         door;
    RankLink        *links;           /* a member of the roll each; rank 0: every rank, the others: rank 0 alone */
    RankRoll         roll;
    struct pollfd   *polled;          /* links, then wake */
    int              wake;            /* an eventfd: something is asked */
    int              deputy;          /* who speaks if rank 0 is lost */
    double           beaten;          /* when the last beat was sent */
    pthread_t        thread;
    bool             started, told;   /* told: rank 0 knows of this rank's failure */

    _Atomic(uint64_t) progress, steps;      /* steps: 1 more than the last one's number; 0: none yet */
    _Atomic(int)      state, asked;
    RankMessage       failure;
    pthread_mutex_t   advice_lock;
    char              advice[RANK_ADVICE];
};

/* Tells the thread that something is asked. */
void rank_guard_ask(RankWatch *watch, Asked what);

/* The thread: until this rank leaves, or all end. */
void *rank_guard_run(void *watch);

#endif
