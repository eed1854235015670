/* canvas_tone.c - one level for another, the same in all of a plane: as PIL's ImageOps; see canvas.h. */

#include "canvas.h"

enum { LEVELS = 256 };

static void plane_look_up(uint8_t *plane, size_t count, const uint8_t *levels)
{
    for (size_t i = 0; i < count; i++)
        plane[i] = levels[plane[i]];
}

static void plane_histogram(const uint8_t *plane, size_t count, uint32_t *histogram)
{
    for (int i = 0; i < LEVELS; i++)
        histogram[i] = 0;
    for (size_t i = 0; i < count; i++)
        histogram[plane[i]]++;
}

void canvas_invert(Canvas *canvas)
{
    const size_t bytes = canvas_bytes(canvas);
    uint8_t *restrict pixels = canvas->pixels;
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (uint8_t)(255 - pixels[i]);
}

void canvas_posterize(Canvas *canvas, int bits)
{
    const size_t bytes = canvas_bytes(canvas);
    uint8_t *restrict pixels = canvas->pixels;
    const uint8_t kept = (uint8_t)(0xFF00 >> bits);
    for (size_t i = 0; i < bytes; i++)
        pixels[i] &= kept;
}

void canvas_solarize(Canvas *canvas, int threshold)
{
    const size_t bytes = canvas_bytes(canvas);
    uint8_t *restrict pixels = canvas->pixels;
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = pixels[i] < threshold ? pixels[i] : (uint8_t)(255 - pixels[i]);
}

void canvas_solarize_add(Canvas *canvas, int add)
{
    const size_t bytes = canvas_bytes(canvas);
    uint8_t *restrict pixels = canvas->pixels;
    for (size_t i = 0; i < bytes; i++) {
        const int sum = pixels[i] + add;
        pixels[i] = pixels[i] >= 128 ? pixels[i] : (uint8_t)(sum > 255 ? 255 : sum);
    }
}

static void plane_equalize(uint8_t *plane, size_t count)
{
    uint32_t histogram[LEVELS];
    uint8_t levels[LEVELS];
    plane_histogram(plane, count, histogram);
    int last = LEVELS - 1, different = 0;
    while (!histogram[last])
        last--;
    for (int i = 0; i < LEVELS; i++)
        different += histogram[i] > 0;
    const uint32_t step = (uint32_t)((count - histogram[last]) / 255);
    if (different < 2 || step == 0)
        return;
    uint32_t below = step / 2;
    for (int i = 0; i < LEVELS; i++) {
        const uint32_t level = below / step;
        levels[i] = (uint8_t)(level > 255 ? 255 : level);
        below += histogram[i];
    }
    plane_look_up(plane, count, levels);
}

void canvas_equalize(Canvas *canvas)
{
    const size_t plane = canvas_plane(canvas);
    for (int c = 0; c < canvas->size.channels; c++)
        plane_equalize(canvas->pixels + (size_t)c * plane, plane);
}

static void plane_stretch(uint8_t *plane, size_t count)
{
    uint8_t levels[LEVELS], low = 255, high = 0;
    for (size_t i = 0; i < count; i++) {
        low = plane[i] < low ? plane[i] : low;
        high = plane[i] > high ? plane[i] : high;
    }
    if (high <= low)
        return;
    const double scale = 255.0 / (high - low), offset = -low * scale;
    for (int i = 0; i < LEVELS; i++) {
        const double level = i * scale + offset;
        levels[i] = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
    }
    plane_look_up(plane, count, levels);
}

void canvas_autocontrast(Canvas *canvas)
{
    const size_t plane = canvas_plane(canvas);
    for (int c = 0; c < canvas->size.channels; c++)
        plane_stretch(canvas->pixels + (size_t)c * plane, plane);
}
