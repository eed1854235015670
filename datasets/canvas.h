/* canvas.h - one image while it is augmented: bytes in planes, and room for the next picture.
 *
 * Bytes, not floats: a quarter of the memory, the pictures of PIL exactly, and no step can leave the range of pixels.
 * Operations here are functions of their arguments alone; what is drawn at random is drawn in steps*.c. */

#ifndef CONVZOO_CANVAS_H
#define CONVZOO_CANVAS_H

#include "dataset.h"
#include "image.h"
#include "random.h"

enum { CANVAS_MOST_BLUR = 8 };      /* pixels of standard deviation */

typedef struct Box { int y, x, height, width; } Box;

typedef enum { PAD_mean, PAD_reflect, PAD_edge } CanvasPadding;      /* what comes in from outside; reflect: but for the edge itself */
typedef enum { FILL_mean, FILL_colour, FILL_noise } CanvasFill;

typedef struct Canvas {
    ImageSize size;
    uint8_t  *pixels;                              /* channels x height x width */
    uint8_t  *spare;                               /* as many, for an operation that needs the old picture to make the new one */
    uint8_t  *kept;                                /* as many, for a step that begins with the same picture several times */
    float    *sums;                                /* as many, for a step that adds pictures up */
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

/* Place i of a line of n pixels that is mirrored at its first and at its last one, again and again. */
static inline int place_mirrored(int i, int n)
{
    const int period = n > 1 ? 2 * (n - 1) : 1, within = (i < 0 ? -i : i) % period;
    return within < n ? within : period - within;
}

/* What of the box lies within an image; nothing of it: an empty one. */
Box box_within(Box box, ImageSize size);

/* ---- canvas_place.c ---- */

/* Pixel (y, x) comes from (y + dy, x + dx). */
void canvas_shift(Canvas *canvas, int dy, int dx, CanvasPadding padding);
/* Left becomes right; upside becomes down. */
void canvas_mirror(Canvas *canvas);
void canvas_turn_over(Canvas *canvas);

/* ---- canvas_warp.c: between pixels bilinear, as PIL; the mean from outside ---- */

/* Anticlockwise, around the middle. */
void canvas_rotate(Canvas *canvas, float degrees);
/* Pixel (y, x) comes from (y + down x, x + across y): PIL's and AutoAugment's shear, fixed at the upper left. */
void canvas_shear(Canvas *canvas, float across, float down);
/* By parts of a pixel. */
void canvas_translate(Canvas *canvas, float down, float right);
/* The box alone, as large as the picture: PIL's crop and resize. */
void canvas_enlarge(Canvas *canvas, Box box);

/* ---- canvas_colour.c: factor 1 changes nothing, 0 leaves black, the mean grey, or grey; as PIL's ImageEnhance ---- */

void canvas_brightness(Canvas *canvas, float factor);
void canvas_contrast(Canvas *canvas, float factor);
void canvas_saturation(Canvas *canvas, float factor);
/* turn: -0.5 .. 0.5 of the circle of colours. */
void canvas_hue(Canvas *canvas, float turn);
/* All channels become the luminance. */
void canvas_grey(Canvas *canvas);
/* Of two pictures: x = spare + factor (x - spare). */
void canvas_blend(Canvas *canvas, float factor);

/* ---- canvas_tone.c: as PIL's ImageOps ---- */

void canvas_invert(Canvas *canvas);
/* The upper bits of every level are kept, 0 to 8 of them. */
void canvas_posterize(Canvas *canvas, int bits);
/* Levels from the threshold on are inverted. */
void canvas_solarize(Canvas *canvas, int threshold);
/* `add` to every level below 128. */
void canvas_solarize_add(Canvas *canvas, int add);
/* All levels about equally often, in each channel. */
void canvas_equalize(Canvas *canvas);
/* The darkest becomes 0 and the lightest 255, in each channel. */
void canvas_autocontrast(Canvas *canvas);

/* ---- canvas_filter.c ---- */

/* factor 0: PIL's SMOOTH; 1: as it is; 2: sharper. */
void canvas_sharpness(Canvas *canvas, float factor);
/* By a Gaussian of this standard deviation in pixels, cut off at three of them; edges are mirrored. */
void canvas_blur(Canvas *canvas, float deviation);
/* Adds noise of this standard deviation in levels; nearly normal: it ends at 3.46 of them. */
void canvas_noise(Canvas *canvas, float deviation, Random *random);
/* A box, which lies inside, becomes the mean; one colour; or noise, both of the training images' mean and standard deviation. */
void canvas_fill(Canvas *canvas, Box box, CanvasFill fill, Random *random);

#endif
