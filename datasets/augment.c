/* augment.c - see augment.h. The loops run over blocks of constant length, which compilers turn into vector code; the last
 * block of a row overlaps the one before it, so that no row has a slow remainder. */

#include "augment.h"

#include <string.h>

enum { BLOCK = 16 };

Augment augment_draw(Random *random, int crop_pad, bool flip)
{
    const uint32_t places = 2 * (uint32_t)crop_pad + 1;
    const int dy = (int)random_below(random, places) - crop_pad;
    const int dx = (int)random_below(random, places) - crop_pad;
    return (Augment){ .dy = dy, .dx = dx, .flip = flip && random_below(random, 2) };
}

Normalise normalise_new(const float *mean, const float *std, int channels)
{
    Normalise normalise = {0};
    for (int c = 0; c < channels; c++) {
        normalise.scale[c] = (float)(1 / (255 * (double)std[c]));
        normalise.offset[c] = (float)(-(double)mean[c] / (double)std[c]);
    }
    return normalise;
}

static inline void block_forward(const uint8_t *from, float scale, float offset, float *to)
{
    for (int i = 0; i < BLOCK; i++)
        to[i] = from[i] * scale + offset;
}

static inline void block_reversed(const uint8_t *from, float scale, float offset, float *to)
{
    for (int i = 0; i < BLOCK; i++)
        to[i] = from[BLOCK - 1 - i] * scale + offset;
}

static void row_forward(const uint8_t *from, int count, float scale, float offset, float *to)
{
    if (count < BLOCK) {
        for (int i = 0; i < count; i++)
            to[i] = from[i] * scale + offset;
        return;
    }
    for (int i = 0; i < count - BLOCK; i += BLOCK)
        block_forward(from + i, scale, offset, to + i);
    block_forward(from + count - BLOCK, scale, offset, to + count - BLOCK);
}

/* to[i] is of from[count - 1 - i]. */
static void row_reversed(const uint8_t *from, int count, float scale, float offset, float *to)
{
    if (count < BLOCK) {
        for (int i = 0; i < count; i++)
            to[i] = from[count - 1 - i] * scale + offset;
        return;
    }
    for (int i = 0; i < count - BLOCK; i += BLOCK)
        block_reversed(from + count - BLOCK - i, scale, offset, to + i);
    block_reversed(from, scale, offset, to + count - BLOCK);
}

/* The crop's columns before `first` and from `end` on lie outside the image. */
static void plane_apply(const uint8_t *plane, int height, int width, float scale, float offset, Augment augment, float *out)
{
    const int first = limited(-augment.dx, 0, width), end = limited(width - augment.dx, first, width), inside = end - first;
    const int left = augment.flip ? width - end : first, right = width - left - inside;
    for (int y = 0; y < height; y++, out += width) {
        const int source = y + augment.dy;
        if (source < 0 || source >= height) {
            memset(out, 0, (size_t)width * sizeof *out);
            continue;
        }
        const uint8_t *from = plane + (size_t)source * (size_t)width + (inside ? first + augment.dx : 0);
        for (int x = 0; x < left; x++)
            out[x] = 0;
        (augment.flip ? row_reversed : row_forward)(from, inside, scale, offset, out + left);
        for (int x = 0; x < right; x++)
            out[left + inside + x] = 0;
    }
}

void augment_apply(const uint8_t *image, ImageSize size, const Normalise *normalise, Augment augment, float *out)
{
    const size_t pixels = (size_t)size.height * (size_t)size.width;
    for (int c = 0; c < size.channels; c++) {
        const uint8_t *plane = image + (size_t)c * pixels;
        if (augment.dy == 0 && augment.dx == 0 && !augment.flip)
            row_forward(plane, (int)pixels, normalise->scale[c], normalise->offset[c], out + (size_t)c * pixels);
        else
            plane_apply(plane, size.height, size.width, normalise->scale[c], normalise->offset[c], augment,
                        out + (size_t)c * pixels);
    }
}
