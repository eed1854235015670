/* shapes.c - the built-in data set: 32x32 colour pictures of ten figures, drawn here.
 *
 *   train 10 000, val 2 000, test 2 000; picture i shows figure i mod 10
 *
 * Place, size, rotation, aspect and colours are random; the ground is a gradient with stripes, lines and dots lie over
 * and under the figure, and there is noise. The figure is only a little brighter than the ground, and no pixel tells the
 * class: a linear model does little better than guessing, a convolutional network must find edges and how they are joined.
 *
 * A figure is a function that tells how far a point is outside (> 0) or inside (< 0), in a frame in which the figure fits
 * the unit circle; times the radius in pixels it gives the share of a pixel that is covered. No sine, no logarithm:
 * the same pictures with every mathematics library. */

#include "formats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "random.h"

enum { SIDE = 32, TRAIN = 10000, OTHER = 2000, MARKS = 9, CHANNELS = 3 };

typedef struct Point {
    float x, y;
} Point;

/* fminf and fmaxf are calls, for the sake of NaN. */
static inline float smaller(float a, float b)
{
    return a < b ? a : b;
}

static inline float greater(float a, float b)
{
    return a > b ? a : b;
}

static inline float length(float x, float y)
{
    return sqrtf(x * x + y * y);
}

static float box(Point p, float centre_x, float centre_y, float half_width, float half_height)
{
    return greater(fabsf(p.x - centre_x) - half_width, fabsf(p.y - centre_y) - half_height);
}

static float circle(Point p)
{
    return length(p.x, p.y) - 0.85f;
}

static float ring(Point p)
{
    return fabsf(length(p.x, p.y) - 0.68f) - 0.24f;
}

static float crescent(Point p)
{
    return greater(length(p.x, p.y) - 0.95f, 0.8f - length(p.x - 0.45f, p.y));
}

static float half_disc(Point p)
{
    return greater(length(p.x, p.y + 0.4f) - 1.0f, -0.4f - p.y);
}

static float square(Point p)
{
    return box(p, 0, 0, 0.72f, 0.72f);
}

static float bar(Point p)
{
    return box(p, 0, 0, 0.95f, 0.36f);
}

static float cross(Point p)
{
    return smaller(box(p, 0, 0, 0.95f, 0.27f), box(p, 0, 0, 0.27f, 0.95f));
}

static float ell(Point p)
{
    return smaller(box(p, -0.45f, 0, 0.26f, 0.85f), box(p, 0.05f, 0.59f, 0.76f, 0.26f));
}

/* Within three half-planes. */
static float triangle(Point p)
{
    return greater(p.y, greater(-0.5f * p.y + 0.8660254f * p.x, -0.5f * p.y - 0.8660254f * p.x)) - 0.52f;
}

/* A pentagram: the points that are beyond one of its five lines at most. */
static float star(Point p)
{
    static const Point normals[] = {
        { 0.0f, -1.0f }, { 0.9510565f, -0.3090170f }, { 0.5877853f, 0.8090170f }, { -0.5877853f, 0.8090170f }, { -0.9510565f, -0.3090170f },
    };
    float largest = -9, second = -9;
    for (int i = 0; i < 5; i++) {
        const float d = p.x * normals[i].x + p.y * normals[i].y;
        second = greater(second, smaller(largest, d));
        largest = greater(largest, d);
    }
    return second - 0.34f;
}

#define FIGURES(X) X(bar) X(circle) X(crescent) X(cross) X(ell) X(half_disc) X(ring) X(square) X(star) X(triangle)

#define FIGURE_NAME(name) #name,
#define FIGURE_DISTANCE(name) name,
static const char *const figure_names[] = { FIGURES(FIGURE_NAME) };
static float (*const figure_distances[])(Point) = { FIGURES(FIGURE_DISTANCE) };
enum { FIGURE_COUNT = sizeof figure_names / sizeof *figure_names };

/* ---- one picture ---- */

typedef struct Colour {
    float channel[CHANNELS];
} Colour;

/* A line or dot: the points nearer than `radius` to the stretch from a to b. */
typedef struct Mark {
    Point  a, b;
    float  radius;
    Colour colour;
    bool   above;
} Mark;

typedef struct Picture {
    float (*distance)(Point);
    Point  centre, axis;            /* axis: the figure's x direction, length 1 */
    float  radius, squash;
    Colour figure, shade;           /* shade is added along the figure's x */
    Colour ground, slope_x, slope_y;
    Point  stripe;                  /* stripes a pixel */
    float  stripe_phase;
    Colour stripe_height;
    Mark   marks[MARKS];
    int    mark_count;
    float  noise;
} Picture;

