/* batch_last_pool.c - pooling on the batch-last layout. Each channel of each group of images is pooled on its own. */

#include "batch_last.h"

#include <string.h>

typedef int Mask __attribute__((vector_size(VECTOR * sizeof(int))));

/* a where the mask is set, b elsewhere. */
static inline Vector vector_choose(Mask mask, Vector a, Vector b)
{
    return (Vector)((mask & (Mask)a) | (~mask & (Mask)b));
}

typedef struct Window { int y0, y1, x0, x1; } Window;

/* The part inside the image of the window at (oy, ox). */
static Window window_at(const BatchLastPool *p, int oy, int ox)
{
    const int top = oy * p->stride - p->pad, left = ox * p->stride - p->pad;
    return (Window){ int_max(0, top), int_min(top + p->kernel, p->h), int_max(0, left), int_min(left + p->kernel, p->w) };
}

static inline const float *at(const BatchLastPool *p, const float *x, int y, int column)
{
    return x + ((ptrdiff_t)y * p->w + column) * BATCH_LANES;
}

static Vector mean_of(const BatchLastPool *p, const float *x, Window window)
{
    Vector sum = vector_all(0.0f);
    for (int y = window.y0; y < window.y1; y++)
        for (int column = window.x0; column < window.x1; column++)
            sum += vector_load(at(p, x, y, column));
    return sum * (1.0f / (float)((window.y1 - window.y0) * (window.x1 - window.x0)));
}

static Vector most_of(const BatchLastPool *p, const float *x, Window window)
{
    Vector most = vector_load(at(p, x, window.y0, window.x0));
    for (int y = window.y0; y < window.y1; y++)
        for (int column = window.x0; column < window.x1; column++) {
            const Vector value = vector_load(at(p, x, y, column));
            most = vector_choose((value > most) | (value != value), value, most);
        }
    return most;
}

void KERNEL(kernel_batch_last_pool_forward)(const BatchLastPool *p, const float *x, float *y)
{
    #pragma omp parallel for schedule(static)
    for (int plane = 0; plane < p->planes; plane++) {
        const float *from = x + (ptrdiff_t)plane * p->h * p->w * BATCH_LANES;
        float *to = y + (ptrdiff_t)plane * p->oh * p->ow * BATCH_LANES;
        for (int oy = 0; oy < p->oh; oy++)
            for (int ox = 0; ox < p->ow; ox++) {
                const Window window = window_at(p, oy, ox);
                for (int part = 0; part < BATCH_LANES; part += VECTOR, to += VECTOR)
                    vector_store(to, p->average ? mean_of(p, from + part, window) : most_of(p, from + part, window));
            }
    }
}

static void mean_backward(const BatchLastPool *p, Window window, Vector dy, float *dx)
{
    const Vector share = dy * (1.0f / (float)((window.y1 - window.y0) * (window.x1 - window.x0)));
    for (int y = window.y0; y < window.y1; y++)
        for (int column = window.x0; column < window.x1; column++) {
            float *to = dx + ((ptrdiff_t)y * p->w + column) * BATCH_LANES;
            vector_store(to, vector_load(to) + share);
        }
}

/* To the first of equal ones. */
static void most_backward(const BatchLastPool *p, const float *x, Window window, Vector dy, float *dx)
{
    const Vector most = most_of(p, x, window);
    Mask open = most == most;
    for (int y = window.y0; y < window.y1; y++)
        for (int column = window.x0; column < window.x1; column++) {
            const Mask hit = (vector_load(at(p, x, y, column)) == most) & open;
            float *to = dx + ((ptrdiff_t)y * p->w + column) * BATCH_LANES;
            vector_store(to, vector_load(to) + vector_choose(hit, dy, vector_all(0.0f)));
            open &= ~hit;
        }
}

void KERNEL(kernel_batch_last_pool_backward)(const BatchLastPool *p, const float *x, const float *dy, float *dx)
{
    #pragma omp parallel for schedule(static)
    for (int plane = 0; plane < p->planes; plane++) {
        const float *from = dy + (ptrdiff_t)plane * p->oh * p->ow * BATCH_LANES;
        const ptrdiff_t start = (ptrdiff_t)plane * p->h * p->w * BATCH_LANES;
        memset(dx + start, 0, (size_t)p->h * (size_t)p->w * BATCH_LANES * sizeof *dx);
        for (int oy = 0; oy < p->oh; oy++)
            for (int ox = 0; ox < p->ow; ox++)
                for (ptrdiff_t part = 0; part < BATCH_LANES; part += VECTOR, from += VECTOR) {
                    if (p->average)
                        mean_backward(p, window_at(p, oy, ox), vector_load(from), dx + start + part);
                    else
                        most_backward(p, x + start + part, window_at(p, oy, ox), vector_load(from), dx + start + part);
                }
    }
}
