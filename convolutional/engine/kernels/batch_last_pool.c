/* batch_last_pool.c - pooling on the batch-last layout. Each channel of each group of images is pooled on its own. */

#include "batch_last.h"

#include <string.h>

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

static Images mean_of(const BatchLastPool *p, const float *x, Window window)
{
    Images sum = images_all(0.0f);
    for (int y = window.y0; y < window.y1; y++)
        for (int column = window.x0; column < window.x1; column++)
            sum += images_load(at(p, x, y, column));
    return sum * (1.0f / (float)((window.y1 - window.y0) * (window.x1 - window.x0)));
}

static Images most_of(const BatchLastPool *p, const float *x, Window window)
{
    Images most = images_load(at(p, x, window.y0, window.x0));
    for (int y = window.y0; y < window.y1; y++)
        for (int column = window.x0; column < window.x1; column++) {
            const Images value = images_load(at(p, x, y, column));
            most = images_choose((value > most) | (value != value), value, most);
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
            for (int ox = 0; ox < p->ow; ox++, to += BATCH_LANES) {
                const Window window = window_at(p, oy, ox);
                images_store(to, p->average ? mean_of(p, from, window) : most_of(p, from, window));
            }
    }
}

static void mean_backward(const BatchLastPool *p, Window window, Images dy, float *dx)
{
    const Images share = dy * (1.0f / (float)((window.y1 - window.y0) * (window.x1 - window.x0)));
    for (int y = window.y0; y < window.y1; y++)
        for (int column = window.x0; column < window.x1; column++) {
            float *to = dx + ((ptrdiff_t)y * p->w + column) * BATCH_LANES;
            images_store(to, images_load(to) + share);
        }
}

/* To the first of equal ones. */
static void most_backward(const BatchLastPool *p, const float *x, Window window, Images dy, float *dx)
{
    const Images most = most_of(p, x, window);
    ImagesMask open = most == most;
    for (int y = window.y0; y < window.y1; y++)
        for (int column = window.x0; column < window.x1; column++) {
            const ImagesMask hit = (images_load(at(p, x, y, column)) == most) & open;
            float *to = dx + ((ptrdiff_t)y * p->w + column) * BATCH_LANES;
            images_store(to, images_load(to) + images_choose(hit, dy, images_all(0.0f)));
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
            for (int ox = 0; ox < p->ow; ox++, from += BATCH_LANES) {
                if (p->average)
                    mean_backward(p, window_at(p, oy, ox), images_load(from), dx + start);
                else
                    most_backward(p, x + start, window_at(p, oy, ox), images_load(from), dx + start);
            }
    }
}
