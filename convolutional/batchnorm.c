/* batchnorm.c - batch normalisation, with the sum and the activation that follow it.
 *
 *   x, y                       N C H W
 *   weight, bias               C
 *   running_mean, running_var  C             num_batches_tracked, a counter
 *   mean, variance             C             of this batch: written by forward, read by backward
 *
 *   y = weight (x - mean) / sqrt(variance + eps) + bias         (Ioffe and Szegedy, 2015, arXiv:1502.03167)
 *   running = (1 - momentum) running + momentum batch, the variance unbiased (n / (n - 1)), as in PyTorch
 *
 * What a program fuses in: y = act(batchnorm(x) + residual). The sum itself is never stored: backward recomputes it from x. */

#include "modules.h"

#include "description.h"
#include "emit.h"
#include "errors.h"
#include "kernels.h"
#include "parameters.h"

typedef struct BatchNormModule {
    Module base;
    Param *weight, *bias, *running_mean, *running_var, *batches;
    BatchNorm options;      /* zeros replaced by their defaults */
} BatchNormModule;

typedef struct Statistic {
    BatchNormKernel kernel;
    float           momentum;
    const bool     *cumulative;
    const int64_t  *batches;                /* before this one; the program counts */
    const float    *x;
    float          *mean, *variance, *running_mean, *running_var;
    void           *scratch;
} Statistic;

typedef struct Call {
    BatchNormKernel kernel;
    const float    *x, *mean, *variance, *weight, *bias, *residual, *dy;
    float          *y, *dx, *dweight, *dbias, *dresidual;
    void           *scratch;
} Call;

static void run_statistics(const void *call)
{
    const Statistic *c = call;
    const View *view = &c->kernel.view;
    kernel_batchnorm_statistics(&c->kernel, c->x, c->mean, c->variance, c->scratch);

    const double processes = c->kernel.join && *c->kernel.join ? (*c->kernel.join)->processes : 1;
    const double count = (double)view->n * (double)view_pixels(view) * processes;
    const float unbiased = (float)(count / (count - 1));
    const float momentum = *c->cumulative ? 1.0f / (float)(*c->batches + 1) : c->momentum;      /* as PyTorch's momentum=None */
    for (int k = 0; k < view->c; k++) {
        c->running_mean[k] += momentum * (c->mean[k] - c->running_mean[k]);
        c->running_var[k] += momentum * (c->variance[k] * unbiased - c->running_var[k]);
    }
}

static void run_forward(const void *call)
{
    const Call *c = call;
    kernel_batchnorm_forward(&c->kernel, c->x, c->mean, c->variance, c->weight, c->bias, c->residual, c->y);
}

static void run_backward(const void *call)
{
    const Call *c = call;
    kernel_batchnorm_backward(&c->kernel, c->x, c->mean, c->variance, c->weight, c->bias, c->residual, c->dy,
                              c->dx, c->dweight, c->dbias, c->dresidual, c->scratch);
}

/* Whether mean and variance are the running ones, constants, and not the batch's: in inference, or while the module is frozen. */
static bool is_fixed(const BatchNormModule *m, const Program *program)
{
    return !program_takes_statistics(program, &m->base);
}

static BatchNormKernel kernel_of(const BatchNormModule *m, const Program *program, const Fusion *fusion, const Buffer *x)
{
    return (BatchNormKernel){ .view = buffer_view(x), .act = fusion->act, .eps = m->options.eps, .fixed = is_fixed(m, program),
                              .join = &network_parameters(program_network(program))->join };
}

