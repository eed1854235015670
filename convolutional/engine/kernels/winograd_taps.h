/* winograd_taps.h - filters on their way into Winograd's domain.
 *
 * Weights are [3][3][in][out]; a vector holds the same tap of neighbouring filters. */

#ifndef CONVZOO_WINOGRAD_TAPS_H
#define CONVZOO_WINOGRAD_TAPS_H

#include "winograd.h"
#include "winograd_points.h"

/* G g G^T of a vector of filters; their taps are `tap` floats apart. */
static inline void filter_spectrum(const float *taps, ptrdiff_t tap, Vector spectrum[PATCH][PATCH])
{
    Vector rows[PATCH][3];
    for (int j = 0; j < 3; j++) {
        const Vector g[3] = { vector_load(taps + j * tap), vector_load(taps + (3 + j) * tap), vector_load(taps + (6 + j) * tap) };
        Vector t[PATCH];
        points_filter(g, t);
        for (int i = 0; i < PATCH; i++)
            rows[i][j] = t[i];
    }
    for (int i = 0; i < PATCH; i++)
        points_filter(rows[i], spectrum[i]);
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

/* taps[k][channel][filter] of a vector of filters, turned by 180 degrees, and 16 channels from c; those up to `to` come soon. */
static inline void taps_turned(const float *weights, int in, int out, int filter, int c, int to,
                               float taps[TAPS][GROUP][VECTOR])
{
    for (int tap = 0; tap < TAPS; tap++) {
        const float *source = weights + ((ptrdiff_t)(TAPS - 1 - tap) * out + filter) * in + c;
        for (int i = 0; i < VECTOR && c + 2 * GROUP < to; i++)
            __builtin_prefetch(source + (ptrdiff_t)i * in + 2 * GROUP, 0, 2);
        for (int i = 0; i < VECTOR; i += 4)
            for (int j = 0; j < GROUP; j += 4)
                transpose_four(source + (ptrdiff_t)i * in + j, in, &taps[tap][j][i], VECTOR);
    }
}

#endif
