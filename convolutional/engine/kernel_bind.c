/* kernel_bind.c - what a kernel that was just emitted reads and writes; see emit.h. */

#include "program_build.h"

#include "errors.h"

#include <stdio.h>

void kernel_name(Kernel *kernel, const char *implementation)
{
    snprintf(kernel->implementation, sizeof kernel->implementation, "convzoo:%s", implementation);
}

static void bind(Kernel *kernel, int slot, Access access, Buffer *buffer, const_dnnl_memory_desc_t layout)
{
    if (!buffer)
        return;
    CHECK(kernel->count < KERNEL_MAX_SLOTS, "%s: more than %d buffers bound", kernel->what, KERNEL_MAX_SLOTS);
    const List *list = &kernel->program->kernels[kernel->turn];
    CHECK(list->items[list->count - 1] == kernel, "%s: a kernel was emitted before all of this one's buffers were bound; "
          "read first, then emit (%d kernels)", kernel->what, list->count);
    kernel->bindings[kernel->count++] = (Binding){ slot, access, buffer, layout };
    buffer_use(buffer, kernel);
}

/* What a primitive does with an argument. */
static Access access_of(int slot)
{
    switch (slot) {
    case DNNL_ARG_SCRATCHPAD:
        return ACCESS_scratch;
    case DNNL_ARG_DST:
    case DNNL_ARG_DIFF_SRC:
    case DNNL_ARG_DIFF_WEIGHTS:
    case DNNL_ARG_DIFF_BIAS:
        return ACCESS_write;
    case DNNL_ARG_WORKSPACE:      /* forward writes it, backward reads it */
        return ACCESS_update;
    default:
        return ACCESS_read;
    }
}

void kernel_bind_as(Kernel *kernel, int slot, Buffer *buffer, const_dnnl_memory_desc_t layout)
{
    bind(kernel, slot, access_of(slot), buffer, layout);
}

void kernel_bind(Kernel *kernel, int slot, Buffer *buffer)
{
    kernel_bind_as(kernel, slot, buffer, buffer ? buffer->layout : NULL);
}

static void bind_pointer(Kernel *kernel, const void *pointer, Access access, Buffer *buffer)
{
    const ptrdiff_t place = (const char *)pointer - kernel->call_from;
    CHECK(place >= 0 && (size_t)place + sizeof(void *) <= kernel->call_size, "%s: a pointer at %td of a call of %zu bytes", kernel->what,
          place, kernel->call_size);
    bind(kernel, (int)place, access, buffer, buffer ? buffer->layout : NULL);
}

void kernel_reads(Kernel *kernel, const float **pointer, Buffer *buffer)
{
    bind_pointer(kernel, pointer, ACCESS_read, buffer);
}

void kernel_writes(Kernel *kernel, float **pointer, Buffer *buffer)
{
    bind_pointer(kernel, pointer, ACCESS_write, buffer);
}

void kernel_updates(Kernel *kernel, float **pointer, Buffer *buffer)
{
    bind_pointer(kernel, pointer, ACCESS_update, buffer);
}

void kernel_scratch(Kernel *kernel, void **pointer, size_t bytes)
{
    bind_pointer(kernel, pointer, ACCESS_scratch, program_buffer(kernel->program, BUFFER_arena, NULL, bytes));
}

void kernel_in_place(Kernel *kernel, Buffer *read, Buffer *written)
{
    kernel->in_place_read = read;
    kernel->in_place_written = written;
}

void kernel_flops(Kernel *kernel, double flops)
{
    kernel->flops = flops;
}
