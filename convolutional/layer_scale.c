/* layer_scale.c - one learnt factor a channel, near 0 at first, so that a deep network starts as the identity.
 *
 *   x, y             N C H W
 *   layer_scale      C 1 1; s below
 *
 *   y = s[c] x;  dx = s[c] dy,  ds[c] = sum over n, h, w of dy x      (Touvron et al., 2021, arXiv:2103.17239)
 *
 * What a program fuses in: y = s x + residual. */

#include "modules.h"

#include "description.h"
#include "emit.h"
#include "errors.h"
#include "kernels.h"

typedef struct LayerScale {
    Module base;
    Param *weight;
} LayerScale;

typedef struct Call {
    View         view;
    const float *x, *weight, *residual, *dy;
    float       *y, *dx, *dweight;
    void        *scratch;
} Call;

static void run_forward(const void *call)
{
    const Call *c = call;
    kernel_scale_forward(&c->view, c->x, c->weight, c->residual, c->y);
}

static void run_backward(const void *call)
{
    const Call *c = call;
    kernel_scale_backward(&c->view, c->x, c->weight, c->dy, c->dx, c->dweight, c->scratch);
}

static Kernel *add_kernel(const LayerScale *m, Emitter *emitter, const char *what, CallFunction *function, Call *call, Buffer *x)
{
    Kernel *kernel = emit_call(emitter, &m->base, what, function, call, sizeof *call);
    kernel_reads(kernel, &call->x, x);
    kernel_reads(kernel, &call->weight, emit_param(emitter, m->weight, NULL));
    return kernel;
}

static void layer_scale_forward(const Module *module, Emitter *emitter)
{
    const LayerScale *m = (const LayerScale *)module;
    const Fusion fusion = emit_fusion(emitter, module);
    Buffer *x = emit_read_view(emitter, module->in[0]);
    Buffer *residual = fusion.residual ? emit_read(emitter, fusion.residual, buffer_layout(x)) : NULL;
    Buffer *y = emit_write(emitter, fusion.out, buffer_layout(x));
    Call call = { .view = buffer_view(x) };
    Kernel *kernel = add_kernel(m, emitter, "forward", run_forward, &call, x);
    kernel_reads(kernel, &call.residual, residual);
    kernel_writes(kernel, &call.y, y);
    kernel_in_place(kernel, residual ? residual : x, y);
}

static void layer_scale_backward(const Module *module, Emitter *emitter)
{
    const LayerScale *m = (const LayerScale *)module;
    const Fusion fusion = emit_fusion(emitter, module);
    Buffer *x = emit_read_view(emitter, module->in[0]);
    Buffer *dy = emit_read_gradient(emitter, fusion.out, buffer_layout(x));
    Buffer *dx = emit_write_gradient(emitter, module->in[0], buffer_layout(x));
    if (fusion.residual && emit_wants_gradient(emitter, fusion.residual))
        emit_share_gradient(emitter, fusion.residual, dy, buffer_layout(x));
    Call call = { .view = buffer_view(x) };
    Kernel *kernel = add_kernel(m, emitter, "backward", run_backward, &call, x);
    kernel_reads(kernel, &call.dy, dy);
    kernel_writes(kernel, &call.dx, dx);
    kernel_writes(kernel, &call.dweight, emit_param_gradient(emitter, m->weight, NULL));
    kernel_scratch(kernel, &call.scratch, kernel_scale_scratch(&call.view));
    kernel_in_place(kernel, dy, dx);
}

static void layer_scale_describe(const Module *module, ModuleDescription *description)
{
    description_float(description, "start", ((const LayerScale *)module)->weight->init.constant);
}

static const ModuleOps layer_scale_ops = {
    .kind = "layer_scale", .forward = layer_scale_forward, .backward = layer_scale_backward, .describe = layer_scale_describe,
    .takes_sum = true,
};

Tensor *layer_scale(Network *net, const char *name, const Tensor *x, float start)
{
    LayerScale *m = network_add_module(net, sizeof *m, &layer_scale_ops, name, x, NULL);
    const int64_t dims[] = { x->shape.c, 1, 1 };
    m->weight = network_add_param(net, m, "layer_scale", PARAM_plain, 3, dims, (Init){ .constant = start });
    return network_add_output(net, m, x->shape);
}
