/* depthwise_forward.c - depthwise convolution, forward.
 *
 *     y[n][c][oy][ox] = bias[c] + sum over ky, kx of x[n][c][oy stride + ky - pad][ox stride + kx - pad] weights[ky][kx][c]
 *
 * For a strip of output pixels, row after row of the kernel: the row's taps lie in registers, every pixel of x that
 * the strip reads is loaded once and added to all the outputs it reaches. Pixels of the padding are skipped. */

#include "depthwise.h"

/* Some images and neighbouring vectors of channels. */
typedef struct Planes {
    const DepthwiseKernel *k;
    int                    images, vectors;
    Lanes                  last;                    /* of the last vector */
    const float           *x, *weights, *bias;      /* at pixel (0, 0), at tap (0, 0); bias may be NULL */
    float                 *y;
} Planes;

/* A strip of `width` pixels in each of `images` images from `image` on. */
ALWAYS_INLINE void forward_strip(const Planes *p, int vector, int image, int oy, int ox,
                                 int kernel, int stride, int images, int width)
{
    const View *in = &p->k->x, *out = &p->k->y;
    const Lanes lanes = lanes_at(p->last, vector, p->vectors);
    const int top = oy * stride - p->k->pad, left = ox * stride - p->k->pad;
    const int first = int_max(0, -top), end = int_min(kernel, in->h - top);
    const ptrdiff_t step = in->block, padded = in->padded, next = (ptrdiff_t)view_image_stride(in);
    const float *x = p->x + image * next + vector * VECTOR, *weights = p->weights + vector * VECTOR;
    const Vector bias = p->bias ? lanes_load(lanes, p->bias + vector * VECTOR) : (Vector){0};
    const unsigned columns = strip_columns(left, (width - 1) * stride + kernel, in->w);
    Vector sum[STRIP];

    UNROLL for (int t = 0; t < images * width; t++)
        sum[t] = bias;
    ptrdiff_t tap_at = first * kernel * padded;
    for (int ky = first; ky < end; ky++) {
        const float *row = x + (ptrdiff_t)(top + ky) * in->w * step;
        /* below these rows lie those that are new to the next strip down */
        const bool ahead = images == 1 && ky >= kernel - stride;
        ptrdiff_t pixel_at = left * step;
        Vector tap[TAPS];
        UNROLL for (int kx = 0; kx < kernel; kx++) {
            tap[kx] = lanes_load(lanes, weights + tap_at);
            tap_at = strip_advance(tap_at, padded);
        }
        UNROLL for (int j = 0; j < (width - 1) * stride + kernel; j++) {
            if (columns & 1u << j)
                UNROLL for (int i = 0; i < images; i++) {
                    const Vector pixel = lanes_load(lanes, row + i * next + pixel_at);
                    if (ahead)
                        strip_prefetch(row, pixel_at + stride * in->w * step);
                    UNROLL for (int t = 0; t < width; t++)
                        if (j - t * stride >= 0 && j - t * stride < kernel)
                            sum[i * width + t] += pixel * tap[j - t * stride];
                }
            pixel_at = strip_advance(pixel_at, step);
        }
    }
    float *y = p->y + image * (ptrdiff_t)view_image_stride(out) + ((ptrdiff_t)oy * out->w + ox) * step + vector * VECTOR;
    UNROLL for (int i = 0; i < images; i++)
        UNROLL for (int t = 0; t < width; t++)
            lanes_store(lanes, y + i * (ptrdiff_t)view_image_stride(out) + t * step, sum[i * width + t]);
}

/* Narrow strips go through as many images at once as fill the registers. */
ALWAYS_INLINE void forward_images(const Planes *p, int vector, int image, int end, int oy, int ox,
                                  int kernel, int stride, int width)
{
    if (width < STRIP)
        for (; image + STRIP / width <= end; image += STRIP / width)
            forward_strip(p, vector, image, oy, ox, kernel, stride, STRIP / width, width);
    for (; image < end; image++)
        forward_strip(p, vector, image, oy, ox, kernel, stride, 1, width);
}

