/* winograd_filter.c - Winograd transforms of filters, and of their gradient back.
 *
 * Weights are [3][3][in][out]; U keeps the output channels of a block together, which is what the product reads. */

#include "winograd_taps.h"

/* Input channels that weights are fetched ahead: a block's lines are too far apart for the processor to foresee. */
enum { AHEAD = 4 };

static inline void spectrum_store(Vector spectrum[PATCH][PATCH], float *u, size_t stride)
{
    for (int i = 0; i < PATCH; i++)
        for (int j = 0; j < PATCH; j++)
            vector_store(u + (size_t)(i * PATCH + j) * stride, spectrum[i][j]);
}

void KERNEL(winograd_filter)(const float *weights, int in, int out, int block, int from, int to, Spectrum u)
{
    const int width = block_width(out, block);
    const size_t stride = frequency_stride((size_t)in, width);
    for (int c = from; c < to; c++) {
        for (int tap = 0; tap < TAPS && c + AHEAD < to; tap++)
            for (int lane = 0; lane < width; lane += GROUP)
                __builtin_prefetch(weights + ((ptrdiff_t)tap * in + c + AHEAD) * out + block * BLOCK + lane, 0, 2);
        for (int lane = 0; lane < width; lane += VECTOR) {
            Vector spectrum[PATCH][PATCH];
            filter_spectrum(weights + (ptrdiff_t)c * out + block * BLOCK + lane, (ptrdiff_t)in * out, spectrum);
            spectrum_store(spectrum, (float *)u.words + (size_t)c * (size_t)width + (size_t)lane, stride);
        }
    }
}

void KERNEL(winograd_filter_turned)(const float *weights, int in, int out, int block, int from, int to, Spectrum u)
{
    const int width = block_width(out, block);
    const size_t stride = frequency_stride((size_t)in, width);
    float taps[TAPS][GROUP][VECTOR] __attribute__((aligned(64)));
    for (int lane = 0; lane < width; lane += VECTOR)
        for (int c = from; c < to; c += GROUP) {
            taps_turned(weights, in, out, block * BLOCK + lane, c, to, taps);
            for (int j = 0; j < GROUP; j++) {
                Vector spectrum[PATCH][PATCH];
                filter_spectrum(taps[0][j], GROUP * VECTOR, spectrum);
                spectrum_store(spectrum, (float *)u.words + (size_t)(c + j) * (size_t)width + (size_t)lane, stride);
            }
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
