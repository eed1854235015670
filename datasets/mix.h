/* mix.h - steps that mix the images of a batch in pairs, and their labels by the same shares.
 *
 * Image i is mixed with image count - 1 - i, as timm does it, and this one with the unmixed image i: a batch is in random order
 * anyway. One share, or one box, is drawn for a batch. The image in the middle of an odd number stays as it is. */

#ifndef CONVZOO_MIX_H
#define CONVZOO_MIX_H

#include "image.h"
#include "random.h"

typedef struct Step Step;

typedef struct MixedBatch {
    ImageSize       size;
    int             count;
    float          *images;                /* count x channels x height x width */
    const uint16_t *labels;                /* count */
    uint16_t       *others;                /* count: the label of what was mixed in */
    float          *shares;                /* count: of the first label; the other's is the rest */
} MixedBatch;

typedef void StepMix(MixedBatch *batch, const Step *step, Random *random);

#endif
