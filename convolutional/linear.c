/* linear.c - y = weight x + bias over the flattened image.
 *
 *   x         N C H W
 *   weight    F (C H W)
 *   bias      F                   optional
 *   y         N F 1 1 */

#include "modules.h"

#include "description.h"
#include "emit.h"
#include "errors.h"

#include <math.h>

typedef struct LinearModule {
    Module base;
    Param *weight, *bias;
} LinearModule;

typedef struct Geometry {
    const_dnnl_memory_desc_t x, weight, bias, y;      /* bias NULL: none */
} Geometry;

static char linear_algorithm(const Module *module, const Program *program)
{
    const double macs = (double)((const LinearModule *)module)->weight->count;
    const char planned = program_planned_algorithm(program, module);
    if (planned == ALGORITHM_direct || (planned == ALGORITHM_bf16 && program_allows_16_bits(program)))
        return planned;
    return program_prefers_bf16(program, module, macs, macs) ? ALGORITHM_bf16 : ALGORITHM_direct;
}

/* An image in plain layout is a row of numbers. oneDNN would take x as an image too, in layouts of its choice, but has its
 * best kernels for rows. Weights in bf16 are plain as well: one quick conversion a step serves both directions, and oneDNN's
 * layouts would take longer to make than they save. */
static Geometry geometry_of(const LinearModule *m, Emitter *emitter, OperandTypes bf16)
{
    const int64_t n = program_batch(emit_program(emitter)), features = m->weight->dims[0], length = m->weight->dims[1];
    const bool mixed = bf16.x || bf16.y || bf16.weight;
    const int64_t x[] = { n, length }, weight[] = { features, length }, y[] = { n, features };
    return (Geometry){
        .x = emit_layout_in(emitter, emit_layout(emitter, 2, x, dnnl_ab), bf16.x),
        .weight =
            emit_layout_in(emitter, emit_layout(emitter, 2, weight, mixed ? dnnl_ab : dnnl_format_tag_any), bf16.weight),
        .bias = m->bias ? emit_layout(emitter, 1, &features, dnnl_a) : NULL,
        .y = emit_layout_in(emitter, emit_layout(emitter, 2, y, dnnl_ab), bf16.y),
    };
}

/* The tensor's rows, as they are bound. */
static const_dnnl_memory_desc_t rows(Emitter *emitter, const Tensor *tensor, bool bf16)
{
    return emit_layout_in(emitter, emit_plain_layout(emitter, tensor), bf16);
}

static dnnl_primitive_desc_t forward_desc(const Geometry *g, dnnl_prop_kind_t kind)
{
    dnnl_primitive_desc_t pd;
    DNNL(dnnl_inner_product_forward_primitive_desc_create(&pd, onednn_engine(), kind, g->x, g->weight, g->bias, g->y, onednn_attr()));
    return pd;
}

static double flops(const LinearModule *m, const Program *program)
{
    return 2.0 * (double)m->weight->count * program_batch(program);
}

static void linear_forward(const Module *module, Emitter *emitter)
{
    const LinearModule *m = (const LinearModule *)module;
    const bool bf16 = linear_algorithm(module, emit_program(emitter)) == ALGORITHM_bf16;
    const bool bf16_y = bf16 && program_is_bf16(emit_program(emitter), module->out);
    const Geometry g = geometry_of(m, emitter, (OperandTypes){ bf16, bf16_y, bf16 });
    dnnl_primitive_desc_t pd = forward_desc(&g, program_forward_kind(emit_program(emitter)));
    Buffer *x = emit_read(emitter, module->in[0], rows(emitter, module->in[0], bf16));
    Buffer *weight = emit_param(emitter, m->weight, emit_asked_layout(emitter, pd, dnnl_query_weights_md));
    Buffer *y = emit_write(emitter, module->out, rows(emitter, module->out, bf16_y));

    Kernel *kernel = emit_primitive(emitter, module, "forward", pd);
    kernel_bind_as(kernel, DNNL_ARG_SRC, x, g.x);
    kernel_bind(kernel, DNNL_ARG_WEIGHTS, weight);
    if (m->bias)
        kernel_bind(kernel, DNNL_ARG_BIAS, emit_param(emitter, m->bias, NULL));
    kernel_bind_as(kernel, DNNL_ARG_DST, y, g.y);
    kernel_flops(kernel, flops(m, emit_program(emitter)));
}

