/* mix.c - MixUp (Zhang et al., 2017, arXiv:1710.09412) and CutMix (Yun et al., 2019, arXiv:1905.04899); see mix.h. */

#include "mix.h"

#include <math.h>

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

static void floats_swap(float *restrict a, float *restrict b, int count)
{
    for (int k = 0; k < count; k++) {
        const float first = a[k];
        a[k] = b[k];
        b[k] = first;
    }
}

/* The two images of a pair change what they have in the box: each gets the other's unmixed pixels. */
static void images_swap(float *a, float *b, ImageSize size, Box box)
{
    for (int c = 0; c < size.channels; c++)
        for (int y = box.y; y < box.y + box.height; y++) {
            const size_t at = ((size_t)c * (size_t)size.height + (size_t)y) * (size_t)size.width + (size_t)box.x;
            floats_swap(a + at, b + at, box.width);
        }
}

/* A box of 1 - share of the area and of the image's shape, around a pixel drawn at random; what lies outside is cut off. */
static Box draw_box(ImageSize size, float share, Random *random)
{
    const float side = sqrtf(1 - share);
    const int height = (int)((float)size.height * side), width = (int)((float)size.width * side);
    const int y = (int)random_below(random, (uint32_t)size.height) - height / 2, x = (int)random_below(random, (uint32_t)size.width) - width / 2;
    return box_within((Box){ y, x, height, width }, size);
}

void mix_cutmix(MixedBatch *batch, const Step *step, Random *random)
{
    const Box box = draw_box(batch->size, random_beta(random, step->numbers[0]), random);
    const size_t size = image_elements(batch);
    for (int i = 0; i < batch->count / 2; i++)
        images_swap(batch->images + (size_t)i * size, batch->images + (size_t)(batch->count - 1 - i) * size, batch->size, box);
    const double area = (double)batch->size.height * batch->size.width;
    set_shares(batch, (float)(1 - (double)box.height * box.width / area));
}
