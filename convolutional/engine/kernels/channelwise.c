/* channelwise.c - kernels with a coefficient a channel, and their sums over pixels.
 *
 * For one image and one block of channels the floats lie in one run in which each channel comes back every `block`
 * floats (view.h). The coefficients are repeated to a row of about ROW floats, so that the inner loops are long in every
 * layout: NCHW repeats one number, NHWC with many channels nothing. Sums run down the columns of these rows, then
 * over the repeats, then, in double, over the images: an order that no thread count changes. */

#include "integers.h"
#include "isa.h"

#include <string.h>

enum { ROW = 256, GROUP = 16 };

typedef struct {
    size_t block;     /* channels in a run */
    size_t width;     /* floats in a row: block times a power of two */
    size_t count;     /* floats in a run */
    size_t blocks;    /* runs in an image */
    size_t runs;      /* in all; the run of image n, block b is n * blocks + b and lies there */
} Runs;

static Runs runs_of(const View *view)
{
    const size_t block = (size_t)view->block, count = view_block_stride(view);
    size_t width = block;
    while (2 * width <= ROW && 2 * width <= count)
        width *= 2;
    return (Runs){ .block = block, .width = width, .count = count, .blocks = view_blocks(view),
                   .runs = (size_t)view->n * view_blocks(view) };
}

/* The first channel of a run. */
static inline size_t run_channel(const Runs *runs, size_t run)
{
    return run % runs->blocks * runs->block;
}

static inline size_t row_length(const Runs *runs, size_t at)
{
    return size_min(runs->width, runs->count - at);
}

/* The coefficients of one run as a row: themselves, or repeated in `row`. */
static const float *coefficients_repeat(const Runs *runs, const float *coefficients, float row[ROW])
{
    if (runs->width == runs->block)
        return coefficients;
    memcpy(row, coefficients, runs->block * sizeof *row);
    for (size_t filled = runs->block; filled < runs->width; filled *= 2)
        memcpy(row + filled, row, filled * sizeof *row);
    return row;
}

/* Where the sums of a row gather: in the result itself, or in `row`, added up by sums_end. */
static float *sums_begin(const Runs *runs, float *sums, float row[ROW])
{
    return memset(runs->width == runs->block ? sums : row, 0, runs->width * sizeof *sums);
}

static void sums_end(const Runs *runs, float *row, float *sums)
{
    if (row == sums)
        return;
    for (size_t half = runs->width / 2; half >= runs->block; half /= 2)
        for (size_t i = 0; i < half; i++)
            row[i] += row[half + i];
    memcpy(sums, row, runs->block * sizeof *sums);
}

/* total[c] = sum over the images of partial[n][c]. */
static void images_sum(const View *view, const float *partial, float *total)
{
    const size_t padded = (size_t)view->padded;
    #pragma omp parallel for schedule(static)
    for (size_t from = 0; from < padded; from += GROUP) {
        const size_t length = size_min(GROUP, padded - from);
        double sums[GROUP] = {0};
        for (size_t n = 0; n < (size_t)view->n; n++)
            for (size_t i = 0; i < length; i++)
                sums[i] += (double)partial[n * padded + from + i];
        for (size_t i = 0; i < length; i++)
            total[from + i] = (float)sums[i];
    }
}

static size_t partial_sums(const View *view)
{
    return (size_t)view->n * (size_t)view->padded * sizeof(float);
}

/* ---- a run ---- */

/* y = residual + coefficient x; residual may be NULL. */
static void run_scale(const Runs *runs, const float *row, const float *x, const float *residual, float *y)
{
    for (size_t at = 0; at < runs->count; at += runs->width) {
        const size_t length = row_length(runs, at);
        if (residual) {
            #pragma omp simd
            for (size_t i = 0; i < length; i++)
                y[at + i] = residual[at + i] + row[i] * x[at + i];
        } else {
            #pragma omp simd
            for (size_t i = 0; i < length; i++)
                y[at + i] = row[i] * x[at + i];
        }
    }
}

/* dx = coefficient dy, sums += dy x. */
static void run_scale_backward(const Runs *runs, const float *row, const float *x, const float *dy, float *dx, float *sums)
{
    for (size_t at = 0; at < runs->count; at += runs->width) {
        const size_t length = row_length(runs, at);
        #pragma omp simd
        for (size_t i = 0; i < length; i++) {
            const float grad = dy[at + i];
            sums[i] += grad * x[at + i];
            dx[at + i] = row[i] * grad;
        }
    }
}

static void run_prelu(const Runs *runs, const float *row, const float *x, float *y)
{
    for (size_t at = 0; at < runs->count; at += runs->width) {
        const size_t length = row_length(runs, at);
        #pragma omp simd
        for (size_t i = 0; i < length; i++)
            y[at + i] = x[at + i] > 0 ? x[at + i] : row[i] * x[at + i];
    }
}

static void run_prelu_backward(const Runs *runs, const float *row, const float *x, const float *dy, float *dx, float *sums)
{
    for (size_t at = 0; at < runs->count; at += runs->width) {
        const size_t length = row_length(runs, at);
        #pragma omp simd
        for (size_t i = 0; i < length; i++) {
            const float grad = dy[at + i], below = x[at + i] > 0 ? 0 : x[at + i];
            const float slope = x[at + i] > 0 ? 1 : row[i];
            sums[i] += grad * below;
            dx[at + i] = grad * slope;
        }
    }
}

