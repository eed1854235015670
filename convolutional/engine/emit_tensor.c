/* emit_tensor.c - values of tensors: written once, read in any layout, made anew in backward; see emit.h. */

#include "emitter.h"

#include "errors.h"

TensorState *emit_state(const Emitter *emitter, const Tensor *tensor)
{
    return &emitter->tensors[tensor->index];
}

static void recompute(Emitter *emitter, const Module *module)
{
    const int reader = emitter->emitting;
    const bool nested = emitter->recomputing;
    emitter->emitting = module->index;
    emitter->recomputing = true;
    module->ops->recompute(module, emitter);
    emitter->emitting = reader;
    emitter->recomputing = nested;
}

Buffer *emit_read(Emitter *emitter, const Tensor *tensor, const_dnnl_memory_desc_t layout)
{
    TensorState *state = emit_state(emitter, tensor);
    if (!state->values && state->recompute)
        recompute(emitter, state->recompute);
    CHECK(state->values, "tensor %d is read before it is written", tensor->index);
    return emit_in_layout(emitter, tensor->producer, state->values, &state->copies, layout);
}

Buffer *emit_read_view(Emitter *emitter, const Tensor *tensor)
{
    emit_read(emitter, tensor, NULL);      /* what is recomputed gets its layout with that */
    return emit_read(emitter, tensor, emit_view_layout(emitter, tensor));
}

Buffer *emit_read_channels(Emitter *emitter, const Tensor *tensor)
{
    View view;
    Buffer *values = emit_read(emitter, tensor, NULL);
    return layout_batch_last(values->layout, &view) ? values : emit_read_view(emitter, tensor);
}

Buffer *emit_read_numbers(Emitter *emitter, const Tensor *tensor)
{
    Buffer *values = emit_read(emitter, tensor, NULL);
    return layout_is_bf16(values->layout) ? values : emit_read_channels(emitter, tensor);
}

Buffer *emit_write(Emitter *emitter, const Tensor *tensor, const_dnnl_memory_desc_t layout)
{
    TensorState *state = emit_state(emitter, tensor);
    CHECK(!state->values, "tensor %d is written twice", tensor->index);
    state->layout = layout;
    return state->values = program_buffer(emitter->program, BUFFER_arena, layout, 0);
}

void emit_recompute(Emitter *emitter, const Tensor *tensor, const Module *module)
{
    if (!program_watches(emitter->program, tensor))
        emit_state(emitter, tensor)->recompute = module;
}

bool emit_recomputes(const Emitter *emitter, const Tensor *tensor)
{
    return emit_state(emitter, tensor)->recompute != NULL;
}

void emit_begin_backward(Emitter *emitter)
{
    for (int i = 0; i < emitter->program->network->tensors.count; i++)
        if (emitter->tensors[i].recompute) {
            emitter->tensors[i].values = NULL;
            emitter->tensors[i].copies.count = 0;
        }
}

void emit_alias(Emitter *emitter, const Tensor *tensor, Buffer *buffer, const_dnnl_memory_desc_t layout)
{
    TensorState *state = emit_state(emitter, tensor);
    CHECK(!state->values, "tensor %d is written twice", tensor->index);
    state->values = emit_as(emitter, buffer, layout);
    state->layout = layout;
}

void emit_save(Emitter *emitter, const Module *module, int slot, Buffer *buffer)
{
    CHECK(slot < MODULE_MAX_SAVED, "'%s': slot %d, at most %d", module->name, slot, MODULE_MAX_SAVED - 1);
    emitter->saved[module->index][slot] = buffer;
}

Buffer *emit_saved(const Emitter *emitter, const Module *module, int slot)
{
    CHECK(emitter->saved[module->index][slot], "'%s': forward left nothing in slot %d", module->name, slot);
    return emitter->saved[module->index][slot];
}
