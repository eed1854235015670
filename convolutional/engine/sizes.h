/* sizes.h - arithmetic on sizes that come from outside, overflow-checked.
 *
 * Each function stores the result and returns true, or returns false and stores nothing useful. */

#ifndef CONVZOO_SIZES_H
#define CONVZOO_SIZES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool size_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

static inline bool size_multiply(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

/* The next multiple of `unit`, a power of two. */
static inline bool size_round_up(size_t size, size_t unit, size_t *rounded)
{
    if (!size_add(size, unit - 1, rounded))
        return false;
    *rounded &= ~(unit - 1);
    return true;
}

/* dims[0] * ... * dims[rank-1] * unit; negative dimensions are refused. */
static inline bool size_of_dims(const int64_t *dims, int rank, size_t unit, size_t *bytes)
{
    *bytes = unit;
    for (int i = 0; i < rank; i++)
        if (dims[i] < 0 || !size_multiply(*bytes, (size_t)dims[i], bytes))
            return false;
    return true;
}

#endif
