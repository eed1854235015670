/* global_avg_pool.c - the mean of every channel.
 *
 *   x    N C H W
 *   y    N C 1 1         y = sum over h, w of x / (H W);  dx = dy / (H W)
 */

#include "modules.h"

#include "emit.h"
#include "kernels.h"

enum { X, Y };

static void run_forward(const void *context, void *const p[])
{
    kernel_global_average_forward(context, p[X], p[Y]);
}

static void run_backward(const void *context, void *const p[])
{
    kernel_global_average_backward(context, p[Y], p[X]);
}

static void global_avg_pool_forward(const Module *module, Program *program)
{
    Buffer *x = program_read_view(program, module->in[0]);
    const View view = buffer_view(x);
    Buffer *y = program_write(program, module->out, program_pixel_layout(program, module->out, &view));
    Kernel *kernel = program_emit_function(program, module, "forward", run_forward, &view, sizeof view);
    kernel_bind(kernel, X, x);
    kernel_bind(kernel, Y, y);
}

static void global_avg_pool_backward(const Module *module, Program *program)
{
    const_dnnl_memory_desc_t x_layout = program_view_layout(program, module->in[0]);
    Buffer *dx = program_write_gradient(program, module->in[0], x_layout);
    const View view = buffer_view(dx);
    Buffer *dy = program_read_gradient(program, module->out, program_pixel_layout(program, module->out, &view));
    Kernel *kernel = program_emit_function(program, module, "backward", run_backward, &view, sizeof view);
    kernel_bind(kernel, X, dx);
    kernel_bind(kernel, Y, dy);
}

static const ModuleOps global_avg_pool_ops = {
    .kind = "global_avg_pool", .forward = global_avg_pool_forward, .backward = global_avg_pool_backward,
};

Tensor *global_avg_pool(Network *net, const char *name, const Tensor *x)
{
    Module *m = network_add_module(net, sizeof *m, &global_avg_pool_ops, name, x, NULL);
    return network_add_output(net, m, (Shape){ x->shape.c, 1, 1 });
}
