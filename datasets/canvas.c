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
    canvas->pixels = canvas->spare = NULL;
}

void canvas_load(Canvas *canvas, const uint8_t *image)
{
    memcpy(canvas->pixels, image, canvas_bytes(canvas));
}
