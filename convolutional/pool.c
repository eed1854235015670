/* pool.c - pooling over windows.
 *
 *   x    N C H W
 *   y    N C OH OW       OH = (H + 2 pad - kernel) / stride + 1
 *
 *   max      y = largest of the window, in inference NaN where it holds one; its gradient goes to the first of equal ones
 *   average  y = mean of the window's pixels that lie inside the image */

#include "modules.h"

#include "description.h"
#include "emit.h"
#include "errors.h"
#include "kernels.h"

typedef struct PoolModule {
    Module          base;
    Pool            options;
    dnnl_alg_kind_t algorithm;
} PoolModule;

/* Forward's, or with that as the hint backward's. */
static dnnl_primitive_desc_t describe(const PoolModule *m, Emitter *emitter, const_dnnl_memory_desc_t x, const_dnnl_primitive_desc_t hint)
{
    const Pool *o = &m->options;
    const dnnl_dims_t strides = { o->stride, o->stride }, kernel = { o->kernel, o->kernel }, dilation = { 0 },
                      pads = { o->pad, o->pad };
    dnnl_primitive_desc_t pd;
    if (hint)
        DNNL(dnnl_pooling_backward_primitive_desc_create(
            &pd, onednn_engine(), m->algorithm, x, emit_values_layout(emitter, m->base.out),
            strides, kernel, dilation, pads, pads, hint, onednn_attr()));
    else
        DNNL(dnnl_pooling_forward_primitive_desc_create(
            &pd, onednn_engine(), program_forward_kind(emit_program(emitter)), m->algorithm, x,
            emit_tensor_layout(emitter, m->base.out, dnnl_format_tag_any), strides, kernel, dilation, pads, pads, onednn_attr()));
    return pd;
}

static bool has_workspace(const PoolModule *m, const Program *program)
{
    return m->algorithm == dnnl_pooling_max && program_has_backward(program);
}

/* ---- batch last: loops of our own, for oneDNN has none ---- */

typedef struct Call {
    BatchLastPool pool;
    const float  *x, *dy;      /* backward: x NULL: an average, which does not need it */
    float        *y, *dx;
} Call;

static void run_forward(const void *call)
{
    const Call *c = call;
    kernel_batch_last_pool_forward(&c->pool, c->x, c->y);
}

static void run_backward(const void *call)
{
    const Call *c = call;
    kernel_batch_last_pool_backward(&c->pool, c->x, c->dy, c->dx);
}

static BatchLastPool geometry_of(const PoolModule *m, const View *x)
{
    const Pool *o = &m->options;
    const Shape in = m->base.in[0]->shape, out = m->base.out->shape;
    return (BatchLastPool){ x->n * x->c, in.h, in.w, out.h, out.w, o->kernel, o->stride, o->pad,
                            m->algorithm == dnnl_pooling_avg_exclude_padding };
}

