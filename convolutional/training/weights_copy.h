/* weights_copy.h - a second set of a network's weights, statistics and counters: to be put back later, or an average. */

#ifndef CONVZOO_WEIGHTS_COPY_H
#define CONVZOO_WEIGHTS_COPY_H

#include "parameters.h"

typedef struct WeightsCopy {
    float   *values;           /* as Parameters.values; NULL: there is no copy */
    int64_t *counters;
} WeightsCopy;

/* Copies the network's values; after its first program is compiled. */
void weights_copy_take(WeightsCopy *copy, Network *network);
/* The network gets the copy's values, ... */
void weights_copy_put(const WeightsCopy *copy, Network *network);
/* ... and the copy the network's. */
void weights_copy_swap(WeightsCopy *copy, Network *network);
void weights_copy_free(WeightsCopy *copy);

/* copy += share (network - copy) for the first `count` values: Parameters.trained or total. A share of 1 copies. */
void weights_copy_approach(WeightsCopy *copy, Network *network, size_t count, float share);
/* Its counters become the network's. */
void weights_copy_counters(WeightsCopy *copy, Network *network);

#endif
