/* canvas_place.c - a picture moved or mirrored, pixel for pixel; see canvas.h. */

#include "canvas.h"

#include <string.h>

static int limited(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

void canvas_shift(Canvas *canvas, int dy, int dx)
{
    const int height = canvas->size.height, width = canvas->size.width;
    const int first = limited(-dx, 0, width), end = limited(width - dx, first, width);
    for (int c = 0; c < canvas->size.channels; c++) {
        const uint8_t *from = canvas->pixels + (size_t)c * canvas_plane(canvas);
        uint8_t *to = canvas->spare + (size_t)c * canvas_plane(canvas);
        for (int y = 0; y < height; y++, to += width) {
            memset(to, canvas->mean[c], (size_t)width);
            if (y + dy >= 0 && y + dy < height && end > first)
                memcpy(to + first, from + (size_t)(y + dy) * (size_t)width + first + dx, (size_t)(end - first));
        }
    }
    canvas_swap(canvas);
}

void canvas_mirror(Canvas *canvas)
{
    const size_t width = (size_t)canvas->size.width, bytes = canvas_bytes(canvas);
    for (size_t row = 0; row < bytes; row += width)
        for (size_t x = 0; x < width; x++)
            canvas->spare[row + x] = canvas->pixels[row + width - 1 - x];
    canvas_swap(canvas);
}
