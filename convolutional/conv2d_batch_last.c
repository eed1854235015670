/* conv2d_batch_last.c - convolution of a few channels by our own kernels, whose vectors hold images instead of channels. */

#include "conv2d.h"

#include "kernels.h"

enum { X, WEIGHT, BIAS, Y, SCRATCH };

static BatchLastKernel geometry_of(const Conv2dModule *conv, const Program *program)
{
    const Shape x = conv->base.in[0]->shape, y = conv->base.out->shape;
    const Conv2d *o = &conv->options;
    return (BatchLastKernel){ program_batch(program) / BATCH_LANES, x.c, x.h, x.w, y.c, y.h, y.w, o->kernel, o->stride, o->pad };
}

static void run_forward(const void *context, void *const p[])
{
    kernel_batch_last_forward(context, p[X], p[WEIGHT], p[BIAS], p[Y]);
}

static void run_backward_data(const void *context, void *const p[])
{
    kernel_batch_last_backward_data(context, p[Y], p[WEIGHT], p[X]);
}

static void run_backward_weights(const void *context, void *const p[])
{
    kernel_batch_last_backward_weights(context, p[X], p[Y], p[WEIGHT], p[BIAS], p[SCRATCH]);
}

static Kernel *emit(const Conv2dModule *conv, Program *program, const char *what, KernelFunction *function)
{
    const BatchLastKernel geometry = geometry_of(conv, program);
    Kernel *kernel = program_emit_function(program, &conv->base, what, function, &geometry, sizeof geometry);
    kernel_flops(kernel, conv2d_flops(conv, program));
    return kernel;
}

static const_dnnl_memory_desc_t plain_weights(const Conv2dModule *conv, Program *program)
{
    return program_layout(program, 4, conv->weight->dims, dnnl_abcd);
}

static void batch_last_forward(const Conv2dModule *conv, Program *program)
{
    Buffer *x = program_read(program, conv->base.in[0], program_batch_last_layout(program, conv->base.in[0]));
    Buffer *weight = program_param(program, conv->weight, plain_weights(conv, program));
    Buffer *bias = conv->bias ? program_param(program, conv->bias, NULL) : NULL;
    Buffer *y = program_write(program, conv->base.out, program_batch_last_layout(program, conv->base.out));
    Kernel *kernel = emit(conv, program, "forward", run_forward);
    kernel_bind(kernel, X, x);
    kernel_bind(kernel, WEIGHT, weight);
    kernel_bind(kernel, BIAS, bias);
    kernel_bind(kernel, Y, y);
}

static void batch_last_backward(const Conv2dModule *conv, Program *program)
{
    const BatchLastKernel geometry = geometry_of(conv, program);
    Buffer *x = program_read(program, conv->base.in[0], program_batch_last_layout(program, conv->base.in[0]));
    Buffer *dy = program_read_gradient(program, conv->base.out, program_batch_last_layout(program, conv->base.out));
    Buffer *dweight = program_param_gradient(program, conv->weight, plain_weights(conv, program));
    Buffer *dbias = conv->bias ? program_param_gradient(program, conv->bias, NULL) : NULL;
    Kernel *kernel = emit(conv, program, "backward weights", run_backward_weights);
    kernel_bind(kernel, X, x);
    kernel_bind(kernel, WEIGHT, dweight);
    kernel_bind(kernel, BIAS, dbias);
    kernel_bind(kernel, Y, dy);
    kernel_bind(kernel, SCRATCH, program_scratch(program, kernel_batch_last_scratch(&geometry)));

    if (program_wants_gradient(program, conv->base.in[0])) {
        Buffer *weight = program_param(program, conv->weight, plain_weights(conv, program));
        Buffer *dx = program_write_gradient(program, conv->base.in[0], buffer_layout(x));
        kernel = emit(conv, program, "backward data", run_backward_data);
        kernel_bind(kernel, X, dx);
        kernel_bind(kernel, WEIGHT, weight);
        kernel_bind(kernel, Y, dy);
    }
}

static bool batch_last_takes(const Conv2dModule *conv, const Program *program)
{
    const Conv2d *o = &conv->options;
    return program_plan(program)->layout == LAYOUT_batch_last && o->stride == 1 && o->groups == 1 && o->pad < o->kernel &&
           conv->weight->rank == 4;
}

const Conv2dAlgorithm conv2d_batch_last = { "batch last", batch_last_takes, batch_last_forward, batch_last_backward };
