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

static Geometry geometry_of(const Conv2dModule *conv, Program *program, OperandTypes bf16)
{
    const Conv2d *o = &conv->options;
    const Tensor *x = conv->base.in[0], *y = conv->base.out;
    const int64_t grouped[] = { o->groups, y->shape.c / o->groups, x->shape.c / o->groups, o->kernel, o->kernel };
    const int64_t channels[] = { y->shape.c };
    const int64_t whole[] = { y->shape.c, x->shape.c, o->kernel, o->kernel };
    const_dnnl_memory_desc_t weight = o->groups > 1 ? program_layout(program, 5, grouped, dnnl_format_tag_any)
                                                    : program_layout(program, 4, whole, dnnl_format_tag_any);
    return (Geometry){
        .x = program_layout_in(program, program_preferred_layout(program, x), bf16.x),
        .y = program_layout_in(program, program_preferred_layout(program, y), bf16.y),
        .any_x = program_layout_in(program, program_tensor_layout(program, x, dnnl_format_tag_any), bf16.x),
        .any_y = program_layout_in(program, program_tensor_layout(program, y, dnnl_format_tag_any), bf16.y),
        .weight = program_layout_in(program, weight, bf16.weight),
        .bias = conv->bias ? program_layout(program, 1, channels, dnnl_a) : NULL,
        .strides = { o->stride, o->stride }, .before = { conv->before[0], conv->before[1] },
        .after = { conv->after[0], conv->after[1] }, .forward = program_forward_kind(program),
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

static void emit_forward(const Conv2dModule *conv, Program *program, bool bf16)
{
    const Geometry g = geometry_of(conv, program, (OperandTypes){ bf16, bf16 && program_is_bf16(program, conv->base.out), bf16 });
    dnnl_primitive_desc_t pd = describe(describe_forward, &g, g.x, NULL);
    Buffer *x = program_read(program, conv->base.in[0], program_asked_layout(program, pd, dnnl_query_src_md));
    Buffer *weight = program_param(program, conv->weight, program_asked_layout(program, pd, dnnl_query_weights_md));
    Buffer *y = program_write(program, conv->base.out, program_asked_layout(program, pd, dnnl_query_dst_md));

    Kernel *kernel = program_emit(program, &conv->base, "forward", pd);
    kernel_bind(kernel, DNNL_ARG_SRC, x);
    kernel_bind(kernel, DNNL_ARG_WEIGHTS, weight);
    if (conv->bias)
        kernel_bind(kernel, DNNL_ARG_BIAS, program_param(program, conv->bias, NULL));
    kernel_bind(kernel, DNNL_ARG_DST, y);
    kernel_flops(kernel, conv2d_flops(conv, program));
}

/* dweight[o][i][ky][kx] = sum over n, y, x of dy[o][y][x] x[i][y stride + ky - pad][x stride + kx - pad],  dbias = sum of dy */
static void emit_backward_weights(const Conv2dModule *conv, Program *program, const Geometry *g, dnnl_primitive_desc_t hint)
{
    dnnl_primitive_desc_t pd =
        describe(describe_backward_weights, g, program_asked_layout(program, hint, dnnl_query_src_md), hint);
    Buffer *x = program_read(program, conv->base.in[0], program_asked_layout(program, pd, dnnl_query_src_md));
    Buffer *dy = program_read_gradient(program, conv->base.out, program_asked_layout(program, pd, dnnl_query_diff_dst_md));
    Buffer *dweight =
        program_param_gradient(program, conv->weight, program_asked_layout(program, pd, dnnl_query_diff_weights_md));

    Kernel *kernel = program_emit(program, &conv->base, "backward weights", pd);
    kernel_bind(kernel, DNNL_ARG_SRC, x);
    kernel_bind(kernel, DNNL_ARG_DIFF_DST, dy);
    kernel_bind(kernel, DNNL_ARG_DIFF_WEIGHTS, dweight);
    if (conv->bias)
        kernel_bind(kernel, DNNL_ARG_DIFF_BIAS, program_param_gradient(program, conv->bias, NULL));
    kernel_flops(kernel, conv2d_flops(conv, program));
}

/* dx[i] = sum over o, ky, kx of weight[o][i][ky][kx] dy[o][(y + pad - ky) / stride][(x + pad - kx) / stride], where that divides */
static void emit_backward_data(const Conv2dModule *conv, Program *program, const Geometry *g, dnnl_primitive_desc_t hint)
{
    dnnl_primitive_desc_t pd = describe(describe_backward_data, g, g->x, hint);
    Buffer *dy = program_read_gradient(program, conv->base.out, program_asked_layout(program, pd, dnnl_query_diff_dst_md));
    Buffer *weight = program_param(program, conv->weight, program_asked_layout(program, pd, dnnl_query_weights_md));
    Buffer *dx = program_write_gradient(program, conv->base.in[0], program_asked_layout(program, pd, dnnl_query_diff_src_md));

    Kernel *kernel = program_emit(program, &conv->base, "backward data", pd);
    kernel_bind(kernel, DNNL_ARG_DIFF_DST, dy);
    kernel_bind(kernel, DNNL_ARG_WEIGHTS, weight);
    kernel_bind(kernel, DNNL_ARG_DIFF_SRC, dx);
    kernel_flops(kernel, conv2d_flops(conv, program));
}

/* Weights first: x is free after it, and dx can have its place. */
static void emit_backward(const Conv2dModule *conv, Program *program, bool bf16)
{
    const Tensor *in = conv->base.in[0];
    const Geometry forward = geometry_of(conv, program, (OperandTypes){ bf16, bf16, bf16 });
    const Geometry weights = geometry_of(conv, program, (OperandTypes){ bf16, bf16, false });
    const Geometry data = geometry_of(conv, program, (OperandTypes){ bf16 && program_is_bf16(program, in), bf16, bf16 });
    dnnl_primitive_desc_t hint = describe(describe_forward, &forward, forward.x, NULL);
    if (program_trains(program, &conv->base))
        emit_backward_weights(conv, program, &weights, hint);
    if (program_wants_gradient(program, in))
        emit_backward_data(conv, program, &data, hint);
    DNNL(dnnl_primitive_desc_destroy(hint));
}

/* ---- in f32 ---- */

static bool direct_takes(const Conv2dModule *conv, const Program *program)
{
    (void)conv, (void)program;
    return true;
}

static void direct_forward(const Conv2dModule *conv, Program *program)
{
    emit_forward(conv, program, false);
}

static void direct_backward(const Conv2dModule *conv, Program *program)
{
    emit_backward(conv, program, false);
}

const Conv2dAlgorithm conv2d_direct = { ALGORITHM_direct, direct_takes, direct_forward, direct_backward };

/* ---- in bf16, sums in f32 ---- */

static bool bf16_takes(const Conv2dModule *conv, const Program *program)
{
    (void)conv;
    return program_allows_16_bits(program);
}

static void bf16_forward(const Conv2dModule *conv, Program *program)
{
    emit_forward(conv, program, true);
}

static void bf16_backward(const Conv2dModule *conv, Program *program)
{
    emit_backward(conv, program, true);
}

const Conv2dAlgorithm conv2d_bf16 = { ALGORITHM_bf16, bf16_takes, bf16_forward, bf16_backward };
