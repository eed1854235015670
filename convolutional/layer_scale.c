/* layer_scale.c - one learnt factor a channel, near 0 at first, so that a deep network starts as the identity.
 *
 *   x, y      N C H W
 *   weight    C 1 1
 *
 *   y = weight[c] x;  dx = weight[c] dy,  dweight[c] = sum over n, h, w of dy x      (Touvron et al., 2021, arXiv:2103.17239)
 *
 * What a program fuses in: y = weight x + residual. */

#include "modules.h"

#include "description.h"
#include "emit.h"
#include "errors.h"
#include "kernels.h"

typedef struct LayerScale {
    Module base;
    Param *weight;
} LayerScale;

enum { X, WEIGHT, RESIDUAL, Y, DY = 2, DX, DWEIGHT, SCRATCH };

static void run_forward(const void *context, void *const p[])
{
    kernel_scale_forward(context, p[X], p[WEIGHT], p[RESIDUAL], p[Y]);
}

static void run_backward(const void *context, void *const p[])
{
    kernel_scale_backward(context, p[X], p[WEIGHT], p[DY], p[DX], p[DWEIGHT], p[SCRATCH]);
}

static Kernel *emit(const LayerScale *m, Program *program, const char *what, KernelFunction *function, Buffer *x)
{
    const View view = buffer_view(x);
    Kernel *kernel = program_emit_function(program, &m->base, what, function, &view, sizeof view);
    kernel_bind(kernel, X, x);
    kernel_bind(kernel, WEIGHT, program_param(program, m->weight, NULL));
    return kernel;
}

static void layer_scale_forward(const Module *module, Program *program)
{
    const LayerScale *m = (const LayerScale *)module;
    const Fusion fusion = program_fusion(program, module);
    Buffer *x = program_read_view(program, module->in[0]);
    Buffer *residual = fusion.residual ? program_read(program, fusion.residual, buffer_layout(x)) : NULL;
    Buffer *y = program_write(program, fusion.out, buffer_layout(x));
    Kernel *kernel = emit(m, program, "forward", run_forward, x);
    kernel_bind(kernel, RESIDUAL, residual);
    kernel_bind(kernel, Y, y);
    kernel_in_place(kernel, residual ? residual : x, y);
}

static void layer_scale_backward(const Module *module, Program *program)
{
    const LayerScale *m = (const LayerScale *)module;
    const Fusion fusion = program_fusion(program, module);
    Buffer *x = program_read_view(program, module->in[0]);
    Buffer *dy = program_read_gradient(program, fusion.out, buffer_layout(x));
    Buffer *dx = program_write_gradient(program, module->in[0], buffer_layout(x));
    if (fusion.residual && program_wants_gradient(program, fusion.residual))
        program_share_gradient(program, fusion.residual, dy, buffer_layout(x));
    const View view = buffer_view(x);
    Kernel *kernel = emit(m, program, "backward", run_backward, x);
    kernel_bind(kernel, DY, dy);
    kernel_bind(kernel, DX, dx);
    kernel_bind(kernel, DWEIGHT, program_param_gradient(program, m->weight, NULL));
    kernel_bind(kernel, SCRATCH, program_scratch(program, kernel_scale_scratch(&view)));
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
