/* kernel.c - one entry of a program's list: a oneDNN primitive or a loop of our own, with its arguments bound. */

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

static Kernel *add_kernel(Program *program, const Module *module, const char *what, Turn turn)
{
    Kernel *kernel = allocate(1, sizeof *kernel, "a kernel");
    if (program->recomputing && !strcmp(what, "forward"))
        what = "forward again";
    *kernel = (Kernel){ .program = program, .turn = turn, .index = program->kernels[turn].count, .module = module, .what = what, .layer = program->emitting };
    return list_add(&program->kernels[turn], kernel);
}

Kernel *program_emit_primitive(Program *program, const Module *module, const char *what, dnnl_primitive_desc_t pd, Turn turn)
{
    Kernel *kernel = add_kernel(program, module, what, turn);
    DNNL(dnnl_primitive_create(&kernel->primitive, pd));
    const char *implementation;
    DNNL(dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&implementation));
    snprintf(kernel->implementation, sizeof kernel->implementation, "%s", implementation);

    const_dnnl_memory_desc_t scratchpad = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    if (scratchpad && dnnl_memory_desc_get_size(scratchpad)) {
        const_dnnl_memory_desc_t layout = program_keep_layout(program, scratchpad);
        kernel_bind_as(kernel, DNNL_ARG_SCRATCHPAD, program_scratch(program, dnnl_memory_desc_get_size(layout)), layout);
    }
    DNNL(dnnl_primitive_desc_destroy(pd));
    return kernel;
}

Kernel *program_emit(Program *program, const Module *module, const char *what, dnnl_primitive_desc_t pd)
{
    return program_emit_primitive(program, module, what, pd, TURN_step);
}

Kernel *program_emit_function(Program *program, const Module *module, const char *what, KernelFunction *function,
                              const void *context, size_t context_size)
{
    Kernel *kernel = add_kernel(program, module, what, TURN_step);
    kernel->function = function;
    kernel->context = allocate(1, context_size ? context_size : 1, "a kernel");
    memcpy(kernel->context, context, context_size);
    snprintf(kernel->implementation, sizeof kernel->implementation, "convzoo");
    return kernel;
}

Kernel *program_emit_call(Program *program, const Module *module, const char *what, CallFunction *function, const void *call,
                          size_t call_size)
{
    Kernel *kernel = add_kernel(program, module, what, TURN_step);
    kernel->run = function;
    kernel->call = allocate(1, call_size, "a kernel");
    kernel->call_from = call;
    kernel->call_size = call_size;
    memcpy(kernel->call, call, call_size);
    snprintf(kernel->implementation, sizeof kernel->implementation, "convzoo");
    return kernel;
}

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
    CHECK(!kernel->function || slot < KERNEL_MAX_SLOTS, "%s: slot %d, at most %d", kernel->what, slot, KERNEL_MAX_SLOTS - 1);
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
    bind_pointer(kernel, pointer, ACCESS_scratch, program_scratch(kernel->program, bytes));
}

void kernel_bind(Kernel *kernel, int slot, Buffer *buffer)
{
    kernel_bind_as(kernel, slot, buffer, buffer ? buffer->layout : NULL);
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

static void set_pointer(Kernel *kernel, const Binding *binding, char *pointer)
{
    if (kernel->call)
        memcpy(kernel->call + binding->slot, &pointer, sizeof pointer);
    else
        kernel->pointers[binding->slot] = pointer;
}

void kernel_complete(Kernel *kernel)
{
    for (int i = 0; i < kernel->count; i++) {
        const Binding *binding = &kernel->bindings[i];
        char *pointer = buffer_root(binding->buffer)->pointer;
        if (kernel->primitive) {
            dnnl_memory_t memory;
            DNNL(dnnl_memory_create(&memory, binding->layout, onednn_engine(), pointer));
            kernel->arguments[i] = (dnnl_exec_arg_t){ binding->slot, memory };
        } else {
            set_pointer(kernel, binding, pointer);
        }
    }
}

void kernel_point(Kernel *kernel, const Buffer *buffer)
{
    for (int i = 0; i < kernel->count; i++) {
        if (buffer_root(kernel->bindings[i].buffer) != buffer)
            continue;
        if (kernel->primitive)
            DNNL(dnnl_memory_set_data_handle(kernel->arguments[i].memory, buffer->pointer));
        else
            set_pointer(kernel, &kernel->bindings[i], buffer->pointer);
    }
}

static void execute(const Kernel *kernel)
{
    if (kernel->primitive)
        DNNL(dnnl_primitive_execute(kernel->primitive, onednn_stream(), kernel->count, kernel->arguments));
    else if (kernel->call)
        kernel->run(kernel->call);
    else
        kernel->function(kernel->context, kernel->pointers);
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
    free(kernel->context);
    free(kernel->call);
    free(kernel);
}
