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

typedef struct Forward {
    View         view;
    float        eps;
    const float *x, *weight, *bias;
    float       *y, *mean, *inverse;
} Forward;

typedef struct Backward {
    View         view;
    const float *x, *mean, *inverse, *weight, *dy;
    float       *dx, *dweight, *dbias;
    void        *scratch;
} Backward;

enum { MOST_MACS_AGAIN = 64 };      /* a value */

static void run_forward(const void *call)
{
    const Forward *f = call;
    kernel_layernorm_forward(&f->view, f->eps, f->x, f->weight, f->bias, f->y, f->mean, f->inverse);
}

static void run_backward(const void *call)
{
    const Backward *b = call;
    kernel_layernorm_backward(&b->view, b->x, b->mean, b->inverse, b->weight, b->dy, b->dx, b->dweight, b->dbias, b->scratch);
}

static void emit_output(const LayerNorm *m, Program *program, Buffer *x)
{
    Buffer *y = program_write(program, m->base.out, buffer_layout(x));
    Forward call = { .view = buffer_view(x), .eps = m->eps };
    Kernel *kernel = program_emit_call(program, &m->base, "forward", run_forward, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.weight, program_param(program, m->weight, NULL));
    kernel_reads(kernel, &call.bias, program_param(program, m->bias, NULL));
    kernel_writes(kernel, &call.mean, program_saved(program, &m->base, 0));
    kernel_writes(kernel, &call.inverse, program_saved(program, &m->base, 1));
    kernel_writes(kernel, &call.y, y);
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
    Buffer *dy = program_read_gradient(program, module->out, buffer_layout(x));
    Buffer *dx = program_write_gradient(program, module->in[0], buffer_layout(x));
    Backward call = { .view = buffer_view(x) };
    Kernel *kernel = program_emit_call(program, module, "backward", run_backward, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.weight, program_param(program, m->weight, NULL));
    kernel_reads(kernel, &call.mean, program_saved(program, module, 0));
    kernel_reads(kernel, &call.inverse, program_saved(program, module, 1));
    kernel_reads(kernel, &call.dy, dy);
    kernel_writes(kernel, &call.dx, dx);
    kernel_writes(kernel, &call.dweight, program_param_gradient(program, m->weight, NULL));
    kernel_writes(kernel, &call.dbias, program_param_gradient(program, m->bias, NULL));
    kernel_scratch(kernel, &call.scratch, kernel_layernorm_scratch(&call.view));
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
