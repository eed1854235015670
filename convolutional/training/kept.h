/* kept.h - what a checkpoint holds of a run: sets of values arranged as a network's parameters, and single numbers.
 *
 *   ""                      the network's own values and counters
 *   optimizer.<state>.      the optimizer's states
 *   <part>.                 what a part of the run keeps (parts.h): ema., lookahead.
 *
 * One list for all of them: writing, reading, comparing and the search for numbers that are not finite are loops over it. */

#ifndef CONVZOO_KEPT_H
#define CONVZOO_KEPT_H

#include "optimizer.h"

typedef struct KeptBlock {
    const char *owner;           /* its tensors are named <owner>.<name>.<parameter>; NULL: <parameter> */
    const char *name;            /* NULL: the owner has this block alone */
    float      *values;          /* arranged as the parameters' values; NULL: the network's own, which it gets when they are asked for */
    int64_t    *counters;        /* arranged as the parameters' counters; NULL beside values of its own: none */
    ParamRole   last;            /* of the parameters in it: PARAM_plain: what is trained; PARAM_buffer: statistics too; PARAM_counter: all */
} KeptBlock;

/* A number in the metadata: whole or real, the other NULL. */
typedef struct KeptNumber {
    const char *key;             /* "early_stop.waited" */
    uint64_t   *whole;
    double     *real;
} KeptNumber;

enum { KEPT_BLOCKS = 16, KEPT_NUMBERS = 16 };

typedef struct Kept {
    KeptBlock  blocks[KEPT_BLOCKS];
    int        block_count;
    KeptNumber numbers[KEPT_NUMBERS];
    int        number_count;
} Kept;

/* The network's own values alone. */
extern const Kept kept_network;

/* Adds the states of an optimizer; what another list has. NULL: nothing. */
void kept_optimizer(Kept *kept, const Optimizer *optimizer);
void kept_append(Kept *kept, const Kept *more);

/* All that last.safetensors holds: the network's values, the optimizer's states, the parts'. Either may be NULL. */
Kept kept_all(const Optimizer *optimizer, const Kept *parts);

void kept_block(Kept *kept, KeptBlock block);
void kept_whole(Kept *kept, const char *key, uint64_t *number);
void kept_real(Kept *kept, const char *key, double *number);

/* Where a block's values lie, and how many floats they are. */
float *kept_values(const KeptBlock *block, Network *network);
size_t kept_floats(const KeptBlock *block, Network *network);
/* How many counters a network has. */
size_t kept_counters(const Network *network);
/* Bytes of all the blocks. */
uint64_t kept_bytes(const Kept *kept, Network *network);
/* Whether a tensor of this name is the owner's. */
bool kept_is_of(const char *owner, const char *name);
/* Whether a tensor of this name is of the owner of one of the blocks, so that it must be in one. */
bool kept_owns(const Kept *kept, const char *name);

#endif
