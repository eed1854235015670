/* stb.c - BMP, GIF, TGA, PGM and PPM by stb_image, compiled for these alone.
 *
 * stb_image reads zeros past the end of a file. It is therefore fed through callbacks, which notice that it asks
 * for more than there is: such a file is truncated. It leaves PGM's and PPM's numbers as they are, whatever their largest
 * value: they are stretched to 0 .. 255 here. */

#include "image.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_ONLY_BMP
#define STBI_ONLY_GIF
#define STBI_ONLY_TGA
#define STBI_ONLY_PNM
#define STBI_ONLY_PSD       /* in 2.30, PNM calls a function that is left out without it; no PSD file comes here */
#define STBI_MAX_DIMENSIONS 16384
#pragma GCC diagnostic ignored "-Wunused-function"     /* declarations of the parts that are left out */
#include <stb_image.h>

#include "disk.h"

/* stb_image fills a buffer of its own, the first that it reads to, whatever it needs of it: only there is a short answer no
 * shortage. */
typedef struct StbReader {
    const uint8_t *bytes;
    size_t         size, at;
    const char    *buffer;
    bool           past_end;
} StbReader;

static int stb_read(void *user, char *to, int wanted)
{
    StbReader *reader = user;
    const size_t left = reader->size - reader->at;
    const size_t count = (size_t)wanted < left ? (size_t)wanted : left;
    if (!reader->buffer)
        reader->buffer = to;
    if (count == 0 || (count < (size_t)wanted && to != reader->buffer))
        reader->past_end = true;
    memcpy(to, reader->bytes + reader->at, count);
    reader->at += count;
    return (int)count;
}

static void stb_skip(void *user, int count)
{
    StbReader *reader = user;
    const size_t left = reader->size - reader->at;
    if ((size_t)count > left)
        reader->past_end = true;
    reader->at += (size_t)count < left ? (size_t)count : left;
}

static int stb_end(void *user)
{
    const StbReader *reader = user;
    return reader->at == reader->size;
}

static const stbi_io_callbacks callbacks = { .read = stb_read, .skip = stb_skip, .eof = stb_end };

/* A TGA may begin with 'P' as well, but not with both letters. */
static bool is_pnm(const uint8_t *bytes)
{
    return bytes[0] == 'P' && (bytes[1] == '5' || bytes[1] == '6');
}

/* The third number of a PGM's or PPM's header: the largest value of its pixels. 0 if there is none. */
static int pnm_largest(const uint8_t *bytes, size_t size)
{
    size_t at = 2;
    int number = 0;
    for (int numbers = 0; numbers < 3; numbers++) {
        while (at < size && (isspace(bytes[at]) || bytes[at] == '#'))
            if (bytes[at++] == '#')
                while (at < size && bytes[at] != '\n' && bytes[at] != '\r')
                    at++;
        for (number = 0; at < size && isdigit(bytes[at]) && number < 65536; at++)
            number = 10 * number + bytes[at] - '0';
    }
    return number;
}

static void stretch(uint8_t *pixels, size_t count, int largest)
{
    for (size_t i = 0; i < count; i++) {
        const int value = pixels[i] < largest ? pixels[i] : largest;
        pixels[i] = (uint8_t)((value * 255 + largest / 2) / largest);
    }
}

bool stb_decode(const uint8_t *bytes, size_t size, const char *shown, ImageSize *found, Image *image, Error *error)
{
    int width, height, channels;
    StbReader header = { .bytes = bytes, .size = size };
    if (!stbi_info_from_callbacks(&callbacks, &header, &width, &height, &channels))
        return image_damaged("image", shown, stbi_failure_reason(), error);
    if (!image_size_ok(height, width, shown, error))
        return false;
    StbReader depth = { .bytes = bytes, .size = size };
    if (stbi_is_16_bit_from_callbacks(&callbacks, &depth))
        return error_set(error, EXIT_input, "PNM of 16 bits is not supported: %s: convert it to PNG", name_tail(shown));
    const int largest = is_pnm(bytes) ? pnm_largest(bytes, size) : UINT8_MAX;
    if (largest == 0)
        return image_damaged("image", shown, "its largest value is 0", error);
    *found = (ImageSize){ channels < 3 ? 1 : 3, height, width };
    if (!image)
        return true;

    StbReader reader = { .bytes = bytes, .size = size };
    uint8_t *pixels = stbi_load_from_callbacks(&callbacks, &reader, &width, &height, &channels, 0);
    if (!pixels)
        return image_damaged("image", shown, reader.past_end ? "the file is truncated" : stbi_failure_reason(), error);
    if (reader.past_end) {
        stbi_image_free(pixels);
        return image_damaged("image", shown, "the file is truncated", error);
    }
    if (largest < UINT8_MAX)
        stretch(pixels, (size_t)channels * (size_t)height * (size_t)width, largest);
    image_finish((ImageSize){ channels, height, width }, pixels, image);
    return true;
}
