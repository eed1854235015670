/* adaptive_avg_pool.c - averages to a fixed number of cells, whatever the image's size.
 *
 *   x    N C H W
 *   y    N C S S        cell i covers rows floor(i H / S) to ceil((i + 1) H / S) - 1, which may overlap; columns likewise
 *
 * Runs once before a classifier, on small images: plain loops. */

#include "modules.h"

#include "description.h"
#include "emit.h"
#include "errors.h"

#include <string.h>

typedef struct Context {
    View x, y;
} Context;

enum { X, Y };

static int cell_begin(int cell, int size, int cells) { return cell * size / cells; }
static int cell_end(int cell, int size, int cells)   { return ((cell + 1) * size + cells - 1) / cells; }

/* One cell of one channel of one image: y = mean of x, or x += dy / area. */
static void visit_cell(const Context *c, int n, int k, int row, int column, float *x, float *y, bool backward)
{
    const int top = cell_begin(row, c->x.h, c->y.h), bottom = cell_end(row, c->x.h, c->y.h);
    const int left = cell_begin(column, c->x.w, c->y.w), right = cell_end(column, c->x.w, c->y.w);
    const float share = 1.0f / (float)((bottom - top) * (right - left));
    float *cell = &y[view_offset(&c->y, n, k, row, column)];
    float sum = 0;
    for (int i = top; i < bottom; i++)
        for (int j = left; j < right; j++) {
            float *pixel = &x[view_offset(&c->x, n, k, i, j)];
            if (backward)
                *pixel += share * *cell;
            else
                sum += *pixel;
        }
    if (!backward)
        *cell = share * sum;
}

static void visit(const Context *c, float *x, float *y, bool backward)
{
#pragma omp parallel for schedule(static)
    for (int n = 0; n < c->x.n; n++)
        for (int k = 0; k < c->x.c; k++)
            for (int row = 0; row < c->y.h; row++)
                for (int column = 0; column < c->y.w; column++)
                    visit_cell(c, n, k, row, column, x, y, backward);
}

static void run_forward(const void *context, void *const p[])
{
    const Context *c = context;
    memset(p[Y], 0, view_count(&c->y) * sizeof(float));      /* padded channels */
    visit(c, p[X], p[Y], false);
}

static void run_backward(const void *context, void *const p[])
{
    const Context *c = context;
    memset(p[X], 0, view_count(&c->x) * sizeof(float));
    visit(c, p[X], p[Y], true);
}

static void adaptive_avg_pool_forward(const Module *module, Program *program)
{
    Buffer *x = program_read_view(program, module->in[0]);
    Buffer *y = program_write(program, module->out, program_plain_layout(program, module->out));
    const Context context = { buffer_view(x), buffer_view(y) };
    Kernel *kernel = program_emit_function(program, module, "forward", run_forward, &context, sizeof context);
    kernel_bind(kernel, X, x);
    kernel_bind(kernel, Y, y);
}

static void adaptive_avg_pool_backward(const Module *module, Program *program)
{
    const_dnnl_memory_desc_t x_layout = program_view_layout(program, module->in[0]);
    Buffer *dy = program_read_gradient(program, module->out, program_plain_layout(program, module->out));
    Buffer *dx = program_write_gradient(program, module->in[0], x_layout);
    const Context context = { buffer_view(dx), buffer_view(dy) };
    Kernel *kernel = program_emit_function(program, module, "backward", run_backward, &context, sizeof context);
    kernel_bind(kernel, X, dx);
    kernel_bind(kernel, Y, dy);
}

static void adaptive_avg_pool_describe(const Module *module, ModuleDescription *description)
{
    description_integer(description, "side", module->out->shape.h);
}

static const ModuleOps adaptive_avg_pool_ops = {
    .kind = "adaptive_avg_pool", .forward = adaptive_avg_pool_forward, .backward = adaptive_avg_pool_backward,
    .describe = adaptive_avg_pool_describe,
};

Tensor *adaptive_avg_pool(Network *net, const char *name, const Tensor *x, int side)
{
    CHECK(side > 0, "adaptive_avg_pool '%s': %d cells a side", name, side);
    if (x->shape.h == side && x->shape.w == side)
        return (Tensor *)x;
    Module *m = network_add_module(net, sizeof *m, &adaptive_avg_pool_ops, name, x, NULL);
    return network_add_output(net, m, (Shape){ x->shape.c, side, side });
}
