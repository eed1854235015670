/* resize.c - an image of any size to planes of the wanted one.
 *
 *   1. channels   grey <-> RGB
 *   2. scale      so that the image just covers the wanted size: for a square, the short side becomes its side
 *   3. crop       the centre
 *
 * or, with CROP_pad, scales it into the wanted size and fills the rest; with CROP_squash, scales each side by itself. With a crop_pct
 * of 0.875 step 2 scales for a size of wanted / 0.875, and step 3 cuts the wanted one out.
 *
 * Scaling is bilinear or bicubic, and antialiased: the filter grows with the factor when shrinking, so that every
 * pixel counts. Rows are filtered first, rounded to bytes, then columns. It is what torchvision's Resize and CenterCrop
 * do to an image (timm's crop modes center, border and squash); only the rows and columns that survive the crop are
 * computed, so that an image of 1 x 16384 pixels costs no more than another. */

#include "image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAD_GREY = 128 };        /* about the mean of most data, which nobody knows before the images are read */

const char *const image_crops[CROPS] = { "centre center", "pad border letterbox", "squash stretch" };
const char *const image_filters[FILTERS] = { "bilinear linear", "bicubic cubic" };

/* The input pixels of each output pixel along one side, and their weights. */
typedef struct Taps {
    int    count, room;         /* output pixels; weights kept for each */
    int   *first, *length;      /* count */
    float *weights;             /* count x room, adding up to 1 */
} Taps;

static double triangle(double x)
{
    return fmax(0, 1 - fabs(x));
}

/* Keys (1981), with a = -1/2. */
static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static const struct { double (*weight)(double x); double support; } filters[FILTERS] = {
    [FILTER_bilinear] = { triangle, 1 }, [FILTER_bicubic] = { cubic, 2 },
};

/* Output pixels offset .. offset+count-1 of a side scaled from `from` to `to` pixels. */
static Taps taps_new(int from, int to, int offset, int count, ImageFilter filter)
{
    const double scale = (double)from / to, width = scale > 1 ? scale : 1;
    const double support = filters[filter].support * width;       /* half of what a pixel is made from */
    Taps taps = { .count = count, .room = (int)(2 * support) + 3 };
    taps.first = allocate((size_t)count, sizeof *taps.first, "filter taps");
    taps.length = allocate((size_t)count, sizeof *taps.length, "filter taps");
    taps.weights = allocate((size_t)count * (size_t)taps.room, sizeof *taps.weights, "filter taps");
    for (int i = 0; i < count; i++) {
        const double centre = (offset + i + 0.5) * scale;
        const int first = centre - support + 0.5 > 0 ? (int)(centre - support + 0.5) : 0;
        const int end = centre + support + 0.5 < from ? (int)(centre + support + 0.5) : from;
        float *weights = taps.weights + (size_t)i * (size_t)taps.room;
        double sum = 0;
        for (int j = first; j < end; j++)
            sum += filters[filter].weight((j - centre + 0.5) / width);
        for (int j = first; j < end; j++)
            weights[j - first] = (float)(filters[filter].weight((j - centre + 0.5) / width) / sum);
        taps.first[i] = first;
        taps.length[i] = end - first;
    }
    return taps;
}

static void taps_free(Taps *taps)
{
    free(taps->first);
    free(taps->length);
    free(taps->weights);
}

/* Output pixel i from `line`, whose pixels are `step` bytes apart and begin with input pixel `skipped`. */
static uint8_t taps_apply(const Taps *taps, int i, const uint8_t *line, size_t step, int skipped)
{
    const float *weights = taps->weights + (size_t)i * (size_t)taps->room;
    const uint8_t *at = line + (size_t)(taps->first[i] - skipped) * step;
    float sum = 0.5f;
    for (int j = 0; j < taps->length[i]; j++)
        sum += weights[j] * at[(size_t)j * step];
    return sum < 0 ? 0 : sum < 255 ? (uint8_t)sum : 255;
}

/* One channel; `source` is its first sample, `plane` where the first output pixel goes, with `stride` bytes from row to row. */
static void plane_scale(const Image *image, const uint8_t *source, const Taps *across, const Taps *down, uint8_t *between,
                        uint8_t *plane, int stride)
{
    const size_t row = (size_t)image->size.width * image->pixel_step;
    const int top = down->first[0], bottom = down->first[down->count - 1] + down->length[down->count - 1];
    for (int y = top; y < bottom; y++)
        for (int x = 0; x < across->count; x++)
            between[(size_t)(y - top) * (size_t)across->count + (size_t)x] =
                taps_apply(across, x, source + (size_t)y * row, image->pixel_step, 0);
    for (int y = 0; y < down->count; y++)
        for (int x = 0; x < across->count; x++)
            plane[(size_t)y * (size_t)stride + (size_t)x] = taps_apply(down, y, between + x, (size_t)across->count, top);
}

