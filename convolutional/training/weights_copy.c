/* weights_copy.c - see weights_copy.h. */

#include "weights_copy.h"

#include <stdlib.h>
#include <string.h>

static size_t counter_count(const Network *network)
{
    size_t count = 0;
    for (int i = 0; i < network_param_count(network); i++)
        count += network_param(network, i)->role == PARAM_counter;
    return count;
}

void weights_copy_take(WeightsCopy *copy, Network *network)
{
    const Parameters *p = network_parameters(network);
    const size_t counters = counter_count(network);
    if (!copy->values) {
        copy->values = allocate(p->total, sizeof *copy->values, "a copy of the weights");
        copy->counters = allocate(counters, sizeof *copy->counters, "a copy of the counters");
    }
    memcpy(copy->values, p->values, p->total * sizeof *copy->values);
    if (counters)
        memcpy(copy->counters, p->counters, counters * sizeof *copy->counters);
}

void weights_copy_swap(WeightsCopy *copy, Network *network)
{
    Parameters *p = network_parameters(network);
    const size_t counters = counter_count(network);
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

void weights_copy_free(WeightsCopy *copy)
{
    free(copy->values);
    free(copy->counters);
    *copy = (WeightsCopy){ 0 };
}
