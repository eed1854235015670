/* canvas_filter.c - each pixel from its neighbours: sharpness as PIL's ImageEnhance, blur by a Gaussian; and noise. See canvas.h. */

#include "canvas.h"

#include <math.h>
#include <string.h>

/* The mean of a pixel, five times, and its eight neighbours; pixels at the edges stay. */
static void plane_smooth(const uint8_t *from, uint8_t *to, int height, int width)
{
    memcpy(to, from, (size_t)height * (size_t)width);
    for (int y = 1; y + 1 < height; y++) {
        const uint8_t *at = from + (size_t)y * (size_t)width, *above = at - width, *below = at + width;
        for (int x = 1; x + 1 < width; x++) {
            const unsigned sum = above[x - 1] + above[x] + above[x + 1] + at[x - 1] + 5u * at[x] + at[x + 1] + below[x - 1] + below[x] + below[x + 1];
            to[(size_t)y * (size_t)width + (size_t)x] = (uint8_t)((2 * sum + 13) / 26);
        }
    }
}

void canvas_sharpness(Canvas *canvas, float factor)
{
    const size_t plane = canvas_plane(canvas);
    for (int c = 0; c < canvas->size.channels; c++)
        plane_smooth(canvas->pixels + (size_t)c * plane, canvas->spare + (size_t)c * plane, canvas->size.height, canvas->size.width);
    canvas_blend(canvas, factor);
}

/* ---- blur ---- */

enum { MOST_RADIUS = 3 * CANVAS_MOST_BLUR };

/* Every pixel of a line, `step` bytes apart, from its 2 radius + 1 neighbours along it. */
static void line_filter(const uint8_t *from, uint8_t *to, int count, size_t step, const float *weights, int radius)
{
    enum { BLOCK = 256 };
    float line[BLOCK + 2 * MOST_RADIUS], sums[BLOCK];
    for (int first = 0; first < count; first += BLOCK) {
        const int block = count - first < BLOCK ? count - first : BLOCK;
        for (int j = 0; j < block + 2 * radius; j++) {
            const int i = first + j - radius;
            line[j] = from[(size_t)(i >= 0 && i < count ? i : place_mirrored(i, count)) * step];
        }
        for (int i = 0; i < block; i++)
            sums[i] = 0.5f;
        for (int k = 0; k <= 2 * radius; k++)
            for (int i = 0; i < block; i++)
                sums[i] += weights[k] * line[i + k];
        for (int i = 0; i < block; i++)
            to[(size_t)(first + i) * step] = sums[i] < 255 ? (uint8_t)sums[i] : 255;
    }
}

static int gauss_weights(float deviation, float *weights)
{
    const int radius = (int)ceilf(3 * deviation);
    double sum = 0;
    for (int k = -radius; k <= radius; k++)
        sum += exp(-0.5 * k * k / ((double)deviation * (double)deviation));
    for (int k = -radius; k <= radius; k++)
        weights[k + radius] = (float)(exp(-0.5 * k * k / ((double)deviation * (double)deviation)) / sum);
    return radius;
}

void canvas_blur(Canvas *canvas, float deviation)
{
    float weights[2 * MOST_RADIUS + 1];
    if (!(deviation > 0))
        return;
    CHECK(deviation <= CANVAS_MOST_BLUR, "a blur of %g pixels", (double)deviation);
    const int radius = gauss_weights(deviation, weights), height = canvas->size.height, width = canvas->size.width;
    for (int c = 0; c < canvas->size.channels; c++) {
        uint8_t *pixels = canvas->pixels + (size_t)c * canvas_plane(canvas), *spare = canvas->spare + (size_t)c * canvas_plane(canvas);
        for (int y = 0; y < height; y++)
            line_filter(pixels + (size_t)y * (size_t)width, spare + (size_t)y * (size_t)width, width, 1, weights, radius);
        for (int x = 0; x < width; x++)
            line_filter(spare + x, pixels + x, height, (size_t)width, weights, radius);
    }
}

/* ---- noise ---- */

/* Nearly normal, of deviation 1: the sum of four uniform numbers of 16 bits, which ends at 3.46. */
static inline float nearly_normal(Random *random)
{
    const uint64_t bits = random_next(random);
    const uint32_t sum = (uint32_t)(bits & 0xFFFF) + (uint32_t)(bits >> 16 & 0xFFFF) + (uint32_t)(bits >> 32 & 0xFFFF) + (uint32_t)(bits >> 48);
    return ((float)sum * 0x1p-16f - 2.0f + 0x1p-15f) * 1.7320508f;
}

static inline uint8_t level_of(float value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value + 0.5f);
}

void canvas_noise(Canvas *canvas, float deviation, Random *random)
{
    const size_t bytes = canvas_bytes(canvas);
    uint8_t *pixels = canvas->pixels;
    Random own = *random;                                     /* for all that a compiler knows, a byte written might be part of *random */
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = level_of((float)pixels[i] + deviation * nearly_normal(&own));
    *random = own;
}

void canvas_fill(Canvas *canvas, Box box, CanvasFill fill, Random *random)
{
    for (int c = 0; c < canvas->size.channels; c++) {
        const float mean = canvas->mean[c], deviation = canvas->deviation[c];
        const uint8_t level = fill == FILL_colour ? level_of(mean + deviation * nearly_normal(random)) : canvas->mean[c];
        for (int y = box.y; y < box.y + box.height; y++) {
            uint8_t *row = canvas->pixels + (size_t)c * canvas_plane(canvas) + (size_t)y * (size_t)canvas->size.width + box.x;
            memset(row, level, (size_t)box.width);
            for (int x = 0; x < box.width && fill == FILL_noise; x++)
                row[x] = level_of(mean + deviation * nearly_normal(random));
        }
    }
}
