/* conv2d.c - convolution (cross-correlation, as everywhere in the field).
 *
 *   x         N C H W
 *   weight    O C/groups K K
 *   bias      O                        optional
 *   y         N O OH OW                OH = (H + 2 pad - K) / stride + 1
 *
 *   y[o] = sum over i, ky, kx of weight[o][i][ky][kx] x[i][y stride + ky - pad][x stride + kx - pad] + bias[o]
 *
 * `same`: pads by as much as OH = H / stride, rounded up, needs, half of it before; an odd row is below, an odd column right.
 *
 * Which algorithm computes it is the program's choice, here by shape. pixel_linear is the same with a
 * 1x1 kernel and the weight's shape of a linear layer. */

#include "conv2d.h"

#include "description.h"
#include "errors.h"

static const Conv2dAlgorithm *const algorithms[] = {
    &conv2d_batch_last, &conv2d_depthwise, &conv2d_winograd_int16, &conv2d_winograd, &conv2d_bf16, &conv2d_direct,
};

/* To oneDNN's layouts for forward and for backward, and the gradient's back, which is f32. */
enum { WEIGHT_CONVERSIONS = 4 };

/* How much of Winograd's tiles of 4 x 4 pixels lies inside the image. */
static double tiles_filled(const Conv2dModule *conv)
{
    const Shape y = conv->base.out->shape;
    return (double)(y.h * y.w) / ((y.h + 3) / 4 * ((y.w + 3) / 4) * 16);
}

/* bf16 where products outweigh conversions; Winograd on 16-bit integers, which has a quarter of the products, before it. In a
 * training step that gains even where tiles are three quarters empty, since oneDNN's gradient of the weights is slow there;
 * forward alone does not. */
static bool gains(const Conv2dAlgorithm *algorithm, const Conv2dModule *conv, const Program *program)
{
    if (algorithm == &conv2d_winograd)
        return !program_allows_16_bits(program);
    if (algorithm == &conv2d_winograd_int16)
        return tiles_filled(conv) > (program_has_backward(program) ? 0.2 : 0.5);
    return algorithm != &conv2d_bf16 ||
           program_prefers_bf16(program, &conv->base, WEIGHT_CONVERSIONS * (double)conv->weight->count,
                                conv->base.ops->macs(&conv->base));
}

static const Conv2dAlgorithm *choose(const Conv2dModule *conv, const Program *program)
{
    const char planned = program_planned_algorithm(program, &conv->base);
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (algorithms[i]->letter == planned && algorithms[i]->takes(conv, program))
            return algorithms[i];
    size_t i = 0;
    while (!algorithms[i]->takes(conv, program) || !gains(algorithms[i], conv, program))      /* the last takes everything */
        i++;
    return algorithms[i];
}

static void conv2d_forward(const Module *module, Emitter *emitter)
{
    const Conv2dModule *conv = (const Conv2dModule *)module;
    choose(conv, emit_program(emitter))->forward(conv, emitter);
}

static void conv2d_backward(const Module *module, Emitter *emitter)
{
    const Conv2dModule *conv = (const Conv2dModule *)module;
    choose(conv, emit_program(emitter))->backward(conv, emitter);
}

static char conv2d_algorithm(const Module *module, const Program *program)
{
    return choose((const Conv2dModule *)module, program)->letter;
}

static double conv2d_macs(const Module *module)
{
    const Conv2dModule *conv = (const Conv2dModule *)module;
    const Shape y = module->out->shape;
    return (double)conv->weight->count * y.h * y.w;
}

double conv2d_flops(const Conv2dModule *conv, const Program *program)
{
    return 2.0 * conv2d_macs(&conv->base) * program_batch(program);
}

static void conv2d_describe(const Module *module, ModuleDescription *description)
{
    const Conv2dModule *conv = (const Conv2dModule *)module;
    description_integer(description, "channels", module->out->shape.c);
    description_integer(description, "kernel", conv->options.kernel);
    description_integer(description, "stride", conv->options.stride);
    description_integer(description, "groups", conv->options.groups);
    description_integer(description, "same", conv->options.same);
    description_integer(description, "pad_top", conv->before[0]);
    description_integer(description, "pad_left", conv->before[1]);
    description_integer(description, "pad_bottom", conv->after[0]);
    description_integer(description, "pad_right", conv->after[1]);
}

