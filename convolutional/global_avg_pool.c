/* global_avg_pool.c - the mean of every channel.
 *
 *   x    N C H W
 *   y    N C 1 1         y = sum over h, w of x / (H W);  dx = dy / (H W)
 */

#include "modules.h"

#include "emit.h"
#include "kernels.h"

typedef struct Call {
    View         view;      /* of x */
    const float *x, *dy;
    float       *y, *dx;
} Call;

static void run_forward(const void *call)
{
    const Call *c = call;
    kernel_global_average_forward(&c->view, c->x, c->y);
}

static void run_backward(const void *call)
{
    const Call *c = call;
    kernel_global_average_backward(&c->view, c->dy, c->dx);
}

static void global_avg_pool_forward(const Module *module, Emitter *emitter)
{
    Buffer *x = emit_read_view(emitter, module->in[0]);
    Call call = { .view = buffer_view(x) };
    Buffer *y = emit_write(emitter, module->out, emit_pixel_layout(emitter, module->out, &call.view));
    Kernel *kernel = emit_call(emitter, module, "forward", run_forward, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_writes(kernel, &call.y, y);
}

static void global_avg_pool_backward(const Module *module, Emitter *emitter)
{
    const_dnnl_memory_desc_t x_layout = emit_view_layout(emitter, module->in[0]);
    Buffer *dx = emit_write_gradient(emitter, module->in[0], x_layout);
    Call call = { .view = buffer_view(dx) };
    Buffer *dy = emit_read_gradient(emitter, module->out, emit_pixel_layout(emitter, module->out, &call.view));
    Kernel *kernel = emit_call(emitter, module, "backward", run_backward, &call, sizeof call);
    kernel_reads(kernel, &call.dy, dy);
    kernel_writes(kernel, &call.dx, dx);
}

static const ModuleOps global_avg_pool_ops = {
    .kind = "global_avg_pool", .forward = global_avg_pool_forward, .backward = global_avg_pool_backward,
};

Tensor *global_avg_pool(Network *net, const char *name, const Tensor *x)
{
    Module *m = network_add_module(net, sizeof *m, &global_avg_pool_ops, name, x, NULL);
    return network_add_output(net, m, (Shape){ x->shape.c, 1, 1 });
}
