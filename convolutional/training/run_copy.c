/* run_copy.c - see run_copy.h. */

#include "run_copy.h"

#include <stdlib.h>
#include <string.h>

struct RunCopy {
    Kept     kept;                       /* the lists of what was copied */
    float   *values[KEPT_BLOCKS];
    int64_t *counters[KEPT_BLOCKS];      /* NULL: the block has none */
    union { uint64_t whole; double real; } numbers[KEPT_NUMBERS];
    uint64_t optimizer_steps;
    RunState state;
};

static int64_t *counters_of(const KeptBlock *block, Network *network)
{
    return block->values ? block->counters : network_parameters(network)->counters;
}

RunCopy *run_copy_new(Trainer *t)
{
    RunCopy *copy = allocate(1, sizeof *copy, "a copy of the run");
    const Kept parts = parts_keep(t);
    *copy = (RunCopy){ .kept = kept_all(t->optimizer, &parts), .optimizer_steps = t->optimizer->steps, .state = t->state };
    for (int b = 0; b < copy->kept.block_count; b++) {
        const KeptBlock *block = &copy->kept.blocks[b];
        const size_t bytes = kept_floats(block, t->network) * sizeof(float), counters = kept_counters(t->network) * sizeof(int64_t);
        copy->values[b] = allocate(bytes, 1, "a copy of the run");
        memcpy(copy->values[b], kept_values(block, t->network), bytes);
        if (counters_of(block, t->network) && counters) {
            copy->counters[b] = allocate(counters, 1, "a copy of the run");
            memcpy(copy->counters[b], counters_of(block, t->network), counters);
        }
    }
    for (int i = 0; i < copy->kept.number_count; i++)
        if (copy->kept.numbers[i].whole)
            copy->numbers[i].whole = *copy->kept.numbers[i].whole;
        else
            copy->numbers[i].real = *copy->kept.numbers[i].real;
    return copy;
}

void run_copy_put(RunCopy *copy, Trainer *t)
{
    for (int b = 0; b < copy->kept.block_count; b++) {
        const KeptBlock *block = &copy->kept.blocks[b];
        memcpy(kept_values(block, t->network), copy->values[b], kept_floats(block, t->network) * sizeof(float));
        if (copy->counters[b])
            memcpy(counters_of(block, t->network), copy->counters[b], kept_counters(t->network) * sizeof(int64_t));
        free(copy->values[b]);
        free(copy->counters[b]);
    }
    for (int i = 0; i < copy->kept.number_count; i++)
        if (copy->kept.numbers[i].whole)
            *copy->kept.numbers[i].whole = copy->numbers[i].whole;
        else
            *copy->kept.numbers[i].real = copy->numbers[i].real;
    network_parameters(t->network)->version++;
    t->optimizer->steps = copy->optimizer_steps;
    t->state = copy->state;
    free(copy);
}
