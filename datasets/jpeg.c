/* jpeg.c - JPEG by libjpeg-turbo: grey, colour, CMYK and YCCK.
 *
 * Not every warning is damage. Where entropy-coded data ends too early, holds no code or lacks its restart markers, pixels are
 * made up. An odd header, or bytes between segments that nothing reads, leaves every pixel whole.
 *
 * A picture of more than IMAGE_MAX_PIXELS is decoded at a half, a quarter or an eighth of its size, as far as the size that is
 * wanted allows: time and memory are then those of the smaller picture. */

#include "image.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "disk.h"
#include "orientation.h"

enum {
    JPEG_MAX_SCANS = 100,               /* a small progressive file with thousands of scans would take minutes */
    JPEG_MAX_PIXELS = 256000000,
    JPEG_MAX_PROGRESSIVE = 100000000,   /* all coefficients of such a file are kept: 6 bytes a pixel */
    JPEG_EXIF = JPEG_APP0 + 1,
};

typedef struct JpegReader {
    struct jpeg_decompress_struct   jpeg;
    struct jpeg_error_mgr           errors;
    struct jpeg_progress_mgr        progress;
    const ImageOptions             *options;
    const char                     *shown;
    Error                          *error;
    int                             orientation;
    ImageSize                       size;           /* of `pixels`; 4 channels: CMYK */
    uint8_t                        *pixels;
    jmp_buf                         failed;
} JpegReader;

/* What the library does not do, though the file is whole. */
static const struct {
    int         code;
    const char *what;
} jpeg_unread[] = {
    { JERR_SOF_UNSUPPORTED,      "lossless or hierarchical JPEG" },
    { JERR_ARITH_NOTIMPL,        "arithmetic-coded JPEG" },
    { JERR_BAD_PRECISION,        "JPEG of other than 8 bits" },
    { JERR_EMPTY_IMAGE,          "JPEG without a size in its header" },
    { JERR_COMPONENT_COUNT,      "JPEG of so many components" },
    { JERR_CONVERSION_NOTIMPL,   "JPEG of such colours" },
    { JERR_CCIR601_NOTIMPL,      "JPEG of such sampling" },
    { JERR_FRACT_SAMPLE_NOTIMPL, "JPEG of such sampling" },
    { JERR_BAD_MCU_SIZE,         "JPEG of such sampling" },
    { JERR_NOTIMPL,              "JPEG of this kind" },
    { JERR_NOT_COMPILED,         "JPEG of this kind" },
};

static bool jpeg_not_read(const JpegReader *reader, const char *what)
{
    return error_set(reader->error, EXIT_input, "%s is not read: %s: save it as PNG or as usual JPEG", what,
                     name_tail(reader->shown));
}

static void jpeg_fail(j_common_ptr jpeg)
{
    JpegReader *reader = jpeg->client_data;
    char why[JMSG_LENGTH_MAX];
    const char *what = NULL;
    for (size_t i = 0; i < sizeof jpeg_unread / sizeof *jpeg_unread; i++)
        if (jpeg->err->msg_code == jpeg_unread[i].code)
            what = jpeg_unread[i].what;
    if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY)
        memory_exhausted("libjpeg");
    jpeg->err->format_message(jpeg, why);
    if (what)
        jpeg_not_read(reader, what);
    else
        image_damaged("JPEG", reader->shown, why, reader->error);
    longjmp(reader->failed, 1);
}

/* Is the warning about entropy-coded data? */
static bool jpeg_is_damage(const struct jpeg_error_mgr *errors)
{
    switch (errors->msg_code) {
    case JWRN_HIT_MARKER: case JWRN_HUFF_BAD_CODE: case JWRN_ARITH_BAD_CODE: case JWRN_MUST_RESYNC: case JWRN_JPEG_EOF:
        return true;
    case JWRN_EXTRANEOUS_DATA:      /* before a restart marker, codes were lost; elsewhere nothing reads these bytes */
        return errors->msg_parm.i[1] >= JPEG_RST0 && errors->msg_parm.i[1] <= JPEG_RST0 + 7;
    default:
        return false;
    }
}

static void jpeg_message(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg_is_damage(jpeg->err))
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

/* Chooses the colours to decode to. */
static bool jpeg_colours(JpegReader *reader)
{
    static const struct { J_COLOR_SPACE stored, decoded; int channels; } kinds[] = {
        { JCS_GRAYSCALE, JCS_GRAYSCALE, 1 }, { JCS_YCbCr, JCS_RGB, 3 }, { JCS_RGB, JCS_RGB, 3 }, { JCS_CMYK, JCS_CMYK, 4 }, { JCS_YCCK, JCS_CMYK, 4 },
    };
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].stored == jpeg->jpeg_color_space) {
            jpeg->out_color_space = kinds[i].decoded;
            reader->size.channels = kinds[i].channels;
            return true;
        }
    return error_set(reader->error, EXIT_input, "JPEG of unknown colours: %s has %d components, 1, 3 or 4 are read: convert it to RGB",
                     name_tail(reader->shown), jpeg->num_components);
}

