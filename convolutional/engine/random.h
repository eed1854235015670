/* random.h - counter-based random numbers.
 *
 * A stream is a pure function of (seed, epoch, sample, purpose): order, augmentation and dropout
 * need no state in a checkpoint and do not depend on threads. The generator is SplitMix64
 * (Steele, Lea and Flood, 2014), whose state is a counter. */

#ifndef CONVZOO_RANDOM_H
#define CONVZOO_RANDOM_H

#include <stdint.h>

typedef enum {
    RANDOM_init, RANDOM_split, RANDOM_shuffle, RANDOM_augment, RANDOM_dropout, RANDOM_shapes,
    RANDOM_step, RANDOM_sample,      /* of an augmentation's step; the same without the epoch */
} RandomPurpose;

typedef struct { uint64_t state; } Random;

/* The stream of one consumer. Two different keys give independent streams. */
Random random_stream(uint64_t seed, uint64_t epoch, uint64_t sample, RandomPurpose purpose);

/* SplitMix64's output function: a bijection that scatters every bit of x. */
static inline uint64_t random_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* A stream of its own for each key, from one that nothing was drawn from. */
static inline Random random_branch(Random stream, uint64_t key)
{
    return (Random){ .state = random_mix(stream.state ^ (key + 0xC2B2AE3D27D4EB4Fu)) };
}

static inline uint64_t random_next(Random *random)
{
    return random_mix(random->state += 0x9E3779B97F4A7C15u);
}

/* Uniform in [0, 1), 24 bits. */
static inline float random_uniform(Random *random)
{
    return (float)(random_next(random) >> 40) * 0x1p-24f;
}

/* Uniform in 0 .. bound-1, bound > 0 (Lemire's multiply-shift; bias below 2^-32). */
static inline uint32_t random_below(Random *random, uint32_t bound)
{
    return (uint32_t)(((random_next(random) >> 32) * bound) >> 32);
}

/* Standard normal (Box and Muller, 1958). */
float random_normal(Random *random);

/* order[0..count-1] becomes a random permutation of 0..count-1 (Fisher and Yates). */
void random_permutation(Random *random, uint32_t *order, uint32_t count);

#endif
