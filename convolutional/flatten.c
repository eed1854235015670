/* flatten.c - an image as a row of numbers.
 *
 *   x    N C H W
 *   y    N (C H W) 1 1         in the order c, h, w: the same bytes where x is plain
 *
 * linear needs none: it reads images in any layout. */

#include "modules.h"

#include "emit.h"

static void flatten_forward(const Module *module, Emitter *emitter)
{
    Buffer *x = emit_read(emitter, module->in[0], emit_plain_layout(emitter, module->in[0]));
    emit_alias(emitter, module->out, x, emit_plain_layout(emitter, module->out));
}

static void flatten_backward(const Module *module, Emitter *emitter)
{
    Buffer *dy = emit_read_gradient(emitter, module->out, emit_plain_layout(emitter, module->out));
    if (emit_wants_gradient(emitter, module->in[0]))
        emit_share_gradient(emitter, module->in[0], dy, emit_plain_layout(emitter, module->in[0]));
}

static const ModuleOps flatten_ops = { .kind = "flatten", .forward = flatten_forward, .backward = flatten_backward };

Tensor *flatten(Network *net, const char *name, const Tensor *x)
{
    Module *m = network_add_module(net, sizeof *m, &flatten_ops, name, x, NULL);
    return network_add_output(net, m, (Shape){ x->shape.c * x->shape.h * x->shape.w, 1, 1 });
}
