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

typedef struct Call {
    View         view;
    Activation   act;
    const float *x, *dy, *slope;
    float       *y, *dx, *dslope;
    void        *scratch;
} Call;

static void run_forward(const void *call)
{
    const Call *c = call;
    kernel_activation_forward(&c->view, c->act, c->x, c->y);
}

static void run_backward(const void *call)
{
    const Call *c = call;
    kernel_activation_backward(&c->view, c->act, c->x, c->dy, c->dx);
}

/* Numbers of bf16 tensors, whatever the pointers say. */
static void run_forward_bf16(const void *call)
{
    const Call *c = call;
    kernel_activation_forward_bf16(&c->view, c->act, (const uint16_t *)c->x, (uint16_t *)c->y);
}

static void run_backward_bf16(const void *call)
{
    const Call *c = call;
    kernel_activation_backward_bf16(&c->view, c->act, (const uint16_t *)c->x, (const uint16_t *)c->dy, (uint16_t *)c->dx);
}

static void run_prelu_forward(const void *call)
{
    const Call *c = call;
    kernel_prelu_forward(&c->view, c->x, c->slope, c->y);
}

static void run_prelu_backward(const void *call)
{
    const Call *c = call;
    kernel_prelu_backward(&c->view, c->x, c->slope, c->dy, c->dx, c->dslope, c->scratch);
}

static CallFunction *forward_function(const ActivationModule *m, const Buffer *x)
{
    if (m->slope)
        return run_prelu_forward;
    return layout_is_bf16(buffer_layout(x)) ? run_forward_bf16 : run_forward;
}

static CallFunction *backward_function(const ActivationModule *m, const Buffer *x)
{
    if (m->slope)
        return run_prelu_backward;
    return layout_is_bf16(buffer_layout(x)) ? run_backward_bf16 : run_backward;
}

static void add_output(const ActivationModule *m, Emitter *emitter, Buffer *x)
{
    Buffer *y = emit_write(emitter, m->base.out, buffer_layout(x));
    Call call = { .view = buffer_channels(x), .act = m->act };
    Kernel *kernel = emit_call(emitter, &m->base, "forward", forward_function(m, x), &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_writes(kernel, &call.y, y);
    if (m->slope)
        kernel_reads(kernel, &call.slope, emit_param(emitter, m->slope, NULL));
    kernel_in_place(kernel, x, y);
}

static void activation_recompute(const Module *module, Emitter *emitter)
{
    const ActivationModule *m = (const ActivationModule *)module;
    add_output(m, emitter, emit_read_numbers(emitter, module->in[0]));
}

/* Backward reads x in any case, so y is recomputed there, in one pass over memory, instead of kept; not if x would have to be
 * recomputed as well. */
static void activation_forward(const Module *module, Emitter *emitter)
{
    const ActivationModule *m = (const ActivationModule *)module;
    Buffer *x = emit_read_numbers(emitter, module->in[0]);
    if (activation_key(m->act) == ACT_identity) {
        emit_alias(emitter, module->out, x, buffer_layout(x));
        return;
    }
    add_output(m, emitter, x);
    if (program_has_backward(emit_program(emitter)) && !emit_recomputes(emitter, module->in[0]))
        emit_recompute(emitter, module->out, module);
}

static void activation_backward(const Module *module, Emitter *emitter)
{
    const ActivationModule *m = (const ActivationModule *)module;
    Buffer *x = emit_read_numbers(emitter, module->in[0]);
    Buffer *dy = emit_read_gradient(emitter, module->out, buffer_layout(x));
    if (activation_key(m->act) == ACT_identity) {
        emit_share_gradient(emitter, module->in[0], dy, buffer_layout(x));
        return;
    }
    Buffer *dx = emit_write_gradient(emitter, module->in[0], buffer_layout(x));
    Call call = { .view = buffer_channels(x), .act = m->act };
    Kernel *kernel = emit_call(emitter, module, "backward", backward_function(m, x), &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.dy, dy);
    kernel_writes(kernel, &call.dx, dx);
    if (m->slope) {
        kernel_reads(kernel, &call.slope, emit_param(emitter, m->slope, NULL));
        kernel_writes(kernel, &call.dslope, emit_param_gradient(emitter, m->slope, NULL));
        kernel_scratch(kernel, &call.scratch, kernel_prelu_scratch(&call.view));
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
