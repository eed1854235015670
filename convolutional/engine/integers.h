/* integers.h - the smaller and the larger of two integers, and a quotient rounded up. Nothing here looks for overflow: what comes
 * from outside is checked before (sizes.h). */

#ifndef CONVZOO_INTEGERS_H
#define CONVZOO_INTEGERS_H

#include <stddef.h>

static inline int int_min(int a, int b)       { return a < b ? a : b; }
static inline int int_max(int a, int b)       { return a > b ? a : b; }
static inline int int_divide_up(int a, int b) { return (a + b - 1) / b; }

static inline size_t size_min(size_t a, size_t b)       { return a < b ? a : b; }
static inline size_t size_max(size_t a, size_t b)       { return a > b ? a : b; }
static inline size_t size_divide_up(size_t a, size_t b) { return (a + b - 1) / b; }

#endif
