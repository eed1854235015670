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

typedef struct Forward {
    View         x_view, y_view;
    const float *x;
    float       *y;
} Forward;

typedef struct Backward {
    View         x_view, y_view;
    const float *dy;
    float       *dx;
} Backward;

static int cell_begin(int cell, int size, int cells) { return cell * size / cells; }
static int cell_end(int cell, int size, int cells)   { return ((cell + 1) * size + cells - 1) / cells; }

/* The pixels of x that a cell covers. */
typedef struct Window {
    int   top, bottom, left, right;
    float share;                        /* of each: 1 / area */
} Window;

static Window window_of(const View *x, const View *y, int row, int column)
{
    Window w = { cell_begin(row, x->h, y->h), cell_end(row, x->h, y->h), cell_begin(column, x->w, y->w), cell_end(column, x->w, y->w), 0 };
    w.share = 1.0f / (float)((w.bottom - w.top) * (w.right - w.left));
    return w;
}

static void average_channel(const Forward *f, int n, int k)
{
    for (int row = 0; row < f->y_view.h; row++)
        for (int column = 0; column < f->y_view.w; column++) {
            const Window w = window_of(&f->x_view, &f->y_view, row, column);
            float sum = 0;
            for (int i = w.top; i < w.bottom; i++)
                for (int j = w.left; j < w.right; j++)
                    sum += f->x[view_offset(&f->x_view, n, k, i, j)];
            f->y[view_offset(&f->y_view, n, k, row, column)] = w.share * sum;
        }
}

static void spread_channel(const Backward *b, int n, int k)
{
    for (int row = 0; row < b->y_view.h; row++)
        for (int column = 0; column < b->y_view.w; column++) {
            const Window w = window_of(&b->x_view, &b->y_view, row, column);
            const float dy = b->dy[view_offset(&b->y_view, n, k, row, column)];
            for (int i = w.top; i < w.bottom; i++)
                for (int j = w.left; j < w.right; j++)
                    b->dx[view_offset(&b->x_view, n, k, i, j)] += w.share * dy;
        }
}

static void run_forward(const void *call)
{
    const Forward *f = call;
    memset(f->y, 0, view_count(&f->y_view) * sizeof(float));      /* padded channels */
#pragma omp parallel for schedule(static)
    for (int n = 0; n < f->x_view.n; n++)
        for (int k = 0; k < f->x_view.c; k++)
            average_channel(f, n, k);
}

static void run_backward(const void *call)
{
    const Backward *b = call;
    memset(b->dx, 0, view_count(&b->x_view) * sizeof(float));
#pragma omp parallel for schedule(static)
    for (int n = 0; n < b->x_view.n; n++)
        for (int k = 0; k < b->x_view.c; k++)
            spread_channel(b, n, k);
}

static void adaptive_avg_pool_forward(const Module *module, Emitter *emitter)
{
    Buffer *x = emit_read_view(emitter, module->in[0]);
    Buffer *y = emit_write(emitter, module->out, emit_plain_layout(emitter, module->out));
    Forward call = { .x_view = buffer_view(x), .y_view = buffer_view(y) };
    Kernel *kernel = emit_call(emitter, module, "forward", run_forward, &call, sizeof call);
    kernel_reads(kernel, &call.x, x);
    kernel_writes(kernel, &call.y, y);
}

static void adaptive_avg_pool_backward(const Module *module, Emitter *emitter)
{
    const_dnnl_memory_desc_t x_layout = emit_view_layout(emitter, module->in[0]);
    Buffer *dy = emit_read_gradient(emitter, module->out, emit_plain_layout(emitter, module->out));
    Buffer *dx = emit_write_gradient(emitter, module->in[0], x_layout);
    Backward call = { .x_view = buffer_view(dx), .y_view = buffer_view(dy) };
    Kernel *kernel = emit_call(emitter, module, "backward", run_backward, &call, sizeof call);
    kernel_reads(kernel, &call.dy, dy);
    kernel_writes(kernel, &call.dx, dx);
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
