/* time_plan.h - a run that is to end in a given time: how many steps that is, on this machine as it is now.
 *
 * Measured once, before the first step, and kept in the checkpoint: from there on the run is what one of so many steps is, stopped and
 * resumed or not. Time that a stopped run did not train is not counted. */

#ifndef CONVZOO_TIME_PLAN_H
#define CONVZOO_TIME_PLAN_H

#include "trainer.h"

/* Tries some steps, puts everything back, and plans the run for options.max_seconds since it was opened. */
void time_plan_make(Trainer *trainer);

/* Schedule and number of epochs become those of the planned steps; the last epoch may be a short one. Nothing without a plan. */
void time_plan_apply(Trainer *trainer);

/* How many steps fit into `seconds`, at so much a step and for each validation after `batches` of them; at least 1. */
uint64_t time_plan_steps(double seconds, double step, double validation, uint32_t batches);

#endif
