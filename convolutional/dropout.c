/* dropout.c - y = keep x / (1 - p) where a program drops, keep being 1 with probability 1 - p; else y = x.
 *
 *   x, y    N C H W          backward: dx = keep dy / (1 - p), the same draw
 *
 * (Srivastava et al., 2014, JMLR 15.) The draw is a function of (seed, step, module, element): nothing is stored. */

#include "modules.h"

#include "description.h"
#include "emit.h"
#include "errors.h"
#include "kernels.h"
#include "random.h"

typedef struct Dropout {
    Module base;
    float  p;
} Dropout;

typedef struct Call {
    View           view;
    float          p;
    int            module;
    const StepKey *key;
    const float   *x;
    float         *y;
} Call;

static void run(const void *call)
{
    const Call *c = call;
    const Random stream = random_stream(c->key->seed, c->key->step, (uint64_t)c->module, RANDOM_dropout);
    kernel_dropout(&c->view, c->p, stream.state, c->x, c->y);
}

static void add_kernel(const Dropout *m, Emitter *emitter, const char *what, Buffer *x, Buffer *y)
{
    Call call = { .view = buffer_view(x), .p = m->p, .module = m->base.index, .key = program_step_key(emit_program(emitter)) };
    Kernel *kernel = emit_call(emitter, &m->base, what, run, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_writes(kernel, &call.y, y);
    kernel_in_place(kernel, x, y);
}

static void dropout_forward(const Module *module, Emitter *emitter)
{
    Buffer *x = emit_read_view(emitter, module->in[0]);
    if (!program_drops(emit_program(emitter)))
        emit_alias(emitter, module->out, x, buffer_layout(x));
    else
        add_kernel((const Dropout *)module, emitter, "forward", x, emit_write(emitter, module->out, buffer_layout(x)));
}

static void dropout_backward(const Module *module, Emitter *emitter)
{
    const_dnnl_memory_desc_t layout = emit_view_layout(emitter, module->in[0]);
    Buffer *dy = emit_read_gradient(emitter, module->out, layout);
    if (!program_drops(emit_program(emitter)))
        emit_share_gradient(emitter, module->in[0], dy, layout);
    else
        add_kernel((const Dropout *)module, emitter, "backward", dy, emit_write_gradient(emitter, module->in[0], layout));
}

static void dropout_describe(const Module *module, ModuleDescription *description)
{
    description_float(description, "p", ((const Dropout *)module)->p);
}

static const ModuleOps dropout_ops = {
    .kind = "dropout", .forward = dropout_forward, .backward = dropout_backward, .describe = dropout_describe,
    .training_only = true,
};

Tensor *dropout(Network *net, const char *name, const Tensor *x, float p)
{
    CHECK(p >= 0 && p < 1, "dropout '%s': probability %g, it lies in [0, 1)", name, (double)p);
    if (p == 0)
        return (Tensor *)x;
    Dropout *m = network_add_module(net, sizeof *m, &dropout_ops, name, x, NULL);
    m->p = p;
    return network_add_output(net, m, x->shape);
}
