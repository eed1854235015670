/* conv2d_direct.c - convolution by oneDNN's direct algorithm, in the layouts that it prefers, in f32 or bf16. */

#include "conv2d.h"

#include "errors.h"

#include <string.h>

typedef struct Geometry {
    const_dnnl_memory_desc_t x, y, weight, bias;       /* what we ask for; bias NULL: none */
    const_dnnl_memory_desc_t any_x, any_y;             /* what we ask for where that has no fast kernel */
    dnnl_dims_t strides, dilates, before, after;      /* before, after: padding */
    dnnl_prop_kind_t forward;
} Geometry;

static Geometry geometry_of(const Conv2dModule *conv, Emitter *emitter, OperandTypes bf16)
{
    const Conv2d *o = &conv->options;
    const Tensor *x = conv->base.in[0], *y = conv->base.out;
    const int64_t grouped[] = { o->groups, y->shape.c / o->groups, x->shape.c / o->groups, o->kernel, o->kernel };
    const int64_t channels[] = { y->shape.c };
    const int64_t whole[] = { y->shape.c, x->shape.c, o->kernel, o->kernel };
    const_dnnl_memory_desc_t weight = o->groups > 1 ? emit_layout(emitter, 5, grouped, dnnl_format_tag_any)
                                                    : emit_layout(emitter, 4, whole, dnnl_format_tag_any);
    return (Geometry){
        .x = emit_layout_in(emitter, emit_preferred_layout(emitter, x), bf16.x),
        .y = emit_layout_in(emitter, emit_preferred_layout(emitter, y), bf16.y),
        .any_x = emit_layout_in(emitter, emit_tensor_layout(emitter, x, dnnl_format_tag_any), bf16.x),
        .any_y = emit_layout_in(emitter, emit_tensor_layout(emitter, y, dnnl_format_tag_any), bf16.y),
        .weight = emit_layout_in(emitter, weight, bf16.weight),
        .bias = conv->bias ? emit_layout(emitter, 1, channels, dnnl_a) : NULL,
        .strides = { o->stride, o->stride }, .before = { conv->before[0], conv->before[1] },
        .after = { conv->after[0], conv->after[1] }, .forward = program_forward_kind(emit_program(emitter)),
    };
}

/* ---- primitive descriptors, for x and y in given layouts ---- */

typedef dnnl_status_t Describe(dnnl_primitive_desc_t *pd, const Geometry *g, const_dnnl_memory_desc_t x,
                               const_dnnl_memory_desc_t y, const_dnnl_primitive_desc_t hint);

static dnnl_status_t describe_forward(dnnl_primitive_desc_t *pd, const Geometry *g, const_dnnl_memory_desc_t x,
                                      const_dnnl_memory_desc_t y, const_dnnl_primitive_desc_t hint)
{
    (void)hint;
    return dnnl_convolution_forward_primitive_desc_create(
        pd, onednn_engine(), g->forward, dnnl_convolution_direct,
        x, g->weight, g->bias, y, g->strides, g->dilates, g->before, g->after, onednn_attr());
}

static dnnl_status_t describe_backward_weights(dnnl_primitive_desc_t *pd, const Geometry *g, const_dnnl_memory_desc_t x,
                                               const_dnnl_memory_desc_t y, const_dnnl_primitive_desc_t hint)
{
    return dnnl_convolution_backward_weights_primitive_desc_create(pd, onednn_engine(), dnnl_convolution_direct, x, g->weight,
                                                                   g->bias, y, g->strides, g->dilates, g->before, g->after, hint,
                                                                   onednn_attr());
}

static dnnl_status_t describe_backward_data(dnnl_primitive_desc_t *pd, const Geometry *g, const_dnnl_memory_desc_t x,
                                            const_dnnl_memory_desc_t y, const_dnnl_primitive_desc_t hint)
{
    return dnnl_convolution_backward_data_primitive_desc_create(pd, onednn_engine(), dnnl_convolution_direct, x, g->weight, y,
                                                                g->strides, g->dilates, g->before, g->after, hint, onednn_attr());
}