static bool jpeg_size_ok(JpegReader *reader)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    if (!image_size_ok(jpeg->image_height, jpeg->image_width, JPEG_MAX_PIXELS, reader->shown, reader->error))
        return false;
    if (jpeg->data_precision != 8)
        return jpeg_not_read(reader, "JPEG of other than 8 bits");
    if ((long)jpeg->image_height * jpeg->image_width <= JPEG_MAX_PROGRESSIVE || !jpeg_has_multiple_scans(jpeg))
        return true;
    return error_set(reader->error, EXIT_input, "image too large: %s is %ux%u; the limit for progressive JPEG is %d million pixels: "
                     "save it without progressive coding or make it smaller", name_tail(reader->shown), jpeg->image_width,
                     jpeg->image_height, JPEG_MAX_PROGRESSIVE / 1000000);
}

static int jpeg_orientation(const JpegReader *reader)
{
    static const char name[] = "Exif\0";        /* two zeros end it */
    if (reader->options->as_stored)
        return ORIENTATION_upright;
    for (jpeg_saved_marker_ptr marker = reader->jpeg.marker_list; marker; marker = marker->next)
        if (marker->marker == JPEG_EXIF && marker->data_length >= sizeof name && !memcmp(marker->data, name, sizeof name))
            return orientation_read(marker->data + sizeof name, marker->data_length - sizeof name);
    return ORIENTATION_upright;
}

/* Sides of 1 / jpeg_divisor of the file's. */
static unsigned jpeg_divisor(const JpegReader *reader)
{
    const unsigned height = reader->jpeg.image_height, width = reader->jpeg.image_width;
    const bool turned = orientation_turns(reader->orientation);
    const ImageSize wanted = reader->options->wanted;
    const ImageFit fit = reader->options->fit;
    const unsigned least_height = (unsigned)image_scaled_side(turned ? wanted.width : wanted.height, fit);
    const unsigned least_width = (unsigned)image_scaled_side(turned ? wanted.height : wanted.width, fit);
    if ((long)height * width <= IMAGE_MAX_PIXELS || !least_height || !least_width)
        return 1;
    unsigned divisor = 8;
    while (divisor > 1 && ((height + divisor - 1) / divisor < least_height || (width + divisor - 1) / divisor < least_width))
        divisor /= 2;
    return divisor;
}

/* Such files hold 255 - ink. As Pillow converts them. */
static void jpeg_cmyk_to_rgb(ImageSize *size, uint8_t *pixels)
{
    const size_t count = (size_t)size->height * (size_t)size->width;
    for (size_t i = 0; i < count; i++) {
        const int white = pixels[4 * i + 3];
        for (int c = 0; c < 3; c++) {
            const int product = (255 - pixels[4 * i + (size_t)c]) * white + 128;
            pixels[3 * i + (size_t)c] = (uint8_t)(white - (((product >> 8) + product) >> 8));
        }
    }
    size->channels = 3;
}

/* Reads to the end marker, so that a truncated file is noticed. */
static void jpeg_read_pixels(JpegReader *reader)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    jpeg->scale_num = 1;
    jpeg->scale_denom = jpeg_divisor(reader);
    jpeg_start_decompress(jpeg);
    reader->size.height = (int)jpeg->output_height;
    reader->size.width = (int)jpeg->output_width;
    reader->pixels = image_pixels(reader->size);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = reader->pixels + (size_t)jpeg->output_scanline * (size_t)reader->size.width * (size_t)reader->size.channels;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
}

static bool jpeg_read_file(JpegReader *reader, const uint8_t *bytes, size_t count, ImageSize *found, bool pixels_wanted)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    if (setjmp(reader->failed))
        return false;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &reader->progress;
    jpeg_mem_src(jpeg, bytes, (unsigned long)count);
    jpeg_save_markers(jpeg, JPEG_EXIF, 0xFFFF);
    jpeg_read_header(jpeg, TRUE);
    if (!jpeg_size_ok(reader) || !jpeg_colours(reader))
        return false;
    *found = (ImageSize){ reader->size.channels == 1 ? 1 : 3, (int)jpeg->image_height, (int)jpeg->image_width };
    reader->orientation = jpeg_orientation(reader);
    if (pixels_wanted)
        jpeg_read_pixels(reader);
    return true;
}

bool jpeg_decode(const uint8_t *bytes, size_t size, const char *shown, const ImageOptions *options, ImageSize *found, Image *image,
                 Error *error)
{
    JpegReader reader = { .shown = shown, .error = error, .options = options };
    reader.jpeg.err = jpeg_std_error(&reader.errors);
    reader.jpeg.client_data = &reader;
    reader.errors.error_exit = jpeg_fail;
    reader.errors.emit_message = jpeg_message;
    reader.progress.progress_monitor = jpeg_progress;

    const bool good = jpeg_read_file(&reader, bytes, size, found, image != NULL);
    jpeg_destroy_decompress(&reader.jpeg);
    if (!good || !image) {
        free(reader.pixels);
        reader.pixels = NULL;
    }
    if (!good)
        return false;
    if (image) {
        if (reader.size.channels == 4)
            jpeg_cmyk_to_rgb(&reader.size, reader.pixels);
        image_finish(reader.size, reader.pixels, image);
    }
    orientation_apply(reader.orientation, found, image);
    return true;
}
