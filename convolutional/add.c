/* add.c - the sum of two tensors of one shape: residual connections.
 *
 *   a, b, y    N C H W         y = a + b;  da = db = dy, the same bytes
 *
 * After a batch norm, a layer scale or a drop path the sum is part of their kernel (engine/fusion.c). */

#include "modules.h"

#include "emit.h"
#include "errors.h"
#include "kernels.h"

typedef struct Call {
    size_t       count;
    const float *a, *b;
    float       *y;
} Call;

static void run_forward(const void *call)
{
    const Call *c = call;
    kernel_add(c->count, c->a, c->b, c->y);
}

static void add_forward(const Module *module, Emitter *emitter)
{
    Buffer *a = emit_read_view(emitter, module->in[0]);
    Buffer *b = emit_read(emitter, module->in[1], buffer_layout(a));
    Buffer *y = emit_write(emitter, module->out, buffer_layout(a));
    const View view = buffer_view(a);
    Call call = { .count = view_count(&view) };
    Kernel *kernel = emit_call(emitter, module, "forward", run_forward, &call, sizeof call);
    kernel_reads(kernel, &call.a, a);
    kernel_reads(kernel, &call.b, b);
    kernel_writes(kernel, &call.y, y);
    kernel_in_place(kernel, a, y);
}

static void add_backward(const Module *module, Emitter *emitter)
{
    Buffer *dy = emit_read_gradient(emitter, module->out, NULL);
    for (int i = 0; i < module->inputs; i++)
        if (emit_wants_gradient(emitter, module->in[i]))
            emit_share_gradient(emitter, module->in[i], dy, buffer_layout(dy));
}

static const ModuleOps add_ops = { .kind = "add", .forward = add_forward, .backward = add_backward, .sums = true };

Tensor *add(Network *net, const char *name, const Tensor *a, const Tensor *b)
{
    CHECK(a->shape.c == b->shape.c && a->shape.h == b->shape.h && a->shape.w == b->shape.w,
          "add '%s': %d x %d x %d and %d x %d x %d", name, a->shape.c, a->shape.h, a->shape.w, b->shape.c, b->shape.h,
          b->shape.w);
    Module *m = network_add_module(net, sizeof *m, &add_ops, name, a, b);
    return network_add_output(net, m, a->shape);
}
