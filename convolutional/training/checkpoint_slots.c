/* checkpoint_slots.c - see checkpoint_slots.h. */

#include "checkpoint_slots.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

bool slot_is_counter(const Slot *slot)
{
    return slot->param->role == PARAM_counter;
}

Dtype slot_dtype(const Slot *slot)
{
    return slot_is_counter(slot) ? DTYPE_I64 : DTYPE_F32;
}

float *slot_block(const Slot *slot)
{
    return kept_values(slot->block, slot->network);
}

int64_t *slot_counter(const Slot *slot)
{
    int64_t *own = parameters_counter(slot->network, slot->param);
    return slot->block->counters ? slot->block->counters + (own - network_parameters(slot->network)->counters) : own;
}

/* Counters are in a block that has the network's values, or some of its own. */
static bool takes(const KeptBlock *block, const Param *param)
{
    return param->role <= block->last && (param->role != PARAM_counter || block->counters || !block->values);
}

static void slots_add(Slots *slots, Network *network, const Param *param, const KeptBlock *block)
{
    const char *owner = block->owner ? block->owner : "", *name = block->name ? block->name : "";
    slots->items[slots->count++] = (Slot){
        .name = text_format("%s%s%s%s%s", owner, *owner ? "." : "", name, *name ? "." : "", param->name),
        .param = param, .network = network, .block = block,
    };
    slots->largest = param->count > slots->largest ? param->count : slots->largest;
}

Slots slots_new(Network *network, const Kept *kept)
{
    const int params = network_param_count(network);
    Slots slots = { .items = allocate((size_t)params * (size_t)kept->block_count, sizeof(Slot), "checkpoint slots") };
    for (int b = 0; b < kept->block_count; b++)
        for (int i = 0; i < params; i++)
            if (takes(&kept->blocks[b], network_param(network, i)))
                slots_add(&slots, network, network_param(network, i), &kept->blocks[b]);
    return slots;
}

void slots_free(Slots *slots)
{
    for (size_t i = 0; i < slots->count; i++)
        free(slots->items[i].name);
    free(slots->items);
}

size_t slots_find(const Slots *slots, const char *name)
{
    size_t i = 0;
    while (i < slots->count && strcmp(slots->items[i].name, name))
        i++;
    return i;
}
