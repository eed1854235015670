/* drop_path.c - in training, whole samples of a residual branch are left out: stochastic depth.
 *
 *   x, y    N C H W
 *   keep    N             1 with probability 1 - p, else 0
 *
 *   y = keep[n] / (1 - p) x;  dx = keep[n] / (1 - p) dy, the same draw;  y = x in inference      (Huang et al., 2016, arXiv:1603.09382)
 *
 * The draw is a function of (seed, step, module, sample), as dropout's: nothing is stored.
 * What a program fuses in: y = keep[n] / (1 - p) x + residual. */

#include "modules.h"

#include "description.h"
#include "emit.h"
#include "errors.h"
#include "kernels.h"
#include "random.h"

typedef struct DropPath {
    Module base;
    float  p;
} DropPath;

typedef struct Call {
    View           view;
    float          p;          /* 0: none is left out */
    int            module;
    const StepKey *key;
    const float   *x, *residual;
    float         *y;
} Call;

static void run(const void *call)
{
    const Call *c = call;
    const Random stream = random_stream(c->key->seed, c->key->step, (uint64_t)c->module, RANDOM_dropout);
    kernel_drop_path(&c->view, c->p, stream.state, c->x, c->residual, c->y);
}

static void add_kernel(const DropPath *m, Emitter *emitter, const char *what, Buffer *x, Buffer *residual, Buffer *y)
{
    const float p = program_drops(emit_program(emitter)) ? m->p : 0;
    Call call = { .view = buffer_view(x), .p = p, .module = m->base.index, .key = program_step_key(emit_program(emitter)) };
    Kernel *kernel = emit_call(emitter, &m->base, what, run, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.residual, residual);
    kernel_writes(kernel, &call.y, y);
    kernel_in_place(kernel, residual ? residual : x, y);
}

static void drop_path_forward(const Module *module, Emitter *emitter)
{
    const Fusion fusion = emit_fusion(emitter, module);
    Buffer *x = emit_read_view(emitter, module->in[0]);
    if (!program_drops(emit_program(emitter)) && !fusion.residual) {
        emit_alias(emitter, module->out, x, buffer_layout(x));
        return;
    }
    Buffer *residual = fusion.residual ? emit_read(emitter, fusion.residual, buffer_layout(x)) : NULL;
    add_kernel((const DropPath *)module, emitter, "forward", x, residual, emit_write(emitter, fusion.out, buffer_layout(x)));
}

static void drop_path_backward(const Module *module, Emitter *emitter)
{
    const Fusion fusion = emit_fusion(emitter, module);
    const_dnnl_memory_desc_t layout = emit_view_layout(emitter, module->in[0]);
    Buffer *dy = emit_read_gradient(emitter, fusion.out, layout);
    if (fusion.residual && emit_wants_gradient(emitter, fusion.residual))
        emit_share_gradient(emitter, fusion.residual, dy, layout);
    if (!program_drops(emit_program(emitter)))
        emit_share_gradient(emitter, module->in[0], dy, layout);
    else
        add_kernel((const DropPath *)module, emitter, "backward", dy, NULL, emit_write_gradient(emitter, module->in[0], layout));
}

static void drop_path_describe(const Module *module, ModuleDescription *description)
{
    description_float(description, "p", ((const DropPath *)module)->p);
}

static const ModuleOps drop_path_ops = {
    .kind = "drop_path", .forward = drop_path_forward, .backward = drop_path_backward, .describe = drop_path_describe,
    .takes_sum = true, .training_only = true,
};

Tensor *drop_path(Network *net, const char *name, const Tensor *x, float p)
{
    CHECK(p >= 0 && p < 1, "drop_path '%s': probability %g, it lies in [0, 1)", name, (double)p);
    if (p == 0)
        return (Tensor *)x;
    DropPath *m = network_add_module(net, sizeof *m, &drop_path_ops, name, x, NULL);
    m->p = p;
    return network_add_output(net, m, x->shape);
}
