/* winograd_int16_filter.c - Winograd transforms of filters, rounded to 16-bit integers; see winograd_int16.h.
 *
 * U is [in / 32][16 words][width] at each frequency, what they are worth [section of in][width]: by a filter's norm over
 * the section. */

#include "winograd_int16.h"
#include "winograd_taps.h"

#include <string.h>

static inline void spectrum_store(Vector low[PATCH][PATCH], Vector high[PATCH][PATCH], const Vector scales[FREQUENCIES],
                                  uint32_t *u, size_t stride)
{
    for (int i = 0; i < PATCH; i++)
        for (int j = 0; j < PATCH; j++)
            words_store(u + (size_t)(i * PATCH + j) * stride,
                        words_of_pair(low[i][j], high[i][j], scales[i * PATCH + j]));
}

void KERNEL(winograd_int16_filter)(const float *weights, int in, int out, int block, int from, int to, Spectrum u)
{
    const int width = block_width(out, block);
    const size_t stride = frequency_stride((size_t)words_of(in), width);
    const ptrdiff_t tap = (ptrdiff_t)in * out;
    const float none[VECTOR] = { 0 };
    float norms[FREQUENCIES];
    filter_norms(norms);
    for (int lane = 0; lane < width; lane += VECTOR) {
        const float *filters = weights + block * BLOCK + lane;
        Vector squares = { 0 }, scales[FREQUENCIES], low[PATCH][PATCH], high[PATCH][PATCH];
        for (int t = 0; t < TAPS; t++)
            for (int c = from; c < to; c++) {
                const Vector w = vector_load(filters + t * tap + (ptrdiff_t)c * out);
                squares += w * w;
            }
        scales_of(squares, norms, scales, u.worth + from / SECTION * width + lane);
        for (int word = from / 2; word < words_of(to); word++) {
            const int c = word / GROUP * 2 * GROUP + word % GROUP;
            filter_spectrum(filters + (ptrdiff_t)c * out, tap, low);
            filter_spectrum(c + GROUP < in ? filters + (ptrdiff_t)(c + GROUP) * out : none, c + GROUP < in ? tap : 0, high);
            spectrum_store(low, high, scales, u.words + (size_t)word * (size_t)width + (size_t)lane, stride);
        }
    }
}

void KERNEL(winograd_int16_filter_turned)(const float *weights, int in, int out, int block, int from, int to, Spectrum u)
{
    const int width = block_width(out, block);
    const size_t stride = frequency_stride((size_t)words_of(in), width);
    float norms[FREQUENCIES], taps[SECTION / GROUP][TAPS][GROUP][VECTOR] __attribute__((aligned(64)));
    filter_norms(norms);
    for (int lane = 0; lane < width; lane += VECTOR) {
        Vector squares = { 0 }, scales[FREQUENCIES], low[PATCH][PATCH], high[PATCH][PATCH];
        const int groups = words_of(to - from) / GROUP * 2;
        for (int g = 0; g < groups; g++) {
            if (from + g * GROUP < to)
                taps_turned(weights, in, out, block * BLOCK + lane, from + g * GROUP, to, taps[g]);
            else
                memset(taps[g], 0, sizeof taps[g]);
            for (int i = 0; i < TAPS * GROUP; i++) {
                const Vector w = vector_load(taps[g][i / GROUP][i % GROUP]);
                squares += w * w;
            }
        }
        scales_of(squares, norms, scales, u.worth + from / SECTION * width + lane);
        for (int word = 0; word < groups / 2 * GROUP; word++) {
            const int g = word / GROUP * 2, j = word % GROUP;
            filter_spectrum(taps[g][0][j], GROUP * VECTOR, low);
            filter_spectrum(taps[g + 1][0][j], GROUP * VECTOR, high);
            spectrum_store(low, high, scales, u.words + (size_t)(from / 2 + word) * (size_t)width + (size_t)lane, stride);
        }
    }
}