/* oneDNN's plain loops are hundreds of times slower than its compiled kernels. */
static bool is_slow(const_dnnl_primitive_desc_t pd)
{
    const char *implementation;
    DNNL(dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&implementation));
    return !strncmp(implementation, "ref", 3) || !strncmp(implementation, "gemm:ref", 8);
}

/* The first of the layouts that has a fast kernel: as the network's data lies, or with one side or both left to oneDNN. */
static dnnl_primitive_desc_t describe(Describe *create, const Geometry *g, const_dnnl_memory_desc_t x,
                                      const_dnnl_primitive_desc_t hint)
{
    const struct { const_dnnl_memory_desc_t x, y; } wishes[] = {
        { x, g->y }, { g->any_x, g->y }, { x, g->any_y }, { g->any_x, g->any_y },
    };
    dnnl_primitive_desc_t pd;
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        if (create(&pd, g, wishes[i].x, wishes[i].y, hint) != dnnl_success)
            continue;
        if (!is_slow(pd))
            return pd;
        DNNL(dnnl_primitive_desc_destroy(pd));
    }
    DNNL(create(&pd, g, x, g->y, hint));
    return pd;
}

static void add_forward(const Conv2dModule *conv, Emitter *emitter, bool bf16)
{
    const Geometry g = geometry_of(conv, emitter, (OperandTypes){ bf16, bf16 && program_is_bf16(emit_program(emitter), conv->base.out), bf16 });
    dnnl_primitive_desc_t pd = describe(describe_forward, &g, g.x, NULL);
    Buffer *x = emit_read(emitter, conv->base.in[0], emit_asked_layout(emitter, pd, dnnl_query_src_md));
    Buffer *weight = emit_param(emitter, conv->weight, emit_asked_layout(emitter, pd, dnnl_query_weights_md));
    Buffer *y = emit_write(emitter, conv->base.out, emit_asked_layout(emitter, pd, dnnl_query_dst_md));

    Kernel *kernel = emit_primitive(emitter, &conv->base, "forward", pd);
    kernel_bind(kernel, DNNL_ARG_SRC, x);
    kernel_bind(kernel, DNNL_ARG_WEIGHTS, weight);
    if (conv->bias)
        kernel_bind(kernel, DNNL_ARG_BIAS, emit_param(emitter, conv->bias, NULL));
    kernel_bind(kernel, DNNL_ARG_DST, y);
    kernel_flops(kernel, conv2d_flops(conv, emit_program(emitter)));
}

/* dweight[o][i][ky][kx] = sum over n, y, x of dy[o][y][x] x[i][y stride + ky - pad][x stride + kx - pad],  dbias = sum of dy */
static void add_backward_weights(const Conv2dModule *conv, Emitter *emitter, const Geometry *g, dnnl_primitive_desc_t hint)
{
    dnnl_primitive_desc_t pd =
        describe(describe_backward_weights, g, emit_asked_layout(emitter, hint, dnnl_query_src_md), hint);
    Buffer *x = emit_read(emitter, conv->base.in[0], emit_asked_layout(emitter, pd, dnnl_query_src_md));
    Buffer *dy = emit_read_gradient(emitter, conv->base.out, emit_asked_layout(emitter, pd, dnnl_query_diff_dst_md));
    Buffer *dweight =
        emit_param_gradient(emitter, conv->weight, emit_asked_layout(emitter, pd, dnnl_query_diff_weights_md));

    Kernel *kernel = emit_primitive(emitter, &conv->base, "backward weights", pd);
    kernel_bind(kernel, DNNL_ARG_SRC, x);
    kernel_bind(kernel, DNNL_ARG_DIFF_DST, dy);
    kernel_bind(kernel, DNNL_ARG_DIFF_WEIGHTS, dweight);
    if (conv->bias)
        kernel_bind(kernel, DNNL_ARG_DIFF_BIAS, emit_param_gradient(emitter, conv->bias, NULL));
    kernel_flops(kernel, conv2d_flops(conv, emit_program(emitter)));
}

