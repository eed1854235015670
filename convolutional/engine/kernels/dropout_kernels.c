/* dropout_kernels.c - zeroes elements at random and scales the others (Srivastava et al., 2014, JMLR 15).
 *
 * The draw of an element is a hash of the key and of its position in N C H W order, whatever the layout. */

#include "isa.h"

#include "errors.h"
#include "random.h"

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
    CHECK(p >= 0.0f && p < 1.0f, "dropout: probability %g, expected 0 <= p < 1", (double)p);
    const uint64_t threshold = (uint64_t)((double)p * 0x1p64);
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
