/* depthwise_weights.c - depthwise convolution, gradient of the weights and the bias.
 *
 *     dweights[ky][kx][c] = sum over n, oy, ox of dy[n][c][oy][ox] x[n][c][oy stride + ky - pad][ox stride + kx - pad]
 *     dbias[c]            = sum over n, oy, ox of dy[n][c][oy][ox]
 *
 * The sums of one to three rows of taps stay in registers while a tile's pixels pass: a strip of dy lies in registers,
 * every pixel of x that it met is loaded once and multiplied with all of them.
 * Each fixed share of the images has sums of its own in scratch memory: [share][kernel kernel + 1][padded], the last
 * of them of dy alone. They are added in order, so that the number of threads does not change a bit. */

#include "depthwise.h"

enum { SHARES_BYTES = 512 << 10 };     /* of scratch memory: to sum it up costs little */

/* One vector of channels of the images and rows of a tile. */
typedef struct Planes {
    const DepthwiseKernel *k;
    Lanes                  lanes;
    const float           *x, *dy;      /* at pixel (0, 0) of the first image */
    int                    images;
    int                    row, row_end;
    float                 *sums;        /* at tap (0, 0) */
} Planes;

/* Adds a strip's part, of `images` images from `image` on, to the sums of `rows` rows of `taps` taps from row ky on. */
ALWAYS_INLINE void weights_strip(const Planes *p, int image, int oy, int ox, int ky,
                                 int rows, int taps, int stride, int images, int width, Vector *sum)
{
    const View *in = &p->k->x, *out = &p->k->y;
    const ptrdiff_t step = in->block, next = (ptrdiff_t)view_image_stride(in), next_dy = (ptrdiff_t)view_image_stride(out);
    const int top = oy * stride + ky - p->k->pad, left = ox * stride - p->k->pad;
    const unsigned columns = strip_columns(left, (width - 1) * stride + taps, in->w);
    const float *x = p->x + image * next, *dy = p->dy + image * next_dy + ((ptrdiff_t)oy * out->w + ox) * step;
    const bool ahead = images == 1 && rows == 3;      /* 3x3 passes once and waits for memory, the others more often */
    Vector grad[STRIP];

    UNROLL for (int i = 0; i < images; i++)
        UNROLL for (int t = 0; t < width; t++) {
            grad[i * width + t] = lanes_load(p->lanes, dy + i * next_dy + t * step);
            if (ahead)
                strip_prefetch(dy, (out->w + t) * step);
        }
    UNROLL for (int r = 0; r < rows; r++) {
        if ((unsigned)(top + r) >= (unsigned)in->h)
            continue;
        const float *row = x + (ptrdiff_t)(top + r) * in->w * step;
        ptrdiff_t pixel_at = left * step;
        UNROLL for (int j = 0; j < (width - 1) * stride + taps; j++) {
            if (columns & 1u << j)
                UNROLL for (int i = 0; i < images; i++) {
                    const Vector pixel = lanes_load(p->lanes, row + i * next + pixel_at);
                    if (ahead && r >= rows - stride)
                        strip_prefetch(row, pixel_at + stride * in->w * step);
                    UNROLL for (int t = 0; t < width; t++)
                        if (j - t * stride >= 0 && j - t * stride < taps)
                            sum[r * taps + j - t * stride] += grad[i * width + t] * pixel;
                }
            pixel_at = strip_advance(pixel_at, step);
        }
    }
}

/* Narrow strips go through as many images at once as fill the registers. */
ALWAYS_INLINE void weights_images(const Planes *p, int image, int end, int oy, int ox, int ky,
                                  int rows, int taps, int stride, int width, Vector *sum)
{
    if (width < STRIP)
        for (; image + STRIP / width <= end; image += STRIP / width)
            weights_strip(p, image, oy, ox, ky, rows, taps, stride, STRIP / width, width, sum);
    for (; image < end; image++)
        weights_strip(p, image, oy, ox, ky, rows, taps, stride, 1, width, sum);
}

