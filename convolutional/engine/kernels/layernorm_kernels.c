/* layernorm_kernels.c - layer norm over the channels of each pixel.
 *
 *   x^ = (x - mean) inverse,  y = weight x^ + bias                 inverse = 1 / sqrt(variance + eps)
 *   dbias = sum dy,  dweight = sum dy x^                           over n, h, w
 *   dx = inverse (g - (sum g + x^ sum g x^) / C)                   g = weight dy, sums over the pixel's C channels
 *
 * (Ba, Kiros and Hinton, 2016, arXiv:1607.06450.) Channels-last pixels are worked on where they lie; strips of pixels of
 * other layouts are brought into that order first, so that every layout gives the same bits. */

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <string.h>

#include "errors.h"
#include "integers.h"
#include "isa.h"

enum {
    STRIP_FLOATS = 8 * 1024,      /* of a strip: 32 KB */
    STRIP_MOST = 64,              /* pixels of a strip */
    SLICE_COUNT = 32,             /* slices of the pixels, as long as they have ... */
    SLICE_LEAST = 64,             /* ... this many */
    SLICE_MOST = 1024             /* and no more than this: their sums are in float */
};

typedef struct Pixels {
    size_t count, slice, slices;
    size_t strip;                 /* pixels brought into order at a time; 0: they are */
    size_t pitch;                 /* floats from a pixel in order to the next */
} Pixels;

static Pixels pixels_of(const View *view)
{
    const size_t c = (size_t)view->c, count = (size_t)view->n * view_pixels(view);
    const bool ordered = view->block == view->padded || view_pixels(view) == 1;
    const size_t share = size_min(size_divide_up(count, SLICE_COUNT), SLICE_MOST);
    Pixels p = { .count = count, .slice = size_max(SLICE_LEAST, share), .pitch = (size_t)view->padded };
    p.slices = size_divide_up(count, p.slice);
    if (!ordered) {
        CHECK(c <= STRIP_FLOATS, "layer norm: %zu channels in blocks of %d; at most %d", c, view->block, (int)STRIP_FLOATS);
        p.strip = size_min(STRIP_FLOATS / c, STRIP_MOST);
        p.pitch = c;
    }
    return p;
}

static void row_forward(size_t c, float eps, const float *x, const float *weight, const float *bias,
                        float *y, float *mean, float *inverse)
{
    float sum = 0, rest = 0, squares = 0;
    #pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < c; i++)
        sum += x[i];

    /* The sum's rounding error is large beside the deviations where the mean is: what it left over is added. */
    const float rough = sum / (float)c;
    #pragma omp simd reduction(+ : rest, squares)
    for (size_t i = 0; i < c; i++) {
        const float centered = x[i] - rough;
        rest += centered;
        squares += centered * centered;
    }
    rest /= (float)c;
    const float variance = squares / (float)c - rest * rest, exact = rough + rest;
    const float scale = 1 / sqrtf((variance < 0 ? 0 : variance) + eps);
    #pragma omp simd
    for (size_t i = 0; i < c; i++)
        y[i] = weight[i] * ((x[i] - exact) * scale) + bias[i];
    *mean = exact;
    *inverse = scale;
}

/* Adds to dweight and dbias. */
static void row_backward(size_t c, const float *x, float mean, float inverse, const float *weight, const float *dy,
                         float *dx, float *dweight, float *dbias)
{
    float sum = 0, product = 0;
    #pragma omp simd reduction(+ : sum, product)
    for (size_t i = 0; i < c; i++) {
        const float normal = (x[i] - mean) * inverse, g = weight[i] * dy[i];
        sum += g;
        product += g * normal;
        dweight[i] += dy[i] * normal;
        dbias[i] += dy[i];
    }
    sum /= (float)c;
    product /= (float)c;
    #pragma omp simd
    for (size_t i = 0; i < c; i++)
        dx[i] = inverse * (weight[i] * dy[i] - sum - (x[i] - mean) * inverse * product);
}

/* The usual counts as constants: a store or two instead of a call. */
static inline void floats_copy(float *to, const float *from, size_t count)
{
    switch (count) {
    case 1:  *to = *from; break;
    case 8:  memcpy(to, from, 8 * sizeof *to); break;
    case 16: memcpy(to, from, 16 * sizeof *to); break;
    default: memcpy(to, from, count * sizeof *to);
    }
}

/* A strip of pixels of one image between the view's layout and rows of c floats. */
static void strip_gather(const View *view, size_t pixels, const float *from, float *rows)
{
    const size_t c = (size_t)view->c, block = (size_t)view->block;
    for (size_t first = 0; first < c; first += block, from += view_block_stride(view)) {
        const size_t used = size_min(block, c - first);
        for (size_t pixel = 0; pixel < pixels; pixel++)
            floats_copy(rows + pixel * c + first, from + pixel * block, used);
    }
}

static void strip_scatter(const View *view, size_t pixels, const float *rows, float *to)
{
    const size_t c = (size_t)view->c, padded = (size_t)view->padded, block = (size_t)view->block;
    for (size_t first = 0; first < padded; first += block, to += view_block_stride(view)) {
        const size_t used = first < c ? size_min(block, c - first) : 0;
        for (size_t pixel = 0; pixel < pixels; pixel++) {
            floats_copy(to + pixel * block, rows + pixel * c + first, used);
            if (used < block)
                memset(to + pixel * block + used, 0, (block - used) * sizeof *to);
        }
    }
}

