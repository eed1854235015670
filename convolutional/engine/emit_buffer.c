/* emit_buffer.c - a tensor's bytes in one layout: made, described anew, reordered; see emit.h. */

#include "emitter.h"

#include "errors.h"

Buffer *emit_scratch(Emitter *emitter, size_t bytes)
{
    return program_buffer(emitter->program, BUFFER_arena, NULL, bytes);
}

/* `buffer`, described as `layout`: itself if it is so already. */
Buffer *emit_as(Emitter *emitter, Buffer *buffer, const_dnnl_memory_desc_t layout)
{
    if (buffer->layout && dnnl_memory_desc_equal(buffer->layout, layout))
        return buffer;
    Buffer *alias = program_buffer(emitter->program, buffer->place, layout, 0);
    alias->root = buffer;
    alias->param = buffer->param;
    return alias;
}

Kernel *emit_reorder_at(Emitter *emitter, const Module *module, Turn turn, Buffer *from, Buffer *to)
{
    dnnl_primitive_desc_t pd;
    DNNL(dnnl_reorder_primitive_desc_create(&pd, from->layout, onednn_engine(), to->layout, onednn_engine(), onednn_attr()));
    Kernel *kernel = emit_primitive_at(emitter, module, "reorder", pd, turn);
    kernel_bind(kernel, DNNL_ARG_FROM, from);
    kernel_bind(kernel, DNNL_ARG_TO, to);
    return kernel;
}

void emit_reorder(Emitter *emitter, const Module *module, Buffer *from, Buffer *to)
{
    emit_reorder_at(emitter, module, to->place == BUFFER_copy ? TURN_refresh : TURN_step, from, to);
}

/* `values` or one of its copies in `layout`; a new copy, and the reorder that makes it, if there is none. */
Buffer *emit_in_layout(Emitter *emitter, const Module *module, Buffer *values, List *copies,
                       const_dnnl_memory_desc_t layout)
{
    if (!layout)
        return values;
    if (layout_same_bytes(values->layout, layout))
        return emit_as(emitter, values, layout);
    for (int i = 0; i < copies->count; i++) {
        Buffer *copy = copies->items[i];
        if (layout_same_bytes(copy->layout, layout))
            return emit_as(emitter, copy, layout);
    }
    Buffer *copy = list_add(copies, program_buffer(emitter->program, BUFFER_arena, layout, 0));
    emit_reorder(emitter, module, values, copy);
    return copy;
}