/* The sums of `rows` rows of `taps` taps from row ky on, over the tile. */
ALWAYS_INLINE void weights_taps(const Planes *p, int ky, int rows, int taps, int stride)
{
    const DepthwiseKernel *k = p->k;
    const int ow = k->y.w, images = ow < STRIP ? STRIP : 1;
    /* the rows of y that meet any of these taps */
    const int first = int_max(p->row, int_divide_up(int_max(0, k->pad - ky - rows + 1), stride));
    const int row_end = int_min(p->row_end, int_divide_up(int_max(0, k->x.h + k->pad - ky), stride));
    Vector sum[2 * TAPS];

    UNROLL for (int i = 0; i < rows * taps; i++)
        sum[i] = (Vector){0};
    for (int image = 0; image < p->images; image += images) {
        const int end = int_min(image + images, p->images);
        for (int oy = first; oy < row_end; oy++) {
            int ox = 0;
            for (; ox + STRIP <= ow; ox += STRIP)
                weights_images(p, image, end, oy, ox, ky, rows, taps, stride, STRIP, sum);
            for (; ox + 4 <= ow; ox += 4)
                weights_images(p, image, end, oy, ox, ky, rows, taps, stride, 4, sum);
            for (; ox + 2 <= ow; ox += 2)
                weights_images(p, image, end, oy, ox, ky, rows, taps, stride, 2, sum);
            for (; ox < ow; ox++)
                weights_images(p, image, end, oy, ox, ky, rows, taps, stride, 1, sum);
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int i = 0; i < taps; i++) {
            float *to = p->sums + (ptrdiff_t)((ky + r) * taps + i) * k->x.padded;
            lanes_store(p->lanes, to, lanes_load(p->lanes, to) + sum[r * taps + i]);
        }
}

ALWAYS_INLINE void weights_planes_unrolled(const Planes *p, int kernel, int stride)
{
    if (kernel == 3) {
        weights_taps(p, 0, 3, 3, stride);
        return;
    }
    int ky = 0;
    if (VECTOR == 16)
        for (; ky + 2 <= kernel; ky += 2)
            weights_taps(p, ky, 2, kernel, stride);
    for (; ky < kernel; ky++)
        weights_taps(p, ky, 1, kernel, stride);
}

/* One tap of any kernel and stride. */
static void weights_tap(const Planes *p, int ky, int kx)
{
    const DepthwiseKernel *k = p->k;
    const View *in = &k->x, *out = &k->y;
    Vector sum = {0};
    for (int image = 0; image < p->images; image++) {
        const float *x = p->x + (size_t)image * view_image_stride(in), *dy = p->dy + (size_t)image * view_image_stride(out);
        for (int oy = p->row; oy < p->row_end; oy++)
            for (int ox = 0; ox < out->w; ox++) {
                const int iy = oy * k->stride + ky - k->pad, ix = ox * k->stride + kx - k->pad;
                if (iy >= 0 && iy < in->h && ix >= 0 && ix < in->w)
                    sum += lanes_load(p->lanes, dy + ((ptrdiff_t)oy * out->w + ox) * out->block) *
                           lanes_load(p->lanes, x + ((ptrdiff_t)iy * in->w + ix) * in->block);
            }
    }
    float *to = p->sums + (ptrdiff_t)(ky * k->kernel + kx) * in->padded;
    lanes_store(p->lanes, to, lanes_load(p->lanes, to) + sum);
}

static void weights_planes(const Planes *p)
{
    switch (p->k->stride <= 2 ? 10 * p->k->kernel + p->k->stride : 0) {
    case 31: weights_planes_unrolled(p, 3, 1); return;
    case 32: weights_planes_unrolled(p, 3, 2); return;
    case 51: weights_planes_unrolled(p, 5, 1); return;
    case 52: weights_planes_unrolled(p, 5, 2); return;
    case 71: weights_planes_unrolled(p, 7, 1); return;
    case 72: weights_planes_unrolled(p, 7, 2); return;
    default: break;
    }
    for (int ky = 0; ky < p->k->kernel; ky++)
        for (int kx = 0; kx < p->k->kernel; kx++)
            weights_tap(p, ky, kx);
}

static void bias_planes(const Planes *p)
{
    const View *out = &p->k->y;
    const ptrdiff_t step = out->block;
    Vector even = {0}, odd = {0};
    for (int image = 0; image < p->images; image++) {
        const float *dy = p->dy + (size_t)image * view_image_stride(out);
        ptrdiff_t pixel = (ptrdiff_t)p->row * out->w;
        const ptrdiff_t end = (ptrdiff_t)p->row_end * out->w;
        for (; pixel + 2 <= end; pixel += 2) {
            even += lanes_load(p->lanes, dy + pixel * step);
            odd += lanes_load(p->lanes, dy + (pixel + 1) * step);
        }
        if (pixel < end)
            even += lanes_load(p->lanes, dy + pixel * step);
    }
    float *to = p->sums + (ptrdiff_t)(p->k->kernel * p->k->kernel) * out->padded;
    lanes_store(p->lanes, to, lanes_load(p->lanes, to) + even + odd);
}

/* How the work is cut; by the shape alone. */
typedef struct Shares {
    int    count, images;       /* shares, images in each */
    int    groups, vectors;     /* groups of channels, vectors in each */
    size_t floats;              /* sums of a share */
} Shares;

static Shares shares_of(const DepthwiseKernel *k)
{
    Shares shares = { .floats = (size_t)(k->kernel * k->kernel + 1) * (size_t)k->x.padded };
    const int vectors = channels_vectors(&k->x);
    const int fitting = (int)(SHARES_BYTES / (shares.floats * sizeof(float))) + 1;
    shares.images = int_divide_up(k->x.n, int_min(int_min(fitting, TASKS / 2), k->x.n));
    shares.count = int_divide_up(k->x.n, shares.images);
    shares.vectors = int_divide_up(vectors, int_divide_up(TASKS, shares.count));
    shares.groups = int_divide_up(vectors, shares.vectors);
    return shares;
}

size_t KERNEL(kernel_depthwise_scratch)(const DepthwiseKernel *k)
{
    const Shares shares = shares_of(k);
    return (size_t)shares.count * shares.floats * sizeof(float);
}

static void weights_tile(const DepthwiseKernel *k, const Tile *tile, const float *x, const float *dy, bool bias, float *sums)
{
    for (int vector = tile->vector; vector < tile->vector_end; vector++) {
        const Channels channels = channels_of(&k->x, vector, 1);
        const Planes planes = {
            .k = k, .lanes = channels.last, .images = tile->image_end - tile->image, .row = tile->row, .row_end = tile->row_end,
            .x = x + channels_offset(&k->x, tile->image, &channels), .dy = dy + channels_offset(&k->y, tile->image, &channels),
            .sums = sums + channels.first,
        };
        weights_planes(&planes);
        if (bias)
            bias_planes(&planes);
    }
}

/* One share of the images, one group of channels, tile by tile. */
static void weights_share(const DepthwiseKernel *k, const Shares *shares, int share, int group,
                          const float *x, const float *dy, bool bias, float *sums)
{
    const Tiles tiles = tiles_of(k, &k->y);
    const int image_end = int_min((share + 1) * shares->images, k->x.n);
    Tile tile = { .vector = group * shares->vectors, .vector_end = int_min((group + 1) * shares->vectors, tiles.all_vectors) };

    for (int vector = tile.vector; vector < tile.vector_end; vector++) {
        const Channels channels = channels_of(&k->x, vector, 1);
        for (int tap = 0; tap <= k->kernel * k->kernel; tap++)
            lanes_store(channels.last, sums + (ptrdiff_t)tap * k->x.padded + channels.first, (Vector){0});
    }
    for (tile.image = share * shares->images; tile.image < image_end; tile.image = tile.image_end) {
        tile.image_end = int_min(tile.image + tiles.images, image_end);
        for (tile.row = 0; tile.row < k->y.h; tile.row = tile.row_end) {
            tile.row_end = int_min(tile.row + tiles.rows, k->y.h);
            weights_tile(k, &tile, x, dy, bias, sums);
        }
    }
}

void KERNEL(kernel_depthwise_backward_weights)(const DepthwiseKernel *k, const float *x, const float *dy,
                                               float *dweights, float *dbias, void *scratch)
{
    const Shares shares = shares_of(k);
    float *sums = scratch;
    #pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < shares.count * shares.groups; task++) {
        const int share = task / shares.groups;
        weights_share(k, &shares, share, task % shares.groups, x, dy, dbias != NULL, sums + (size_t)share * shares.floats);
    }

    const size_t taps = shares.floats - (size_t)k->x.padded;
    #pragma omp parallel for schedule(static)
    for (size_t i = 0; i < (dbias ? shares.floats : taps); i++) {
        float sum = 0;
        for (int share = 0; share < shares.count; share++)
            sum += sums[(size_t)share * shares.floats + i];
        *(i < taps ? dweights + i : dbias + i - taps) = sum;
    }
}