/* dx[i] = sum over o, ky, kx of weight[o][i][ky][kx] dy[o][(y + pad - ky) / stride][(x + pad - kx) / stride], where that divides */
static void add_backward_data(const Conv2dModule *conv, Emitter *emitter, const Geometry *g, dnnl_primitive_desc_t hint)
{
    dnnl_primitive_desc_t pd = describe(describe_backward_data, g, g->x, hint);
    Buffer *dy = emit_read_gradient(emitter, conv->base.out, emit_asked_layout(emitter, pd, dnnl_query_diff_dst_md));
    Buffer *weight = emit_param(emitter, conv->weight, emit_asked_layout(emitter, pd, dnnl_query_weights_md));
    Buffer *dx = emit_write_gradient(emitter, conv->base.in[0], emit_asked_layout(emitter, pd, dnnl_query_diff_src_md));

    Kernel *kernel = emit_primitive(emitter, &conv->base, "backward data", pd);
    kernel_bind(kernel, DNNL_ARG_DIFF_DST, dy);
    kernel_bind(kernel, DNNL_ARG_WEIGHTS, weight);
    kernel_bind(kernel, DNNL_ARG_DIFF_SRC, dx);
    kernel_flops(kernel, conv2d_flops(conv, emit_program(emitter)));
}

/* Weights first: x is free after it, and dx can have its place. */
static void add_backward(const Conv2dModule *conv, Emitter *emitter, bool bf16)
{
    const Tensor *in = conv->base.in[0];
    const Geometry forward = geometry_of(conv, emitter, (OperandTypes){ bf16, bf16, bf16 });
    const Geometry weights = geometry_of(conv, emitter, (OperandTypes){ bf16, bf16, false });
    const Geometry data = geometry_of(conv, emitter, (OperandTypes){ bf16 && program_is_bf16(emit_program(emitter), in), bf16, bf16 });
    dnnl_primitive_desc_t hint = describe(describe_forward, &forward, forward.x, NULL);
    if (program_trains(emit_program(emitter), &conv->base)) {
        if (!bf16 && conv2d_is_product(conv, emit_program(emitter)))
            conv2d_product_backward_weights(conv, emitter);
        else
            add_backward_weights(conv, emitter, &weights, hint);
    }
    if (emit_wants_gradient(emitter, in))
        add_backward_data(conv, emitter, &data, hint);
    DNNL(dnnl_primitive_desc_destroy(hint));
}

/* ---- in f32 ---- */

static bool direct_takes(const Conv2dModule *conv, const Program *program)
{
    (void)conv, (void)program;
    return true;
}

static void direct_forward(const Conv2dModule *conv, Emitter *emitter)
{
    add_forward(conv, emitter, false);
}

static void direct_backward(const Conv2dModule *conv, Emitter *emitter)
{
    add_backward(conv, emitter, false);
}

const Conv2dAlgorithm conv2d_direct = { ALGORITHM_direct, direct_takes, direct_forward, direct_backward };

/* ---- in bf16, sums in f32 ---- */

/* Of an image narrower than the stride, oneDNN 2.6's gradient of the weights reads what it has not written. */
static bool bf16_takes(const Conv2dModule *conv, const Program *program)
{
    return program_allows_16_bits(program) && conv->base.in[0]->shape.w >= conv->options.stride;
}

static void bf16_forward(const Conv2dModule *conv, Emitter *emitter)
{
    add_forward(conv, emitter, true);
}

static void bf16_backward(const Conv2dModule *conv, Emitter *emitter)
{
    add_backward(conv, emitter, true);
}

const Conv2dAlgorithm conv2d_bf16 = { ALGORITHM_bf16, bf16_takes, bf16_forward, bf16_backward };
