/* flatten.c - an image as a row of numbers.
 *
 *   x    N C H W
 *   y    N (C H W) 1 1         in the order c, h, w: the same bytes where x is plain
 *
 * linear needs none: it reads images in any layout. */

#include "modules.h"

#include "emit.h"

static void flatten_forward(const Module *module, Program *program)
{
    Buffer *x = program_read(program, module->in[0], program_plain_layout(program, module->in[0]));
    program_alias(program, module->out, x, program_plain_layout(program, module->out));
}

static void flatten_backward(const Module *module, Program *program)
{
    Buffer *dy = program_read_gradient(program, module->out, program_plain_layout(program, module->out));
    if (program_wants_gradient(program, module->in[0]))
        program_share_gradient(program, module->in[0], dy, program_plain_layout(program, module->in[0]));
}

static const ModuleOps flatten_ops = { .kind = "flatten", .forward = flatten_forward, .backward = flatten_backward };

Tensor *flatten(Network *net, const char *name, const Tensor *x)
{
    Module *m = network_add_module(net, sizeof *m, &flatten_ops, name, x, NULL);
    return network_add_output(net, m, (Shape){ x->shape.c * x->shape.h * x->shape.w, 1, 1 });
}
