/* timed_step.h - a step on fixed random images, again and again, with a clock beside it.
 *
 * A training step is forward, cross-entropy, backward, and SGD with momentum 0.9 and weight decay 5e-4; of inference it is forward alone. Three
 * steps of warm-up come before what is measured. */

#ifndef CONVZOO_TIMED_STEP_H
#define CONVZOO_TIMED_STEP_H

#include "exchange.h"
#include "loss.h"
#include "optimizer.h"
#include "program.h"

enum { TIMED_WARM_UP = 3 };

typedef struct TimedStep {
    const Network *network;    /* the caller's */
    Program   *program;
    Optimizer *optimizer;      /* NULL: inference */
    float     *images;
    uint16_t  *labels;
    Exchange  *exchange;       /* the caller's, of every step from now on; NULL: a rank alone */
    PartWord  *words;          /* for it, the caller's: one a rank */
    double     began, backward_began, backward_ended, ended;      /* the last step, on seconds_now's clock; its exchange ends when backward does */
    uint64_t   step;           /* done, the warm-up among them */
    double     measured;       /* seconds of all but the warm-up */
} TimedStep;

/* Draws the network's values anew and compiles it for so many images; the network outlives it. */
TimedStep timed_step_new(Network *network, const Plan *plan, Purpose purpose, int batch);
void      timed_step_free(TimedStep *timed);

/* One step. */
void timed_step_run(TimedStep *timed);

/* The median seconds of the steps that fit into `seconds`, three at least. profile: each kernel is timed as well (program_profile_rows). */
double timed_step_median(TimedStep *timed, double seconds, bool profile);

/* After a profile: a step's seconds by module, one more than there are modules, the last for all beside their kernels: the loss, the optimizer.
 * A layer that runs inside another's kernels has none of its own. */
void   timed_step_layers(const TimedStep *timed, double *seconds);

#endif
