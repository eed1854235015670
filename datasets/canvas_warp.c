/* canvas_warp.c - rotated, sheared, moved by parts of a pixel, cut out and enlarged: each new pixel looked up in the old picture
 * between its four neighbours, as PIL's Image.transform(AFFINE, BILINEAR) does it; see canvas.h. */

#include "canvas.h"

#include <math.h>

/* Where the new pixels' middles lie: x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5]. */
typedef struct Affine { double m[6]; } Affine;

/* A place between four pixels. */
typedef struct Place {
    size_t upper_left, upper_right, lower_left, lower_right;
    float  across, down;
} Place;

/* floorf() is a call where the instruction set has no rounding. */
static inline int floor_of(float x)
{
    const int towards_zero = (int)x;
    return towards_zero - (x < (float)towards_zero);
}

/* The four around (y, x), given as if pixels were points; beyond the box `bounds` the pixels of its edge go on. */
static inline Place place_of(float y, float x, Box bounds, int width)
{
    const int above = floor_of(y), before = floor_of(x);
    const int last_y = bounds.y + bounds.height - 1, last_x = bounds.x + bounds.width - 1;
    const size_t top = (size_t)limited(above, bounds.y, last_y) * (size_t)width;
    const size_t bottom = (size_t)limited(above + 1, bounds.y, last_y) * (size_t)width;
    const size_t left = (size_t)limited(before, bounds.x, last_x), right = (size_t)limited(before + 1, bounds.x, last_x);
    return (Place){ top + left, top + right, bottom + left, bottom + right, x - (float)before, y - (float)above };
}

static inline float place_value(const uint8_t *plane, const Place *place)
{
    const float upper = plane[place->upper_left] + (float)(plane[place->upper_right] - plane[place->upper_left]) * place->across;
    const float lower = plane[place->lower_left] + (float)(plane[place->lower_right] - plane[place->lower_left]) * place->across;
    return upper + (lower - upper) * place->down;
}

static void canvas_warp(Canvas *canvas, Affine affine)
{
    const int height = canvas->size.height, width = canvas->size.width;
    const size_t plane = canvas_plane(canvas);
    const double *m = affine.m;
    uint8_t *to = canvas->spare;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++, to++) {
            const double from_x = m[0] * (x + 0.5) + m[1] * (y + 0.5) + m[2], from_y = m[3] * (x + 0.5) + m[4] * (y + 0.5) + m[5];
            if (!(from_x >= 0 && from_x < width && from_y >= 0 && from_y < height)) {
                for (int c = 0; c < canvas->size.channels; c++)
                    to[(size_t)c * plane] = canvas->mean[c];
                continue;
            }
            const Place place = place_of((float)(from_y - 0.5), (float)(from_x - 0.5), (Box){ 0, 0, height, width }, width);
            for (int c = 0; c < canvas->size.channels; c++)
                to[(size_t)c * plane] = (uint8_t)place_value(canvas->pixels + (size_t)c * plane, &place);
        }
    canvas_swap(canvas);
}

void canvas_rotate(Canvas *canvas, float degrees)
{
    const double angle = -(double)degrees * 3.14159265358979324 / 180, cosine = cos(angle), sine = sin(angle);
    const double middle_x = canvas->size.width / 2.0, middle_y = canvas->size.height / 2.0;
    canvas_warp(canvas, (Affine){ { cosine, sine, middle_x - cosine * middle_x - sine * middle_y,
                                    -sine, cosine, middle_y + sine * middle_x - cosine * middle_y } });
}

void canvas_shear(Canvas *canvas, float across, float down)
{
    canvas_warp(canvas, (Affine){ { 1, (double)across, 0, (double)down, 1, 0 } });
}

void canvas_translate(Canvas *canvas, float down, float right)
{
    canvas_warp(canvas, (Affine){ { 1, 0, -(double)right, 0, 1, -(double)down } });
}

void canvas_enlarge(Canvas *canvas, Box box)
{
    const int height = canvas->size.height, width = canvas->size.width;
    const size_t plane = canvas_plane(canvas);
    const float tall = (float)box.height / (float)height, wide = (float)box.width / (float)width;
    uint8_t *to = canvas->spare;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++, to++) {
            const float from_y = (float)box.y + ((float)y + 0.5f) * tall - 0.5f, from_x = (float)box.x + ((float)x + 0.5f) * wide - 0.5f;
            const Place place = place_of(from_y, from_x, box, width);
            for (int c = 0; c < canvas->size.channels; c++)
                to[(size_t)c * plane] = (uint8_t)(place_value(canvas->pixels + (size_t)c * plane, &place) + 0.5f);
        }
    canvas_swap(canvas);
}
