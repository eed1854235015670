/* canvas_place.c - a picture moved or mirrored, pixel for pixel; see canvas.h. */

#include "canvas.h"

#include <string.h>

/* The pixel of a line of n that stands at place i; -1: none, the mean. */
static int source_of(int i, int n, CanvasPadding padding)
{
    if (i >= 0 && i < n)
        return i;
    return padding == PAD_mean ? -1 : padding == PAD_edge ? limited(i, 0, n - 1) : place_mirrored(i, n);
}

/* Pixels begin .. end - 1 of a row, which come from outside. */
static void row_edges(const uint8_t *from, uint8_t *to, int begin, int end, int width, int dx, CanvasPadding padding, uint8_t mean)
{
    for (int x = begin; x < end; x++) {
        const int source = source_of(x + dx, width, padding);
        to[x] = source < 0 ? mean : from[source];
    }
}

static void row_shift(const uint8_t *from, uint8_t *to, int width, int dx, CanvasPadding padding, uint8_t mean)
{
    const int first = limited(-dx, 0, width), end = limited(width - dx, first, width);
    if (end > first)
        memcpy(to + first, from + first + dx, (size_t)(end - first));
    row_edges(from, to, 0, first, width, dx, padding, mean);
    row_edges(from, to, end, width, width, dx, padding, mean);
}

void canvas_shift(Canvas *canvas, int dy, int dx, CanvasPadding padding)
{
    const int height = canvas->size.height, width = canvas->size.width;
    for (int c = 0; c < canvas->size.channels; c++) {
        const uint8_t *from = canvas->pixels + (size_t)c * canvas_plane(canvas);
        uint8_t *to = canvas->spare + (size_t)c * canvas_plane(canvas);
        for (int y = 0; y < height; y++, to += width) {
            const int source = source_of(y + dy, height, padding);
            if (source < 0)
                memset(to, canvas->mean[c], (size_t)width);
            else
                row_shift(from + (size_t)source * (size_t)width, to, width, dx, padding, canvas->mean[c]);
        }
    }
    canvas_swap(canvas);
}

void canvas_mirror(Canvas *canvas)
{
    const size_t width = (size_t)canvas->size.width, bytes = canvas_bytes(canvas);
    const uint8_t *restrict from = canvas->pixels;
    uint8_t *restrict to = canvas->spare;
    for (size_t row = 0; row < bytes; row += width)
        for (size_t x = 0; x < width; x++)
            to[row + x] = from[row + width - 1 - x];
    canvas_swap(canvas);
}

void canvas_turn_over(Canvas *canvas)
{
    const size_t width = (size_t)canvas->size.width, height = (size_t)canvas->size.height, plane = canvas_plane(canvas);
    for (size_t first = 0; first < canvas_bytes(canvas); first += plane)
        for (size_t y = 0; y < height; y++)
            memcpy(canvas->spare + first + y * width, canvas->pixels + first + (height - 1 - y) * width, width);
    canvas_swap(canvas);
}
