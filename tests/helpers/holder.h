/* holder.h - a network that cannot run, for tests of what is saved and loaded. */

#ifndef CONVZOO_HOLDER_H
#define CONVZOO_HOLDER_H

#include "checkpoint.h"

/* Modules that only hold parameters, with every role and rank: a convolution, a batch norm, a linear layer. */
Network   *network_of(int classes, int channels);
/* The same with values drawn from the seed, and a counter of 1234567890123. */
Network   *network_drawn(int classes, int channels, uint64_t seed);
/* An optimizer whose states are drawn from the seed. */
Optimizer *optimizer_drawn(Network *net, OptimizerKind kind, uint64_t seed);

#endif
