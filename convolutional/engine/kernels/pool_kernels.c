/* pool_kernels.c - NaN in the windows of a largest, which oneDNN's pooling passes over. */

#include "integers.h"
#include "isa.h"

static bool has_nan(const float *x, size_t count)
{
    int found = 0;
    for (size_t i = 0; i < count; i++)
        found |= x[i] != x[i];
    return found;
}

/* From `first` to before `last`: the windows along one side that hold a pixel. */
static void windows_of(const PoolNan *p, int pixel, int outputs, int *first, int *last)
{
    const int reach = pixel + p->pad - p->kernel + p->stride;      /* stride times the first one's place, before it is rounded down */
    *first = reach > 0 ? reach / p->stride : 0;
    *last = int_min((pixel + p->pad) / p->stride + 1, outputs);
}

static void keep(const PoolNan *p, int image, int c, int h, int w, float value, float *y)
{
    int top, bottom, left, right;
    windows_of(p, h, p->y.h, &top, &bottom);
    windows_of(p, w, p->y.w, &left, &right);
    for (int oy = top; oy < bottom; oy++)
        for (int ox = left; ox < right; ox++)
            y[view_offset(&p->y, image, c, oy, ox)] = value;
}

void KERNEL(kernel_pool_nan)(const PoolNan *p, const float *x, float *y)
{
    const View *v = &p->x;
    const size_t blocks = view_blocks(v), count = view_block_stride(v), runs = (size_t)v->n * blocks;
    #pragma omp parallel for schedule(static)
    for (size_t run = 0; run < runs; run++) {
        const float *from = x + run * count;
        if (!has_nan(from, count))
            continue;
        for (size_t i = 0; i < count; i++) {
            const int pixel = (int)(i / (size_t)v->block), c = (int)(run % blocks) * v->block + (int)(i % (size_t)v->block);
            if (from[i] != from[i] && c < v->c)
                keep(p, (int)(run / blocks), c, pixel / v->w, pixel % v->w, from[i], y);
        }
    }
}
