/* checkpoint_slots.h - what of a network and its optimizer a checkpoint holds: one list, for writing, comparing, reading.
 *
 *   <parameter>                        F32, as the network declares it; I64 [] for counters
 *   optimizer.<state>.<parameter>      F32, of trained parameters, with an optimizer */

#ifndef CONVZOO_CHECKPOINT_SLOTS_H
#define CONVZOO_CHECKPOINT_SLOTS_H

#include "optimizer.h"
#include "safetensors.h"

typedef struct Slot {
    char        *name;
    const Param *param;
    Network     *network;
    float       *state;          /* the optimizer's block; NULL: the network's own values */
} Slot;

typedef struct Slots {
    Slot  *items;
    size_t count;
    size_t largest;              /* values of the largest one */
} Slots;

/* optimizer NULL: the network alone. To be released with slots_free. */
Slots slots_new(Network *network, const Optimizer *optimizer);
void  slots_free(Slots *slots);
/* The slot of that name, or the list's length if there is none. */
size_t slots_find(const Slots *slots, const char *name);

bool  slot_is_counter(const Slot *slot);
Dtype slot_dtype(const Slot *slot);
/* Where the values lie. A network that has none yet gets them now: not before a file was seen to fit. */
float *slot_block(const Slot *slot);

#endif
