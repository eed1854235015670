/* jpeg.c - JPEG by libjpeg-turbo: grey and colour; a file that the library warns of counts as damaged. */

#include "image.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "disk.h"

enum { JPEG_MAX_SCANS = 100 };      /* a small progressive file with thousands of scans would take minutes */

typedef struct JpegReader {
    struct jpeg_decompress_struct   jpeg;
    struct jpeg_error_mgr           errors;
    struct jpeg_progress_mgr        progress;
    const char                     *shown;
    Error                          *error;
    uint8_t                        *pixels;
    jmp_buf                         failed;
} JpegReader;

static void jpeg_fail(j_common_ptr jpeg)
{
    JpegReader *reader = jpeg->client_data;
    char why[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, why);
    image_damaged("JPEG", reader->shown, why, reader->error);
    longjmp(reader->failed, 1);
}

static void jpeg_message(j_common_ptr jpeg, int level)
{
    if (level < 0)      /* a warning: corrupt data */
        jpeg_fail(jpeg);
}

static void jpeg_progress(j_common_ptr jpeg)
{
    JpegReader *reader = jpeg->client_data;
    if (reader->jpeg.input_scan_number <= JPEG_MAX_SCANS)
        return;
    error_set(reader->error, EXIT_input, "too many scans in JPEG: %s has more than %d: save it again",
              name_tail(reader->shown), JPEG_MAX_SCANS);
    longjmp(reader->failed, 1);
}

static bool jpeg_colour_ok(const JpegReader *reader)
{
    switch (reader->jpeg.jpeg_color_space) {
    case JCS_GRAYSCALE: case JCS_YCbCr: case JCS_RGB:
        return true;
    case JCS_CMYK: case JCS_YCCK:
        return error_set(reader->error, EXIT_input, "CMYK JPEG is not supported: %s: convert it to RGB",
                         name_tail(reader->shown));
    default:
        return error_set(reader->error, EXIT_input,
                         "JPEG of unknown colours: %s has %d components, 1 or 3 are read: convert it to RGB",
                         name_tail(reader->shown), reader->jpeg.num_components);
    }
}

/* Reads to the end marker, so that a truncated file is noticed. */
static void jpeg_read_pixels(JpegReader *reader, ImageSize size)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    jpeg->out_color_space = size.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(jpeg);
    reader->pixels = image_pixels(size);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = reader->pixels + (size_t)jpeg->output_scanline * (size_t)size.width * (size_t)size.channels;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
}

static bool jpeg_read_file(JpegReader *reader, const uint8_t *bytes, size_t count, ImageSize *size, bool pixels_wanted)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    if (setjmp(reader->failed))
        return false;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &reader->progress;
    jpeg_mem_src(jpeg, bytes, (unsigned long)count);
    jpeg_read_header(jpeg, TRUE);
    if (!image_size_ok(jpeg->image_height, jpeg->image_width, reader->shown, reader->error) || !jpeg_colour_ok(reader))
        return false;
    *size = (ImageSize){ jpeg->jpeg_color_space == JCS_GRAYSCALE ? 1 : 3, (int)jpeg->image_height, (int)jpeg->image_width };
    if (pixels_wanted)
        jpeg_read_pixels(reader, *size);
    return true;
}

bool jpeg_decode(const uint8_t *bytes, size_t size, const char *shown, ImageSize *found, Image *image, Error *error)
{
    JpegReader reader = { .shown = shown, .error = error };
    reader.jpeg.err = jpeg_std_error(&reader.errors);
    reader.jpeg.client_data = &reader;
    reader.errors.error_exit = jpeg_fail;
    reader.errors.emit_message = jpeg_message;
    reader.progress.progress_monitor = jpeg_progress;

    const bool good = jpeg_read_file(&reader, bytes, size, found, image != NULL);
    jpeg_destroy_decompress(&reader.jpeg);
    if (good && image)
        image_finish(*found, reader.pixels, image);
    else
        free(reader.pixels);
    return good;
}
