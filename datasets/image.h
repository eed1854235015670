/* image.h - one image: from a file's bytes to pixels of the size and channels that are wanted.
 *
 * The bytes' signature says which decoder reads them, not the name. Nothing is allocated for pixels before
 * width and height are known to be within the limits.
 *
 *   16 bits          scaled to 8
 *   palette          its colours
 *   alpha            over white (an alpha channel that is zero everywhere counts as unused)
 *   grey <-> RGB     three equal channels; 0.299 R + 0.587 G + 0.114 B
 *   animation        the first frame
 *   EXIF orientation applied (JPEG, PNG), unless the options say otherwise
 *   CMYK             as Pillow converts it */

#ifndef CONVZOO_IMAGE_H
#define CONVZOO_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "errors.h"

enum { IMAGE_MAX_SIDE = 16384, IMAGE_MAX_PIXELS = 50000000, IMAGE_MAX_BYTES = 64 << 20 };

typedef struct ImageSize {
    int channels, height, width;
} ImageSize;

static inline int limited(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* Samples may be interleaved (pixel_step = channels, plane_step = 1) or in planes (1, height x width). */
typedef struct Image {
    ImageSize size;
    uint8_t  *pixels;
    size_t    pixel_step, plane_step;
} Image;

/* An image file's name by its ending: one of those below, an image of a kind that is not read (WebP, TIFF, ...), or neither. */
typedef enum { NAME_image, NAME_unsupported, NAME_other } ImageName;
ImageName image_name(const char *name);

/* How an image comes to another size. */
typedef enum {
    CROP_centre,                /* scaled until it covers the wanted size; what stands out on two sides is cut off */
    CROP_pad,                   /* scaled until all of it is inside; the rest is grey */
    CROP_squash,                /* both sides scaled by factors of their own */
    CROPS
} ImageCrop;
typedef enum { FILTER_bilinear, FILTER_bicubic, FILTERS } ImageFilter;      /* as Pillow filters: antialiased */

/* Each one's name, and what else it is called. */
extern const char *const image_crops[CROPS], *const image_filters[FILTERS];

#define CROP_PCT_LEAST 0.05      /* with less, sizes to scale to would know no bound */

typedef struct ImageFit {
    ImageCrop   crop;
    ImageFilter filter;
    double      crop_pct;       /* scaled as if the wanted size were larger, by 1 / crop_pct; then the middle is cut out; 0: 1 */
} ImageFit;

/* What a side is scaled to before the middle of `wanted` pixels is cut out: timm's floor(wanted / crop_pct). */
int image_scaled_side(int wanted, ImageFit fit);

typedef struct ImageOptions {
    ImageSize wanted;           /* height and width that image_fit will make of it: a large JPEG is decoded smaller; 0: whole */
    bool      as_stored;        /* EXIF orientation is not applied */
    ImageFit  fit;              /* for image_load; the decoders need its crop_pct */
} ImageOptions;

/* Size and channels (1 or 3), without decoding. */
bool image_measure(const uint8_t *bytes, size_t size, const char *shown, const ImageOptions *options, ImageSize *found, Error *error);

/* Interleaved pixels of 1 or 3 channels; release image->pixels with free(). */
bool image_decode(const uint8_t *bytes, size_t size, const char *shown, const ImageOptions *options, Image *image, Error *error);

/* Resizes and converts to planes of `wanted`; see resize.c. */
void image_fit(const Image *image, ImageSize wanted, ImageFit fit, uint8_t *planes);

/* ---- for the decoders ---- */

/* Refuses what has no pixels, more than `most` or a longer side than IMAGE_MAX_SIDE. */
bool image_size_ok(long long height, long long width, int most, const char *shown, Error *error);

/* height x width x channels bytes. */
uint8_t *image_pixels(ImageSize size);

/* Takes over `pixels` of size.channels 1 to 4; what has alpha (2 and 4 channels) is laid over white. */
void image_finish(ImageSize size, uint8_t *pixels, Image *image);

/* `what` is the format, `why` the library's words. */
bool image_damaged(const char *what, const char *shown, const char *why, Error *error);

/* The decoders. image NULL: only `found` is filled. */
typedef bool ImageDecoder(const uint8_t *bytes, size_t size, const char *shown, const ImageOptions *options, ImageSize *found,
                          Image *image, Error *error);
ImageDecoder png_decode, jpeg_decode, bmp_decode, pnm_decode, stb_decode;

#endif