static const ModuleOps conv2d_ops = {
    .kind = "conv2d", .forward = conv2d_forward, .recompute = conv2d_forward, .backward = conv2d_backward,
    .algorithm = conv2d_algorithm, .macs = conv2d_macs, .describe = conv2d_describe,
};

static const ModuleOps pixel_linear_ops = {
    .kind = "pixel_linear", .forward = conv2d_forward, .recompute = conv2d_forward, .backward = conv2d_backward,
    .algorithm = conv2d_algorithm, .macs = conv2d_macs, .describe = conv2d_describe,
};

bool conv2d_pads_evenly(const Conv2dModule *conv)
{
    return conv->before[0] == conv->before[1] && conv->before[0] == conv->after[0] && conv->before[1] == conv->after[1];
}

/* Of `side` rows or columns. */
static void pad_side(int side, const Conv2d *o, int *before, int *after)
{
    *before = *after = o->pad;
    if (o->same) {
        const int needed = ((side + o->stride - 1) / o->stride - 1) * o->stride + o->kernel - side;
        const int all = needed > 0 ? needed : 0;
        *before = all / 2;
        *after = all - all / 2;
    }
}

static int output_side(const Conv2dModule *conv, int axis, int side)
{
    return (side + conv->before[axis] + conv->after[axis] - conv->options.kernel) / conv->options.stride + 1;
}

static Tensor *add_conv2d(Network *net, const ModuleOps *ops, const char *name, const Tensor *x, int channels, Conv2d options,
                          int weight_rank)
{
    Conv2d o = options;
    o.stride = o.stride ? o.stride : 1;
    o.groups = o.groups ? o.groups : 1;
    const Shape in = x->shape;
    CHECK(o.kernel > 0 && o.stride > 0 && o.pad >= 0 && !(o.same && o.pad), "%s '%s': kernel %d, stride %d, pad %d%s", ops->kind,
          name, o.kernel, o.stride, o.pad, o.same ? " and same" : "");
    CHECK(in.c % o.groups == 0 && channels % o.groups == 0, "%s '%s': %d -> %d channels in %d groups", ops->kind, name, in.c,
          channels, o.groups);
    CHECK(o.same || (in.h + 2 * o.pad >= o.kernel && in.w + 2 * o.pad >= o.kernel),
          "%s '%s': a %d x %d image with padding %d is smaller than kernel %d", ops->kind, name, in.h, in.w, o.pad, o.kernel);
    CHECK(!o.identity || (o.groups == 1 && o.kernel % 2 == 1), "%s '%s': identities of %d groups, kernel %d", ops->kind, name, o.groups, o.kernel);

    Conv2dModule *conv = network_add_module(net, sizeof *conv, ops, name, x, NULL);
    const int64_t dims[] = { channels, in.c / o.groups, o.kernel, o.kernel };
    const int fan_in = in.c / o.groups * o.kernel * o.kernel;
    conv->options = o;
    pad_side(in.h, &o, &conv->before[0], &conv->after[0]);
    pad_side(in.w, &o, &conv->before[1], &conv->after[1]);
    const Init init = { .fan_in = fan_in, .gain = network_gain(net), .identity = o.identity };
    conv->weight = network_add_param(net, conv, "weight", PARAM_weight, weight_rank, dims, init);
    if (o.bias)
        conv->bias = network_add_param(net, conv, "bias", PARAM_plain, 1, dims, (Init){0});
    return network_add_output(net, conv, (Shape){ channels, output_side(conv, 0, in.h), output_side(conv, 1, in.w) });
}

Tensor *conv2d(Network *net, const char *name, const Tensor *x, int channels, Conv2d options)
{
    return add_conv2d(net, &conv2d_ops, name, x, channels, options, 4);
}

Tensor *pixel_linear(Network *net, const char *name, const Tensor *x, int features)
{
    return add_conv2d(net, &pixel_linear_ops, name, x, features, (Conv2d){ .kernel = 1, .bias = true }, 2);
}