static void batch_last_forward(const PoolModule *m, Emitter *emitter, Buffer *x, const View *view)
{
    Call call = { .pool = geometry_of(m, view) };
    Buffer *y = emit_write(emitter, m->base.out, emit_batch_last_layout(emitter, m->base.out));
    Kernel *kernel = emit_call(emitter, &m->base, "forward", run_forward, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_writes(kernel, &call.y, y);
}

static void batch_last_backward(const PoolModule *m, Emitter *emitter, const_dnnl_memory_desc_t x_layout, const View *view)
{
    Call call = { .pool = geometry_of(m, view) };
    Buffer *x = call.pool.average ? NULL : emit_read(emitter, m->base.in[0], NULL);
    Buffer *dy = emit_read_gradient(emitter, m->base.out, emit_batch_last_layout(emitter, m->base.out));
    Buffer *dx = emit_write_gradient(emitter, m->base.in[0], x_layout);
    Kernel *kernel = emit_call(emitter, &m->base, "backward", run_backward, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.dy, dy);
    kernel_writes(kernel, &call.dx, dx);
}

/* ---- every other layout ---- */

typedef struct NanCall {
    PoolNan      pool;
    const float *x;
    float       *y;
} NanCall;

static void run_nan(const void *call)
{
    const NanCall *c = call;
    kernel_pool_nan(&c->pool, c->x, c->y);
}

/* oneDNN's largest passes over NaN, so that the logits of a network that has overflowed may be finite. A step of training sees it in the gradients. */
static void keep_nan(const PoolModule *m, Emitter *emitter, Buffer *x, Buffer *y)
{
    const Pool *o = &m->options;
    NanCall call = { .pool = { .kernel = o->kernel, .stride = o->stride, .pad = o->pad } };
    if (m->algorithm != dnnl_pooling_max || program_has_backward(emit_program(emitter)) || layout_is_bf16(buffer_layout(x)) ||
        !layout_view(buffer_layout(x), &call.pool.x) || !layout_view(buffer_layout(y), &call.pool.y))
        return;
    Kernel *kernel = emit_call(emitter, &m->base, "forward", run_nan, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_updates(kernel, &call.y, y);
}

static void pool_forward(const Module *module, Emitter *emitter)
{
    const PoolModule *m = (const PoolModule *)module;
    Buffer *x = emit_read(emitter, module->in[0], NULL);
    View view;
    if (layout_batch_last(buffer_layout(x), &view)) {
        batch_last_forward(m, emitter, x, &view);
        return;
    }
    dnnl_primitive_desc_t pd = describe(m, emitter, buffer_layout(x), NULL);
    const_dnnl_memory_desc_t y_layout = emit_keep_layout(emitter, dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0));
    Buffer *y = emit_write(emitter, module->out, y_layout);
    const_dnnl_memory_desc_t workspace_layout = NULL;
    if (has_workspace(m, emit_program(emitter))) {
        workspace_layout = emit_keep_layout(emitter, dnnl_primitive_desc_query_md(pd, dnnl_query_workspace_md, 0));
        emit_save(emitter, module, 0, emit_scratch(emitter, dnnl_memory_desc_get_size(workspace_layout)));
    }
    Kernel *kernel = emit_primitive(emitter, module, "forward", pd);
    kernel_bind(kernel, DNNL_ARG_SRC, x);
    kernel_bind(kernel, DNNL_ARG_DST, y);
    if (workspace_layout)
        kernel_bind_as(kernel, DNNL_ARG_WORKSPACE, emit_saved(emitter, module, 0), workspace_layout);
    keep_nan(m, emitter, x, y);
}

static void pool_backward(const Module *module, Emitter *emitter)
{
    const PoolModule *m = (const PoolModule *)module;
    const_dnnl_memory_desc_t x_layout = emit_values_layout(emitter, module->in[0]);
    View view;
    if (layout_batch_last(x_layout, &view)) {
        batch_last_backward(m, emitter, x_layout, &view);
        return;
    }
    dnnl_primitive_desc_t hint = describe(m, emitter, x_layout, NULL), pd = describe(m, emitter, x_layout, hint);
    const_dnnl_memory_desc_t workspace_layout =
        has_workspace(m, emit_program(emitter)) ? emit_keep_layout(emitter, dnnl_primitive_desc_query_md(hint, dnnl_query_workspace_md, 0))
                                  : NULL;
    DNNL(dnnl_primitive_desc_destroy(hint));

    Buffer *dy = emit_read_gradient(emitter, module->out, emit_values_layout(emitter, module->out));
    Buffer *dx = emit_write_gradient(emitter, module->in[0], x_layout);
    Kernel *kernel = emit_primitive(emitter, module, "backward", pd);
    kernel_bind(kernel, DNNL_ARG_DIFF_DST, dy);
    kernel_bind(kernel, DNNL_ARG_DIFF_SRC, dx);
    if (workspace_layout)
        kernel_bind_as(kernel, DNNL_ARG_WORKSPACE, emit_saved(emitter, module, 0), workspace_layout);
}

static void pool_describe(const Module *module, ModuleDescription *description)
{
    const Pool *o = &((const PoolModule *)module)->options;
    description_integer(description, "kernel", o->kernel);
    description_integer(description, "stride", o->stride);
    description_integer(description, "pad", o->pad);
}

static const ModuleOps max_pool_ops = {
    .kind = "max_pool", .forward = pool_forward, .backward = pool_backward, .describe = pool_describe,
    .keeps_scale = true,
};
static const ModuleOps avg_pool_ops = {
    .kind = "avg_pool", .forward = pool_forward, .backward = pool_backward, .describe = pool_describe,
    .keeps_scale = true,
};

static Tensor *add_pool(Network *net, const ModuleOps *ops, dnnl_alg_kind_t algorithm, const char *name, const Tensor *x,
                        Pool options)
{
    Pool o = options;
    o.stride = o.stride ? o.stride : o.kernel;
    const Shape s = x->shape;
    CHECK(o.kernel > 0 && o.stride > 0 && o.pad >= 0 && o.pad < o.kernel, "%s '%s': kernel %d, stride %d, pad %d", ops->kind,
          name, o.kernel, o.stride, o.pad);
    CHECK(s.h + 2 * o.pad >= o.kernel && s.w + 2 * o.pad >= o.kernel,
          "%s '%s': a %d x %d image is smaller than the %d x %d window", ops->kind, name, s.h, s.w, o.kernel, o.kernel);
    PoolModule *m = network_add_module(net, sizeof *m, ops, name, x, NULL);
    m->options = o;
    m->algorithm = algorithm;
    return network_add_output(
        net, m, (Shape){ s.c, (s.h + 2 * o.pad - o.kernel) / o.stride + 1, (s.w + 2 * o.pad - o.kernel) / o.stride + 1 });
}

Tensor *max_pool(Network *net, const char *name, const Tensor *x, Pool options)
{
    return add_pool(net, &max_pool_ops, dnnl_pooling_max, name, x, options);
}

Tensor *avg_pool(Network *net, const char *name, const Tensor *x, Pool options)
{
    return add_pool(net, &avg_pool_ops, dnnl_pooling_avg_exclude_padding, name, x, options);
}
