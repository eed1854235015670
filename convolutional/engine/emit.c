/* emit.c - walks the tape and lets every module emit its kernels: forward, and in reverse for gradients. */

#include "emitter.h"

#include "errors.h"

#include <stdlib.h>

const Program *emit_program(const Emitter *emitter)
{
    return emitter->program;
}

static void make_image(Emitter *emitter)
{
    const Tensor *tensor = network_image(emitter->program->network);
    Buffer *image = emit_write(emitter, tensor, emit_plain_layout(emitter, tensor));
    image->place = BUFFER_image;
    emitter->program->image = image;
}

static void emit_forward(Emitter *emitter)
{
    for (int i = 0; i < network_module_count(emitter->program->network); i++) {
        if (emitter->head_at[i] < 0)
            continue;
        const Module *head = network_module(emitter->program->network, emitter->head_at[i]);
        emitter->emitting = head->index;
        dnnl_layer(head->name);
        head->ops->forward(head, emitter);
    }
    dnnl_layer(NULL);
}

/* Whether anything below the chain that `head` heads, or in it, is to have a gradient. */
static bool has_backward(const Emitter *emitter, const Module *head)
{
    const Fusion fusion = emit_fusion(emitter, head);
    bool wanted = program_trains(emitter->program, head) || (fusion.residual && emit_wants_gradient(emitter, fusion.residual));
    for (int i = 0; i < head->inputs; i++)
        wanted = wanted || emit_wants_gradient(emitter, head->in[i]);
    return wanted && head->ops->backward;
}

static void emit_backward(Emitter *emitter)
{
    emit_begin_backward(emitter);
    for (int i = network_module_count(emitter->program->network) - 1; i >= 0; i--) {
        if (emitter->head_at[i] < 0)
            continue;
        const Module *head = network_module(emitter->program->network, emitter->head_at[i]);
        emitter->emitting = head->index;
        dnnl_layer(head->name);
        if (has_backward(emitter, head))
            head->ops->backward(head, emitter);
        emit_flush_pending(emitter);
    }
    emit_watched_gradients(emitter);
    dnnl_layer(NULL);
}

/* Logits stay readable until backward or the next run; the caller fills their gradient between forward and backward. */
static void make_logits(Emitter *emitter)
{
    const Tensor *tensor = network_logits(emitter->program->network);
    const_dnnl_memory_desc_t plain = emit_plain_layout(emitter, tensor);
    emitter->program->logits = emit_read(emitter, tensor, plain);
    emitter->program->loss_at = emitter->program->kernels[TURN_step].count;
    buffer_root(emitter->program->logits)->last = emitter->program->loss_at;
    if (program_has_backward(emitter->program)) {
        emitter->program->logits_gradient = emit_write_gradient(emitter, tensor, plain);
        emitter->program->logits_gradient->first = emitter->program->loss_at - 1;
        emitter->program->logits_gradient->last = emitter->program->loss_at - 1;      /* even if no kernel reads it the caller writes it, so it needs a place */
    }
}

static Emitter emitter_of(Program *program)
{
    const size_t modules = (size_t)program->network->modules.count;
    Emitter emitter = { .program = program };
    emitter.fusions = allocate(modules, sizeof *emitter.fusions, "a program");
    emitter.head_at = allocate(modules, sizeof *emitter.head_at, "a program");
    emitter.saved = allocate(modules, sizeof *emitter.saved, "a program");
    emitter.tensors = allocate((size_t)program->network->tensors.count, sizeof *emitter.tensors, "a program");
    return emitter;
}

static void emitter_clear(Emitter *emitter)
{
    for (int i = 0; i < emitter->program->network->tensors.count; i++) {
        list_clear(&emitter->tensors[i].copies, NULL);
        list_clear(&emitter->tensors[i].shares, NULL);
        list_clear(&emitter->tensors[i].gradient_copies, NULL);
    }
    list_clear(&emitter->param_copies, free);
    list_clear(&emitter->pending, NULL);
    free(emitter->fusions);
    free(emitter->head_at);
    free(emitter->saved);
    free(emitter->tensors);
}

void emit_all(Program *program)
{
    Emitter emitter = emitter_of(program);
    emit_fuse(&emitter);
    if (program_has_backward(program))
        emit_want_gradients(&emitter);
    make_image(&emitter);
    emit_forward(&emitter);
    make_logits(&emitter);
    emit_watched_values(&emitter);
    if (program_has_backward(program))
        emit_backward(&emitter);
    emitter_clear(&emitter);
}