ALWAYS_INLINE void forward_rows(const Planes *p, int row, int row_end, int kernel, int stride)
{
    const int ow = p->k->y.w, images = ow < STRIP ? STRIP : 1;
    for (int image = 0; image < p->images; image += images)
        for (int oy = row; oy < row_end; oy++)
            for (int ox = 0, width; ox < ow; ox += width) {
                width = strip_width(ow - ox, ow);
                const int at = int_min(ox, ow - width);      /* the last strip may go over pixels again */
                const int end = int_min(image + images, p->images);
                for (int vector = 0; vector < p->vectors; vector++) {
                    if (width == STRIP)
                        forward_images(p, vector, image, end, oy, at, kernel, stride, STRIP);
                    else if (width == 4)
                        forward_images(p, vector, image, end, oy, at, kernel, stride, 4);
                    else if (width == 2)
                        forward_images(p, vector, image, end, oy, at, kernel, stride, 2);
                    else
                        forward_images(p, vector, image, end, oy, at, kernel, stride, 1);
                }
            }
}

/* One pixel, any kernel and stride. */
static void forward_pixel(const Planes *p, int vector, int image, int oy, int ox)
{
    const View *in = &p->k->x, *out = &p->k->y;
    const Lanes lanes = lanes_at(p->last, vector, p->vectors);
    const int kernel = p->k->kernel, top = oy * p->k->stride - p->k->pad, left = ox * p->k->stride - p->k->pad;
    const float *x = p->x + (size_t)image * view_image_stride(in) + vector * VECTOR;
    float *y = p->y + (size_t)image * view_image_stride(out) + vector * VECTOR;
    Vector sum = p->bias ? lanes_load(lanes, p->bias + vector * VECTOR) : (Vector){0};

    for (int ky = int_max(0, -top); ky < int_min(kernel, in->h - top); ky++)
        for (int kx = int_max(0, -left); kx < int_min(kernel, in->w - left); kx++)
            sum += lanes_load(lanes, x + ((ptrdiff_t)(top + ky) * in->w + left + kx) * in->block) *
                   lanes_load(lanes, p->weights + (ptrdiff_t)(ky * kernel + kx) * in->padded + vector * VECTOR);
    lanes_store(lanes, y + ((ptrdiff_t)oy * out->w + ox) * out->block, sum);
}

/* Any kernel, any stride. */
static void forward_rows_any(const Planes *p, int row, int row_end)
{
    const int ow = p->k->y.w;
    for (int image = 0; image < p->images; image++)
        for (int vector = 0; vector < p->vectors; vector++)
            for (int oy = row; oy < row_end; oy++)
                for (int ox = 0; ox < ow; ox++)
                    forward_pixel(p, vector, image, oy, ox);
}

static void forward_planes(const Planes *p, int row, int row_end)
{
    switch (p->k->stride <= 2 ? 10 * p->k->kernel + p->k->stride : 0) {
    case 31: forward_rows(p, row, row_end, 3, 1); break;
    case 32: forward_rows(p, row, row_end, 3, 2); break;
    case 51: forward_rows(p, row, row_end, 5, 1); break;
    case 52: forward_rows(p, row, row_end, 5, 2); break;
    case 71: forward_rows(p, row, row_end, 7, 1); break;
    case 72: forward_rows(p, row, row_end, 7, 2); break;
    default: forward_rows_any(p, row, row_end); break;
    }
}

void KERNEL(kernel_depthwise_forward)(const DepthwiseKernel *k, const float *x, const float *weights, const float *bias, float *y)
{
    const Tiles tiles = tiles_of(k, &k->y);
    #pragma omp parallel for schedule(dynamic)
    for (int index = 0; index < tiles_count(&tiles); index++) {
        const Tile tile = tiles_at(&tiles, index);
        for (int vector = tile.vector, together; vector < tile.vector_end; vector += together) {
            const Channels channels = channels_of(&k->x, vector, tile.vector_end - vector);
            together = channels.vectors;
            const Planes planes = {
                .k = k, .images = tile.image_end - tile.image, .vectors = together, .last = channels.last,
                .x = x + channels_offset(&k->x, tile.image, &channels), .weights = weights + channels.first,
                .bias = bias ? bias + channels.first : NULL, .y = y + channels_offset(&k->y, tile.image, &channels),
            };
            forward_planes(&planes, tile.row, tile.row_end);
        }
    }
}