static void run_sum(const Runs *runs, const float *x, float *sums)
{
    for (size_t at = 0; at < runs->count; at += runs->width) {
        const size_t length = row_length(runs, at);
        #pragma omp simd
        for (size_t i = 0; i < length; i++)
            sums[i] += x[at + i];
    }
}

static void run_fill(const Runs *runs, const float *row, float factor, float *y)
{
    for (size_t at = 0; at < runs->count; at += runs->width) {
        const size_t length = row_length(runs, at);
        #pragma omp simd
        for (size_t i = 0; i < length; i++)
            y[at + i] = row[i] * factor;
    }
}

/* ---- the kernels ---- */

typedef void RunBackward(const Runs *runs, const float *row, const float *x, const float *dy, float *dx, float *sums);

/* One run of it, with its coefficients; total: their gradient. */
static inline void run_backward(const Runs *runs, size_t run, RunBackward *backward, const float *x, const float *coefficients, const float *dy,
                                float *dx, float *total)
{
    float row[ROW], sums_row[ROW];
    const size_t at = run * runs->count;
    float *sums = sums_begin(runs, total, sums_row);
    backward(runs, coefficients_repeat(runs, coefficients, row), x + at, dy + at, dx + at, sums);
    sums_end(runs, sums, total);
}

/* Of all runs, with a coefficient a channel; total: its gradient. */
static void runs_backward(const View *view, RunBackward *backward, const float *x, const float *coefficients, const float *dy,
                          float *dx, float *total, float *partial)
{
    const Runs runs = runs_of(view);
    #pragma omp parallel for schedule(static)
    for (size_t run = 0; run < runs.runs; run++)
        run_backward(&runs, run, backward, x, coefficients + run_channel(&runs, run), dy, dx, partial + run * runs.block);
    images_sum(view, partial, total);
}

void KERNEL(kernel_prelu_forward)(const View *view, const float *x, const float *slope, float *y)
{
    const Runs runs = runs_of(view);
    #pragma omp parallel for schedule(static)
    for (size_t run = 0; run < runs.runs; run++) {
        float row[ROW];
        const size_t at = run * runs.count;
        run_prelu(&runs, coefficients_repeat(&runs, slope + run_channel(&runs, run), row), x + at, y + at);
    }
}

size_t KERNEL(kernel_prelu_scratch)(const View *view)
{
    return partial_sums(view);
}

void KERNEL(kernel_prelu_backward)(const View *view, const float *x, const float *slope, const float *dy,
                                   float *dx, float *dslope, void *scratch)
{
    runs_backward(view, run_prelu_backward, x, slope, dy, dx, dslope, scratch);
}

void KERNEL(kernel_scale_forward)(const View *view, const float *x, const float *scale, const float *residual, float *y)
{
    const Runs runs = runs_of(view);
    #pragma omp parallel for schedule(static)
    for (size_t run = 0; run < runs.runs; run++) {
        float row[ROW];
        const size_t at = run * runs.count;
        run_scale(&runs, coefficients_repeat(&runs, scale + run_channel(&runs, run), row),
                  x + at, residual ? residual + at : NULL, y + at);
    }
}

size_t KERNEL(kernel_scale_scratch)(const View *view)
{
    return partial_sums(view);
}

void KERNEL(kernel_scale_backward)(const View *view, const float *x, const float *scale, const float *dy,
                                   float *dx, float *dscale, void *scratch)
{
    runs_backward(view, run_scale_backward, x, scale, dy, dx, dscale, scratch);
}

void KERNEL(kernel_gate_forward)(const View *view, const float *x, const float *gate, float *y)
{
    const Runs runs = runs_of(view);
    #pragma omp parallel for schedule(static)
    for (size_t run = 0; run < runs.runs; run++) {
        float row[ROW];
        const size_t at = run * runs.count;
        run_scale(&runs, coefficients_repeat(&runs, gate + run * runs.block, row), x + at, NULL, y + at);
    }
}

void KERNEL(kernel_gate_backward)(const View *view, const float *x, const float *gate, const float *dy,
                                  float *dx, float *dgate)
{
    const Runs runs = runs_of(view);
    #pragma omp parallel for schedule(static)
    for (size_t run = 0; run < runs.runs; run++)
        run_backward(&runs, run, run_scale_backward, x, gate + run * runs.block, dy, dx, dgate + run * runs.block);
}

void KERNEL(kernel_global_average_forward)(const View *view, const float *x, float *y)
{
    const Runs runs = runs_of(view);
    const float pixels = (float)view_pixels(view);
    #pragma omp parallel for schedule(static)
    for (size_t run = 0; run < runs.runs; run++) {
        float sums_row[ROW], *means = y + run * runs.block;
        float *sums = sums_begin(&runs, means, sums_row);
        run_sum(&runs, x + run * runs.count, sums);
        sums_end(&runs, sums, means);
        for (size_t i = 0; i < runs.block; i++)
            means[i] /= pixels;
    }
}

void KERNEL(kernel_global_average_backward)(const View *view, const float *dy, float *dx)
{
    const Runs runs = runs_of(view);
    const float share = 1.0f / (float)view_pixels(view);
    #pragma omp parallel for schedule(static)
    for (size_t run = 0; run < runs.runs; run++) {
        float row[ROW];
        run_fill(&runs, coefficients_repeat(&runs, dy + run * runs.block, row), share, dx + run * runs.count);
    }
}
