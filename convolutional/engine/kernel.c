/* kernel.c - one entry of a program's list: a oneDNN primitive or a loop of our own, when all its buffers have their place. */

#include "program_build.h"

#include "clock.h"
#include "errors.h"

#include <stdlib.h>
#include <string.h>

const_dnnl_primitive_attr_t onednn_attr(void)
{
    static dnnl_primitive_attr_t attr;
    if (!attr) {
        DNNL(dnnl_primitive_attr_create(&attr));
        DNNL(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
        DNNL(dnnl_primitive_attr_set_fpmath_mode(attr, dnnl_fpmath_mode_strict));
    }
    return attr;
}

static void point_binding(Kernel *kernel, int i)
{
    const Binding *binding = &kernel->bindings[i];
    dnnl_exec_arg_t *argument = &kernel->arguments[i];
    char *pointer = buffer_root(binding->buffer)->pointer;
    if (!kernel->primitive) {
        memcpy(kernel->call + binding->slot, &pointer, sizeof pointer);
    } else if (argument->memory) {
        DNNL(dnnl_memory_set_data_handle(argument->memory, pointer));
    } else {
        argument->arg = binding->slot;
        DNNL(dnnl_memory_create(&argument->memory, binding->layout, onednn_engine(), pointer));
    }
}

void kernel_complete(Kernel *kernel)
{
    for (int i = 0; i < kernel->count; i++)
        point_binding(kernel, i);
}

void kernel_point(Kernel *kernel, const Buffer *buffer)
{
    for (int i = 0; i < kernel->count; i++)
        if (buffer_root(kernel->bindings[i].buffer) == buffer)
            point_binding(kernel, i);
}

static void execute(const Kernel *kernel)
{
    if (kernel->primitive)
        DNNL(dnnl_primitive_execute(kernel->primitive, onednn_stream(), kernel->count, kernel->arguments));
    else
        kernel->run(kernel->call);
}

void kernel_run(Kernel *kernel)
{
    if (!kernel->program->profiling) {
        execute(kernel);
        return;
    }
    const double start = seconds_now();
    execute(kernel);
    DNNL(dnnl_stream_wait(onednn_stream()));
    kernel->seconds += seconds_now() - start;
}

void kernel_free(void *item)
{
    Kernel *kernel = item;
    for (int i = 0; kernel->primitive && i < kernel->count; i++)
        if (kernel->arguments[i].memory)
            DNNL(dnnl_memory_destroy(kernel->arguments[i].memory));
    if (kernel->primitive)
        DNNL(dnnl_primitive_destroy(kernel->primitive));
    free(kernel->call);
    free(kernel);
}
