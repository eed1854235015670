/* checkpoint_slots.h - what a checkpoint holds, tensor by tensor: one list, for writing, comparing, reading.
 *
 *   <parameter>                        F32, as the network declares it; I64 [] for counters
 *   <owner>.<name>.<parameter>         the same, of another block (kept.h) */

#ifndef CONVZOO_CHECKPOINT_SLOTS_H
#define CONVZOO_CHECKPOINT_SLOTS_H

#include "kept.h"
#include "safetensors.h"

typedef struct Slot {
    char            *name;
    const Param     *param;
    Network         *network;
    const KeptBlock *block;
} Slot;

typedef struct Slots {
    Slot  *items;
    size_t count;
    size_t largest;              /* values of the largest one */
} Slots;

/* Of the blocks in their order; they must outlive it. To be released with slots_free. */
Slots slots_new(Network *network, const Kept *kept);
void  slots_free(Slots *slots);
/* The slot of that name, or the list's length if there is none. */
size_t slots_find(const Slots *slots, const char *name);

bool  slot_is_counter(const Slot *slot);
Dtype slot_dtype(const Slot *slot);
/* Where the values lie, or the counter. A network that has none yet gets them now: not before a file was seen to fit. */
float   *slot_block(const Slot *slot);
int64_t *slot_counter(const Slot *slot);

#endif
