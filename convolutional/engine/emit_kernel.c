/* emit_kernel.c - puts kernels into a program; see emit.h. */

#include "emitter.h"

#include "errors.h"

#include <string.h>

static Kernel *add_kernel(Emitter *emitter, const Module *module, const char *what, Turn turn)
{
    Kernel *kernel = allocate(1, sizeof *kernel, "a kernel");
    if (emitter->recomputing && !strcmp(what, "forward"))
        what = "recompute";
    *kernel = (Kernel){ .program = emitter->program, .turn = turn, .index = emitter->program->kernels[turn].count, .module = module,
                        .what = what, .layer = emitter->emitting };
    return list_add(&emitter->program->kernels[turn], kernel);
}

Kernel *emit_primitive_at(Emitter *emitter, const Module *module, const char *what, dnnl_primitive_desc_t pd, Turn turn)
{
    Kernel *kernel = add_kernel(emitter, module, what, turn);
    DNNL(dnnl_primitive_create(&kernel->primitive, pd));
    const char *implementation;
    DNNL(dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&implementation));
    snprintf(kernel->implementation, sizeof kernel->implementation, "%s", implementation);

    const_dnnl_memory_desc_t scratchpad = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    if (scratchpad && dnnl_memory_desc_get_size(scratchpad)) {
        const_dnnl_memory_desc_t layout = emit_keep_layout(emitter, scratchpad);
        kernel_bind_as(kernel, DNNL_ARG_SCRATCHPAD, emit_scratch(emitter, dnnl_memory_desc_get_size(layout)), layout);
    }
    DNNL(dnnl_primitive_desc_destroy(pd));
    return kernel;
}

Kernel *emit_primitive(Emitter *emitter, const Module *module, const char *what, dnnl_primitive_desc_t pd)
{
    return emit_primitive_at(emitter, module, what, pd, TURN_step);
}

Kernel *emit_call(Emitter *emitter, const Module *module, const char *what, CallFunction *function, const void *call,
                  size_t call_size)
{
    Kernel *kernel = add_kernel(emitter, module, what, TURN_step);
    kernel->run = function;
    kernel->call = allocate(1, call_size, "a kernel");
    kernel->call_from = call;
    kernel->call_size = call_size;
    memcpy(kernel->call, call, call_size);
    snprintf(kernel->implementation, sizeof kernel->implementation, "convzoo");
    return kernel;
}
