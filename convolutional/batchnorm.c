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
 * What a program fuses in: y = act(batchnorm(x) + residual). The sum itself is never stored: backward computes it again from x. */

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

typedef struct Context {
    BatchNormKernel kernel;
    float           momentum;
    const bool     *cumulative;
    int64_t        *batches;
} Context;

enum { X, MEAN, VARIANCE, WEIGHT, BIAS, RESIDUAL, Y, SCRATCH, RUNNING_MEAN = 4, RUNNING_VAR = 5,
       DY = 6, DX = 8, DWEIGHT, DBIAS, DRESIDUAL };

static void run_statistics(const void *context, void *const p[])
{
    const Context *c = context;
    const View *view = &c->kernel.view;
    const float *mean = p[MEAN], *variance = p[VARIANCE];
    float *running_mean = p[RUNNING_MEAN], *running_var = p[RUNNING_VAR];
    kernel_batchnorm_statistics(&c->kernel, p[X], p[MEAN], p[VARIANCE], p[SCRATCH]);

    const double count = (double)view->n * (double)view_pixels(view);
    const float unbiased = (float)(count / (count - 1));
    const float momentum = *c->cumulative ? 1.0f / (float)(*c->batches + 1) : c->momentum;      /* as PyTorch's momentum=None */
    for (int k = 0; k < view->c; k++) {
        running_mean[k] += momentum * (mean[k] - running_mean[k]);
        running_var[k] += momentum * (variance[k] * unbiased - running_var[k]);
    }
    ++*c->batches;
}

static void run_forward(const void *context, void *const p[])
{
    const Context *c = context;
    kernel_batchnorm_forward(&c->kernel, p[X], p[MEAN], p[VARIANCE], p[WEIGHT], p[BIAS], p[RESIDUAL], p[Y]);
}

static void run_backward(const void *context, void *const p[])
{
    const Context *c = context;
    kernel_batchnorm_backward(&c->kernel, p[X], p[MEAN], p[VARIANCE], p[WEIGHT], p[BIAS], p[RESIDUAL], NULL, p[DY],
                              p[DX], p[DWEIGHT], p[DBIAS], p[DRESIDUAL], p[SCRATCH]);
}

/* Whether mean and variance are the running ones, constants, and not the batch's: in inference, or while the module is frozen. */
static bool is_fixed(const BatchNormModule *m, const Program *program)
{
    return !program_takes_statistics(program, &m->base);
}

static Context context_of(const BatchNormModule *m, Program *program, const Fusion *fusion, const Buffer *x)
{
    return (Context){ .kernel = { .view = buffer_view(x), .act = fusion->act, .eps = m->options.eps, .fixed = is_fixed(m, program) },
                      .momentum = m->options.momentum,
                      .cumulative = &network_parameters(program_network(program))->cumulative,
                      .batches = parameters_counter(program_network(program), m->batches) };
}

static void emit_statistics(const BatchNormModule *m, Program *program, const Context *context, Buffer *x)
{
    if (is_fixed(m, program)) {
        program_save(program, &m->base, 0, program_param(program, m->running_mean, NULL));
        program_save(program, &m->base, 1, program_param(program, m->running_var, NULL));
        return;
    }
    const View *view = &context->kernel.view;
    CHECK((size_t)view->n * view_pixels(view) > 1, "batchnorm '%s' in training: %d image of %zu pixel: see network_trains_with",
          m->base.name, view->n, view_pixels(view));
    const size_t bytes = (size_t)view->padded * sizeof(float);
    program_save(program, &m->base, 0, program_scratch(program, bytes));
    program_save(program, &m->base, 1, program_scratch(program, bytes));
    Kernel *kernel = program_emit_function(program, &m->base, "statistics", run_statistics, context, sizeof *context);
    kernel_bind(kernel, X, x);
    kernel_bind(kernel, MEAN, program_saved(program, &m->base, 0));
    kernel_bind(kernel, VARIANCE, program_saved(program, &m->base, 1));
    kernel_bind(kernel, RUNNING_MEAN, program_param(program, m->running_mean, NULL));
    kernel_bind(kernel, RUNNING_VAR, program_param(program, m->running_var, NULL));
    kernel_bind(kernel, SCRATCH, program_scratch(program, kernel_batchnorm_scratch(&context->kernel)));
}

