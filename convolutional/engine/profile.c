/* profile.c - what a program's kernels are and how long they take. */

#include "program_build.h"

#include <stdio.h>

void program_profile(Program *program, bool on)
{
    for (int i = 0; on && i < program->kernels[TURN_step].count; i++)
        ((Kernel *)program->kernels[TURN_step].items[i])->seconds = 0;
    program->profiling = on;
}

static const char *module_name(const Kernel *kernel)
{
    return kernel->module ? kernel->module->name : "parameters";
}

/* Scratch is not counted: it is meant to stay in the cache. */
static double bytes_of(const Kernel *kernel)
{
    double bytes = 0;
    for (int i = 0; i < kernel->count; i++)
        if (kernel->bindings[i].buffer->layout)
            bytes += (double)dnnl_memory_desc_get_size(kernel->bindings[i].buffer->layout);
    return bytes;
}

static bool has_bf16(const Kernel *kernel)
{
    for (int i = 0; i < kernel->count; i++)
        if (kernel->bindings[i].buffer->layout && layout_is_bf16(kernel->bindings[i].buffer->layout))
            return true;
    return false;
}

int program_profile_rows(const Program *program, KernelProfile *rows, int most)
{
    for (int i = 0; rows && i < program->kernels[TURN_step].count && i < most; i++) {
        const Kernel *kernel = program->kernels[TURN_step].items[i];
        rows[i] = (KernelProfile){ module_name(kernel), kernel->what, has_bf16(kernel), kernel->layer, kernel->implementation, kernel->seconds,
                                   kernel->flops, bytes_of(kernel) };
    }
    return program->kernels[TURN_step].count;
}
