/* cost.h - how long an activation takes on this processor. */

#ifndef CONVZOO_COST_H
#define CONVZOO_COST_H

#include "activations.h"

typedef struct Cost {
    double forward, backward;      /* nanoseconds an element */
} Cost;

/* Runs the activation's own kernels, as a network runs them, on about a hundred thousand numbers that stay in the cache, for some tenths of a second
 * on the threads that OpenMP is set to. The fastest of the runs counts: what else the machine does makes none faster. */
Cost cost_measure(Activation act);

#endif
