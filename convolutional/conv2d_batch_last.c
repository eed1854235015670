/* conv2d_batch_last.c - convolution of a few channels by our own kernels, whose vectors hold images instead of channels. */

#include "conv2d_own.h"

static const_dnnl_memory_desc_t batch_last_weight_layout(const Conv2dModule *conv, Emitter *emitter)
{
    return emit_layout(emitter, 4, conv->weight->dims, dnnl_abcd);
}

static OwnSizes batch_last_sizes(const Conv2dModule *conv, const Buffer *x, const Buffer *y)
{
    (void)y;
    const Shape in = conv->base.in[0]->shape, out = conv->base.out->shape;
    const Conv2d *o = &conv->options;
    return (OwnSizes){ .batch_last = { buffer_channels(x).n, in.c, in.h, in.w, out.c, out.h, out.w, o->kernel, o->stride,
                                         conv->before[0] } };
}

static size_t batch_last_scratch(const OwnSizes *sizes)
{
    return kernel_batch_last_scratch(&sizes->batch_last);
}

static void run_forward(const void *call)
{
    const OwnCall *c = call;
    kernel_batch_last_forward(&c->sizes.batch_last, c->x, c->weight, c->bias, c->y);
}

static void run_backward_data(const void *call)
{
    const OwnCall *c = call;
    kernel_batch_last_backward_data(&c->sizes.batch_last, c->dy, c->weight, c->dx);
}

static void run_backward_weights(const void *call)
{
    const OwnCall *c = call;
    kernel_batch_last_backward_weights(&c->sizes.batch_last, c->x, c->dy, c->dweight, c->dbias, c->scratch);
}

static const OwnConv2d batch_last = {
    "batch_last", emit_batch_last_layout, batch_last_weight_layout, batch_last_sizes, batch_last_scratch,
    run_forward, run_backward_data, run_backward_weights,
};

static bool batch_last_takes(const Conv2dModule *conv, const Program *program)
{
    const Conv2d *o = &conv->options;
    return program_plan(program)->layout == LAYOUT_batch_last && o->stride == 1 && o->groups == 1 && conv->before[0] < o->kernel &&
           conv2d_pads_evenly(conv) && conv->weight->rank == 4;
}

static void batch_last_forward(const Conv2dModule *conv, Emitter *emitter)
{
    own_conv2d_forward(&batch_last, conv, emitter);
}

static void batch_last_backward(const Conv2dModule *conv, Emitter *emitter)
{
    own_conv2d_backward(&batch_last, conv, emitter);
}

const Conv2dAlgorithm conv2d_batch_last = { ALGORITHM_batch_last, batch_last_takes, batch_last_forward, batch_last_backward };
