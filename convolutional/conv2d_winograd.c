/* conv2d_winograd.c - 3x3 convolution of stride 1 by our own Winograd F(4x4, 3x3): 36 products where the direct
 * algorithm needs 144 (Lavin and Gray, 2015, arXiv:1509.09308); in mixed precision on integers of 16 bits. */

#include "conv2d_own.h"

/* [3][3][in][out] */
static const_dnnl_memory_desc_t winograd_weight_layout(const Conv2dModule *conv, Emitter *emitter)
{
    const int64_t dims[] = { conv->base.out->shape.c, conv->base.in[0]->shape.c, 3, 3 };
    return emit_layout(emitter, 4, dims, dnnl_hwio);
}

static OwnSizes winograd_sizes(const Conv2dModule *conv, const Buffer *x, const Buffer *y)
{
    (void)conv;
    return (OwnSizes){ .winograd = { .x = buffer_view(x), .y = buffer_view(y) } };
}

static OwnSizes int16_sizes(const Conv2dModule *conv, const Buffer *x, const Buffer *y)
{
    OwnSizes sizes = winograd_sizes(conv, x, y);
    sizes.winograd.int16 = true;
    return sizes;
}

static size_t winograd_scratch(const OwnSizes *sizes)
{
    return kernel_winograd_scratch(&sizes->winograd);
}

static void run_forward(const void *call)
{
    const OwnCall *c = call;
    kernel_winograd_forward(&c->sizes.winograd, c->x, c->weight, c->bias, c->y, c->scratch);
}

static void run_backward_data(const void *call)
{
    const OwnCall *c = call;
    kernel_winograd_backward_data(&c->sizes.winograd, c->dy, c->weight, c->dx, c->scratch);
}

static void run_backward_weights(const void *call)
{
    const OwnCall *c = call;
    kernel_winograd_backward_weights(&c->sizes.winograd, c->x, c->dy, c->dweight, c->dbias, c->scratch);
}

static const OwnConv2d winograd = {
    "winograd", own_conv2d_layout, winograd_weight_layout, winograd_sizes, winograd_scratch,
    run_forward, run_backward_data, run_backward_weights,
};

static const OwnConv2d int16 = {
    "winograd_int16", own_conv2d_layout, winograd_weight_layout, int16_sizes, winograd_scratch,
    run_forward, run_backward_data, run_backward_weights,
};

static bool winograd_takes(const Conv2dModule *conv, const Program *program)
{
    const Conv2d *o = &conv->options;
    const Plan *plan = program_plan(program);
    return !plan->direct_only && plan->precision != PRECISION_bf16 && o->kernel == 3 && o->stride == 1 && conv->before[0] == 1 &&
           conv2d_pads_evenly(conv) && o->groups == 1 && own_conv2d_fits(conv, program, 16);
}

static void winograd_forward(const Conv2dModule *conv, Emitter *emitter)
{
    own_conv2d_forward(&winograd, conv, emitter);
}

static void winograd_backward(const Conv2dModule *conv, Emitter *emitter)
{
    own_conv2d_backward(&winograd, conv, emitter);
}

const Conv2dAlgorithm conv2d_winograd = { ALGORITHM_winograd, winograd_takes, winograd_forward, winograd_backward };

static bool int16_takes(const Conv2dModule *conv, const Program *program)
{
    return program_allows_16_bits(program) && winograd_takes(conv, program);
}

static void int16_forward(const Conv2dModule *conv, Emitter *emitter)
{
    own_conv2d_forward(&int16, conv, emitter);
}

static void int16_backward(const Conv2dModule *conv, Emitter *emitter)
{
    own_conv2d_backward(&int16, conv, emitter);
}

const Conv2dAlgorithm conv2d_winograd_int16 = { ALGORITHM_int16, int16_takes, int16_forward, int16_backward };
