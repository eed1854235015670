/* conv2d_depthwise.c - depthwise convolution by our own kernels: oneDNN's weight gradient falls to 3-16 GFLOP/s
 * for 5x5 and 7x7 filters. */

#include "conv2d_own.h"

/* [kernel][kernel][channel] */
static const_dnnl_memory_desc_t depthwise_weight_layout(const Conv2dModule *conv, Emitter *emitter)
{
    const Conv2d *o = &conv->options;
    const int64_t dims[] = { o->groups, 1, 1, o->kernel, o->kernel };
    return emit_layout(emitter, 5, dims, dnnl_decab);
}

static OwnSizes depthwise_sizes(const Conv2dModule *conv, const Buffer *x, const Buffer *y)
{
    const Conv2d *o = &conv->options;
    return (OwnSizes){ .depthwise = { .x = buffer_view(x), .y = buffer_view(y),
                                        .kernel = o->kernel, .stride = o->stride, .pad = conv->before[0] } };
}

static size_t depthwise_scratch(const OwnSizes *sizes)
{
    return kernel_depthwise_scratch(&sizes->depthwise);
}

static void run_forward(const void *call)
{
    const OwnCall *c = call;
    kernel_depthwise_forward(&c->sizes.depthwise, c->x, c->weight, c->bias, c->y);
}

static void run_backward_data(const void *call)
{
    const OwnCall *c = call;
    kernel_depthwise_backward_data(&c->sizes.depthwise, c->dy, c->weight, c->dx);
}

static void run_backward_weights(const void *call)
{
    const OwnCall *c = call;
    kernel_depthwise_backward_weights(&c->sizes.depthwise, c->x, c->dy, c->dweight, c->dbias, c->scratch);
}

static const OwnConv2d depthwise = {
    "depthwise", own_conv2d_layout, depthwise_weight_layout, depthwise_sizes, depthwise_scratch,
    run_forward, run_backward_data, run_backward_weights,
};

/* The kernels know the padding before, the same for rows and columns; what lies after follows from y's size. */
static bool depthwise_takes(const Conv2dModule *conv, const Program *program)
{
    const Conv2d *o = &conv->options;
    const int in = conv->base.in[0]->shape.c, out = conv->base.out->shape.c;
    return o->groups > 1 && o->groups == in && out == in && conv->before[0] == conv->before[1] && conv->before[0] < o->kernel &&
           own_conv2d_fits(conv, program, 8);
}

static void depthwise_forward(const Conv2dModule *conv, Emitter *emitter)
{
    own_conv2d_forward(&depthwise, conv, emitter);
}

static void depthwise_backward(const Conv2dModule *conv, Emitter *emitter)
{
    own_conv2d_backward(&depthwise, conv, emitter);
}

const Conv2dAlgorithm conv2d_depthwise = { ALGORITHM_depthwise, depthwise_takes, depthwise_forward, depthwise_backward };
