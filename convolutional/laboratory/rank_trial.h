/* rank_trial.h - what rank_model.h needs to know, measured by the ranks themselves; and real steps to hold its answers against.
 *
 * The ranks' functions are called by all of them at once, and give all of them rank 0's numbers. */

#ifndef CONVZOO_RANK_TRIAL_H
#define CONVZOO_RANK_TRIAL_H

#include "rank_model.h"
#include "timed_step.h"

/* Medians of steps that were done in turn. A step is as long as on the slowest rank. */
typedef struct RankTimes {
    double alone;                /* each rank by itself */
    double overlap, late;        /* with the exchange, as it is and after backward; 0: one rank */
    double waited;               /* of overlap: after backward, by the rank that waited least */
    int    steps;                /* of each kind */
} RankTimes;

/* When the kernels of backward are done, in a step of a rank by itself. */
typedef struct RankTimeline {
    double  before, after;       /* seconds of a step around backward */
    double *at;                  /* seconds of backward until so many kernels are done: kernels + 1; owned */
    int     kernels;
} RankTimeline;

/* A bucket of several sizes, to and fro, each the least of several times; many messages at once; and what they take away from a thread that
 * computes in between. */
RankWire rank_trial_wire(const Ranks *ranks);

/* Steps for so many seconds, three of each kind at least. ranks and exchange NULL: one rank. */
RankTimes rank_trial_steps(TimedStep *timed, const Ranks *ranks, Exchange *exchange, double seconds, RankTimeline *timeline);
void      rank_timeline_free(RankTimeline *timeline);

/* The step that the model wants, of the program's parameters in buckets of so many bytes. */
RankStep rank_trial_cut(const RankTimeline *timeline, TimedStep *timed, size_t bucket_bytes);

#endif