/* dweight = dy^T x,  dbias = sum over n of dy */
static void linear_backward_weights(const LinearModule *m, Emitter *emitter, bool bf16, dnnl_primitive_desc_t hint)
{
    const Geometry g = geometry_of(m, emitter, (OperandTypes){ bf16, bf16, false });
    dnnl_primitive_desc_t pd;
    DNNL(dnnl_inner_product_backward_weights_primitive_desc_create(&pd, onednn_engine(), g.x, g.weight, g.bias, g.y, hint,
                                                                   onednn_attr()));
    Buffer *x = emit_read(emitter, m->base.in[0], rows(emitter, m->base.in[0], bf16));
    Buffer *dy = emit_read_gradient(emitter, m->base.out, rows(emitter, m->base.out, bf16));
    Buffer *dweight = emit_param_gradient(emitter, m->weight, emit_asked_layout(emitter, pd, dnnl_query_diff_weights_md));

    Kernel *kernel = emit_primitive(emitter, &m->base, "backward weights", pd);
    kernel_bind_as(kernel, DNNL_ARG_SRC, x, g.x);
    kernel_bind_as(kernel, DNNL_ARG_DIFF_DST, dy, g.y);
    kernel_bind(kernel, DNNL_ARG_DIFF_WEIGHTS, dweight);
    if (m->bias)
        kernel_bind(kernel, DNNL_ARG_DIFF_BIAS, emit_param_gradient(emitter, m->bias, NULL));
    kernel_flops(kernel, flops(m, emit_program(emitter)));
}

/* dx = dy weight */
static void linear_backward_data(const LinearModule *m, Emitter *emitter, bool bf16, dnnl_primitive_desc_t hint)
{
    const bool bf16_x = bf16 && program_is_bf16(emit_program(emitter), m->base.in[0]);
    const Geometry g = geometry_of(m, emitter, (OperandTypes){ bf16_x, bf16, bf16 });
    dnnl_primitive_desc_t pd;
    DNNL(dnnl_inner_product_backward_data_primitive_desc_create(&pd, onednn_engine(), g.x, g.weight, g.y, hint, onednn_attr()));
    Buffer *dy = emit_read_gradient(emitter, m->base.out, rows(emitter, m->base.out, bf16));
    Buffer *weight = emit_param(emitter, m->weight, emit_asked_layout(emitter, pd, dnnl_query_weights_md));
    Buffer *dx = emit_write_gradient(emitter, m->base.in[0], rows(emitter, m->base.in[0], bf16_x));

    Kernel *kernel = emit_primitive(emitter, &m->base, "backward data", pd);
    kernel_bind_as(kernel, DNNL_ARG_DIFF_DST, dy, g.y);
    kernel_bind(kernel, DNNL_ARG_WEIGHTS, weight);
    kernel_bind_as(kernel, DNNL_ARG_DIFF_SRC, dx, g.x);
    kernel_flops(kernel, flops(m, emit_program(emitter)));
}

static void linear_backward(const Module *module, Emitter *emitter)
{
    const LinearModule *m = (const LinearModule *)module;
    const bool bf16 = linear_algorithm(module, emit_program(emitter)) == ALGORITHM_bf16;
    const Geometry g = geometry_of(m, emitter, (OperandTypes){ bf16, bf16, bf16 });
    dnnl_primitive_desc_t hint = forward_desc(&g, dnnl_forward_training);
    if (program_trains(emit_program(emitter), module))
        linear_backward_weights(m, emitter, bf16, hint);
    if (emit_wants_gradient(emitter, module->in[0]))
        linear_backward_data(m, emitter, bf16, hint);
    DNNL(dnnl_primitive_desc_destroy(hint));
}

static double linear_macs(const Module *module)
{
    return (double)((const LinearModule *)module)->weight->count;
}

static void linear_describe(const Module *module, ModuleDescription *description)
{
    description_integer(description, "features", module->out->shape.c);
}

static const ModuleOps linear_ops = {
    .kind = "linear", .forward = linear_forward, .backward = linear_backward,
    .algorithm = linear_algorithm, .macs = linear_macs, .describe = linear_describe,
};

Tensor *linear_with(Network *net, const char *name, const Tensor *x, int features, Linear options)
{
    CHECK(features > 0, "linear '%s': %d features", name, features);
    LinearModule *m = network_add_module(net, sizeof *m, &linear_ops, name, x, NULL);
    const int64_t dims[] = { features, (int64_t)shape_size(x->shape) };
    /* Features are mostly positive: a full-sized first step along their common mean turns the units behind off for good.
     * A sixth of the variance is what PyTorch's default comes to for relu. */
    const Init init = { .fan_in = (int)dims[1], .gain = network_gain(net) * sqrtf(1.0f / 6.0f) };
    m->weight = network_add_param(net, m, "weight", PARAM_weight, 2, dims, init);
    if (!options.no_bias)
        m->bias = network_add_param(net, m, "bias", PARAM_plain, 1, dims, (Init){0});
    return network_add_output(net, m, (Shape){ features, 1, 1 });
}

Tensor *linear(Network *net, const char *name, const Tensor *x, int features)
{
    return linear_with(net, name, x, features, (Linear){0});
}
