/* probe.c - see probe.h.
 *
 *   x, y      N C H W
 *   weight    N C H W          y = x + weight;  dx = dweight = dy */

#include "probe.h"

#include "errors.h"
#include "kernels.h"

#include <string.h>

typedef struct Probe {
    Module            base;
    Param            *weight;
    dnnl_format_tag_t tag;
} Probe;

typedef struct Call {
    size_t       count;
    const float *x, *weight, *dy;
    float       *y, *dweight;
} Call;

static void run_forward(const void *call)
{
    const Call *c = call;
    kernel_add(c->count, c->x, c->weight, c->y);
}

static void run_backward(const void *call)
{
    const Call *c = call;
    memcpy(c->dweight, c->dy, c->count * sizeof(float));
}

static size_t count_of(const Buffer *buffer)
{
    return dnnl_memory_desc_get_size(buffer_layout(buffer)) / sizeof(float);
}

static void probe_forward(const Module *module, Emitter *emitter)
{
    const Probe *m = (const Probe *)module;
    CHECK(program_batch(emit_program(emitter)) == m->weight->dims[0], "probe '%s': batch %d, made for %d", module->name, program_batch(emit_program(emitter)),
          (int)m->weight->dims[0]);
    const_dnnl_memory_desc_t layout = emit_tensor_layout(emitter, module->out, m->tag);
    Buffer *x = emit_read(emitter, module->in[0], layout);
    Buffer *weight = emit_param(emitter, m->weight, layout);
    Buffer *y = emit_write(emitter, module->out, layout);
    Call call = { .count = count_of(y) };
    Kernel *kernel = emit_call(emitter, module, "forward", run_forward, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_reads(kernel, &call.weight, weight);
    kernel_writes(kernel, &call.y, y);
}

static void probe_backward(const Module *module, Emitter *emitter)
{
    const Probe *m = (const Probe *)module;
    const_dnnl_memory_desc_t layout = emit_tensor_layout(emitter, module->out, m->tag);
    Buffer *dy = emit_read_gradient(emitter, module->out, layout);
    Buffer *dweight = emit_param_gradient(emitter, m->weight, layout);
    Call call = { .count = count_of(dy) };
    Kernel *kernel = emit_call(emitter, module, "backward", run_backward, &call, sizeof call);
    kernel_reads(kernel, &call.dy, dy);
    kernel_writes(kernel, &call.dweight, dweight);
    if (emit_wants_gradient(emitter, module->in[0]))
        emit_share_gradient(emitter, module->in[0], dy, layout);
}

static const ModuleOps probe_ops = { .kind = "probe", .forward = probe_forward, .backward = probe_backward };

Tensor *probe(Network *net, const char *name, const Tensor *x, int batch, dnnl_format_tag_t tag)
{
    Probe *m = network_add_module(net, sizeof *m, &probe_ops, name, x, NULL);
    const int64_t dims[] = { batch, x->shape.c, x->shape.h, x->shape.w };
    m->weight = network_add_param(net, m, "weight", PARAM_plain, 4, dims, (Init){0});
    m->tag = tag;
    return network_add_output(net, m, x->shape);
}