static float between(Random *random, float low, float high)
{
    return low + (high - low) * random_uniform(random);
}

static Colour colour_between(Random *random, float low, float high)
{
    Colour colour;
    for (int c = 0; c < CHANNELS; c++)
        colour.channel[c] = between(random, low, high);
    return colour;
}

static float brightness(Colour colour)
{
    float sum = 0;
    for (int c = 0; c < CHANNELS; c++)
        sum += colour.channel[c];
    return sum;
}

/* Uniform on the unit circle, by rejection. */
static Point direction(Random *random)
{
    for (;;) {
        const Point p = { between(random, -1, 1), between(random, -1, 1) };
        const float r = length(p.x, p.y);
        if (r > 0.1f && r < 1)
            return (Point){ p.x / r, p.y / r };
    }
}

static Mark mark_choose(Random *random)
{
    const Point a = { between(random, 0, SIDE), between(random, 0, SIDE) }, along = direction(random);
    const bool line = random_uniform(random) < 0.6f;
    const float reach = line ? between(random, 4, 14) : 0;
    return (Mark){
        .a = a, .b = { a.x + reach * along.x, a.y + reach * along.y },
        .radius = line ? between(random, 0.4f, 0.9f) : between(random, 0.8f, 2.0f),
        .colour = colour_between(random, 0, 255), .above = random_uniform(random) < 0.3f,
    };
}

static Picture picture_choose(Random *random, int label)
{
    Picture p = { .distance = figure_distances[label] };
    p.radius = between(random, 7, 13);
    p.squash = between(random, 0.8f, 1.0f);
    p.centre = (Point){ between(random, p.radius, SIDE - p.radius), between(random, p.radius, SIDE - p.radius) };
    p.axis = direction(random);
    p.ground = colour_between(random, 10, 190);
    do
        p.figure = colour_between(random, 30, 255);
    while (brightness(p.figure) < brightness(p.ground) + 45);
    p.shade = colour_between(random, -20, 20);
    p.slope_x = colour_between(random, -1.1f, 1.1f);
    p.slope_y = colour_between(random, -1.1f, 1.1f);
    const Point across = direction(random);
    const float frequency = between(random, 0.04f, 0.22f);
    p.stripe = (Point){ across.x * frequency, across.y * frequency };
    p.stripe_phase = random_uniform(random);
    p.stripe_height = colour_between(random, -16, 16);
    p.mark_count = (int)random_below(random, MARKS + 1);
    for (int i = 0; i < p.mark_count; i++)
        p.marks[i] = mark_choose(random);
    p.noise = between(random, 2, 20);
    return p;
}

static void cover(Colour *pixel, Colour colour, float share)
{
    for (int c = 0; c < CHANNELS; c++)
        pixel->channel[c] += share * (colour.channel[c] - pixel->channel[c]);
}

/* The share of a pixel that lies inside an edge at this distance from its centre. */
static float share_inside(float distance)
{
    return smaller(1, greater(0, 0.5f - distance));
}

typedef struct Canvas {
    Colour pixels[SIDE][SIDE];
} Canvas;

static void ground_draw(const Picture *p, Canvas *canvas)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const float phase = (float)x * p->stripe.x + (float)y * p->stripe.y + p->stripe_phase + SIDE;      /* > 0 */
            const float wave = 4 * fabsf(phase - (float)(int)phase - 0.5f) - 1;
            for (int c = 0; c < CHANNELS; c++)
                canvas->pixels[y][x].channel[c] = p->ground.channel[c] + p->slope_x.channel[c] * (float)(x - SIDE / 2) +
                    p->slope_y.channel[c] * (float)(y - SIDE / 2) + p->stripe_height.channel[c] * wave;
        }
}

/* The pixels from..end-1 that an extent low..high on one side may touch. */
static void pixels_touched(float low, float high, int *from, int *end)
{
    *from = (int)greater(0, low - 1);
    *end = (int)smaller(SIDE, greater(0, high + 2));
}

static void mark_draw(const Mark *mark, Canvas *canvas)
{
    const Point a = mark->a, b = mark->b;
    const float dx = b.x - a.x, dy = b.y - a.y, square_length = dx * dx + dy * dy;
    int top, bottom, left, right;
    pixels_touched(smaller(a.x, b.x) - mark->radius, greater(a.x, b.x) + mark->radius, &left, &right);
    pixels_touched(smaller(a.y, b.y) - mark->radius, greater(a.y, b.y) + mark->radius, &top, &bottom);
    for (int row = top; row < bottom; row++)
        for (int column = left; column < right; column++) {
            const float x = (float)column + 0.5f - a.x, y = (float)row + 0.5f - a.y;
            const float along = square_length > 0 ? smaller(1, greater(0, (x * dx + y * dy) / square_length)) : 0;
            cover(&canvas->pixels[row][column], mark->colour,
                  share_inside(length(x - along * dx, y - along * dy) - mark->radius));
        }
}

