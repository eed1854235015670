/* augment.h - one image's way into a batch: crop, flip, normalise, in one pass.
 *
 *   out[c][y][x] = (image[c][y + dy][x' + dx] / 255 - mean[c]) / std[c]      x' = flip ? width - 1 - x : x
 *
 * and 0, the mean, where that lies outside the image: as if the normalised image had been padded with zeros by
 * crop_pad on every side and cut at a random place. */

#ifndef CONVZOO_AUGMENT_H
#define CONVZOO_AUGMENT_H

#include "image.h"
#include "random.h"

typedef struct Augment {
    int  dy, dx;            /* -crop_pad .. crop_pad */
    bool flip;
} Augment;

typedef struct Normalise {
    float scale[3], offset[3];      /* value = byte * scale + offset */
} Normalise;

/* Draws from a sample's stream. The draws of the crop do not depend on whether images are flipped. */
Augment augment_draw(Random *random, int crop_pad, bool flip);

Normalise normalise_new(const float *mean, const float *std, int channels);

void augment_apply(const uint8_t *image, ImageSize size, const Normalise *normalise, Augment augment, float *out);

#endif
