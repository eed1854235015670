/* scale.h - bench --ranks-model: how training would go on from one rank to a thousand. */

#ifndef CONVZOO_SCALE_H
#define CONVZOO_SCALE_H

#include "errors.h"
#include "rank_model.h"
#include "ranks.h"
#include "timed_step.h"

typedef struct ScaleOptions {
    double   seconds;                    /* to measure steps */
    double   latency, bandwidth;         /* of the wire that is asked about: seconds, bytes a second */
    double   message;                    /* seconds of its messages, 0: as measured */
} ScaleOptions;

/* Measures, with ranks on what is between them, and prints on stdout: the step and the wire, the model's answer beside what was measured, and
 * a table for each wire. ranks NULL: one process, and the wire that is asked about alone. Called by all ranks. */
void scale_print(TimedStep *timed, Ranks *ranks, const ScaleOptions *options);

#endif
