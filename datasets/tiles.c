/* tiles.c - see tiles.h. */

#include "tiles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"

enum { GAP = 2 };      /* pixels between pictures */

Tiles tiles_new(int count, int channels, int tile_h, int tile_w, int side)
{
    Tiles t = { .channels = channels == 3 ? 3 : 1, .tile_h = tile_h, .tile_w = tile_w, .zoom = 1 };
    while (t.zoom * tile_w < side)
        t.zoom++;
    t.columns = (int)ceil(sqrt(count));
    t.rows = (count + t.columns - 1) / t.columns;
    t.h = t.rows * (tile_h * t.zoom + GAP) + GAP;
    t.w = t.columns * (tile_w * t.zoom + GAP) + GAP;
    t.pixels = allocate((size_t)t.h * (size_t)t.w, (size_t)t.channels, "pictures side by side");
    memset(t.pixels, 255, (size_t)t.h * (size_t)t.w * (size_t)t.channels);
    return t;
}

void tiles_free(Tiles *t)
{
    free(t->pixels);
    *t = (Tiles){ 0 };
}

void tiles_set(Tiles *t, int picture, int c, int y, int x, uint8_t level)
{
    const int top = picture / t->columns * (t->tile_h * t->zoom + GAP) + GAP + y * t->zoom;
    const int left = picture % t->columns * (t->tile_w * t->zoom + GAP) + GAP + x * t->zoom;
    for (int i = 0; i < t->zoom; i++)
        for (int k = 0; k < t->zoom; k++)
            t->pixels[((size_t)(top + i) * (size_t)t->w + (size_t)(left + k)) * (size_t)t->channels + (size_t)c] = level;
}
