/* canvas.h - one image while it is augmented: bytes in planes, and room for the next picture.
 *
 * Bytes, not floats: a quarter of the memory, the pictures of PIL exactly, and no step can leave the range of pixels.
 * Operations here are functions of their arguments alone; what is drawn at random is drawn in steps*.c. */

#ifndef CONVZOO_CANVAS_H
#define CONVZOO_CANVAS_H

#include "dataset.h"
#include "image.h"

typedef struct Canvas {
    ImageSize size;
    uint8_t  *pixels;                              /* channels x height x width */
    uint8_t  *spare;                               /* as many, for an operation that needs the old picture to make the new one */
    uint8_t   mean[DATASET_MAX_CHANNELS];          /* what stands where no picture is: the training images' mean */
    float     deviation[DATASET_MAX_CHANNELS];     /* and their standard deviation, in levels of 0..255 */
} Canvas;

/* mean and std: of each channel, for pixels in 0..1. */
Canvas canvas_new(ImageSize size, const float *mean, const float *std);
void   canvas_free(Canvas *canvas);

void canvas_load(Canvas *canvas, const uint8_t *image);

/* Bytes of a plane, and of the picture. */
static inline size_t canvas_plane(const Canvas *canvas)
{
    return (size_t)canvas->size.height * (size_t)canvas->size.width;
}

static inline size_t canvas_bytes(const Canvas *canvas)
{
    return (size_t)canvas->size.channels * canvas_plane(canvas);
}

/* spare becomes the picture. */
static inline void canvas_swap(Canvas *canvas)
{
    uint8_t *before = canvas->pixels;
    canvas->pixels = canvas->spare;
    canvas->spare = before;
}

/* ---- canvas_place.c ---- */

/* Pixel (y, x) comes from (y + dy, x + dx), the mean from outside. */
void canvas_shift(Canvas *canvas, int dy, int dx);
/* Left becomes right. */
void canvas_mirror(Canvas *canvas);

#endif
