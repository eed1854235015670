/* channel_gate.c - every channel times a number of its own that the network computes.
 *
 *   x, y    N C H W
 *   gate    N C 1 1
 *
 *   y = x gate[n][c];  dx = dy gate[n][c],  dgate[n][c] = sum over h, w of dy x */

#include "modules.h"

#include "emit.h"
#include "errors.h"
#include "kernels.h"

typedef struct Call {
    View         view;
    const float *x, *gate, *dy;
    float       *y, *dx, *dgate;
} Call;

static void run_forward(const void *call)
{
    const Call *c = call;
    kernel_gate_forward(&c->view, c->x, c->gate, c->y);
}

static void run_backward(const void *call)
{
    const Call *c = call;
    kernel_gate_backward(&c->view, c->x, c->gate, c->dy, c->dx, c->dgate);
}

static void channel_gate_forward(const Module *module, Emitter *emitter)
{
    Buffer *x = emit_read_view(emitter, module->in[0]);
    Call call = { .view = buffer_view(x) };
    Buffer *gate = emit_read(emitter, module->in[1], emit_pixel_layout(emitter, module->in[1], &call.view));
    Buffer *y = emit_write(emitter, module->out, buffer_layout(x));
    Kernel *kernel = emit_call(emitter, module, "forward", run_forward, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.gate, gate);
    kernel_writes(kernel, &call.y, y);
    kernel_in_place(kernel, x, y);
}

static void channel_gate_backward(const Module *module, Emitter *emitter)
{
    Buffer *x = emit_read_view(emitter, module->in[0]);
    Call call = { .view = buffer_view(x) };
    const_dnnl_memory_desc_t gates = emit_pixel_layout(emitter, module->in[1], &call.view);
    Buffer *gate = emit_read(emitter, module->in[1], gates);
    Buffer *dy = emit_read_gradient(emitter, module->out, buffer_layout(x));
    Buffer *dx = emit_write_gradient(emitter, module->in[0], buffer_layout(x));
    Buffer *dgate = emit_write_gradient(emitter, module->in[1], gates);
    Kernel *kernel = emit_call(emitter, module, "backward", run_backward, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.gate, gate);
    kernel_reads(kernel, &call.dy, dy);
    kernel_writes(kernel, &call.dx, dx);
    kernel_writes(kernel, &call.dgate, dgate);
    kernel_in_place(kernel, dy, dx);
}

static const ModuleOps channel_gate_ops = {
    .kind = "channel_gate", .forward = channel_gate_forward, .backward = channel_gate_backward,
};

Tensor *channel_gate(Network *net, const char *name, const Tensor *x, const Tensor *gate)
{
    CHECK(gate->shape.c == x->shape.c && gate->shape.h == 1 && gate->shape.w == 1,
          "channel_gate '%s': %d channels and a gate of %d x %d x %d", name, x->shape.c, gate->shape.c, gate->shape.h,
          gate->shape.w);
    Module *m = network_add_module(net, sizeof *m, &channel_gate_ops, name, x, gate);
    return network_add_output(net, m, x->shape);
}
