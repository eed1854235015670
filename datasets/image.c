/* image.c - which decoder reads what, limits, alpha; see image.h. */

#include "image.h"

#include <stdlib.h>
#include <string.h>

#include "dataset.h"
#include "disk.h"

static const struct {
    const char *name;
    const char *signature;
    size_t      offset, length;
    ImageDecoder *decode;           /* NULL: known, not read */
} formats[] = {
    { "PNG",  "\x89PNG\r\n\x1A\n", 0, 8, png_decode  },
    { "JPEG", "\xFF\xD8\xFF",      0, 3, jpeg_decode },
    { "GIF",  "GIF8",              0, 4, stb_decode  },
    { "BMP",  "BM",                0, 2, bmp_decode  },
    { "PGM",  "P5",                0, 2, pnm_decode  },
    { "PPM",  "P6",                0, 2, pnm_decode  },
    { "PBM or PNM as text", "P1",  0, 2, NULL },
    { "PBM or PNM as text", "P2",  0, 2, NULL },
    { "PBM or PNM as text", "P3",  0, 2, NULL },
    { "PBM or PNM as text", "P4",  0, 2, NULL },
    { "PAM",  "P7\n",              0, 3, NULL },
    { "WebP", "WEBP",              8, 4, NULL },
    { "TIFF", "II*\0",             0, 4, NULL },
    { "TIFF", "MM\0*",             0, 4, NULL },
    { "TIFF", "II+\0",             0, 4, NULL },
    { "TIFF", "MM\0+",             0, 4, NULL },
    { "PSD",  "8BPS",              0, 4, NULL },
    { "JPEG 2000", "\0\0\0\fjP  ", 0, 8, NULL },
    { "JPEG 2000", "\xFF\x4F\xFF\x51", 0, 4, NULL },
    { "JPEG XL", "\0\0\0\fJXL ",   0, 8, NULL },
    { "JPEG XL", "\xFF\n",         0, 2, NULL },
    { "ICO",  "\0\0\1\0",          0, 4, NULL },
    { "DDS",  "DDS ",              0, 4, NULL },
    { "QOI",  "qoif",              0, 4, NULL },
    { "OpenEXR", "v/1\1",          0, 4, NULL },
    { "AVIF or HEIC", "ftyp",      4, 4, NULL },
};

static const struct {
    const char *ending;
    ImageName   name;
} endings[] = {
    { ".png", NAME_image }, { ".jpg", NAME_image }, { ".jpeg", NAME_image },
    { ".jfif", NAME_image }, { ".jpe", NAME_image }, { ".bmp", NAME_image }, { ".gif", NAME_image },
    { ".tga", NAME_image }, { ".ppm", NAME_image }, { ".pgm", NAME_image }, { ".pnm", NAME_image },
    { ".webp", NAME_unsupported }, { ".tif", NAME_unsupported }, { ".tiff", NAME_unsupported }, { ".avif", NAME_unsupported },
    { ".heic", NAME_unsupported }, { ".pbm", NAME_unsupported }, { ".jp2", NAME_unsupported }, { ".jxl", NAME_unsupported },
};

ImageName image_name(const char *name)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (name_ends_with(name, endings[i].ending))
            return endings[i].name;
    return NAME_other;
}

static bool decode(const uint8_t *bytes, size_t size, const char *shown, const ImageOptions *options, ImageSize *found, Image *image,
                   Error *error)
{
    if (size == 0)
        return error_set(error, EXIT_input, "empty image file: %s has 0 bytes: remove or replace it", name_tail(shown));
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (size < formats[i].offset + formats[i].length ||
            memcmp(bytes + formats[i].offset, formats[i].signature, formats[i].length) != 0)
            continue;
        if (formats[i].decode)
            return formats[i].decode(bytes, size, shown, options, found, image, error);
        return error_set(error, EXIT_input, "%s is not supported: %s: convert it to PNG or JPEG", formats[i].name,
                         name_tail(shown));
    }
    if (name_ends_with(shown, ".tga"))       /* TGA has no signature */
        return stb_decode(bytes, size, shown, options, found, image, error);
    return error_set(error, EXIT_input,
                     "not an image: %s begins with bytes %02X %02X; PNG, JPEG, BMP, GIF, TGA, PPM and PGM are read",
                     name_tail(shown), bytes[0], size > 1 ? bytes[1] : 0);
}

bool image_measure(const uint8_t *bytes, size_t size, const char *shown, const ImageOptions *options, ImageSize *found, Error *error)
{
    return decode(bytes, size, shown, options, found, NULL, error);
}

bool image_decode(const uint8_t *bytes, size_t size, const char *shown, const ImageOptions *options, Image *image, Error *error)
{
    ImageSize found;
    return decode(bytes, size, shown, options, &found, image, error);
}

bool image_size_ok(long long height, long long width, int most, const char *shown, Error *error)
{
    if (height < 1 || width < 1)
        return error_set(error, EXIT_input, "image has no pixels: %s is %lldx%lld: remove or replace it", name_tail(shown), width,
                         height);
    if (height > IMAGE_MAX_SIDE || width > IMAGE_MAX_SIDE || height * width > most)
        return error_set(error, EXIT_input,
                         "image too large: %s is %lldx%lld; the limits are a side of %d and %d million pixels: "
                         "remove it or make it smaller",
                         name_tail(shown), width, height, IMAGE_MAX_SIDE, most / 1000000);
    return true;
}

uint8_t *image_pixels(ImageSize size)
{
    return allocate((size_t)size.height * (size_t)size.width, (size_t)size.channels, "an image");
}

void image_finish(ImageSize size, uint8_t *pixels, Image *image)
{
    const int with_alpha = size.channels;
    const size_t count = (size_t)size.height * (size_t)size.width;
    if (with_alpha == 2 || with_alpha == 4) {
        size.channels--;
        bool unused = true;
        for (size_t i = 0; i < count && unused; i++)
            unused = pixels[i * with_alpha + size.channels] == 0;
        for (size_t i = 0; i < count; i++) {
            const int alpha = unused ? 255 : pixels[i * with_alpha + size.channels];
            for (int c = 0; c < size.channels; c++)
                pixels[i * size.channels + c] = (uint8_t)((pixels[i * with_alpha + c] * alpha + 255 * (255 - alpha) + 127) / 255);
        }
    }
    *image = (Image){ .size = size, .pixels = pixels, .pixel_step = (size_t)size.channels, .plane_step = 1 };
}

bool image_damaged(const char *what, const char *shown, const char *why, Error *error)
{
    return error_set(error, EXIT_input, "damaged %s: %s: %s; remove or replace it", what, name_tail(shown), why);
}

bool image_load(const char *path, const ImageOptions *options, uint8_t *pixels, Error *error)
{
    size_t size;
    uint8_t *bytes = disk_read_named(path, IMAGE_MAX_BYTES, &size, error);
    Image image;
    const bool decoded = bytes && image_decode(bytes, size, path, options, &image, error);
    free(bytes);
    if (!decoded)
        return false;
    image_fit(&image, options->wanted, options->fit, pixels);
    free(image.pixels);
    return true;
}
