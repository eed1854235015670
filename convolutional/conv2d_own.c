/* conv2d_own.c - puts our own convolution kernels into a program; see conv2d_own.h. */

#include "conv2d_own.h"

/* nChw16c is the layout of 512-bit vectors; with narrower ones oneDNN blocks by 8, and only channels last is ours. */
bool own_conv2d_fits(const Conv2dModule *conv, const Program *program, int unit)
{
    const bool last = program_plan(program)->layout == LAYOUT_channels_last;
    const int whole = last ? unit : 16;
    return conv->base.in[0]->shape.c % whole == 0 && conv->base.out->shape.c % whole == 0 && (last || kernels_have_16_lanes());
}

const_dnnl_memory_desc_t own_conv2d_layout(Program *program, const Tensor *tensor)
{
    const bool last = program_plan(program)->layout == LAYOUT_channels_last;
    return program_tensor_layout(program, tensor, last ? dnnl_nhwc : dnnl_nChw16c);
}

static Kernel *emit(const OwnConv2d *own, const Conv2dModule *conv, Program *program, const char *what, CallFunction *function,
                    OwnCall *call)
{
    Kernel *kernel = program_emit_call(program, &conv->base, what, function, call, sizeof *call);
    kernel_name(kernel, own->name);
    kernel_scratch(kernel, &call->scratch, own->scratch(&call->sizes));
    kernel_flops(kernel, conv2d_flops(conv, program));
    return kernel;
}

void own_conv2d_forward(const OwnConv2d *own, const Conv2dModule *conv, Program *program)
{
    Buffer *x = program_read(program, conv->base.in[0], own->tensor_layout(program, conv->base.in[0]));
    Buffer *weight = program_param(program, conv->weight, own->weight_layout(conv, program));
    Buffer *bias = conv->bias ? program_param(program, conv->bias, NULL) : NULL;
    Buffer *y = program_write(program, conv->base.out, own->tensor_layout(program, conv->base.out));
    OwnCall call = { .sizes = own->sizes(conv, x, y) };
    Kernel *kernel = emit(own, conv, program, "forward", own->forward, &call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.weight, weight);
    kernel_reads(kernel, &call.bias, bias);
    kernel_writes(kernel, &call.y, y);
}

static void emit_backward_weights(const OwnConv2d *own, const Conv2dModule *conv, Program *program, Buffer *x, Buffer *dy)
{
    Buffer *dweight = program_param_gradient(program, conv->weight, own->weight_layout(conv, program));
    Buffer *dbias = conv->bias ? program_param_gradient(program, conv->bias, NULL) : NULL;
    OwnCall call = { .sizes = own->sizes(conv, x, dy) };
    Kernel *kernel = emit(own, conv, program, "backward weights", own->backward_weights, &call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.dy, dy);
    kernel_writes(kernel, &call.dweight, dweight);
    kernel_writes(kernel, &call.dbias, dbias);
}

static void emit_backward_data(const OwnConv2d *own, const Conv2dModule *conv, Program *program, Buffer *dy)
{
    Buffer *dx = program_write_gradient(program, conv->base.in[0], own->tensor_layout(program, conv->base.in[0]));
    Buffer *weight = program_param(program, conv->weight, own->weight_layout(conv, program));
    OwnCall call = { .sizes = own->sizes(conv, dx, dy) };
    Kernel *kernel = emit(own, conv, program, "backward data", own->backward_data, &call);
    kernel_reads(kernel, &call.dy, dy);
    kernel_reads(kernel, &call.weight, weight);
    kernel_writes(kernel, &call.dx, dx);
}

/* Weights first: x is free after it, and dx can have its place. */
void own_conv2d_backward(const OwnConv2d *own, const Conv2dModule *conv, Program *program)
{
    const_dnnl_memory_desc_t x_layout = own->tensor_layout(program, conv->base.in[0]);
    Buffer *x = program_trains(program, &conv->base) ? program_read(program, conv->base.in[0], x_layout) : NULL;
    Buffer *dy = program_read_gradient(program, conv->base.out, own->tensor_layout(program, conv->base.out));
    if (x)
        emit_backward_weights(own, conv, program, x, dy);
    if (program_wants_gradient(program, conv->base.in[0]))
        emit_backward_data(own, conv, program, dy);
}
