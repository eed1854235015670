/* random.c - streams, normals and permutations; see random.h. */

#include "random.h"

#include <math.h>

Random random_stream(uint64_t seed, uint64_t epoch, uint64_t sample, RandomPurpose purpose)
{
    /* Each part passes through the mixer before the next joins, so that (1, 2) and (2, 1) differ. */
    uint64_t state = random_mix(seed + 0x9E3779B97F4A7C15u);
    state = random_mix(state ^ (epoch + 0xD1B54A32D192ED03u));
    state = random_mix(state ^ (sample + 0x8CB92BA72F3D8DD7u));
    state = random_mix(state ^ ((uint64_t)purpose + 0xABC98388FB8FAC03u));
    return (Random){ .state = state };
}

float random_normal(Random *random)
{
    const double u = ((double)(random_next(random) >> 11) + 0.5) * 0x1p-53;   /* never 0: log is finite */
    const double v = (double)(random_next(random) >> 11) * 0x1p-53;
    return (float)(sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
}

void random_permutation(Random *random, uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t j = random_below(random, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}
