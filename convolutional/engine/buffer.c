/* buffer.c - a tensor's bytes in one layout inside one program: how they lie, and how long they live. */

#include "program_build.h"

#include "errors.h"

Buffer *buffer_root(Buffer *buffer)
{
    while (buffer->root != buffer)
        buffer = buffer->root;
    return buffer;
}

void buffer_use(Buffer *buffer, const Kernel *kernel)
{
    Buffer *root = buffer_root(buffer);
    if (kernel->turn != TURN_step) {      /* it runs between steps: nobody else may have these bytes, from where they are written */
        if (kernel->turn == TURN_refresh || root->first > root->last)
            root->first = 0;
        root->last = INT32_MAX;
        return;
    }
    if (kernel->index < root->first)
        root->first = kernel->index;
    if (kernel->index > root->last)
        root->last = kernel->index;
}

void buffer_move(Program *program, Buffer *buffer, float *pointer)
{
    buffer->pointer = (char *)pointer;
    for (Turn turn = 0; turn < TURN_COUNT; turn++)
        for (int i = 0; i < program->kernels[turn].count; i++)
            kernel_point(program->kernels[turn].items[i], buffer);
}

Buffer *program_buffer(Program *program, BufferPlace place, const_dnnl_memory_desc_t layout, size_t size)
{
    Buffer *buffer = list_add(&program->buffers, allocate(1, sizeof *buffer, "a buffer"));
    *buffer = (Buffer){ .root = buffer, .place = place, .layout = layout, .size = size, .first = INT32_MAX, .last = -1 };
    if (layout)
        buffer->size = dnnl_memory_desc_get_size(layout);
    return buffer;
}

const_dnnl_memory_desc_t buffer_layout(const Buffer *buffer)
{
    return buffer->layout;
}

View buffer_view(const Buffer *buffer)
{
    View view;
    char text[128];
    CHECK(layout_view(buffer->layout, &view), "a layout that no kernel of ours reads: %s",
          layout_text(buffer->layout, text, sizeof text));
    return view;
}

View buffer_channels(const Buffer *buffer)
{
    View view;
    return layout_batch_last(buffer->layout, &view) ? view : buffer_view(buffer);
}
