/* bf16.h - bf16 numbers, the upper halves of f32's, to f32 and back. */

#ifndef CONVZOO_BF16_H
#define CONVZOO_BF16_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline float bf16_to_float(uint16_t number)
{
    const uint32_t bits = (uint32_t)number << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* To the nearest, ties to even; a NaN stays one. */
static inline uint16_t bf16_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16, quiet = (bits >> 16) | 0x40;
    return (uint16_t)((bits & 0x7FFFFFFF) > 0x7F800000 ? quiet : rounded);
}

static inline void bf16_widen(size_t count, const uint16_t *from, float *to)
{
    #pragma omp simd
    for (size_t i = 0; i < count; i++)
        to[i] = bf16_to_float(from[i]);
}

static inline void bf16_narrow(size_t count, const float *from, uint16_t *to)
{
    #pragma omp simd
    for (size_t i = 0; i < count; i++)
        to[i] = bf16_from_float(from[i]);
}

#endif
