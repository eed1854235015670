/* canvas_colour.c - brightness, contrast, saturation, hue and grey, as PIL's ImageEnhance and its HSV give them; see canvas.h.
 * Colours need three channels: grey pictures stay as they are. */

#include "canvas.h"

#include <string.h>

/* x = to + factor (x - to), cut off at 0 and 255 */
static inline uint8_t blended(uint8_t x, uint8_t to, float factor)
{
    const float value = (float)to + factor * (float)(x - to);
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void canvas_blend(Canvas *canvas, float factor)
{
    const size_t bytes = canvas_bytes(canvas);
    uint8_t *restrict pixels = canvas->pixels;
    const uint8_t *restrict to = canvas->spare;
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = blended(pixels[i], to[i], factor);
}

static void canvas_blend_level(Canvas *canvas, uint8_t level, float factor)
{
    const size_t bytes = canvas_bytes(canvas);
    uint8_t *restrict pixels = canvas->pixels;
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = blended(pixels[i], level, factor);
}

/* Luminance of every pixel (ITU-R 601, rounded as PIL does) into the first plane of spare. */
static void luminance(const Canvas *canvas)
{
    const size_t plane = canvas_plane(canvas);
    if (canvas->size.channels != 3) {
        memcpy(canvas->spare, canvas->pixels, plane);
        return;
    }
    const uint8_t *restrict red = canvas->pixels, *restrict green = red + plane, *restrict blue = green + plane;
    uint8_t *restrict to = canvas->spare;
    for (size_t i = 0; i < plane; i++)
        to[i] = (uint8_t)((19595u * red[i] + 38470u * green[i] + 7471u * blue[i] + 0x8000u) >> 16);
}

static void grey_planes(const Canvas *canvas)
{
    luminance(canvas);
    for (int c = 1; c < canvas->size.channels; c++)
        memcpy(canvas->spare + (size_t)c * canvas_plane(canvas), canvas->spare, canvas_plane(canvas));
}

void canvas_brightness(Canvas *canvas, float factor)
{
    canvas_blend_level(canvas, 0, factor);
}

void canvas_contrast(Canvas *canvas, float factor)
{
    const size_t plane = canvas_plane(canvas);
    uint64_t sum = 0;
    luminance(canvas);
    for (size_t i = 0; i < plane; i++)
        sum += canvas->spare[i];
    canvas_blend_level(canvas, (uint8_t)((double)sum / (double)plane + 0.5), factor);
}

void canvas_saturation(Canvas *canvas, float factor)
{
    if (canvas->size.channels != 3)
        return;
    grey_planes(canvas);
    canvas_blend(canvas, factor);
}

void canvas_grey(Canvas *canvas)
{
    if (canvas->size.channels != 3)
        return;
    grey_planes(canvas);
    canvas_swap(canvas);
}

/* ---- hue: PIL's bytes of hue, saturation and value, and back ---- */

static uint8_t byte_of(double value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void turn_pixel(uint8_t *red, uint8_t *green, uint8_t *blue, uint8_t turn)
{
    const uint8_t r = *red, g = *green, b = *blue;
    const uint8_t most = r > g ? (r > b ? r : b) : (g > b ? g : b), least = r < g ? (r < b ? r : b) : (g < b ? g : b);
    if (most == least)
        return;
    const float range = (float)(most - least);
    const float far_r = (float)(most - r) / range, far_g = (float)(most - g) / range, far_b = (float)(most - b) / range;
    const double sector = r == most ? (double)(far_b - far_g) : g == most ? 2.0 + (double)far_r - (double)far_b : 4.0 + (double)far_g - (double)far_r;
    const double turns = (double)(float)sector / 6.0 + 1.0;      /* below 2 */
    const float hue = (float)(turns < 1.0 ? turns : turns - 1.0);
    const uint8_t turned = (uint8_t)(byte_of((double)hue * 255.0) + turn), saturation = byte_of((double)(range / (float)most) * 255.0);

    const int side = (int)((double)turned * 6.0 / 255.0);
    const float within = (float)((double)turned * 6.0 / 255.0 - side), share = (float)((double)saturation / 255.0);
    const uint8_t low = byte_of((double)most * (1.0 - (double)share) + 0.5);
    const uint8_t falling = byte_of((double)most * (1.0 - (double)(share * within)) + 0.5);
    const uint8_t rising = byte_of((double)most * (1.0 - (double)share * (1.0 - (double)within)) + 0.5);
    const uint8_t sides[6][3] = {
        { most, rising, low }, { falling, most, low }, { low, most, rising }, { low, falling, most }, { rising, low, most }, { most, low, falling },
    };
    *red = sides[side % 6][0];
    *green = sides[side % 6][1];
    *blue = sides[side % 6][2];
}

void canvas_hue(Canvas *canvas, float turn)
{
    const size_t plane = canvas_plane(canvas);
    uint8_t *red = canvas->pixels, *green = red + plane, *blue = green + plane;
    for (size_t i = 0; i < plane && canvas->size.channels == 3; i++)
        turn_pixel(&red[i], &green[i], &blue[i], (uint8_t)(int)(turn * 255));
}