static void add_statistics(const BatchNormModule *m, Emitter *emitter, const Fusion *fusion, Buffer *x)
{
    if (is_fixed(m, emit_program(emitter))) {
        emit_save(emitter, &m->base, 0, emit_param(emitter, m->running_mean, NULL));
        emit_save(emitter, &m->base, 1, emit_param(emitter, m->running_var, NULL));
        return;
    }
    Network *network = program_network(emit_program(emitter));
    Statistic call = { .kernel = kernel_of(m, emit_program(emitter), fusion, x), .momentum = m->options.momentum,
                       .cumulative = &network_parameters(network)->cumulative, .batches = parameters_counter(network, m->batches) };
    const View *view = &call.kernel.view;
    CHECK((size_t)view->n * view_pixels(view) > 1, "batchnorm '%s' in training: %d image of %zu pixel: see network_trains_with",
          m->base.name, view->n, view_pixels(view));
    const size_t bytes = (size_t)view->padded * sizeof(float);
    emit_save(emitter, &m->base, 0, emit_scratch(emitter, bytes));
    emit_save(emitter, &m->base, 1, emit_scratch(emitter, bytes));
    Kernel *kernel = emit_call(emitter, &m->base, "statistics", run_statistics, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_writes(kernel, &call.mean, emit_saved(emitter, &m->base, 0));
    kernel_writes(kernel, &call.variance, emit_saved(emitter, &m->base, 1));
    kernel_updates(kernel, &call.running_mean, emit_param(emitter, m->running_mean, NULL));
    kernel_updates(kernel, &call.running_var, emit_param(emitter, m->running_var, NULL));
    kernel_scratch(kernel, &call.scratch, kernel_batchnorm_scratch(&call.kernel));
}

/* The residual in x's layout, or NULL; a reorder may come with it, so it is read before the kernel is emitted. */
static Buffer *read_residual(Emitter *emitter, const Fusion *fusion, const Buffer *x)
{
    return fusion->residual ? emit_read(emitter, fusion->residual, buffer_layout(x)) : NULL;
}

static Kernel *add_kernel(const BatchNormModule *m, Emitter *emitter, const char *what, CallFunction *function, Call *call, Buffer *x,
                          Buffer *residual)
{
    Kernel *kernel = emit_call(emitter, &m->base, what, function, call, sizeof *call);
    kernel_reads(kernel, &call->x, x);
    kernel_reads(kernel, &call->mean, emit_saved(emitter, &m->base, 0));
    kernel_reads(kernel, &call->variance, emit_saved(emitter, &m->base, 1));
    kernel_reads(kernel, &call->weight, emit_param(emitter, m->weight, NULL));
    kernel_reads(kernel, &call->bias, emit_param(emitter, m->bias, NULL));
    kernel_reads(kernel, &call->residual, residual);
    return kernel;
}

static void add_output(const BatchNormModule *m, Emitter *emitter, const Fusion *fusion, Buffer *x)
{
    Call call = { .kernel = kernel_of(m, emit_program(emitter), fusion, x) };
    Buffer *residual = read_residual(emitter, fusion, x);
    Buffer *y = emit_write(emitter, fusion->out, buffer_layout(x));
    Kernel *kernel = add_kernel(m, emitter, "forward", run_forward, &call, x, residual);
    kernel_writes(kernel, &call.y, y);
    kernel_in_place(kernel, x, y);
}

static void batchnorm_recompute(const Module *module, Emitter *emitter)
{
    const Fusion fusion = emit_fusion(emitter, module);
    add_output((const BatchNormModule *)module, emitter, &fusion, emit_read_view(emitter, module->in[0]));
}

/* Backward reads x in any case, so y need not be kept as well: one pass over memory recomputes it, if what follows is
 * cheap. Where a residual is itself recomputed, y is kept, or one tensor would ask for all before it. */
static bool is_cheap_to_repeat(const Emitter *emitter, const Fusion *fusion)
{
    return program_has_backward(emit_program(emitter)) && fusion->act.info->cheap &&
           !(fusion->residual && emit_recomputes(emitter, fusion->residual));
}

static void batchnorm_forward(const Module *module, Emitter *emitter)
{
    const BatchNormModule *m = (const BatchNormModule *)module;
    const Fusion fusion = emit_fusion(emitter, module);
    Buffer *x = emit_read_view(emitter, module->in[0]);
    add_statistics(m, emitter, &fusion, x);
    add_output(m, emitter, &fusion, x);
    if (is_cheap_to_repeat(emitter, &fusion))
        emit_recompute(emitter, fusion.out, module);
}

/* With dz = dy act'(z), x^ = (x - mean) / sqrt(variance + eps) and sums over n, h, w of count values:
 *   dresidual = dz    dbias = sum dz    dweight = sum dz x^
 *   dx = weight / sqrt(variance + eps) (dz - dbias / count - x^ dweight / count)
 * Where mean and variance are constants, the last two terms are none. */
static void batchnorm_backward(const Module *module, Emitter *emitter)
{
    const BatchNormModule *m = (const BatchNormModule *)module;
    const Fusion fusion = emit_fusion(emitter, module);
    Buffer *x = emit_read_view(emitter, module->in[0]);
    Call call = { .kernel = kernel_of(m, emit_program(emitter), &fusion, x) };
    Buffer *dy = emit_read_gradient(emitter, fusion.out, buffer_layout(x));
    Buffer *residual = read_residual(emitter, &fusion, x);
    Buffer *dx = emit_write_gradient(emitter, module->in[0], buffer_layout(x));
    Buffer *dresidual = NULL;
    if (fusion.residual && emit_wants_gradient(emitter, fusion.residual)) {
        if (activation_key(fusion.act) == ACT_identity)
            emit_share_gradient(emitter, fusion.residual, dy, buffer_layout(x));
        else
            dresidual = emit_write_gradient(emitter, fusion.residual, buffer_layout(x));
    }
    Kernel *kernel = add_kernel(m, emitter, "backward", run_backward, &call, x, residual);
    kernel_reads(kernel, &call.dy, dy);
    kernel_writes(kernel, &call.dx, dx);
    kernel_writes(kernel, &call.dweight, emit_param_gradient(emitter, m->weight, NULL));
    kernel_writes(kernel, &call.dbias, emit_param_gradient(emitter, m->bias, NULL));
    kernel_writes(kernel, &call.dresidual, dresidual);
    kernel_scratch(kernel, &call.scratch, kernel_batchnorm_scratch(&call.kernel));
    kernel_in_place(kernel, dy, dresidual ? dresidual : dx);
}

static void batchnorm_describe(const Module *module, ModuleDescription *description)
{
    const BatchNorm *o = &((const BatchNormModule *)module)->options;
    description_float(description, "eps", o->eps);
    description_float(description, "momentum", o->momentum);
}

static const ModuleOps batchnorm_ops = {
    .kind = "batchnorm", .forward = batchnorm_forward, .backward = batchnorm_backward, .recompute = batchnorm_recompute,
    .describe = batchnorm_describe, .batch_statistics = true, .normalises = true, .takes_sum = true, .takes_activation = true,
};

Tensor *batchnorm_with(Network *net, const char *name, const Tensor *x, BatchNorm options)
{
    BatchNorm o = { .eps = network_norm_eps(net), .momentum = network_norm_momentum(net) };
    o.eps = o.eps != 0 ? o.eps : options.eps != 0 ? options.eps : 1e-5f;
    o.momentum = o.momentum != 0 ? o.momentum : options.momentum != 0 ? options.momentum : 0.1f;
    CHECK(o.eps > 0 && o.momentum > 0 && o.momentum <= 1, "batchnorm '%s': eps %g, momentum %g", name, (double)o.eps,
          (double)o.momentum);
    BatchNormModule *m = network_add_module(net, sizeof *m, &batchnorm_ops, name, x, NULL);
    const int64_t c = x->shape.c;
    m->options = o;
    m->weight = network_add_param(net, m, "weight", PARAM_plain, 1, &c, (Init){ .constant = 1 });
    m->bias = network_add_param(net, m, "bias", PARAM_plain, 1, &c, (Init){0});
    m->running_mean = network_add_param(net, m, "running_mean", PARAM_buffer, 1, &c, (Init){0});
    m->running_var = network_add_param(net, m, "running_var", PARAM_buffer, 1, &c, (Init){ .constant = 1 });
    m->batches = network_add_param(net, m, "num_batches_tracked", PARAM_counter, 0, NULL, (Init){0});
    return network_add_output(net, m, x->shape);
}

Tensor *batchnorm(Network *net, const char *name, const Tensor *x)
{
    return batchnorm_with(net, name, x, (BatchNorm){0});
}
