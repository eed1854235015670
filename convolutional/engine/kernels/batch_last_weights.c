/* batch_last_weights.c - the weight gradient of a convolution on the batch-last layout:
 *
 *     dw[o][i][ky][kx] = sum over n, oy, ox of dy[o][oy][ox] x[i][oy stride + ky - pad][ox stride + kx - pad]
 *
 * A tile of output channels x filter columns stays in registers while a share of the images passes: a part of a group. Each
 * leaves sums of its own, which are added in order: the same bits for any number of threads. */

#include "batch_last.h"

#include <string.h>

/* Of a tile, whose sums stay in 32 registers, else in 16; and each number of channels. */
#if defined(__AVX512F__)
enum { MOST_CHANNELS = 4, MOST_COLUMNS = 5 };
#define EACH(X) X(1) X(2) X(3) X(4)
#else
enum { MOST_CHANNELS = 2, MOST_COLUMNS = 5 };
#define EACH(X) X(1) X(2)
#endif

/* The images that leave sums of their own. */
typedef struct Share {
    const BatchLastKernel *k;
    const float *x, *dy;
    float       *dweights, *dbias;
} Share;

/* One output pixel's products; `inside`: no filter column leaves the image. */
static inline __attribute__((always_inline)) void pixel(const BatchLastKernel *k, const float *row, const float *dy,
                                                        ptrdiff_t dy_plane, int left, bool inside, const int channels,
                                                        const int columns, Vector sum[MOST_CHANNELS][MOST_COLUMNS])
{
    Vector gradient[MOST_CHANNELS];
    #pragma GCC unroll 8
    for (int a = 0; a < channels; a++)
        gradient[a] = vector_load(dy + a * dy_plane);
    #pragma GCC unroll 8
    for (int b = 0; b < columns; b++)
        if (inside || (left + b >= 0 && left + b < k->w)) {
            const Vector x = vector_load(row + (ptrdiff_t)(left + b) * BATCH_LANES);
            #pragma GCC unroll 8
            for (int a = 0; a < channels; a++)
                sum[a][b] += gradient[a] * x;
        }
}

/* Filter row ky, columns kx to kx + columns, of input channel i and `channels` output channels from o on. */
static inline __attribute__((always_inline)) void tile(const Share *share, int o, int i, int ky, int kx, const int channels,
                                                       const int columns)
{
    const BatchLastKernel *k = share->k;
    const ptrdiff_t dy_plane = (ptrdiff_t)k->oh * k->ow * BATCH_LANES;
    Vector sum[MOST_CHANNELS][MOST_COLUMNS];
    #pragma GCC unroll 8
    for (int a = 0; a < channels; a++)
        #pragma GCC unroll 8
        for (int b = 0; b < columns; b++)
            sum[a][b] = vector_all(0.0f);

    for (int oy = 0; oy < k->oh; oy++) {
        const int y = oy * k->stride + ky - k->pad;
        if (y < 0 || y >= k->h)
            continue;
        const float *row = share->x + ((ptrdiff_t)i * k->h + y) * k->w * BATCH_LANES;
        const float *dy = share->dy + o * dy_plane + (ptrdiff_t)oy * k->ow * BATCH_LANES;
        for (int ox = 0; ox < k->ow; ox++)
            pixel(k, row, dy + ox * BATCH_LANES, dy_plane, ox * k->stride + kx - k->pad, k->pad == 0, channels, columns, sum);
    }
    for (int a = 0; a < channels; a++)
        for (int b = 0; b < columns; b++)
            share->dweights[(((ptrdiff_t)(o + a) * k->c + i) * k->kernel + ky) * k->kernel + kx + b] = vector_sum(sum[a][b]);
}

typedef void Tile(const Share *share, int o, int i, int ky, int kx);

#define TILE(channels, columns)                                                                      \
    static void tile_##channels##_##columns(const Share *share, int o, int i, int ky, int kx)        \
    {                                                                                                \
        tile(share, o, i, ky, kx, channels, columns);                                                \
    }
#define TILES(channels) TILE(channels, 1) TILE(channels, 3) TILE(channels, 5)
EACH(TILES)

/* By channels and by the filter's width: 3 and 5 in one piece, others column by column. */
static Tile *const tiles[MOST_CHANNELS + 1][MOST_COLUMNS + 1] = {
#define ROW(channels) [channels] = { [1] = tile_##channels##_1, [3] = tile_##channels##_3, [5] = tile_##channels##_5 },
    EACH(ROW)
};

static void bias_gradient(const Share *share, int o, int channels)
{
    const ptrdiff_t pixels = (ptrdiff_t)share->k->oh * share->k->ow;
    for (int a = o; a < o + channels; a++) {
        Vector sum = vector_all(0.0f);
        for (ptrdiff_t p = 0; p < pixels; p++)
            sum += vector_load(share->dy + (a * pixels + p) * BATCH_LANES);
        share->dbias[a] = vector_sum(sum);
    }
}

static void filters(const Share *share, int o, int channels)
{
    const int kernel = share->k->kernel, columns = kernel == 3 || kernel == 5 ? kernel : 1;
    Tile *const run = tiles[channels][columns];
    for (int i = 0; i < share->k->c; i++)
        for (int ky = 0; ky < kernel; ky++)
            for (int kx = 0; kx < kernel; kx += columns)
                run(share, o, i, ky, kx);
    bias_gradient(share, o, channels);
}

/* Weights, then biases. */
static size_t sums_of(const BatchLastKernel *k)
{
    return (size_t)k->out * ((size_t)k->c * (size_t)k->kernel * (size_t)k->kernel + 1);
}

size_t KERNEL(kernel_batch_last_scratch)(const BatchLastKernel *k)
{
    return (size_t)(k->groups * PARTS) * sums_of(k) * sizeof(float);
}

void KERNEL(kernel_batch_last_backward_weights)(const BatchLastKernel *k, const float *x, const float *dy, float *dweights,
                                                float *dbias, void *scratch)
{
    const size_t x_group = (size_t)k->c * (size_t)k->h * (size_t)k->w * BATCH_LANES;
    const size_t y_group = (size_t)k->out * (size_t)k->oh * (size_t)k->ow * BATCH_LANES;
    const size_t sums = sums_of(k), weights = sums - (size_t)k->out;
    const int channels = tile_channels(k->out, MOST_CHANNELS), shares = k->groups * PARTS;
    float *const all = scratch;
    #pragma omp parallel for collapse(2) schedule(static)
    for (int index = 0; index < shares; index++)
        for (int o = 0; o < k->out; o += channels) {
            const size_t group = (size_t)(index / PARTS), part = (size_t)(index % PARTS) * VECTOR;
            float *own = all + (size_t)index * sums;
            const Share share = { k, x + group * x_group + part, dy + group * y_group + part, own, own + weights };
            filters(&share, o, channels);
        }
    for (int index = 1; index < shares; index++)
        for (size_t j = 0; j < sums; j++)
            all[j] += all[(size_t)index * sums + j];
    memcpy(dweights, all, weights * sizeof *all);
    if (dbias)
        memcpy(dbias, all + weights, (size_t)k->out * sizeof *all);
}