/* The residual in x's layout, or NULL; a reorder may come with it, so it is read before the kernel is emitted. */
static Buffer *read_residual(Program *program, const Fusion *fusion, const Buffer *x)
{
    return fusion->residual ? program_read(program, fusion->residual, buffer_layout(x)) : NULL;
}

static void bind_inputs(const BatchNormModule *m, Program *program, Kernel *kernel, Buffer *x, Buffer *residual)
{
    kernel_bind(kernel, X, x);
    kernel_bind(kernel, MEAN, program_saved(program, &m->base, 0));
    kernel_bind(kernel, VARIANCE, program_saved(program, &m->base, 1));
    kernel_bind(kernel, WEIGHT, program_param(program, m->weight, NULL));
    kernel_bind(kernel, BIAS, program_param(program, m->bias, NULL));
    kernel_bind(kernel, RESIDUAL, residual);
}

static void emit_output(const BatchNormModule *m, Program *program, const Fusion *fusion, Buffer *x)
{
    const Context context = context_of(m, program, fusion, x);
    Buffer *residual = read_residual(program, fusion, x);
    Buffer *y = program_write(program, fusion->out, buffer_layout(x));
    Kernel *kernel = program_emit_function(program, &m->base, "forward", run_forward, &context, sizeof context);
    bind_inputs(m, program, kernel, x, residual);
    kernel_bind(kernel, Y, y);
    kernel_in_place(kernel, x, y);
}

static void batchnorm_recompute(const Module *module, Program *program)
{
    const Fusion fusion = program_fusion(program, module);
    emit_output((const BatchNormModule *)module, program, &fusion, program_read_view(program, module->in[0]));
}

/* Backward reads x in any case, so y need not be kept as well: one pass over memory makes it again, if what follows is
 * cheap. Where a residual is itself made again, y is kept, or one tensor would ask for all before it. */
static bool is_cheap_to_repeat(const Program *program, const Fusion *fusion)
{
    return program_has_backward(program) && fusion->act.info->cheap &&
           !(fusion->residual && program_recomputes(program, fusion->residual));
}

static void batchnorm_forward(const Module *module, Program *program)
{
    const BatchNormModule *m = (const BatchNormModule *)module;
    const Fusion fusion = program_fusion(program, module);
    Buffer *x = program_read_view(program, module->in[0]);
    const Context context = context_of(m, program, &fusion, x);
    emit_statistics(m, program, &context, x);
    emit_output(m, program, &fusion, x);
    if (is_cheap_to_repeat(program, &fusion))
        program_recompute(program, fusion.out, module);
}

/* With dz = dy act'(z), x^ = (x - mean) / sqrt(variance + eps) and sums over n, h, w of count values:
 *   dresidual = dz    dbias = sum dz    dweight = sum dz x^
 *   dx = weight / sqrt(variance + eps) (dz - dbias / count - x^ dweight / count)
 * Where mean and variance are constants, the last two terms are none. */
static void batchnorm_backward(const Module *module, Program *program)
{
    const BatchNormModule *m = (const BatchNormModule *)module;
    const Fusion fusion = program_fusion(program, module);
    Buffer *x = program_read_view(program, module->in[0]);
    const Context context = context_of(m, program, &fusion, x);
    Buffer *dy = program_read_gradient(program, fusion.out, buffer_layout(x));
    Buffer *residual = read_residual(program, &fusion, x);
    Buffer *dx = program_write_gradient(program, module->in[0], buffer_layout(x));
    Buffer *dresidual = NULL;
    if (fusion.residual && program_wants_gradient(program, fusion.residual)) {
        if (activation_key(fusion.act) == ACT_identity)
            program_share_gradient(program, fusion.residual, dy, buffer_layout(x));
        else
            dresidual = program_write_gradient(program, fusion.residual, buffer_layout(x));
    }
    Kernel *kernel = program_emit_function(program, module, "backward", run_backward, &context, sizeof context);
    bind_inputs(m, program, kernel, x, residual);
    kernel_bind(kernel, DY, dy);
    kernel_bind(kernel, DX, dx);
    kernel_bind(kernel, DWEIGHT, program_param_gradient(program, m->weight, NULL));
    kernel_bind(kernel, DBIAS, program_param_gradient(program, m->bias, NULL));
    kernel_bind(kernel, DRESIDUAL, dresidual);
    kernel_bind(kernel, SCRATCH, program_scratch(program, kernel_batchnorm_scratch(&context.kernel)));
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
