/* fusion.c - the few rules by which neighbours become one kernel.
 *
 *   batch norm [+ add] [+ activation]     one pass over memory instead of three; what lies between is never stored
 *   layer scale + add                     the same for ConvNeXt's branches
 *   drop path + add                       and for those of stochastic depth
 *
 * A chain starts at its head and goes on while the output has that one reader alone and is not watched. It runs where its last
 * module stands on the tape, so that a residual computed in between is there. */

#include "emitter.h"

static const Tensor *other_input(const Module *add, const Tensor *input)
{
    return add->in[0] == input ? add->in[1] : add->in[0];
}

/* The only module that reads the output of `module`; NULL if there are several, or if the output is watched. */
static const Module *next_of(const Emitter *emitter, const Module *module)
{
    return program_watches(emitter->program, module->out) ? NULL : network_only_reader(emitter->program->network, module->out);
}

/* Two chains may meet in one sum; the first takes it. */
static bool taken(const Emitter *emitter, const Module *module)
{
    return emitter->head_at[module->index] != module->index;
}

static void fuse_from(Emitter *emitter, const Module *head)
{
    Fusion *fusion = &emitter->fusions[head->index];
    const Module *tail = head;
    const Module *next = next_of(emitter, tail);
    if (head->ops->takes_sum && next && next->ops->sums && !taken(emitter, next) && next->in[0] != next->in[1]) {
        fusion->add = next;
        fusion->residual = other_input(next, tail->out);
        tail = next;
        next = next_of(emitter, tail);
    }
    if (head->ops->takes_activation && next && next->ops->function && activation_has_loops(next->ops->function(next))) {
        fusion->activation = next;
        fusion->act = next->ops->function(next);
        tail = next;
    }
    if (tail == head)
        return;
    fusion->out = tail->out;
    emitter->head_at[head->index] = -1;
    if (fusion->add)
        emitter->head_at[fusion->add->index] = -1;
    emitter->head_at[tail->index] = head->index;
}

void emit_fuse(Emitter *emitter)
{
    const Network *network = emitter->program->network;
    for (int i = 0; i < network_module_count(network); i++) {
        const Module *module = network_module(network, i);
        emitter->head_at[i] = i;
        emitter->fusions[i] = (Fusion){ .act = activation_of(ACT_identity), .out = module->out };
    }
    if (emitter->program->plan.no_fusion)
        return;
    for (int i = 0; i < network_module_count(network); i++) {
        const ModuleOps *ops = network_module(network, i)->ops;
        if (ops->takes_sum || ops->takes_activation)
            fuse_from(emitter, network_module(network, i));
    }
}

Fusion emit_fusion(const Emitter *emitter, const Module *module)
{
    return emitter->fusions[module->index];
}
