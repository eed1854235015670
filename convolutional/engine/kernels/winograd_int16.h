/* winograd_int16.h - Winograd products of 16-bit integers, for mixed precision.
 *
 * Processors multiply pairs of 16-bit integers at twice the rate of f32, as they do bf16, and such an integer has 15 bits where
 * bf16 has 8, if the numbers of a sum share their exponent. So V and U (V and W) are rounded to
 *
 *     q = round(value limit / bound)            bound >= norm of the values that one sum runs over
 *
 * and then no q and no sum of products can overflow: |sum q r| <= |q| |r| <= limit^2 by Cauchy and Schwarz. The bound comes
 * from the pixels or weights before the transform and from how much the transform can stretch them (frequency_norms). As far
 * as a sum of integers runs there is one bound: a tile's and a filter's for each SECTION of channels, or in the gradient of the
 * filters a channel's for each run of tiles. Such sums are added up in f32. The error is 2e-3 of the norm, that of a direct
 * convolution of bf16 numbers; bf16 here would have 1e-2, since the transform back magnifies what rounding left.
 *
 * A word holds two numbers that are multiplied one after the other: of channels c and c + 16, or of two neighbouring tiles. */

#ifndef CONVZOO_WINOGRAD_INT16_H
#define CONVZOO_WINOGRAD_INT16_H

#include "winograd.h"
#include "winograd_points.h"

#include <math.h>

enum { SECTION = 64 };      /* the longer, the fewer bits are left to each number */

static const float limit = 32000;           /* of 32767: room for what rounding adds */
static const float rounding = 12582912;     /* 1.5 * 2^23: a float that this was added to ends in its nearest integer */
static const float least_norm = 1e-18f;     /* below, squares lose their bits */

typedef uint32_t Words __attribute__((vector_size(VECTOR * sizeof(uint32_t))));
typedef uint32_t WordsAt __attribute__((vector_size(VECTOR * sizeof(uint32_t)), aligned(4), may_alias));
typedef int32_t  Sums __attribute__((vector_size(VECTOR * sizeof(int32_t))));

static inline Words words_load(const uint32_t *from)            { return *(const WordsAt *)from; }
static inline void  words_store(uint32_t *to, Words words)      { *(WordsAt *)to = words; }

/* Words of a tile's or filter's channels: the last may be without a partner. */
static inline int words_of(int channels)
{
    return int_divide_up(channels, 2 * GROUP) * GROUP;
}

static inline int sections_of(int channels)
{
    return int_divide_up(channels, SECTION);
}

/* Rounded low * scale and high * scale, a word each lane. */
static inline Words words_of_pair(Vector low, Vector high, Vector scale)
{
    const Words first = (Words)(low * scale + rounding), second = (Words)(high * scale + rounding);
    return (first & 0xFFFF) | (second << 16);
}

/* sums + both products of each lane. A NaN may have become any integer, and the sums may then overflow; that result is multiplied by
 * NaN in any case. The sums are of unsigned numbers, for which overflow is defined. */
static inline Sums words_multiply(Sums sums, Words a, Words b)
{
#if defined(__AVX512VNNI__)
    return (Sums)_mm512_dpwssd_epi32((__m512i)sums, (__m512i)a, (__m512i)b);
#elif defined(__AVX512BW__)
    return (Sums)((Words)sums + (Words)_mm512_madd_epi16((__m512i)a, (__m512i)b));
#else
    const Sums a_low = (Sums)(a << 16) >> 16, b_low = (Sums)(b << 16) >> 16, a_high = (Sums)a >> 16, b_high = (Sums)b >> 16;
    return (Sums)((Words)sums + ((Words)a_low * (Words)b_low + (Words)a_high * (Words)b_high));
#endif
}

static inline float vector_sum(Vector v)
{
    float sum = 0;
    for (int i = 0; i < VECTOR; i++)
        sum += v[i];
    return sum;
}

/* What scales numbers of that norm to the limit, and in *worth what one of them is worth then. Without any that count: 0.
 * A norm that is not finite makes *worth so, and with it the results. */
static inline float scale_of(float norm, float *worth)
{
    *worth = norm < least_norm ? 0 : norm / limit;
    return norm < least_norm ? 0 : limit / norm;
}

/* The same from the squared norms of a vector of channels or filters, at frequencies that the transform stretches by `norms`. */
static inline void scales_of(Vector squares, const float norms[FREQUENCIES], Vector scales[FREQUENCIES], float *worth)
{
    Vector scale;
    for (int i = 0; i < VECTOR; i++)
        scale[i] = scale_of(sqrtf(squares[i]), &worth[i]);
    for (int f = 0; f < FREQUENCIES; f++)
        scales[f] = scale / vector_all(norms[f]);
}

typedef void PointsTransform(const Vector *from, Vector *to);

/* By how much a transform, in both dimensions, can stretch the norm of what it reads: the norm of its row, at each frequency. */
static inline void frequency_norms(PointsTransform *transform, int inputs, float norms[FREQUENCIES])
{
    Vector squares[PATCH] = { { 0 } };
    for (int k = 0; k < inputs; k++) {
        Vector from[PATCH] = { { 0 } }, to[PATCH];
        from[k] = vector_all(1);
        transform(from, to);
        for (int i = 0; i < PATCH; i++)
            squares[i] += to[i] * to[i];
    }
    for (int f = 0; f < FREQUENCIES; f++)
        norms[f] = sqrtf(squares[f / PATCH][0] * squares[f % PATCH][0]);
}

static inline void patch_norms(float norms[FREQUENCIES])    { frequency_norms(points_patch, PATCH, norms); }
static inline void filter_norms(float norms[FREQUENCIES])   { frequency_norms(points_filter, 3, norms); }
static inline void gradient_norms(float norms[FREQUENCIES]) { frequency_norms(points_tile_gradient, TILE, norms); }

#endif
