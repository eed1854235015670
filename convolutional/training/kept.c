/* kept.c - see kept.h. */

#include "kept.h"

#include <string.h>

static const char optimizer_owner[] = "optimizer";

/* Whose tensors lie beside the network's. */
static const char *const owners[] = {
    optimizer_owner,
#define X(key) #key,
#include "parts.def"
#undef X
};

const Kept kept_network = { .blocks = { { .last = PARAM_counter } }, .block_count = 1 };

bool kept_is_of(const char *owner, const char *name)
{
    const size_t length = strlen(owner);
    return !strncmp(name, owner, length) && name[length] == '.';
}

/* Whether a tensor of this name lies beside a network's own. */
static bool is_beside(const char *name)
{
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++)
        if (kept_is_of(owners[i], name))
            return true;
    return false;
}

bool kept_owns(const Kept *kept, const char *name)
{
    for (int i = 0; i < kept->block_count; i++) {
        const char *owner = kept->blocks[i].owner;
        if (owner ? kept_is_of(owner, name) : !is_beside(name))
            return true;
    }
    return false;
}

void kept_block(Kept *kept, KeptBlock block)
{
    CHECK(kept->block_count < KEPT_BLOCKS, "%d blocks in a checkpoint", kept->block_count);
    kept->blocks[kept->block_count++] = block;
}

static void add_number(Kept *kept, KeptNumber number)
{
    CHECK(kept->number_count < KEPT_NUMBERS, "%d numbers of parts in a checkpoint", kept->number_count);
    kept->numbers[kept->number_count++] = number;
}

void kept_whole(Kept *kept, const char *key, uint64_t *number)
{
    add_number(kept, (KeptNumber){ .key = key, .whole = number });
}

void kept_real(Kept *kept, const char *key, double *number)
{
    add_number(kept, (KeptNumber){ .key = key, .real = number });
}

void kept_optimizer(Kept *kept, const Optimizer *optimizer)
{
    for (int s = 0; optimizer && s < optimizer->states; s++)
        kept_block(kept, (KeptBlock){ .owner = optimizer_owner, .name = optimizer_state_name(optimizer->options.kind, s),
                                      .values = optimizer->state[s], .last = PARAM_plain });
}

void kept_append(Kept *kept, const Kept *more)
{
    for (int i = 0; more && i < more->block_count; i++)
        kept_block(kept, more->blocks[i]);
    for (int i = 0; more && i < more->number_count; i++)
        add_number(kept, more->numbers[i]);
}

Kept kept_all(const Optimizer *optimizer, const Kept *parts)
{
    Kept kept = kept_network;
    kept_optimizer(&kept, optimizer);
    kept_append(&kept, parts);
    return kept;
}

float *kept_values(const KeptBlock *block, Network *network)
{
    return block->values ? block->values : network_parameters(network)->values;
}

size_t kept_floats(const KeptBlock *block, Network *network)
{
    const Parameters *p = network_parameters(network);
    return block->last > PARAM_plain ? p->total : p->trained;
}

size_t kept_counters(const Network *network)
{
    size_t count = 0;
    for (int i = 0; i < network_param_count(network); i++)
        count += network_param(network, i)->role == PARAM_counter;
    return count;
}

uint64_t kept_bytes(const Kept *kept, Network *network)
{
    uint64_t bytes = 0;
    for (int i = 0; i < kept->block_count; i++)
        bytes += kept_floats(&kept->blocks[i], network) * sizeof(float);
    return bytes;
}
