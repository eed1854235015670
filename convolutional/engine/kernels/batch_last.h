/* batch_last.h - what the kernels on kernels.h's batch-last layout share: a pixel is the vector of BATCH_LANES images. */

#ifndef CONVZOO_BATCH_LAST_H
#define CONVZOO_BATCH_LAST_H

#include "isa.h"

typedef float Lanes __attribute__((vector_size(BATCH_LANES * sizeof(float)), aligned(4), may_alias));
typedef int   LanesMask __attribute__((vector_size(BATCH_LANES * sizeof(float))));

static inline Lanes lanes_load(const float *from)          { return *(const Lanes *)from; }
static inline void  lanes_store(float *to, Lanes value)    { *(Lanes *)to = value; }
static inline Lanes lanes_all(float value)                 { return value - (Lanes){0}; }

/* a where the mask is set, b elsewhere. */
static inline Lanes lanes_choose(LanesMask mask, Lanes a, Lanes b)
{
    return (Lanes)((mask & (LanesMask)a) | (~mask & (LanesMask)b));
}

/* Always added in the same order. */
static inline float lanes_sum(Lanes v)
{
    float half[BATCH_LANES / 2];
    for (int i = 0; i < BATCH_LANES / 2; i++)
        half[i] = v[i] + v[i + BATCH_LANES / 2];
    return ((half[0] + half[4]) + (half[2] + half[6])) + ((half[1] + half[5]) + (half[3] + half[7]));
}

/* The most output channels, up to `most`, that a tile can have without a rest. */
static inline int tile_channels(int out, int most)
{
    int channels = out < most ? out : most;
    while (out % channels)
        channels--;
    return channels;
}

#endif
