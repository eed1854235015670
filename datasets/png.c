/* png.c - PNG by libpng: every bit depth, colour type and interlacing, with the checks of image.h.
 *
 * libpng reports an error by longjmp; what was allocated until then is held in a struct that the jump does not lose. */

#include "image.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orientation.h"

typedef struct PngReader {
    const uint8_t *bytes;
    size_t         size, at;
    const char    *shown;
    Error         *error;
    uint8_t       *pixels;
    png_bytep     *rows;
    int            orientation;
    jmp_buf        failed;
} PngReader;

_Noreturn static void png_failed(png_structp png, png_const_charp why)
{
    PngReader *reader = png_get_error_ptr(png);
    image_damaged("PNG", reader->shown, why, reader->error);
    longjmp(reader->failed, 1);
}

static void png_warned(png_structp png, png_const_charp why)
{
    (void)png;
    (void)why;
}

/* Where there is no memory, libpng would tell of a damaged file; its limits keep the sizes that a file names small. */
static png_voidp png_allocate(png_structp png, png_alloc_size_t size)
{
    (void)png;
    void *memory = malloc(size);
    if (!memory)
        memory_exhausted("libpng");
    return memory;
}

static void png_release(png_structp png, png_voidp memory)
{
    (void)png;
    free(memory);
}

static void png_read_bytes(png_structp png, png_bytep to, size_t count)
{
    PngReader *reader = png_get_io_ptr(png);
    if (count > reader->size - reader->at) {
        char why[64];
        snprintf(why, sizeof why, "the file ends after %zu bytes, more are needed", reader->size);
        png_failed(png, why);
    }
    memcpy(to, reader->bytes + reader->at, count);
    reader->at += count;
}

/* Of the chunks that pixels do not need, none is read: a text or a colour profile may inflate to hundreds of megabytes. */
static void png_set_limits(png_structp png)
{
    enum { ALL_BUT_PIXELS = -1 };
    png_set_user_limits(png, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
    png_set_chunk_malloc_max(png, 8 << 20);
    png_set_chunk_cache_max(png, 64);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, ALL_BUT_PIXELS);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, (png_const_bytep)"eXIf", 1);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
}

/* IHDR is the first chunk: its width and height are checked here, so that the message has them. */
static bool png_header_ok(const PngReader *reader)
{
    const uint8_t *header = reader->bytes;
    if (reader->size < 33 || memcmp(header + 12, "IHDR", 4) != 0)
        return image_damaged("PNG", reader->shown, "it has no header", reader->error);
    return image_size_ok(png_get_uint_32(header + 20), png_get_uint_32(header + 16), IMAGE_MAX_PIXELS, reader->shown, reader->error);
}

/* Fills `size`, and reader->pixels if they are wanted. Does not return after an error. */
static void png_read_file(png_structp png, png_infop info, PngReader *reader, ImageSize *size, bool pixels_wanted)
{
    png_read_info(png, info);
    const bool alpha = (png_get_color_type(png, info) & PNG_COLOR_MASK_ALPHA) || png_get_valid(png, info, PNG_INFO_tRNS);
    const bool colour = png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR;
    *size = (ImageSize){ colour ? 3 : 1, (int)png_get_image_height(png, info), (int)png_get_image_width(png, info) };
    if (!pixels_wanted)
        return;

    png_set_expand(png);
    png_set_scale_16(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size->channels += alpha;
    const size_t row = (size_t)size->width * (size_t)size->channels;
    if (png_get_rowbytes(png, info) != row)
        png_failed(png, "rows of an unexpected length");

    reader->pixels = image_pixels(*size);
    reader->rows = allocate((size_t)size->height, sizeof *reader->rows, "an image's rows");
    for (int y = 0; y < size->height; y++)
        reader->rows[y] = reader->pixels + (size_t)y * row;
    png_read_image(png, reader->rows);
    png_read_end(png, info);
}

static int png_orientation(png_structp png, png_infop info)
{
    png_uint_32 size;
    png_bytep exif;
    return png_get_eXIf_1(png, info, &size, &exif) ? orientation_read(exif, size) : ORIENTATION_upright;
}

/* What is changed between setjmp and longjmp is in *reader and behind pointers, not in variables of this function. */
static bool png_read(png_structp png, png_infop info, PngReader *reader, ImageSize *found, bool pixels_wanted)
{
    if (setjmp(reader->failed))
        return false;
    png_set_read_fn(png, reader, png_read_bytes);
    png_set_limits(png);
    png_read_file(png, info, reader, found, pixels_wanted);
    reader->orientation = png_orientation(png, info);
    return true;
}

bool png_decode(const uint8_t *bytes, size_t size, const char *shown, const ImageOptions *options, ImageSize *found, Image *image,
                Error *error)
{
    PngReader reader = { .bytes = bytes, .size = size, .shown = shown, .error = error };
    if (!png_header_ok(&reader))
        return false;
    png_structp png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &reader, png_failed, png_warned, NULL, png_allocate,
                                               png_release);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    const bool good = info ? png_read(png, info, &reader, found, image != NULL)
                           : error_set(error, EXIT_memory, "out of memory: libpng cannot start: close other programs");
    png_destroy_read_struct(&png, &info, NULL);
    free(reader.rows);
    if (good && image)
        image_finish(*found, reader.pixels, image);
    else
        free(reader.pixels);
    if (good && !options->as_stored)
        orientation_apply(reader.orientation, found, image);
    return good;
}
