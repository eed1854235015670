/* rank_model.h - how long a step of N ranks takes, from what one rank computes and from what the wire between them does.
 *
 * One way of a bucket of B bytes: each rank sends every other rank a piece of B / N bytes (MPI_Ialltoallv), or its own piece to all
 * (MPI_Iallgatherv). Both post all their N - 1 messages at once, so that a way pays the latency once, not N - 1 or log N times, and each
 * message only what it costs to send:
 *
 *   busy(B)  = (N - 1) message + (N - 1) / N  B byte       the wire carries nothing else
 *   way(B)   = busy(B) + latency
 *
 * A bucket goes both ways. Buckets begin in their order, when backward has completed them, and follow one another on the wire; the latency of
 * one passes while the next is carried:
 *
 *   begin[b] = max(ready[b] + stolen, free)                free = begin[b] + 2 busy(B[b])
 *   end[b]   = free + 2 latency                            stolen += 2 (N - 1) / N  B[b] handling
 *
 * What the processor does itself to send, receive and add takes it away from backward, which ends at backward + stolen. Without
 * overlap ready[b] = backward for all, and nothing is stolen: the processor waits anyway.
 *
 *   step     = before + max(backward + stolen, end of the last) + after
 *
 * (LogGP: Alexandrov et al., 1995, "Incorporating long messages into the LogP model".) Every rank's backward is as long as another's, and the
 * wire is as fast between any two ranks while all of them send: no crossing in the network is narrower. */

#ifndef CONVZOO_RANK_MODEL_H
#define CONVZOO_RANK_MODEL_H

#include <stdbool.h>
#include <stddef.h>

/* Seconds. */
typedef struct RankWire {
    double latency;              /* until a message arrives, however short */
    double message;              /* each further message, however short */
    double byte;                 /* each byte, of a rank's own connection */
    double handling;             /* of each byte, of the processor */
} RankWire;

typedef struct RankStep {
    double  before, backward, after;       /* seconds that a rank alone computes: forward and loss; backward; the optimizer */
    int     count;                         /* of buckets, */
    double *bytes, *ready;                 /* their sizes, and seconds of backward after which each is complete, never falling; owned */
} RankStep;

RankStep rank_step_new(int count);
void     rank_step_free(RankStep *step);
/* Seconds without an exchange. */
double   rank_step_alone(const RankStep *step);

/* Seconds of one bucket, both ways, with nothing beside it. */
double rank_model_bucket(const RankWire *wire, int ranks, double bytes);
/* Seconds of a step, with the overlap or without. One rank exchanges nothing. */
double rank_model_step(const RankStep *step, const RankWire *wire, int ranks, bool overlap);

/* Trials of single buckets, alone on the wire: */
typedef struct RankTrial {
    double bytes, seconds;
} RankTrial;

/* Latency and byte of the wire between `ranks` from at least two trials of different sizes, the smallest one first; wire->message is known. The
 * slope is the median of those between all pairs (Theil, 1950; Sen, 1968), so that one trial that was disturbed counts for
 * little; what the smallest one takes beyond it is latency. */
void rank_model_fit(RankWire *wire, int ranks, const RankTrial *trials, int count);

#endif
