/* depthwise_data.c - depthwise convolution, gradient of the data.
 *
 *     dx[n][c][iy][ix] = sum over oy, ky with oy stride + ky - pad = iy, ox, kx likewise, of dy[n][c][oy][ox] weights[ky][kx][c]
 *
 * The mirror image of forward: a strip of pixels of dx in registers, every pixel of dy loaded once and added to all
 * of the strip that it reached. Which taps meet depends on (ix + pad) modulo the stride, the strip's phase. */

#include "depthwise.h"

/* Some images and neighbouring vectors of channels. */
typedef struct Planes {
    const DepthwiseKernel *k;
    int                    images, vectors;
    Lanes                  last;               /* of the last vector */
    const float           *dy, *weights;       /* at pixel (0, 0), at tap (0, 0) */
    float                 *dx;
} Planes;

/* A strip of `width` pixels in each of `images` images from `image` on. */
ALWAYS_INLINE void data_strip(const Planes *p, int vector, int image, int iy, int ix,
                              int kernel, int stride, int images, int width, int phase)
{
    const View *in = &p->k->x, *out = &p->k->y;
    const Lanes lanes = lanes_at(p->last, vector, p->vectors);
    const int back = (kernel - 1) / stride, count = back + (width - 1 + phase) / stride + 1;
    const int bottom = (iy + p->k->pad) / stride, left = (ix + p->k->pad) / stride - back;
    const ptrdiff_t step = out->block, padded = out->padded, next = (ptrdiff_t)view_image_stride(out);
    const float *dy = p->dy + image * next + vector * VECTOR, *weights = p->weights + vector * VECTOR;
    const unsigned columns = strip_columns(left, count, out->w);
    Vector sum[STRIP];

    UNROLL for (int t = 0; t < images * width; t++)
        sum[t] = (Vector){0};
    const int last = int_min(bottom, out->h - 1);
    int ky = (iy + p->k->pad) % stride + (bottom - last) * stride;
    for (int oy = last; oy >= 0 && ky < kernel; oy--, ky += stride) {
        const float *row = dy + (ptrdiff_t)oy * out->w * step;
        const bool ahead = images == 1 && oy == last;      /* below it lies the row that is new to the next strip down */
        ptrdiff_t pixel_at = left * step, tap_at = ky * kernel * padded;
        Vector tap[TAPS];
        UNROLL for (int kx = 0; kx < kernel; kx++) {
            tap[kx] = lanes_load(lanes, weights + tap_at);
            tap_at = strip_advance(tap_at, padded);
        }
        UNROLL for (int j = 0; j < count; j++) {
            if (columns & 1u << j)
                UNROLL for (int i = 0; i < images; i++) {
                    const Vector pixel = lanes_load(lanes, row + i * next + pixel_at);
                    if (ahead)
                        strip_prefetch(row, pixel_at + out->w * step);
                    UNROLL for (int t = 0; t < width; t++)
                        if (t + phase - (j - back) * stride >= 0 && t + phase - (j - back) * stride < kernel)
                            sum[i * width + t] += pixel * tap[t + phase - (j - back) * stride];
                }
            pixel_at = strip_advance(pixel_at, step);
        }
    }
    const ptrdiff_t next_dx = (ptrdiff_t)view_image_stride(in);
    float *dx = p->dx + image * next_dx + ((ptrdiff_t)iy * in->w + ix) * step + vector * VECTOR;
    UNROLL for (int i = 0; i < images; i++)
        UNROLL for (int t = 0; t < width; t++)
            lanes_store(lanes, dx + i * next_dx + t * step, sum[i * width + t]);
}

/* Narrow strips go through as many images at once as fill the registers. */
ALWAYS_INLINE void data_images(const Planes *p, int vector, int image, int end, int iy, int ix,
                               int kernel, int stride, int width, int phase)
{
    if (width < STRIP)
        for (; image + STRIP / width <= end; image += STRIP / width)
            data_strip(p, vector, image, iy, ix, kernel, stride, STRIP / width, width, phase);
    for (; image < end; image++)
        data_strip(p, vector, image, iy, ix, kernel, stride, 1, width, phase);
}

ALWAYS_INLINE void data_phase(const Planes *p, int vector, int image, int end, int iy, int ix, int kernel, int stride, int width)
{
    if ((ix + p->k->pad) % stride)
        data_images(p, vector, image, end, iy, ix, kernel, stride, width, stride - 1);
    else
        data_images(p, vector, image, end, iy, ix, kernel, stride, width, 0);
}

