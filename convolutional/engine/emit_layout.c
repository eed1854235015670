/* emit_layout.c - descriptors of layouts that live as long as the program; see emit.h. */

#include "emitter.h"

#include "errors.h"
#include "kernels.h"

const_dnnl_memory_desc_t emit_own_layout(Emitter *emitter, dnnl_memory_desc_t layout)
{
    return list_add(&emitter->program->layouts, layout);
}

const_dnnl_memory_desc_t emit_keep_layout(Emitter *emitter, const_dnnl_memory_desc_t layout)
{
    dnnl_memory_desc_t clone;
    DNNL(dnnl_memory_desc_clone(&clone, layout));
    return emit_own_layout(emitter, clone);
}

const_dnnl_memory_desc_t emit_layout(Emitter *emitter, int rank, const int64_t *dims, dnnl_format_tag_t tag)
{
    return emit_own_layout(emitter, layout_new(rank, dims, tag));
}

const_dnnl_memory_desc_t emit_tensor_layout(Emitter *emitter, const Tensor *tensor, dnnl_format_tag_t tag)
{
    const int64_t dims[] = { emitter->program->batch, tensor->shape.c, tensor->shape.h, tensor->shape.w };
    return emit_layout(emitter, 4, dims, tag);
}

const_dnnl_memory_desc_t emit_blocked_layout(Emitter *emitter, const Tensor *tensor)
{
    return emit_tensor_layout(emitter, tensor, kernels_block() == 16 ? dnnl_nChw16c : dnnl_nChw8c);
}

const_dnnl_memory_desc_t emit_preferred_layout(Emitter *emitter, const Tensor *tensor)
{
    if (!tensor->producer)
        return emit_tensor_layout(emitter, tensor, dnnl_format_tag_any);
    if (emitter->program->plan.layout == LAYOUT_channels_last)
        return emit_tensor_layout(emitter, tensor, dnnl_nhwc);
    /* Left alone, oneDNN wants blocks for training and channels last for inference: our kernels would need reorders. */
    const bool blocks = tensor->shape.c % kernels_block() == 0;
    return blocks ? emit_blocked_layout(emitter, tensor) : emit_tensor_layout(emitter, tensor, dnnl_format_tag_any);
}

const_dnnl_memory_desc_t emit_batch_last_layout(Emitter *emitter, const Tensor *tensor)
{
    return emit_tensor_layout(emitter, tensor, dnnl_Abcd16a);
}

const_dnnl_memory_desc_t emit_layout_in(Emitter *emitter, const_dnnl_memory_desc_t layout, bool bf16)
{
    return bf16 ? emit_own_layout(emitter, layout_new_of_type(layout, dnnl_bf16)) : layout;
}

const_dnnl_memory_desc_t emit_plain_layout(Emitter *emitter, const Tensor *tensor)
{
    return emit_tensor_layout(emitter, tensor, dnnl_nchw);
}

const_dnnl_memory_desc_t emit_pixel_layout(Emitter *emitter, const Tensor *tensor, const View *view)
{
    if (view->padded == view->c)
        return emit_plain_layout(emitter, tensor);
    return emit_tensor_layout(emitter, tensor, layout_tag(view));
}

const_dnnl_memory_desc_t emit_asked_layout(Emitter *emitter, const_dnnl_primitive_desc_t pd, dnnl_query_t what)
{
    return emit_keep_layout(emitter, dnnl_primitive_desc_query_md(pd, what, 0));
}

const_dnnl_memory_desc_t emit_values_layout(const Emitter *emitter, const Tensor *tensor)
{
    return emit_state(emitter, tensor)->layout;
}

const_dnnl_memory_desc_t emit_view_layout(Emitter *emitter, const Tensor *tensor)
{
    View view;
    const_dnnl_memory_desc_t layout = emit_values_layout(emitter, tensor);
    if (!layout_view(layout, &view))
        return emit_plain_layout(emitter, tensor);
    return layout_is_bf16(layout) ? emit_own_layout(emitter, layout_new_of_type(layout, dnnl_f32)) : layout;
}
