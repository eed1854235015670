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
    return slot->state ? slot->state : network_parameters(slot->network)->values;
}

static void slots_add(Slots *slots, Network *network, const Param *param, float *block, const char *state)
{
    char *name = state ? text_format("optimizer.%s.%s", state, param->name) : text_copy(param->name);
    slots->items[slots->count++] = (Slot){ .name = name, .param = param, .network = network, .state = block };
    slots->largest = param->count > slots->largest ? param->count : slots->largest;
}

Slots slots_new(Network *network, const Optimizer *optimizer)
{
    const int params = network_param_count(network), states = optimizer ? optimizer->states : 0;
    Slots slots = { .items = allocate((size_t)params * (size_t)(1 + states), sizeof(Slot), "checkpoint slots") };
    for (int i = 0; i < params; i++)
        slots_add(&slots, network, network_param(network, i), NULL, NULL);
    for (int s = 0; s < states; s++)
        for (int i = 0; i < params; i++) {
            const Param *param = network_param(network, i);
            if (param->role == PARAM_weight || param->role == PARAM_plain)
                slots_add(&slots, network, param, optimizer->state[s], optimizer_state_name(optimizer->options.kind, s));
        }
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
