/* batch_last.h - what the kernels on kernels.h's batch-last layout share.
 *
 * A pixel is that of BATCH_LANES images, a group. Narrower vectors work through a group in parts of VECTOR images. */

#ifndef CONVZOO_BATCH_LAST_H
#define CONVZOO_BATCH_LAST_H

#include "integers.h"
#include "isa.h"

enum { PARTS = BATCH_LANES / VECTOR };

/* Always added in the same order. */
static inline float vector_sum(Vector v)
{
    for (int half = VECTOR / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            v[i] += v[i + half];
    return v[0];
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
