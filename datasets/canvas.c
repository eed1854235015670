/* canvas.c - see canvas.h. */

#include "canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Canvas canvas_new(ImageSize size, const float *mean, const float *std)
{
    CHECK(size.channels <= DATASET_MAX_CHANNELS, "%d channels", size.channels);
    Canvas canvas = { .size = size };
    canvas.pixels = allocate(canvas_bytes(&canvas), 1, "an image");
    canvas.spare = allocate(canvas_bytes(&canvas), 1, "an image");
    canvas.kept = allocate(canvas_bytes(&canvas), 1, "an image");
    canvas.sums = allocate(canvas_bytes(&canvas), sizeof *canvas.sums, "an image");
    for (int c = 0; c < size.channels; c++) {
        canvas.mean[c] = (uint8_t)lrintf(fminf(fmaxf(255 * mean[c], 0), 255));
        canvas.deviation[c] = 255 * std[c];
    }
    return canvas;
}

void canvas_free(Canvas *canvas)
{
    free(canvas->pixels);
    free(canvas->spare);
    free(canvas->kept);
    free(canvas->sums);
    *canvas = (Canvas){ 0 };
}

void canvas_load(Canvas *canvas, const uint8_t *image)
{
    memcpy(canvas->pixels, image, canvas_bytes(canvas));
}

Box box_within(Box box, ImageSize size)
{
    const int top = limited(box.y, 0, size.height), bottom = limited(box.y + box.height, top, size.height);
    const int left = limited(box.x, 0, size.width), right = limited(box.x + box.width, left, size.width);
    return (Box){ top, left, bottom - top, right - left };
}
