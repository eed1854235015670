/* png_bytes.c - see png_bytes.h. */

#include "png_bytes.h"

#include "errors.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

uint8_t *png_bytes(const uint8_t *pixels, int channels, int h, int w, size_t *size)
{
    png_image image = { .version = PNG_IMAGE_VERSION, .width = (png_uint_32)w, .height = (png_uint_32)h,
                        .format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY };
    png_alloc_size_t bytes = 0;
    if (!png_image_write_to_memory(&image, NULL, &bytes, 0, pixels, 0, NULL))
        return NULL;
    uint8_t *made = allocate(bytes, 1, "a picture");
    if (!png_image_write_to_memory(&image, made, &bytes, 0, pixels, 0, NULL)) {
        free(made);
        return NULL;
    }
    *size = bytes;
    return made;
}

/* Three bytes are four letters (RFC 4648, section 4). */
static void write_base64(const uint8_t *bytes, size_t count, char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < count; i += 3) {
        const unsigned second = i + 1 < count ? bytes[i + 1] : 0, third = i + 2 < count ? bytes[i + 2] : 0;
        const unsigned bits = (unsigned)bytes[i] << 16 | second << 8 | third;
        *text++ = letters[bits >> 18];
        *text++ = letters[bits >> 12 & 63];
        *text++ = i + 1 < count ? letters[bits >> 6 & 63] : '=';
        *text++ = i + 2 < count ? letters[bits & 63] : '=';
    }
    *text = '\0';
}

char *png_uri(const uint8_t *rgb, int h, int w)
{
    static const char before[] = "data:image/png;base64,";
    size_t size;
    uint8_t *bytes = png_bytes(rgb, 3, h, w, &size);
    if (!bytes)
        return NULL;
    char *text = allocate(sizeof before + 4 * ((size + 2) / 3), 1, "a picture");
    memcpy(text, before, sizeof before);
    write_base64(bytes, size, text + sizeof before - 1);
    free(bytes);
    return text;
}