static void figure_draw(const Picture *p, Canvas *canvas)
{
    int top, bottom, left, right;
    const float reach = 1.3f * p->radius;
    pixels_touched(p->centre.x - reach, p->centre.x + reach, &left, &right);
    pixels_touched(p->centre.y - reach, p->centre.y + reach, &top, &bottom);
    for (int row = top; row < bottom; row++)
        for (int column = left; column < right; column++) {
            const float x = ((float)column + 0.5f - p->centre.x) / p->radius, y = ((float)row + 0.5f - p->centre.y) / p->radius;
            const Point frame = { x * p->axis.x + y * p->axis.y, (y * p->axis.x - x * p->axis.y) / p->squash };
            Colour colour = p->figure;
            for (int c = 0; c < CHANNELS; c++)
                colour.channel[c] += p->shade.channel[c] * frame.x;
            cover(&canvas->pixels[row][column], colour, share_inside(p->distance(frame) * p->radius * p->squash));
        }
}

/* Nearly normal, standard deviation 1: the sum of four uniform numbers of 16 bits. */
static float noise(Random *random)
{
    const uint64_t bits = random_next(random);
    const uint32_t sum =
        (uint32_t)(bits & 0xFFFF) + (uint32_t)(bits >> 16 & 0xFFFF) + (uint32_t)(bits >> 32 & 0xFFFF) + (uint32_t)(bits >> 48);
    return ((float)sum - 131070.0f) * (1.7320508f / 65536.0f);
}

static void picture_render(const Picture *p, Random *random, uint8_t *planes)
{
    Canvas canvas;
    ground_draw(p, &canvas);
    for (int i = 0; i < p->mark_count; i++)
        if (!p->marks[i].above)
            mark_draw(&p->marks[i], &canvas);
    figure_draw(p, &canvas);
    for (int i = 0; i < p->mark_count; i++)
        if (p->marks[i].above)
            mark_draw(&p->marks[i], &canvas);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < CHANNELS; c++) {
                const float value = canvas.pixels[y][x].channel[c] + p->noise * noise(random) + 0.5f;
                planes[(c * SIDE + y) * SIDE + x] = (uint8_t)smaller(255, greater(0, value));
            }
}

/* ---- the format ---- */

static bool shapes_matches(int root)
{
    (void)root;
    return false;
}

static bool shapes_has(int root, Split split)
{
    (void)root;
    (void)split;
    return true;
}

static bool shapes_open(Part *part, Split split, Error *error)
{
    (void)error;
    part->size = (ImageSize){ CHANNELS, SIDE, SIDE };
    part->count = split == SPLIT_train ? TRAIN : OTHER;
    part->labels = allocate(part->count, sizeof *part->labels, "labels");
    for (uint32_t i = 0; i < part->count; i++)
        part->labels[i] = (uint16_t)(i % FIGURE_COUNT);
    Split *state = part->state = allocate(1, sizeof *state, "a data set");
    *state = split;
    part_set_classes(part, figure_names, FIGURE_COUNT);
    return true;
}

static void shapes_close(Part *part)
{
    free(part->state);
}

static bool shapes_load(const Part *part, uint32_t index, ImageSize wanted, uint8_t *planes, Error *error)
{
    (void)error;
    const Split split = *(const Split *)part->state;
    uint8_t pixels[CHANNELS * SIDE * SIDE];
    Random random = random_stream(part->options->seed, split, index, RANDOM_shapes);
    const Picture picture = picture_choose(&random, part->labels[index]);
    picture_render(&picture, &random, pixels);
    const Image image = { .size = { CHANNELS, SIDE, SIDE }, .pixels = pixels, .pixel_step = 1, .plane_step = SIDE * SIDE };
    image_fit(&image, wanted, part->options->fit, planes);
    return true;
}

static char *shapes_name(const Part *part, uint32_t index)
{
    (void)part;
    char *name = allocate(32, 1, "a name");
    snprintf(name, 32, "shape %u", index);
    return name;
}

const Format format_shapes = {
    .kind = "shapes", .title = "shapes (built in)", .mirror_ok = true, .matches = shapes_matches, .has = shapes_has,
    .open = shapes_open, .close = shapes_close, .load = shapes_load, .name = shapes_name,
};
