/* run_copy.h - all that steps change, to be put back: for steps that are only tried. */

#ifndef CONVZOO_RUN_COPY_H
#define CONVZOO_RUN_COPY_H

#include "trainer.h"

typedef struct RunCopy RunCopy;

RunCopy *run_copy_new(Trainer *trainer);
/* The run is as it was: weights, statistics, counters, states of the optimizer and the parts, and where it stands. Frees the copy. */
void     run_copy_put(RunCopy *copy, Trainer *trainer);

#endif
