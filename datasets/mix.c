/* mix.c - MixUp (Zhang et al., 2017, arXiv:1710.09412); see mix.h. */

#include "mix.h"

#include "random_shares.h"
#include "steps.h"

static size_t image_elements(const MixedBatch *batch)
{
    return (size_t)batch->size.channels * (size_t)batch->size.height * (size_t)batch->size.width;
}

/* Every image keeps this share of itself. */
static void set_shares(MixedBatch *batch, float share)
{
    for (int i = 0; i < batch->count; i++) {
        const int other = batch->count - 1 - i;
        batch->others[i] = batch->labels[other];
        batch->shares[i] = other == i ? 1 : share;
    }
}

/* a = share a + (1 - share) b, and b likewise with the old a. */
static void images_mix(float *restrict a, float *restrict b, size_t count, float share)
{
    for (size_t k = 0; k < count; k++) {
        const float first = a[k], second = b[k];
        a[k] = share * first + (1 - share) * second;
        b[k] = share * second + (1 - share) * first;
    }
}

void mix_mixup(MixedBatch *batch, const Step *step, Random *random)
{
    const float share = random_beta(random, step->numbers[0]);
    const size_t size = image_elements(batch);
    for (int i = 0; i < batch->count / 2; i++)
        images_mix(batch->images + (size_t)i * size, batch->images + (size_t)(batch->count - 1 - i) * size, size, share);
    set_shares(batch, share);
}
