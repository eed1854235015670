/* dropout_kernels.c - zeroes elements or samples at random and scales the others (Srivastava et al., 2014, JMLR 15; Huang et
 * al., 2016, arXiv:1603.09382).
 *
 * The draw of a sample is a hash of the key and of its number, that of an element a hash of the key and of its position in
 * N C H W order, whatever the layout. */

#include "isa.h"

#include "errors.h"
#include "integers.h"
#include "random.h"

#include <string.h>

static uint64_t threshold_of(float p)
{
    CHECK(p >= 0.0f && p < 1.0f, "dropout: probability %g, expected 0 <= p < 1", (double)p);
    return (uint64_t)((double)p * 0x1p64);
}

/* Elements whose positions are first, first + stride, ... */
static void dropout_run(size_t count, uint64_t first, uint64_t stride, uint64_t threshold, float scale,
                        const float *x, float *y)
{
    #pragma omp simd
    for (size_t i = 0; i < count; i++)
        y[i] = random_mix(first + i * stride) >= threshold ? x[i] * scale : 0.0f;
}

void KERNEL(kernel_dropout)(const View *view, float p, uint64_t key, const float *x, float *y)
{
    const uint64_t threshold = threshold_of(p);
    const float scale = 1.0f / (1.0f - p);
    const size_t pixels = view_pixels(view), block = (size_t)view->block, blocks = view_blocks(view);
    #pragma omp parallel for schedule(static)
    for (size_t run = 0; run < (size_t)view->n * blocks; run++) {
        const size_t channel = run / blocks * (size_t)view->c + run % blocks * block;
        const uint64_t first = key + channel * pixels;
        const size_t at = run * block * pixels;
        if (block == 1)
            dropout_run(pixels, first, 1, threshold, scale, x + at, y + at);
        else
            for (size_t pixel = 0; pixel < pixels; pixel++)
                dropout_run(block, first + pixel, pixels, threshold, scale, x + at + pixel * block, y + at + pixel * block);
    }
}

enum { CHUNK = 1 << 12 };      /* floats of a sample that one thread takes at a time */

static void drop_path_run(size_t count, bool keep, float scale, const float *x, const float *residual, float *y)
{
    if (!keep && residual)
        memmove(y, residual, count * sizeof *y);
    else if (!keep)
        memset(y, 0, count * sizeof *y);
    else if (residual) {
        #pragma omp simd
        for (size_t i = 0; i < count; i++)
            y[i] = scale * x[i] + residual[i];
    } else {
        #pragma omp simd
        for (size_t i = 0; i < count; i++)
            y[i] = scale * x[i];
    }
}

void KERNEL(kernel_drop_path)(const View *view, float p, uint64_t key, const float *x, const float *residual, float *y)
{
    const uint64_t threshold = threshold_of(p);
    const float scale = 1.0f / (1.0f - p);
    const size_t size = view_image_stride(view), chunks = size_divide_up(size, CHUNK);
    #pragma omp parallel for schedule(static)
    for (size_t item = 0; item < (size_t)view->n * chunks; item++) {
        const size_t sample = item / chunks, at = item % chunks * CHUNK, first = sample * size + at;
        const size_t count = size_min(CHUNK, size - at);
        drop_path_run(count, random_mix(key + sample) >= threshold, scale, x + first, residual ? residual + first : NULL, y + first);
    }
}
