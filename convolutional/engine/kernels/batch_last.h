/* batch_last.h - what the kernels on kernels.h's batch-last layout share: a pixel is the vector of BATCH_LANES images. */

#ifndef CONVZOO_BATCH_LAST_H
#define CONVZOO_BATCH_LAST_H

#include "integers.h"
#include "isa.h"

typedef float Images __attribute__((vector_size(BATCH_LANES * sizeof(float)), aligned(4), may_alias));
typedef int   ImagesMask __attribute__((vector_size(BATCH_LANES * sizeof(float))));

static inline Images images_load(const float *from)          { return *(const Images *)from; }
static inline void  images_store(float *to, Images value)    { *(Images *)to = value; }
static inline Images images_all(float value)                 { return value - (Images){0}; }

/* a where the mask is set, b elsewhere. */
static inline Images images_choose(ImagesMask mask, Images a, Images b)
{
    return (Images)((mask & (ImagesMask)a) | (~mask & (ImagesMask)b));
}

/* Always added in the same order. */
static inline float images_sum(Images v)
{
    float half[BATCH_LANES / 2];
    for (int i = 0; i < BATCH_LANES / 2; i++)
        half[i] = v[i] + v[i + BATCH_LANES / 2];
    return ((half[0] + half[4]) + (half[2] + half[6])) + ((half[1] + half[5]) + (half[3] + half[7]));
}

/* The most output channels, up to `most`, that a tile can have without a rest. */
static inline int tile_channels(int out, int most)
{
    int channels = int_min(out, most);
    while (out % channels)
        channels--;
    return channels;
}

#endif
