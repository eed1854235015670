/* weights_copy.c - see weights_copy.h. */

#include "weights_copy.h"

#include "kept.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 14 };      /* floats */

static size_t counter_bytes(const Network *network)
{
    return kept_counters(network) * sizeof(int64_t);
}

void weights_copy_take(WeightsCopy *copy, Network *network)
{
    const Parameters *p = network_parameters(network);
    const size_t counters = counter_bytes(network);
    if (!copy->values) {
        copy->values = allocate(p->total, sizeof *copy->values, "a copy of the weights");
        copy->counters = allocate(counters, 1, "a copy of the counters");
    }
    memcpy(copy->values, p->values, p->total * sizeof *copy->values);
    if (counters)
        memcpy(copy->counters, p->counters, counters);
}

void weights_copy_put(const WeightsCopy *copy, Network *network)
{
    Parameters *p = network_parameters(network);
    const size_t counters = counter_bytes(network);
    memcpy(p->values, copy->values, p->total * sizeof *copy->values);
    if (counters)
        memcpy(p->counters, copy->counters, counters);
    p->version++;
}

void weights_copy_swap(WeightsCopy *copy, Network *network)
{
    Parameters *p = network_parameters(network);
    const size_t counters = kept_counters(network);
    for (size_t i = 0; i < p->total; i++) {
        const float value = p->values[i];
        p->values[i] = copy->values[i];
        copy->values[i] = value;
    }
    for (size_t i = 0; i < counters; i++) {
        const int64_t counter = p->counters[i];
        p->counters[i] = copy->counters[i];
        copy->counters[i] = counter;
    }
    p->version++;
}

static void approach(size_t count, float *restrict to, const float *restrict from, float share)
{
    for (size_t i = 0; i < count; i++)
        to[i] += share * (from[i] - to[i]);
}

void weights_copy_approach(WeightsCopy *copy, Network *network, size_t count, float share)
{
    const Parameters *p = network_parameters(network);
    if (share == 1.0f) {      /* without what rounding leaves */
        memcpy(copy->values, p->values, count * sizeof *copy->values);
        return;
    }
    #pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i += CHUNK)
        approach(count - i < CHUNK ? count - i : CHUNK, copy->values + i, p->values + i, share);
}

void weights_copy_counters(WeightsCopy *copy, Network *network)
{
    const size_t counters = counter_bytes(network);
    if (counters)
        memcpy(copy->counters, network_parameters(network)->counters, counters);
}

void weights_copy_free(WeightsCopy *copy)
{
    free(copy->values);
    free(copy->counters);
    *copy = (WeightsCopy){ 0 };
}
