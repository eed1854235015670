/* stb.c - GIF and TGA by stb_image, compiled for these alone.
 *
 * stb_image reads zeros past the end of a file. It is therefore fed through callbacks, which notice that it asks
 * for more than there is: such a file is truncated. */

#include "image.h"

#include <stdlib.h>
#include <string.h>

#include "errors.h"

/* stb_image would tell of a file that it cannot read. */
static void *stb_memory(void *memory)
{
    if (!memory)
        memory_exhausted("stb_image");
    return memory;
}

#define STBI_MALLOC(size)          stb_memory(malloc(size))
#define STBI_REALLOC(memory, size) stb_memory(realloc(memory, size))
#define STBI_FREE(memory)          free(memory)
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_ONLY_GIF
#define STBI_ONLY_TGA
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

/* A file of no kind that stb_image knows is not damaged for that. TGA has no signature: its header is told. */
static bool stb_unknown(const uint8_t *bytes, size_t size, const char *shown, Error *error)
{
    enum { TGA_HEADER = 18, TGA_TYPE = 2, TGA_BITS = 16 };
    if (name_ends_with(shown, ".tga") && size >= TGA_HEADER)
        return error_set(error, EXIT_input, "TGA of this kind is not read: %s has type %d and %d bits a pixel: save it as PNG",
                         name_tail(shown), bytes[TGA_TYPE], bytes[TGA_BITS]);
    return image_damaged("image", shown, "its header is cut short or wrong", error);
}

/* A GIF without a picture has none. */
static const char *stb_reason(void)
{
    const char *reason = stbi_failure_reason();
    return reason && *reason ? reason : "it holds no picture";
}

bool stb_decode(const uint8_t *bytes, size_t size, const char *shown, const ImageOptions *options, ImageSize *found, Image *image,
                Error *error)
{
    (void)options;
    int width, height, channels;
    StbReader header = { .bytes = bytes, .size = size };
    if (!stbi_info_from_callbacks(&callbacks, &header, &width, &height, &channels))
        return stb_unknown(bytes, size, shown, error);
    if (!image_size_ok(height, width, IMAGE_MAX_PIXELS, shown, error))
        return false;
    *found = (ImageSize){ channels < 3 ? 1 : 3, height, width };
    if (!image)
        return true;

    StbReader reader = { .bytes = bytes, .size = size };
    uint8_t *pixels = stbi_load_from_callbacks(&callbacks, &reader, &width, &height, &channels, 0);
    if (!pixels)
        return image_damaged("image", shown, reader.past_end ? "the file is truncated" : stb_reason(), error);
    if (reader.past_end) {
        stbi_image_free(pixels);
        return image_damaged("image", shown, "the file is truncated", error);
    }
    image_finish((ImageSize){ channels, height, width }, pixels, image);
    return true;
}
