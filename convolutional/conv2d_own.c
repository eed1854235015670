/* conv2d_own.c - puts our own convolution kernels into a program; see conv2d_own.h. */

#include "conv2d_own.h"

#include "integers.h"

bool own_conv2d_fits(const Conv2dModule *conv, const Program *program, int unit)
{
    const bool last = program_plan(program)->layout == LAYOUT_channels_last;
    const int whole = last ? unit : int_max(unit, kernels_block());
    return conv->base.in[0]->shape.c % whole == 0 && conv->base.out->shape.c % whole == 0;
}

const_dnnl_memory_desc_t own_conv2d_layout(Emitter *emitter, const Tensor *tensor)
{
    const bool last = program_plan(emit_program(emitter))->layout == LAYOUT_channels_last;
    return last ? emit_tensor_layout(emitter, tensor, dnnl_nhwc) : emit_blocked_layout(emitter, tensor);
}

static Kernel *add_kernel(const OwnConv2d *own, const Conv2dModule *conv, Emitter *emitter, const char *what, CallFunction *function,
                          OwnCall *call)
{
    Kernel *kernel = emit_call(emitter, &conv->base, what, function, call, sizeof *call);
    kernel_name(kernel, own->name);
    kernel_scratch(kernel, &call->scratch, own->scratch(&call->sizes));
    kernel_flops(kernel, conv2d_flops(conv, emit_program(emitter)));
    return kernel;
}

void own_conv2d_forward(const OwnConv2d *own, const Conv2dModule *conv, Emitter *emitter)
{
    Buffer *x = emit_read(emitter, conv->base.in[0], own->tensor_layout(emitter, conv->base.in[0]));
    Buffer *weight = emit_param(emitter, conv->weight, own->weight_layout(conv, emitter));
    Buffer *bias = conv->bias ? emit_param(emitter, conv->bias, NULL) : NULL;
    Buffer *y = emit_write(emitter, conv->base.out, own->tensor_layout(emitter, conv->base.out));
    OwnCall call = { .sizes = own->sizes(conv, x, y) };
    Kernel *kernel = add_kernel(own, conv, emitter, "forward", own->forward, &call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.weight, weight);
    kernel_reads(kernel, &call.bias, bias);
    kernel_writes(kernel, &call.y, y);
}

static void add_backward_weights(const OwnConv2d *own, const Conv2dModule *conv, Emitter *emitter, Buffer *x, Buffer *dy)
{
    Buffer *dweight = emit_param_gradient(emitter, conv->weight, own->weight_layout(conv, emitter));
    Buffer *dbias = conv->bias ? emit_param_gradient(emitter, conv->bias, NULL) : NULL;
    OwnCall call = { .sizes = own->sizes(conv, x, dy) };
    Kernel *kernel = add_kernel(own, conv, emitter, "backward weights", own->backward_weights, &call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.dy, dy);
    kernel_writes(kernel, &call.dweight, dweight);
    kernel_writes(kernel, &call.dbias, dbias);
}

static void add_backward_data(const OwnConv2d *own, const Conv2dModule *conv, Emitter *emitter, Buffer *dy)
{
    Buffer *dx = emit_write_gradient(emitter, conv->base.in[0], own->tensor_layout(emitter, conv->base.in[0]));
    Buffer *weight = emit_param(emitter, conv->weight, own->weight_layout(conv, emitter));
    OwnCall call = { .sizes = own->sizes(conv, dx, dy) };
    Kernel *kernel = add_kernel(own, conv, emitter, "backward data", own->backward_data, &call);
    kernel_reads(kernel, &call.dy, dy);
    kernel_reads(kernel, &call.weight, weight);
    kernel_writes(kernel, &call.dx, dx);
}

/* Weights first: x is free after it, and dx can have its place. */
void own_conv2d_backward(const OwnConv2d *own, const Conv2dModule *conv, Emitter *emitter)
{
    const_dnnl_memory_desc_t x_layout = own->tensor_layout(emitter, conv->base.in[0]);
    Buffer *x = program_trains(emit_program(emitter), &conv->base) ? emit_read(emitter, conv->base.in[0], x_layout) : NULL;
    Buffer *dy = emit_read_gradient(emitter, conv->base.out, own->tensor_layout(emitter, conv->base.out));
    if (x)
        add_backward_weights(own, conv, emitter, x, dy);
    if (emit_wants_gradient(emitter, conv->base.in[0]))
        add_backward_data(own, conv, emitter, dy);
}
