/* formula_activation.c - y = f(x; p), or of a gated unit y = f(x, g; p), computed from its formula (expression.h).
 *
 *   x, y      N C H W        a gated unit reads N 2C H W: x the first C channels, g the others, and leaves N C H W
 *   p         C each         parameters that a typed formula declares: learned, one a channel, named as in the formula
 *
 *   backward: dx = dy df/dx,  dg = dy df/dg,  dp[c] = sum over n, h, w of dy df/dp
 *
 * What a formula of the catalogue calls `noise` is uniform in [0, 1) in training, drawn for each number anew, and 1/2 in inference. Gated units: Dauphin et al.,
 * 2016, arXiv:1612.08083; Shazeer, 2020, arXiv:2002.05202. */

#include "modules.h"

#include "emit.h"
#include "errors.h"
#include "kernels.h"
#include "random.h"

#include <string.h>

typedef struct FormulaActivation {
    Module         base;
    Activation     act;
    const Formula *formula;
    Param         *parameters[EXPRESSION_PARAMETERS];      /* of a typed formula */
} FormulaActivation;

typedef struct Call {
    FormulaKernel  kernel;
    int            module;
    const StepKey *key;
    FormulaInputs  in;         /* its random key comes with the step */
    float         *y, *dx, *gradients[EXPRESSION_PARAMETERS];
    void          *scratch;
} Call;

static FormulaInputs inputs_of(const Call *c)
{
    FormulaInputs in = c->in;
    in.key = random_stream(c->key->seed, c->key->step, (uint64_t)c->module, RANDOM_dropout).state;
    return in;
}

static void run_forward(const void *call)
{
    const Call *c = call;
    const FormulaInputs in = inputs_of(c);
    kernel_formula_forward(&c->kernel, &in, c->y);
}

static void run_backward(const void *call)
{
    const Call *c = call;
    const FormulaInputs in = inputs_of(c);
    kernel_formula_backward(&c->kernel, &in, c->dx, c->gradients, c->scratch);
}

static Call call_of(const FormulaActivation *m, Emitter *emitter, const Buffer *x, View view)
{
    const View input = buffer_channels(x);
    Call call = {
        .kernel = { .formula = m->formula, .view = view, .together = input.block == input.c && input.block > 1,
                    .learned = m->parameters[0] != NULL, .draws = program_drops(emit_program(emitter)) },
        .module = m->base.index, .key = program_step_key(emit_program(emitter)),
    };
    memcpy(call.kernel.parameters, m->act.parameters, sizeof call.kernel.parameters);
    return call;
}

/* Both halves of a gated unit's channels fill whole blocks, or lie together in each pixel. */
static bool halves_lie_apart(const View *x)
{
    return x->c == x->padded && (x->block == x->c || x->c / 2 % x->block == 0);
}

/* What is drawn depends on which image a number is of. */
static Buffer *read_input(const FormulaActivation *m, Emitter *emitter)
{
    const Tensor *tensor = m->base.in[0];
    Buffer *x = m->formula->noise >= 0 ? emit_read_view(emitter, tensor) : emit_read_channels(emitter, tensor);
    const View view = buffer_channels(x);
    return m->formula->gated && !halves_lie_apart(&view) ? emit_read(emitter, tensor, emit_plain_layout(emitter, tensor)) : x;
}

/* The output lies as the input does; that of a gated unit has half its channels. */
static const_dnnl_memory_desc_t output_layout(const FormulaActivation *m, Emitter *emitter, const Buffer *x)
{
    View view;
    if (!m->formula->gated)
        return buffer_layout(x);
    if (layout_batch_last(buffer_layout(x), &view))
        return emit_batch_last_layout(emitter, m->base.out);
    view = buffer_view(x);
    return emit_tensor_layout(emitter, m->base.out, layout_tag(&view));
}

