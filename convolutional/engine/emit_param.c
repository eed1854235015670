/* emit_param.c - parameters and their gradients, in the layouts that kernels ask for; see emit.h. */

#include "emitter.h"

#include "errors.h"

static const_dnnl_memory_desc_t vector_layout(Emitter *emitter, const Param *param)
{
    const int64_t dims[] = { (int64_t)param->count };
    return emit_layout(emitter, 1, dims, dnnl_a);
}

/* Where the parameter lives; what `wanted` describes if it may still choose. */
static const_dnnl_memory_desc_t home_layout(Emitter *emitter, const Param *param, const_dnnl_memory_desc_t wanted)
{
    /* What is read in bf16 lives plain, in f32: readers get copies, and its gradient is reordered back. */
    const_dnnl_memory_desc_t plain = emit_own_layout(emitter, layout_new_plain(wanted));
    const_dnnl_memory_desc_t home = parameters_choose_layout(emitter->program->network, param, layout_is_bf16(wanted) ? plain : wanted);
    return home ? home : plain;
}

static Buffer *param_copy(Emitter *emitter, const Param *param, Buffer *home, const_dnnl_memory_desc_t layout)
{
    for (int i = 0; i < emitter->param_copies.count; i++) {
        const ParamCopy *copy = emitter->param_copies.items[i];
        if (copy->param == param && layout_same_bytes(copy->buffer->layout, layout))
            return copy->buffer;
    }
    ParamCopy *copy = list_add(&emitter->param_copies, allocate(1, sizeof *copy, "a parameter copy"));
    const bool changes = emitter->program->purpose.gradients == GRADIENTS_parameters;      /* from step to step */
    *copy = (ParamCopy){ param, program_buffer(emitter->program, changes ? BUFFER_arena : BUFFER_copy, layout, 0) };
    emit_reorder(emitter, NULL, home, copy->buffer);
    return copy->buffer;
}

Buffer *emit_param(Emitter *emitter, const Param *param, const_dnnl_memory_desc_t layout)
{
    if (!layout)
        layout = vector_layout(emitter, param);
    const_dnnl_memory_desc_t home = home_layout(emitter, param, layout);
    Buffer *buffer = program_buffer(emitter->program, BUFFER_values, home, 0);
    buffer->param = param;
    return layout_same_bytes(home, layout) ? emit_as(emitter, buffer, layout) : param_copy(emitter, param, buffer, layout);
}

Buffer *emit_param_gradient(Emitter *emitter, const Param *param, const_dnnl_memory_desc_t layout)
{
    if (!layout)
        layout = vector_layout(emitter, param);
    const_dnnl_memory_desc_t home = home_layout(emitter, param, layout);
    if (!program_trains_param(emitter->program, param))
        return program_buffer(emitter->program, BUFFER_arena, layout, 0);
    Buffer *buffer = program_buffer(emitter->program, BUFFER_gradients, home, 0);
    buffer->param = param;
    if (layout_same_bytes(home, layout))
        return emit_as(emitter, buffer, layout);
    Buffer *written = program_buffer(emitter->program, BUFFER_arena, layout, 0);
    list_add(&emitter->pending, written);
    list_add(&emitter->pending, buffer);
    return written;
}

void emit_flush_pending(Emitter *emitter)
{
    for (int i = 0; i + 1 < emitter->pending.count; i += 2)
        emit_reorder(emitter, NULL, emitter->pending.items[i], emitter->pending.items[i + 1]);
    emitter->pending.count = 0;
}
