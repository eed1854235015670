/* time_plan.h - a run that is to end in a given time: how many steps that is, on this machine as it is now.
 *
 * Measured once, before the first step, and kept in the checkpoint: from there on the run is what one of so many steps is, stopped and
 * resumed or not. Time that a stopped run did not train is not counted. */

#ifndef CONVZOO_TIME_PLAN_H
#define CONVZOO_TIME_PLAN_H

#include "trainer.h"

/* False and a line, a user's, for a new run whose steps will not take the time that they take at first. */
bool time_plan_check(const TrainerOptions *options, Error *error);

/* Tries some steps, puts everything back, and plans the run for options.max_seconds since it was opened. */
void time_plan_make(Trainer *trainer);

/* Schedule and number of epochs become those of the planned steps; the last epoch may be a short one. Nothing without a plan. */
void time_plan_apply(Trainer *trainer);

/* Seconds. */
typedef struct EpochTimes {
    double   step[STAGES_MOST + 1];      /* of each size of the training images, and after them of the full one */
    double   validation;                 /* and the saves after it */
    double   average;                    /* the statistics of an average, from epoch average_from on, which counts from 1; 0: there is none */
    uint64_t average_from;
    uint32_t batches;                    /* steps of an epoch */
} EpochTimes;

/* How many steps fit into `seconds`, with a validation after each epoch; at least 1. The sizes are shares of the run. */
uint64_t time_plan_steps(double seconds, const StageSizes *sizes, const EpochTimes *times);

#endif