/* Where a strip begins: pixel `pixel` of all. */
static size_t strip_offset(const View *view, size_t pixel)
{
    return pixel / view_pixels(view) * view_image_stride(view) + pixel % view_pixels(view) * (size_t)view->block;
}

/* Pixels of the strip at `pixel`: it stays within its image and before `end`. */
static size_t strip_pixels(const View *view, const Pixels *p, size_t pixel, size_t end)
{
    return size_min(size_min(p->strip, end - pixel), view_pixels(view) - pixel % view_pixels(view));
}

static void slice_forward(const View *view, const Pixels *p, size_t slice, float eps, const float *x, const float *weight,
                          const float *bias, float *y, float *mean, float *inverse)
{
    const size_t c = (size_t)view->c, begin = slice * p->slice, end = size_min(begin + p->slice, p->count);
    float rows[STRIP_FLOATS];
    if (p->strip == 0)
        for (size_t pixel = begin; pixel < end; pixel++) {
            const size_t at = pixel * p->pitch;
            row_forward(c, eps, x + at, weight, bias, y + at, &mean[pixel], &inverse[pixel]);
            memset(y + at + c, 0, (p->pitch - c) * sizeof *y);      /* padding */
        }
    else
        for (size_t pixel = begin, pixels; pixel < end; pixel += pixels) {
            const size_t at = strip_offset(view, pixel);
            pixels = strip_pixels(view, p, pixel, end);
            strip_gather(view, pixels, x + at, rows);
            for (size_t i = 0; i < pixels; i++)
                row_forward(c, eps, rows + i * c, weight, bias, rows + i * c, &mean[pixel + i], &inverse[pixel + i]);
            strip_scatter(view, pixels, rows, y + at);
        }
}

void KERNEL(kernel_layernorm_forward)(const View *view, float eps, const float *x, const float *weight, const float *bias,
                                      float *y, float *mean, float *inverse)
{
    const Pixels p = pixels_of(view);
    #pragma omp parallel for schedule(static)
    for (size_t slice = 0; slice < p.slices; slice++)
        slice_forward(view, &p, slice, eps, x, weight, bias, y, mean, inverse);
}

/* dweight and dbias of every slice. */
size_t KERNEL(kernel_layernorm_scratch)(const View *view)
{
    return pixels_of(view).slices * 2 * (size_t)view->c * sizeof(float);
}

static void slice_backward(const View *view, const Pixels *p, size_t slice, const float *x, const float *mean,
                           const float *inverse, const float *weight, const float *dy, float *dx, float *partial)
{
    const size_t c = (size_t)view->c, begin = slice * p->slice, end = size_min(begin + p->slice, p->count);
    float *dweight = partial, *dbias = partial + c;
    float rows[STRIP_FLOATS], gradients[STRIP_FLOATS];
    memset(partial, 0, 2 * c * sizeof *partial);
    if (p->strip == 0)
        for (size_t pixel = begin; pixel < end; pixel++) {
            const size_t at = pixel * p->pitch;
            row_backward(c, x + at, mean[pixel], inverse[pixel], weight, dy + at, dx + at, dweight, dbias);
            memset(dx + at + c, 0, (p->pitch - c) * sizeof *dx);      /* padding */
        }
    else
        for (size_t pixel = begin, pixels; pixel < end; pixel += pixels) {
            const size_t at = strip_offset(view, pixel);
            pixels = strip_pixels(view, p, pixel, end);
            strip_gather(view, pixels, x + at, rows);
            strip_gather(view, pixels, dy + at, gradients);
            for (size_t i = 0; i < pixels; i++)
                row_backward(c, rows + i * c, mean[pixel + i], inverse[pixel + i], weight, gradients + i * c,
                             gradients + i * c, dweight, dbias);
            strip_scatter(view, pixels, gradients, dx + at);
        }
}

void KERNEL(kernel_layernorm_backward)(const View *view, const float *x, const float *mean, const float *inverse,
                                       const float *weight, const float *dy, float *dx, float *dweight, float *dbias,
                                       void *scratch)
{
    const Pixels p = pixels_of(view);
    const size_t c = (size_t)view->c, padded = (size_t)view->padded;
    float *partials = scratch;
    #pragma omp parallel
    {
        #pragma omp for schedule(static)
        for (size_t slice = 0; slice < p.slices; slice++)
            slice_backward(view, &p, slice, x, mean, inverse, weight, dy, dx, partials + slice * 2 * c);
        #pragma omp for schedule(static)
        for (size_t i = 0; i < padded; i++) {
            double weight_sum = 0, bias_sum = 0;
            for (size_t slice = 0; i < c && slice < p.slices; slice++) {
                weight_sum += (double)partials[slice * 2 * c + i];
                bias_sum += (double)partials[slice * 2 * c + c + i];
            }
            dweight[i] = (float)weight_sum;
            dbias[i] = (float)bias_sum;
        }
    }
}
