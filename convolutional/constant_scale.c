/* constant_scale.c - y = factor x, a factor that is part of the network and is not trained.
 *
 *   x, y    N C H W          backward: dx = factor dy */

#include "modules.h"

#include "description.h"
#include "emit.h"
#include "errors.h"
#include "kernels.h"

#include <math.h>

typedef struct ConstantScale {
    Module base;
    float  factor;
} ConstantScale;

typedef struct Call {
    size_t       count;
    float        factor;
    const float *x;
    float       *y;
} Call;

static void run(const void *call)
{
    const Call *c = call;
    kernel_multiply(c->count, c->factor, c->x, c->y);
}

static void add_kernel(const ConstantScale *m, Emitter *emitter, const char *what, Buffer *x, Buffer *y)
{
    const View view = buffer_view(x);
    Call call = { .count = view_count(&view), .factor = m->factor };
    Kernel *kernel = emit_call(emitter, &m->base, what, run, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_writes(kernel, &call.y, y);
    kernel_in_place(kernel, x, y);
}

static void constant_scale_forward(const Module *module, Emitter *emitter)
{
    Buffer *x = emit_read_view(emitter, module->in[0]);
    add_kernel((const ConstantScale *)module, emitter, "forward", x, emit_write(emitter, module->out, buffer_layout(x)));
}

static void constant_scale_backward(const Module *module, Emitter *emitter)
{
    const_dnnl_memory_desc_t layout = emit_view_layout(emitter, module->in[0]);
    Buffer *dy = emit_read_gradient(emitter, module->out, layout);
    add_kernel((const ConstantScale *)module, emitter, "backward", dy, emit_write_gradient(emitter, module->in[0], layout));
}

static void constant_scale_describe(const Module *module, ModuleDescription *description)
{
    description_float(description, "factor", ((const ConstantScale *)module)->factor);
}

static const ModuleOps constant_scale_ops = {
    .kind = "constant_scale", .forward = constant_scale_forward, .backward = constant_scale_backward, .describe = constant_scale_describe,
    .keeps_scale = true,
};

Tensor *constant_scale(Network *net, const char *name, const Tensor *x, float factor)
{
    CHECK(isfinite(factor) && factor != 0, "constant_scale '%s': factor %g", name, (double)factor);
    ConstantScale *m = network_add_module(net, sizeof *m, &constant_scale_ops, name, x, NULL);
    m->factor = factor;
    return network_add_output(net, m, x->shape);
}