static void bind_inputs(const FormulaActivation *m, Emitter *emitter, Kernel *kernel, Call *call, Buffer *x)
{
    kernel_reads(kernel, &call->in.x, x);
    for (int i = 0; i < EXPRESSION_PARAMETERS && m->parameters[i]; i++)
        kernel_reads(kernel, &call->in.weights[i], emit_param(emitter, m->parameters[i], NULL));
}

static void add_output(const FormulaActivation *m, Emitter *emitter, Buffer *x)
{
    Buffer *y = emit_write(emitter, m->base.out, output_layout(m, emitter, x));
    Call call = call_of(m, emitter, x, buffer_channels(y));
    Kernel *kernel = emit_call(emitter, &m->base, "forward", run_forward, &call, sizeof call);
    bind_inputs(m, emitter, kernel, &call, x);
    kernel_writes(kernel, &call.y, y);
    if (!m->formula->gated)
        kernel_in_place(kernel, x, y);
}

static void formula_activation_recompute(const Module *module, Emitter *emitter)
{
    const FormulaActivation *m = (const FormulaActivation *)module;
    add_output(m, emitter, read_input(m, emitter));
}

/* As of an activation with loops of its own (activation.c): y is recomputed in backward rather than kept. */
static void formula_activation_forward(const Module *module, Emitter *emitter)
{
    formula_activation_recompute(module, emitter);
    if (program_has_backward(emit_program(emitter)) && !emit_recomputes(emitter, module->in[0]))
        emit_recompute(emitter, module->out, module);
}

static void formula_activation_backward(const Module *module, Emitter *emitter)
{
    const FormulaActivation *m = (const FormulaActivation *)module;
    Buffer *x = read_input(m, emitter);
    Buffer *dy = emit_read_gradient(emitter, module->out, output_layout(m, emitter, x));
    Buffer *dx = emit_write_gradient(emitter, module->in[0], buffer_layout(x));
    Call call = call_of(m, emitter, x, buffer_channels(dy));
    Kernel *kernel = emit_call(emitter, module, "backward", run_backward, &call, sizeof call);
    bind_inputs(m, emitter, kernel, &call, x);
    kernel_reads(kernel, &call.in.dy, dy);
    kernel_writes(kernel, &call.dx, dx);
    for (int i = 0; i < EXPRESSION_PARAMETERS && m->parameters[i]; i++)
        kernel_writes(kernel, &call.gradients[i], emit_param_gradient(emitter, m->parameters[i], NULL));
    const size_t scratch = kernel_formula_scratch(&call.kernel);
    if (scratch)
        kernel_scratch(kernel, &call.scratch, scratch);
    if (!m->formula->gated)
        kernel_in_place(kernel, dy, dx);
}

static Activation formula_activation_function(const Module *module)
{
    return ((const FormulaActivation *)module)->act;
}

static const ModuleOps formula_activation_ops = {
    .kind = "activation", .forward = formula_activation_forward, .backward = formula_activation_backward,
    .recompute = formula_activation_recompute, .function = formula_activation_function,
};

Tensor *formula_activation(Network *net, const char *name, const Tensor *x, Activation act)
{
    const Formula *formula = formula_of(act.info);
    Shape shape = x->shape;
    CHECK(!formula->gated || shape.c % 2 == 0, "activation '%s': %s takes two halves of the channels, but there are %d", name, act.info->key, shape.c);
    shape.c /= formula->gated ? 2 : 1;
    FormulaActivation *m = network_add_module(net, sizeof *m, &formula_activation_ops, name, x, NULL);
    m->act = act;
    m->formula = formula;
    const int64_t c = shape.c;
    for (int i = 0; act.info->learned && i < formula->parameters; i++)
        m->parameters[i] = network_add_param(net, m, expression_parameter_name(formula->value, i), PARAM_plain, 1, &c,
                                             (Init){ .constant = act.parameters[i] });
    return network_add_output(net, m, shape);
}
