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

enum { MOST_MACS_RECOMPUTED = 64 };      /* a value */

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

static void add_output(const LayerNorm *m, Emitter *emitter, Buffer *x)
{
    Buffer *y = emit_write(emitter, m->base.out, buffer_layout(x));
    Forward call = { .view = buffer_view(x), .eps = m->eps };
    Kernel *kernel = emit_call(emitter, &m->base, "forward", run_forward, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.weight, emit_param(emitter, m->weight, NULL));
    kernel_reads(kernel, &call.bias, emit_param(emitter, m->bias, NULL));
    kernel_writes(kernel, &call.mean, emit_saved(emitter, &m->base, 0));
    kernel_writes(kernel, &call.inverse, emit_saved(emitter, &m->base, 1));
    kernel_writes(kernel, &call.y, y);
}

static void layernorm_recompute(const Module *module, Emitter *emitter)
{
    add_output((const LayerNorm *)module, emitter, emit_read_view(emitter, module->in[0]));
}

static bool is_cheap(const Tensor *x)
{
    const Module *producer = x->producer;
    return producer && producer->ops->recompute && producer->ops->macs &&
           producer->ops->macs(producer) < MOST_MACS_RECOMPUTED * (double)shape_size(x->shape);
}

/* Of the steps before a wide layer, backward recomputes what is cheap, instead of keeping it: y always, x if that takes few
 * operations, as a depthwise convolution does. */
static void layernorm_forward(const Module *module, Emitter *emitter)
{
    Buffer *x = emit_read_view(emitter, module->in[0]);
    const View view = buffer_view(x);
    const size_t bytes = (size_t)view.n * view_pixels(&view) * sizeof(float);
    emit_save(emitter, module, 0, emit_scratch(emitter, bytes));
    emit_save(emitter, module, 1, emit_scratch(emitter, bytes));
    add_output((const LayerNorm *)module, emitter, x);
    if (!program_has_backward(emit_program(emitter)))
        return;
    emit_recompute(emitter, module->out, module);
    if (is_cheap(module->in[0]))
        emit_recompute(emitter, module->in[0], module->in[0]->producer);
}

/* With x^ = (x - mean) inverse, g = weight dy and means over the C channels of a pixel:
 *   dx = inverse (g - mean(g) - x^ mean(g x^)),  dweight = sum dy x^,  dbias = sum dy */
static void layernorm_backward(const Module *module, Emitter *emitter)
{
    const LayerNorm *m = (const LayerNorm *)module;
    Buffer *x = emit_read_view(emitter, module->in[0]);
    Buffer *dy = emit_read_gradient(emitter, module->out, buffer_layout(x));
    Buffer *dx = emit_write_gradient(emitter, module->in[0], buffer_layout(x));
    Backward call = { .view = buffer_view(x) };
    Kernel *kernel = emit_call(emitter, module, "backward", run_backward, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.weight, emit_param(emitter, m->weight, NULL));
    kernel_reads(kernel, &call.mean, emit_saved(emitter, module, 0));
    kernel_reads(kernel, &call.inverse, emit_saved(emitter, module, 1));
    kernel_reads(kernel, &call.dy, dy);
    kernel_writes(kernel, &call.dx, dx);
    kernel_writes(kernel, &call.dweight, emit_param_gradient(emitter, m->weight, NULL));
    kernel_writes(kernel, &call.dbias, emit_param_gradient(emitter, m->bias, NULL));
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
