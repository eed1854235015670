/* batch_last_forward.c - convolution on the batch-last layout: forward and the data gradient, which is the same loop over
 * the reversed filter.
 *
 * Every weight multiplies a vector of images, so layers of 6 or 16 channels fill the vectors as well as any. A tile of output
 * channels x output columns stays in registers over the whole sum. */

#include "batch_last.h"

/* A tile's, each number of channels, and its columns by them: so many sums as leave registers of AVX-512's 32, else of 16, for what they add. */
#if defined(__AVX512F__)
enum { MOST_CHANNELS = 8, MOST_COLUMNS = 6 };
#define EACH(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define COLUMNS(channels) ((channels) > 6 ? 3 : (channels) > 4 ? 4 : 6)
#else
enum { MOST_CHANNELS = 6, MOST_COLUMNS = 4 };
#define EACH(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define COLUMNS(channels) ((channels) > 4 ? 2 : (channels) > 3 ? 3 : 4)
#endif

/* The sum that both directions are: y[o] = bias[o] + sum over i, ky, kx of w[o][i][ky][kx] x[i][oy stride + ky - pad][...]. */
typedef struct Sum {
    int          in, h, w, out, oh, ow, kernel, stride, pad;
    const float *x, *weights, *bias;
    ptrdiff_t    of_out, of_in, of_row, of_column;      /* steps in the weights */
    float       *y;
} Sum;

/* `channels` from o on, `columns` from ox on, of one row of one group; filter columns kx0 to kx1 lie inside the image. */
static inline __attribute__((always_inline)) void tile(const Sum *s, const float *x, float *y, int o, int oy, int ox, int kx0,
                                                       int kx1, const int channels, const int columns)
{
    const ptrdiff_t plane = (ptrdiff_t)s->h * s->w * BATCH_LANES, step = (ptrdiff_t)s->stride * BATCH_LANES;
    const int top = oy * s->stride - s->pad;
    const int ky0 = int_max(0, -top), ky1 = int_min(s->kernel, s->h - top);
    Vector sum[MOST_CHANNELS][MOST_COLUMNS];
    #pragma GCC unroll 8
    for (int a = 0; a < channels; a++)
        #pragma GCC unroll 8
        for (int b = 0; b < columns; b++)
            sum[a][b] = vector_all(s->bias ? s->bias[o + a] : 0.0f);

    for (int i = 0; i < s->in; i++)
        for (int ky = ky0; ky < ky1; ky++) {
            const float *row = x + i * plane + ((ptrdiff_t)(top + ky) * s->w + ox * s->stride - s->pad) * BATCH_LANES;
            const float *weights = s->weights + o * s->of_out + i * s->of_in + ky * s->of_row;
            for (int kx = kx0; kx < kx1; kx++) {
                Vector pixel[MOST_COLUMNS];
                #pragma GCC unroll 8
                for (int b = 0; b < columns; b++)
                    pixel[b] = vector_load(row + kx * BATCH_LANES + b * step);
                #pragma GCC unroll 8
                for (int a = 0; a < channels; a++) {
                    const Vector weight = vector_all(weights[a * s->of_out + kx * s->of_column]);
                    #pragma GCC unroll 8
                    for (int b = 0; b < columns; b++)
                        sum[a][b] += weight * pixel[b];
                }
            }
        }
    #pragma GCC unroll 8
    for (int a = 0; a < channels; a++)
        #pragma GCC unroll 8
        for (int b = 0; b < columns; b++)
            vector_store(y + (((ptrdiff_t)(o + a) * s->oh + oy) * s->ow + ox + b) * BATCH_LANES, sum[a][b]);
}

typedef void Tile(const Sum *s, const float *x, float *y, int o, int oy, int ox, int kx0, int kx1);

#define TILE(channels)                                                                                                   \
    static void wide_##channels(const Sum *s, const float *x, float *y, int o, int oy, int ox, int kx0, int kx1)         \
    {                                                                                                                    \
        tile(s, x, y, o, oy, ox, kx0, kx1, channels, COLUMNS(channels));                                                 \
    }                                                                                                                    \
    static void narrow_##channels(const Sum *s, const float *x, float *y, int o, int oy, int ox, int kx0, int kx1)       \
    {                                                                                                                    \
        tile(s, x, y, o, oy, ox, kx0, kx1, channels, 1);                                                                 \
    }
EACH(TILE)

static const struct { Tile *wide, *narrow; int columns; } tiles[MOST_CHANNELS + 1] = {
#define ROW(channels) [channels] = { wide_##channels, narrow_##channels, COLUMNS(channels) },
    EACH(ROW)
};

static void row(const Sum *s, int channels, const float *x, float *y, int o, int oy)
{
    const int columns = tiles[channels].columns;
    for (int ox = 0; ox < s->ow;) {
        const int left = ox * s->stride - s->pad;
        if (left >= 0 && ox + columns <= s->ow && left + (columns - 1) * s->stride + s->kernel <= s->w) {
            tiles[channels].wide(s, x, y, o, oy, ox, 0, s->kernel);
            ox += columns;
        } else {
            tiles[channels].narrow(s, x, y, o, oy, ox, int_max(0, -left), int_min(s->kernel, s->w - left));
            ox++;
        }
    }
}

static void sum_all(const Sum *s, int groups)
{
    const ptrdiff_t x_group = (ptrdiff_t)s->in * s->h * s->w * BATCH_LANES,
                    y_group = (ptrdiff_t)s->out * s->oh * s->ow * BATCH_LANES;
    const int channels = tile_channels(s->out, MOST_CHANNELS);
    #pragma omp parallel for collapse(2) schedule(static)
    for (int group = 0; group < groups; group++)
        for (int oy = 0; oy < s->oh; oy++)
            for (int part = 0; part < PARTS; part++)
                for (int o = 0; o < s->out; o += channels)
                    row(s, channels, s->x + group * x_group + part * VECTOR, s->y + group * y_group + part * VECTOR, o, oy);
}

void KERNEL(kernel_batch_last_forward)(const BatchLastKernel *k, const float *x, const float *weights, const float *bias,
                                       float *y)
{
    const ptrdiff_t filter = (ptrdiff_t)k->kernel * k->kernel;
    const Sum s = { .in = k->c, .h = k->h, .w = k->w, .out = k->out, .oh = k->oh, .ow = k->ow, .kernel = k->kernel, .stride = k->stride,
                    .pad = k->pad, .x = x, .weights = weights, .bias = bias, .y = y,
                    .of_out = k->c * filter, .of_in = filter, .of_row = k->kernel, .of_column = 1 };
    sum_all(&s, k->groups);
}

/* dx[i][y][x] = sum over o, ky, kx of w[o][i][ky][kx] dy[o][y + pad - ky][x + pad - kx]: from the filter's end on. */
void KERNEL(kernel_batch_last_backward_data)(const BatchLastKernel *k, const float *dy, const float *weights, float *dx)
{
    const ptrdiff_t filter = (ptrdiff_t)k->kernel * k->kernel;
    const Sum s = { .in = k->out, .h = k->oh, .w = k->ow, .out = k->c, .oh = k->h, .ow = k->w, .kernel = k->kernel, .stride = 1,
                    .pad = k->kernel - 1 - k->pad, .x = dy, .weights = weights + filter - 1, .y = dx,
                    .of_out = filter, .of_in = k->c * filter, .of_row = -k->kernel, .of_column = -1 };
    sum_all(&s, k->groups);
}
