/* tree_sum.c - see tree_sum.h. */

#include "tree_sum.h"

enum { CHUNK = 1 << 12 };      /* floats: a chunk of some blocks fits the first-level cache */

static void add(size_t count, float *restrict to, const float *restrict from)
{
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

static void take(size_t count, float *to, const float *from, float scale)
{
    for (size_t i = 0; i < count; i++)
        to[i] = scale * from[i];
}

void tree_sum(int blocks, float *const *block, size_t count, float scale, float *sum)
{
    #pragma omp parallel for schedule(static)
    for (size_t at = 0; at < count; at += CHUNK) {
        const size_t part = count - at < CHUNK ? count - at : CHUNK;
        for (int step = 1; step < blocks; step *= 2)
            for (int i = 0; i + step < blocks; i += 2 * step)
                add(part, block[i] + at, block[i + step] + at);
        take(part, sum + at, block[0] + at, scale);
    }
}
