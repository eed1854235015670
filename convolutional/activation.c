/* activation.c - y = f(x) for every f that has loops of its own (activations.def); for the others see formula_activation.c.
 *
 *   x, y      N C H W
 *   weight    C              prelu alone: one slope a channel
 *
 *   backward: dx = dy f'(x);  prelu: dweight[c] = sum over n, h, w of dy min(0, x)     (He et al., 2015, arXiv:1502.01852) */

#include "modules.h"

#include "emit.h"
#include "errors.h"
#include "kernels.h"

typedef struct ActivationModule {
    Module     base;
    Activation act;
    Param     *slope;
} ActivationModule;

typedef struct Context {
    View       view;
    Activation act;
} Context;

enum { X, Y, SLOPE, DY = 1, DX = 3, DSLOPE, SCRATCH };

static void run_forward(const void *context, void *const p[])
{
    const Context *c = context;
    kernel_activation_forward(&c->view, c->act, p[X], p[Y]);
}

static void run_backward(const void *context, void *const p[])
{
    const Context *c = context;
    kernel_activation_backward(&c->view, c->act, p[X], p[DY], p[DX]);
}

static void run_forward_bf16(const void *context, void *const p[])
{
    const Context *c = context;
    kernel_activation_forward_bf16(&c->view, c->act, p[X], p[Y]);
}

static void run_backward_bf16(const void *context, void *const p[])
{
    const Context *c = context;
    kernel_activation_backward_bf16(&c->view, c->act, p[X], p[DY], p[DX]);
}

static void run_prelu_forward(const void *context, void *const p[])
{
    kernel_prelu_forward(&((const Context *)context)->view, p[X], p[SLOPE], p[Y]);
}

static void run_prelu_backward(const void *context, void *const p[])
{
    kernel_prelu_backward(&((const Context *)context)->view, p[X], p[SLOPE], p[DY], p[DX], p[DSLOPE], p[SCRATCH]);
}

static KernelFunction *forward_function(const ActivationModule *m, const Buffer *x)
{
    if (m->slope)
        return run_prelu_forward;
    return layout_is_bf16(buffer_layout(x)) ? run_forward_bf16 : run_forward;
}

static KernelFunction *backward_function(const ActivationModule *m, const Buffer *x)
{
    if (m->slope)
        return run_prelu_backward;
    return layout_is_bf16(buffer_layout(x)) ? run_backward_bf16 : run_backward;
}

static void emit_output(const ActivationModule *m, Program *program, Buffer *x)
{
    Buffer *y = program_write(program, m->base.out, buffer_layout(x));
    const Context context = { buffer_channels(x), m->act };
    Kernel *kernel = program_emit_function(program, &m->base, "forward", forward_function(m, x), &context, sizeof context);
    kernel_bind(kernel, X, x);
    kernel_bind(kernel, Y, y);
    if (m->slope)
        kernel_bind(kernel, SLOPE, program_param(program, m->slope, NULL));
    kernel_in_place(kernel, x, y);
}

static void activation_recompute(const Module *module, Program *program)
{
    const ActivationModule *m = (const ActivationModule *)module;
    emit_output(m, program, program_read_numbers(program, module->in[0]));
}

/* Backward reads x in any case, so y is made again there, in one pass over memory, instead of kept; not if x would have to be
 * made again as well. */
static void activation_forward(const Module *module, Program *program)
{
    const ActivationModule *m = (const ActivationModule *)module;
    Buffer *x = program_read_numbers(program, module->in[0]);
    if (activation_key(m->act) == ACT_identity) {
        program_alias(program, module->out, x, buffer_layout(x));
        return;
    }
    emit_output(m, program, x);
    if (program_has_backward(program) && !program_recomputes(program, module->in[0]))
        program_recompute(program, module->out, module);
}

static void activation_backward(const Module *module, Program *program)
{
    const ActivationModule *m = (const ActivationModule *)module;
    Buffer *x = program_read_numbers(program, module->in[0]);
    Buffer *dy = program_read_gradient(program, module->out, buffer_layout(x));
    if (activation_key(m->act) == ACT_identity) {
        program_share_gradient(program, module->in[0], dy, buffer_layout(x));
        return;
    }
    Buffer *dx = program_write_gradient(program, module->in[0], buffer_layout(x));
    const Context context = { buffer_channels(x), m->act };
    Kernel *kernel = program_emit_function(program, module, "backward", backward_function(m, x), &context, sizeof context);
    kernel_bind(kernel, X, x);
    kernel_bind(kernel, DY, dy);
    kernel_bind(kernel, DX, dx);
    if (m->slope) {
        kernel_bind(kernel, SLOPE, program_param(program, m->slope, NULL));
        kernel_bind(kernel, DSLOPE, program_param_gradient(program, m->slope, NULL));
        kernel_bind(kernel, SCRATCH, program_scratch(program, kernel_prelu_scratch(&context.view)));
    }
    kernel_in_place(kernel, dy, dx);
}

static Activation activation_function(const Module *module)
{
    return ((const ActivationModule *)module)->act;
}

static const ModuleOps activation_ops = {
    .kind = "activation", .forward = activation_forward, .backward = activation_backward, .recompute = activation_recompute,
    .function = activation_function,
};

Tensor *activation(Network *net, const char *name, const Tensor *x, Activation act)
{
    CHECK(act.info, "activation '%s' is native: the architecture must say which", name);
    if (act.info->id == ACT_formula)
        return formula_activation(net, name, x, act);
    ActivationModule *m = network_add_module(net, sizeof *m, &activation_ops, name, x, NULL);
    m->act = act;
    if (act.info->learned) {
        CHECK(act.info->id == ACT_prelu, "activation '%s': %s is learned, but only prelu's gradient by its parameter is known", name,
              act.info->key);
        const int64_t c = x->shape.c;
        m->slope = network_add_param(net, m, "weight", PARAM_plain, 1, &c, (Init){ .constant = act.parameters[0] });
    }
    return network_add_output(net, m, x->shape);
}

int activation_inputs(Activation act, int channels)
{
    return activation_is_gated(act) ? 2 * channels : channels;
}
