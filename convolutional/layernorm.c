/* layernorm.c - layer normalisation over the channels of each pixel, the way ConvNeXt uses it.
 *
 *   x, y            N C H W
 *   weight, bias    C
 *   mean, inverse   N H W        inverse = 1 / sqrt(variance + eps); written by forward, read by backward
 *
 *   y = weight (x - mean) inverse + bias        (Ba et al., 2016, arXiv:1607.06450) */

#include "modules.h"

#include "description.h"
#include "emit.h"
#include "errors.h"
#include "kernels.h"

typedef struct LayerNorm {
    Module base;
    Param *weight, *bias;
    float  eps;
} LayerNorm;

typedef struct Context {
    View  view;
    float eps;
} Context;

enum { MOST_MACS_AGAIN = 64 };      /* a value */

enum { X, WEIGHT, BIAS, Y, MEAN, INVERSE, DY = 3, DX = 6, DWEIGHT, DBIAS, SCRATCH };

static void run_forward(const void *context, void *const p[])
{
    const Context *c = context;
    kernel_layernorm_forward(&c->view, c->eps, p[X], p[WEIGHT], p[BIAS], p[Y], p[MEAN], p[INVERSE]);
}

static void run_backward(const void *context, void *const p[])
{
    const Context *c = context;
    kernel_layernorm_backward(&c->view, p[X], p[MEAN], p[INVERSE], p[WEIGHT], p[DY], p[DX], p[DWEIGHT], p[DBIAS], p[SCRATCH]);
}

static Kernel *emit(const LayerNorm *m, Program *program, const char *what, KernelFunction *function, Buffer *x)
{
    const Context context = { buffer_view(x), m->eps };
    Kernel *kernel = program_emit_function(program, &m->base, what, function, &context, sizeof context);
    kernel_bind(kernel, X, x);
    kernel_bind(kernel, WEIGHT, program_param(program, m->weight, NULL));
    kernel_bind(kernel, MEAN, program_saved(program, &m->base, 0));
    kernel_bind(kernel, INVERSE, program_saved(program, &m->base, 1));
    return kernel;
}

static void emit_output(const LayerNorm *m, Program *program, Buffer *x)
{
    Buffer *y = program_write(program, m->base.out, buffer_layout(x));
    Kernel *kernel = emit(m, program, "forward", run_forward, x);
    kernel_bind(kernel, BIAS, program_param(program, m->bias, NULL));
    kernel_bind(kernel, Y, y);
}

static void layernorm_recompute(const Module *module, Program *program)
{
    emit_output((const LayerNorm *)module, program, program_read_view(program, module->in[0]));
}

static bool is_cheap(const Tensor *x)
{
    const Module *producer = x->producer;
    return producer && producer->ops->recompute && producer->ops->macs &&
           producer->ops->macs(producer) < MOST_MACS_AGAIN * (double)shape_size(x->shape);
}

/* Of the steps before a wide layer, backward makes again what is cheap, instead of keeping it: y always, x if that takes few
 * operations, as a depthwise convolution does. */
static void layernorm_forward(const Module *module, Program *program)
{
    Buffer *x = program_read_view(program, module->in[0]);
    const View view = buffer_view(x);
    const size_t bytes = (size_t)view.n * view_pixels(&view) * sizeof(float);
    program_save(program, module, 0, program_scratch(program, bytes));
    program_save(program, module, 1, program_scratch(program, bytes));
    emit_output((const LayerNorm *)module, program, x);
    if (!program_has_backward(program))
        return;
    program_recompute(program, module->out, module);
    if (is_cheap(module->in[0]))
        program_recompute(program, module->in[0], module->in[0]->producer);
}

/* With x^ = (x - mean) inverse, g = weight dy and means over the C channels of a pixel:
 *   dx = inverse (g - mean(g) - x^ mean(g x^)),  dweight = sum dy x^,  dbias = sum dy */
static void layernorm_backward(const Module *module, Program *program)
{
    const LayerNorm *m = (const LayerNorm *)module;
    Buffer *x = program_read_view(program, module->in[0]);
    const View view = buffer_view(x);
    Buffer *dy = program_read_gradient(program, module->out, buffer_layout(x));
    Buffer *dx = program_write_gradient(program, module->in[0], buffer_layout(x));
    Kernel *kernel = emit(m, program, "backward", run_backward, x);
    kernel_bind(kernel, DY, dy);
    kernel_bind(kernel, DX, dx);
    kernel_bind(kernel, DWEIGHT, program_param_gradient(program, m->weight, NULL));
    kernel_bind(kernel, DBIAS, program_param_gradient(program, m->bias, NULL));
    kernel_bind(kernel, SCRATCH, program_scratch(program, kernel_layernorm_scratch(&view)));
    kernel_in_place(kernel, dy, dx);
}

static void layernorm_describe(const Module *module, ModuleDescription *description)
{
    description_float(description, "eps", ((const LayerNorm *)module)->eps);
}

static const ModuleOps layernorm_ops = {
    .kind = "layernorm", .forward = layernorm_forward, .backward = layernorm_backward, .recompute = layernorm_recompute,
    .describe = layernorm_describe, .normalises = true, .wants_channels_last = true,
};

Tensor *layernorm(Network *net, const char *name, const Tensor *x, float eps)
{
    CHECK(eps > 0, "layernorm '%s': eps %g", name, (double)eps);
    LayerNorm *m = network_add_module(net, sizeof *m, &layernorm_ops, name, x, NULL);
    const int64_t c = x->shape.c;
    m->weight = network_add_param(net, m, "weight", PARAM_plain, 1, &c, (Init){ .constant = 1 });
    m->bias = network_add_param(net, m, "bias", PARAM_plain, 1, &c, (Init){0});
    m->eps = eps;
    return network_add_output(net, m, x->shape);
}
