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

enum { X, GATE, Y, DY = 2, DX, DGATE };

static void run_forward(const void *context, void *const p[])
{
    kernel_gate_forward(context, p[X], p[GATE], p[Y]);
}

static void run_backward(const void *context, void *const p[])
{
    kernel_gate_backward(context, p[X], p[GATE], p[DY], p[DX], p[DGATE]);
}

static void channel_gate_forward(const Module *module, Program *program)
{
    Buffer *x = program_read_view(program, module->in[0]);
    const View view = buffer_view(x);
    Buffer *gate = program_read(program, module->in[1], program_pixel_layout(program, module->in[1], &view));
    Buffer *y = program_write(program, module->out, buffer_layout(x));
    Kernel *kernel = program_emit_function(program, module, "forward", run_forward, &view, sizeof view);
    kernel_bind(kernel, X, x);
    kernel_bind(kernel, GATE, gate);
    kernel_bind(kernel, Y, y);
    kernel_in_place(kernel, x, y);
}

static void channel_gate_backward(const Module *module, Program *program)
{
    Buffer *x = program_read_view(program, module->in[0]);
    const View view = buffer_view(x);
    const_dnnl_memory_desc_t gates = program_pixel_layout(program, module->in[1], &view);
    Buffer *gate = program_read(program, module->in[1], gates);
    Buffer *dy = program_read_gradient(program, module->out, buffer_layout(x));
    Buffer *dx = program_write_gradient(program, module->in[0], buffer_layout(x));
    Buffer *dgate = program_write_gradient(program, module->in[1], gates);
    Kernel *kernel = program_emit_function(program, module, "backward", run_backward, &view, sizeof view);
    kernel_bind(kernel, X, x);
    kernel_bind(kernel, GATE, gate);
    kernel_bind(kernel, DY, dy);
    kernel_bind(kernel, DX, dx);
    kernel_bind(kernel, DGATE, dgate);
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