static void planes_copy(const Image *image, uint8_t *planes)
{
    const size_t pixels = (size_t)image->size.height * (size_t)image->size.width;
    for (int c = 0; c < image->size.channels; c++) {
        const uint8_t *source = image->pixels + (size_t)c * image->plane_step;
        uint8_t *plane = planes + (size_t)c * pixels;
        if (image->pixel_step == 1)
            memcpy(plane, source, pixels);
        else
            for (size_t i = 0; i < pixels; i++)
                plane[i] = source[i * image->pixel_step];
    }
}

static int longer(long a, long b)
{
    return (int)(a > b ? a : b);
}

/* One side of an image: scaled to `scaled` pixels, of which `count` from `offset` on go to `place`. */
typedef struct Side {
    int scaled, offset, count, place;
} Side;

/* Where a scaled side and the wanted one differ, the middles meet. */
static Side side_of(int scaled, int wanted)
{
    return scaled >= wanted ? (Side){ .scaled = scaled, .offset = (int)lrint((double)(scaled - wanted) / 2), .count = wanted }
                            : (Side){ .scaled = scaled, .count = scaled, .place = (wanted - scaled) / 2 };
}

int image_scaled_side(int wanted, ImageFit fit)
{
    return fit.crop_pct > 0 ? longer(wanted, (long)(wanted / fit.crop_pct)) : wanted;
}

static void sides_of(const Image *image, ImageSize wanted, ImageFit fit, Side *down, Side *across)
{
    const int height = image->size.height, width = image->size.width;
    const int most_height = image_scaled_side(wanted.height, fit), most_width = image_scaled_side(wanted.width, fit);
    const double tall = (double)most_height / height, wide = (double)most_width / width;
    int scaled_height = most_height, scaled_width = most_width;
    /* The other side may come out too small by rounding, never too large by more than a pixel. */
    if (fit.crop == CROP_centre && tall >= wide)
        scaled_width = longer(most_width, (long)width * most_height / height);
    else if (fit.crop == CROP_centre)
        scaled_height = longer(most_height, (long)height * most_width / width);
    else if (fit.crop == CROP_pad && tall < wide)
        scaled_width = longer(1, lrint(width * tall));
    else if (fit.crop == CROP_pad)
        scaled_height = longer(1, lrint(height * wide));
    *down = side_of(scaled_height, wanted.height);
    *across = side_of(scaled_width, wanted.width);
}

static void planes_scale(const Image *image, ImageSize wanted, ImageFit fit, uint8_t *planes)
{
    const size_t pixels = (size_t)wanted.height * (size_t)wanted.width;
    Side tall, wide;
    sides_of(image, wanted, fit, &tall, &wide);
    Taps across = taps_new(image->size.width, wide.scaled, wide.offset, wide.count, fit.filter);
    Taps down = taps_new(image->size.height, tall.scaled, tall.offset, tall.count, fit.filter);
    uint8_t *between = allocate((size_t)image->size.height, (size_t)wide.count, "an image's rows");
    memset(planes, PAD_GREY, (size_t)image->size.channels * pixels);
    for (int c = 0; c < image->size.channels; c++)
        plane_scale(image, image->pixels + (size_t)c * image->plane_step, &across, &down, between,
                    planes + (size_t)c * pixels + (size_t)tall.place * (size_t)wanted.width + (size_t)wide.place, wanted.width);
    free(between);
    taps_free(&across);
    taps_free(&down);
}

static uint8_t *grey_of(const Image *image)
{
    const size_t pixels = (size_t)image->size.height * (size_t)image->size.width;
    uint8_t *grey = image_pixels((ImageSize){ 1, image->size.height, image->size.width });
    for (size_t i = 0; i < pixels; i++) {
        const uint8_t *red = image->pixels + i * image->pixel_step;
        const uint32_t sum = 19595u * red[0] + 38470u * red[image->plane_step] + 7471u * red[2 * image->plane_step];
        grey[i] = (uint8_t)((sum + 0x8000u) >> 16);
    }
    return grey;
}

void image_fit(const Image *image, ImageSize wanted, ImageFit fit, uint8_t *planes)
{
    const size_t pixels = (size_t)wanted.height * (size_t)wanted.width;
    Image from = *image;
    uint8_t *grey = NULL;
    if (wanted.channels == 1 && image->size.channels == 3) {
        grey = grey_of(image);
        from = (Image){ .size = { 1, image->size.height, image->size.width }, .pixels = grey, .pixel_step = 1, .plane_step = 0 };
    }
    if (from.size.height == wanted.height && from.size.width == wanted.width && image_scaled_side(wanted.width, fit) == wanted.width &&
        image_scaled_side(wanted.height, fit) == wanted.height)
        planes_copy(&from, planes);
    else
        planes_scale(&from, wanted, fit, planes);
    for (int c = from.size.channels; c < wanted.channels; c++)
        memcpy(planes + (size_t)c * pixels, planes, pixels);
    free(grey);
}
