/* winograd_filter.c - Winograd transforms of filters, and of their gradient back.
 *
 * Weights are [3][3][in][out]; U keeps the output channels of a block together, which is what the product reads. */

#include "winograd.h"
#include "winograd_points.h"

/* Input channels that weights are fetched ahead: a block's lines are too far apart for the processor to foresee. */
enum { AHEAD = 4 };

/* U of one vector of filters; taps are `tap` floats apart. */
static inline void filter_transform(const float *taps, ptrdiff_t tap, float *u, size_t stride)
{
    Vector rows[PATCH][3];
    for (int j = 0; j < 3; j++) {
        const Vector g[3] = { vector_load(taps + j * tap), vector_load(taps + (3 + j) * tap), vector_load(taps + (6 + j) * tap) };
        Vector t[PATCH];
        points_filter(g, t);
        for (int i = 0; i < PATCH; i++)
            rows[i][j] = t[i];
    }
    for (int i = 0; i < PATCH; i++) {
        Vector t[PATCH];
        points_filter(rows[i], t);
        for (int j = 0; j < PATCH; j++)
            vector_store(u + (size_t)(i * PATCH + j) * stride, t[j]);
    }
}

void KERNEL(winograd_filter)(const float *weights, int in, int out, int block, int from, int to, Spectrum u)
{
    const int width = block_width(out, block);
    const size_t stride = frequency_stride((size_t)in, width);
    for (int c = from; c < to; c++) {
        for (int tap = 0; tap < TAPS && c + AHEAD < to; tap++)
            for (int lane = 0; lane < width; lane += GROUP)
                __builtin_prefetch(weights + ((ptrdiff_t)tap * in + c + AHEAD) * out + block * BLOCK + lane, 0, 2);
        for (int lane = 0; lane < width; lane += VECTOR)
            filter_transform(weights + (ptrdiff_t)c * out + block * BLOCK + lane, (ptrdiff_t)in * out,
                             (float *)u.words + (size_t)c * (size_t)width + (size_t)lane, stride);
    }
}

typedef float Four __attribute__((vector_size(16)));
typedef float FourAt __attribute__((vector_size(16), aligned(4), may_alias));
typedef int   FourIndex __attribute__((vector_size(16)));

/* to[j][i] = from[i][j], 4x4. */
static inline void transpose_four(const float *from, ptrdiff_t from_line, float *to, ptrdiff_t to_line)
{
    const Four a = *(const FourAt *)from, b = *(const FourAt *)(from + from_line);
    const Four c = *(const FourAt *)(from + 2 * from_line), d = *(const FourAt *)(from + 3 * from_line);
    const FourIndex low = { 0, 4, 1, 5 }, high = { 2, 6, 3, 7 }, first = { 0, 1, 4, 5 }, second = { 2, 3, 6, 7 };
    const Four ab_low = __builtin_shuffle(a, b, low), ab_high = __builtin_shuffle(a, b, high);
    const Four cd_low = __builtin_shuffle(c, d, low), cd_high = __builtin_shuffle(c, d, high);
    *(FourAt *)to = __builtin_shuffle(ab_low, cd_low, first);
    *(FourAt *)(to + to_line) = __builtin_shuffle(ab_low, cd_low, second);
    *(FourAt *)(to + 2 * to_line) = __builtin_shuffle(ab_high, cd_high, first);
    *(FourAt *)(to + 3 * to_line) = __builtin_shuffle(ab_high, cd_high, second);
}

void KERNEL(winograd_filter_turned)(const float *weights, int in, int out, int block, int from, int to, Spectrum u)
{
    const int width = block_width(out, block);
    const size_t stride = frequency_stride((size_t)in, width);
    float taps[TAPS][GROUP][VECTOR] __attribute__((aligned(64)));
    for (int lane = 0; lane < width; lane += VECTOR)
        for (int c = from; c < to; c += GROUP) {
            for (int tap = 0; tap < TAPS; tap++) {
                const float *source = weights + ((ptrdiff_t)(TAPS - 1 - tap) * out + block * BLOCK + lane) * in + c;
                for (int i = 0; i < VECTOR && c + 2 * GROUP < to; i++)
                    __builtin_prefetch(source + (ptrdiff_t)i * in + 2 * GROUP, 0, 2);
                for (int i = 0; i < VECTOR; i += 4)
                    for (int j = 0; j < GROUP; j += 4)
                        transpose_four(source + (ptrdiff_t)i * in + j, in, &taps[tap][j][i], VECTOR);
            }
            for (int j = 0; j < GROUP; j++)
                filter_transform(taps[0][j], GROUP * VECTOR, (float *)u.words + (size_t)(c + j) * (size_t)width + (size_t)lane,
                                 stride);
        }
}

void KERNEL(winograd_filter_gradient)(const float *du, int parts, size_t part, int in, int out, int block, int from,
                                      int stream, float *dweights)
{
    const int width = block_width(out, block);
    const size_t stride = (size_t)GROUP * (size_t)width, tap = (size_t)in * (size_t)out;
    for (int c = 0; c < GROUP; c++)
        for (int lane = 0; lane < width; lane += VECTOR) {
            Vector rows[3][PATCH];
            for (int j = 0; j < PATCH; j++) {
                Vector t[PATCH], g[3];
                for (int i = 0; i < PATCH; i++) {
                    const float *at = du + (size_t)(i * PATCH + j) * stride + (size_t)(c * width + lane);
                    t[i] = vector_load(at);
                    for (int p = 1; p < parts; p++)
                        t[i] += vector_load(at + (size_t)p * part);
                }
                points_filter_gradient(t, g);
                for (int i = 0; i < 3; i++)
                    rows[i][j] = g[i];
            }
            float *to = dweights + (size_t)(from + c) * (size_t)out + (size_t)(block * BLOCK + lane);
            for (int i = 0; i < 3; i++) {
                Vector g[3];
                points_filter_gradient(rows[i], g);
                for (int j = 0; j < 3; j++)
                    vector_put(to + (size_t)(3 * i + j) * tap, g[j], stream);
            }
        }
    vector_puts_end(stream);
}
