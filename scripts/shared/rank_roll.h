/* rank_roll.h - what a rank knows of those it watches, and whether one of them is lost. No sockets, no clock. */

#ifndef CONVZOO_RANK_ROLL_H
#define CONVZOO_RANK_ROLL_H

#include "errors.h"
#include "rank_door.h"

/* What a rank's main thread is doing. */
typedef enum {
    RANK_works,      /* its progress is expected */
    RANK_waits,      /* for other ranks: these are to blame if it does not get on */
    RANK_apart,      /* something that may take as long as it likes, such as saving */
} RankState;

typedef struct RankMember {
    bool      watched;         /* false: it has left, or is not this rank's to watch */
    bool      closed, failed;
    RankState state;
    uint64_t  progress;
    double    heard, moved;    /* when it last said something, and when its progress or its state last changed */
    double    failed_at;
} RankMember;

typedef struct RankVerdict {
    int      rank;
    ExitCode code;
    bool     lost;             /* not by a reason of its own: what to do is still to be said */
    char     reason[RANK_TEXT];
} RankVerdict;

typedef struct RankRoll {
    int         count;
    double      silent_seconds, hang_seconds, grace_seconds;
    RankMember *members;       /* a rank each */
    char      (*hosts)[RANK_HOST];
    RankVerdict failure;       /* of the first that failed */
} RankRoll;

/* The member has said something. */
void rank_roll_hear(RankRoll *roll, int rank, const RankMessage *message, double now);

/* All are as if just heard: this process itself has slept. */
void rank_roll_forgive(RankRoll *roll, double now);

/* True if the job must end, and for which rank's sake. In this order: a closed connection, silence, a failure, a hang. A failure
 * for a peer's sake (EXIT_peer) waits grace_seconds, for it may follow from a loss that is noticed only now. */
bool rank_roll_judge(const RankRoll *roll, double now, RankVerdict *verdict);

/* The rank that speaks if rank 0 is lost: the lowest on another machine, which is not lost with it; else the lowest. 0: none. */
int rank_roll_deputy(const RankRoll *roll);

#endif