/* Strides 1 and 2. */
ALWAYS_INLINE void data_rows(const Planes *p, int row, int row_end, int kernel, int stride)
{
    const int w = p->k->x.w, images = w < STRIP ? STRIP : 1;
    for (int image = 0; image < p->images; image += images)
        for (int iy = row; iy < row_end; iy++)
            for (int ix = 0, width; ix < w; ix += width) {
                width = strip_width(w - ix, w);
                const int at = int_min(ix, w - width);      /* the last strip may go over pixels again */
                const int end = int_min(image + images, p->images);
                for (int vector = 0; vector < p->vectors; vector++) {
                    if (width == STRIP)
                        data_phase(p, vector, image, end, iy, at, kernel, stride, STRIP);
                    else if (width == 4)
                        data_phase(p, vector, image, end, iy, at, kernel, stride, 4);
                    else if (width == 2)
                        data_phase(p, vector, image, end, iy, at, kernel, stride, 2);
                    else
                        data_phase(p, vector, image, end, iy, at, kernel, stride, 1);
                }
            }
}

/* One pixel, any kernel and stride. */
static void data_pixel(const Planes *p, int vector, int image, int iy, int ix)
{
    const View *in = &p->k->x, *out = &p->k->y;
    const Lanes lanes = lanes_at(p->last, vector, p->vectors);
    const int kernel = p->k->kernel, stride = p->k->stride, bottom = iy + p->k->pad, right = ix + p->k->pad;
    const float *dy = p->dy + (size_t)image * view_image_stride(out) + vector * VECTOR;
    float *dx = p->dx + (size_t)image * view_image_stride(in) + vector * VECTOR;
    Vector sum = {0};

    for (int oy = int_min(bottom / stride, out->h - 1); oy >= 0 && bottom - oy * stride < kernel; oy--)
        for (int ox = int_min(right / stride, out->w - 1); ox >= 0 && right - ox * stride < kernel; ox--) {
            const ptrdiff_t tap = (bottom - oy * stride) * kernel + right - ox * stride;
            sum += lanes_load(lanes, dy + ((ptrdiff_t)oy * out->w + ox) * out->block) *
                   lanes_load(lanes, p->weights + tap * out->padded + vector * VECTOR);
        }
    lanes_store(lanes, dx + ((ptrdiff_t)iy * in->w + ix) * in->block, sum);
}

static void data_rows_any(const Planes *p, int row, int row_end)
{
    for (int image = 0; image < p->images; image++)
        for (int vector = 0; vector < p->vectors; vector++)
            for (int iy = row; iy < row_end; iy++)
                for (int ix = 0; ix < p->k->x.w; ix++)
                    data_pixel(p, vector, image, iy, ix);
}

static void data_planes(const Planes *p, int row, int row_end)
{
    switch (p->k->stride <= 2 ? 10 * p->k->kernel + p->k->stride : 0) {
    case 31: data_rows(p, row, row_end, 3, 1); break;
    case 32: data_rows(p, row, row_end, 3, 2); break;
    case 51: data_rows(p, row, row_end, 5, 1); break;
    case 52: data_rows(p, row, row_end, 5, 2); break;
    case 71: data_rows(p, row, row_end, 7, 1); break;
    case 72: data_rows(p, row, row_end, 7, 2); break;
    default: data_rows_any(p, row, row_end); break;
    }
}

void KERNEL(kernel_depthwise_backward_data)(const DepthwiseKernel *k, const float *dy, const float *weights, float *dx)
{
    const Tiles tiles = tiles_of(k, &k->x);
    #pragma omp parallel for schedule(dynamic)
    for (int index = 0; index < tiles_count(&tiles); index++) {
        const Tile tile = tiles_at(&tiles, index);
        for (int vector = tile.vector, together; vector < tile.vector_end; vector += together) {
            const Channels channels = channels_of(&k->x, vector, tile.vector_end - vector);
            together = channels.vectors;
            const Planes planes = {
                .k = k, .images = tile.image_end - tile.image, .vectors = together, .last = channels.last,
                .dy = dy + channels_offset(&k->y, tile.image, &channels), .weights = weights + channels.first,
                .dx = dx + channels_offset(&k->x, tile.image, &channels),
            };
            data_planes(&planes, tile.row, tile.row_end);
        }
    }
}
