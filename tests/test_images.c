/* test_images.c - every image format and pixel kind decodes to the right pixels; every damage is named. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <png.h>
#include <zlib.h>

#include "dataset.h"
#include "image.h"
#include "picture.h"
#include "scratch.h"

enum { WIDTH = 7, HEIGHT = 5 };

static const ImageOptions whole;
/* The picture that all formats hold: sample `c` (3: alpha) at (y, x). */
static int sample(int y, int x, int c)
{
    return (37 * y + 53 * x + 89 * c + 11) % 256;
}

/* ---- PNG ---- */

typedef struct PngCase {
    const char *name;
    int         type, depth;
    bool        interlaced, transparent;      /* transparent: palette entry or colour 0 by tRNS */
} PngCase;

static const PngCase png_cases[] = {
    { "grey 8",             PNG_COLOR_TYPE_GRAY,       8,  false, false },
    { "grey 1",             PNG_COLOR_TYPE_GRAY,       1,  false, false },
    { "grey 4",             PNG_COLOR_TYPE_GRAY,       4,  true,  false },
    { "grey 16",            PNG_COLOR_TYPE_GRAY,       16, false, false },
    { "grey alpha 8",       PNG_COLOR_TYPE_GRAY_ALPHA, 8,  false, false },
    { "rgb 8",              PNG_COLOR_TYPE_RGB,        8,  false, false },
    { "rgb 8 interlaced",   PNG_COLOR_TYPE_RGB,        8,  true,  false },
    { "rgb 8 transparent",  PNG_COLOR_TYPE_RGB,        8,  false, true  },
    { "rgb 16",             PNG_COLOR_TYPE_RGB,        16, false, false },
    { "rgba 8",             PNG_COLOR_TYPE_RGBA,       8,  true,  false },
    { "rgba 16",            PNG_COLOR_TYPE_RGBA,       16, false, false },
    { "palette 8",          PNG_COLOR_TYPE_PALETTE,    8,  false, false },
    { "palette 8 with tRNS", PNG_COLOR_TYPE_PALETTE,   8,  false, true  },
    { "palette 4",          PNG_COLOR_TYPE_PALETTE,    4,  true,  false },
};

static void png_to_bytes(png_structp png, png_bytep data, size_t size)
{
    bytes_add(png_get_io_ptr(png), data, size);
}

static void png_no_flush(png_structp png)
{
    (void)png;
}

static int png_channels(int type)
{
    return type == PNG_COLOR_TYPE_RGBA ? 4 : type == PNG_COLOR_TYPE_RGB ? 3 : type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2 : 1;
}

/* The stored sample: `depth` bits. */
static int png_sample(const PngCase *test, int y, int x, int c)
{
    const int value = sample(y, x, c);
    return test->depth == 16 ? value * 256 + (value * 7) % 256 : value >> (8 - test->depth);
}

static void png_make(const PngCase *test, Bytes *bytes)
{
    bytes->size = 0;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, bytes, png_to_bytes, png_no_flush);
    png_set_IHDR(png, info, WIDTH, HEIGHT, test->depth, test->type, test->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_color palette[256];
    for (int i = 0; i < 256; i++)
        palette[i] = (png_color){ (png_byte)(i * 3), (png_byte)(255 - i), (png_byte)(i * 5 + 1) };
    png_byte alpha[] = { 0, 128 };
    png_color_16 clear = { .red = (png_uint_16)sample(0, 0, 0), .green = (png_uint_16)sample(0, 0, 1), .blue = (png_uint_16)sample(0, 0, 2) };
    if (test->type == PNG_COLOR_TYPE_PALETTE) {
        png_set_PLTE(png, info, palette, 1 << test->depth);
        if (test->transparent)
            png_set_tRNS(png, info, alpha, 2, NULL);
    } else if (test->transparent) {
        png_set_tRNS(png, info, NULL, 0, &clear);
    }
    png_write_info(png, info);
    const int channels = png_channels(test->type);
    uint8_t rows[HEIGHT][WIDTH * 8];
    png_bytep pointers[HEIGHT];
    memset(rows, 0, sizeof rows);
    for (int y = 0; y < HEIGHT; y++) {
        pointers[y] = rows[y];
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < channels; c++) {
                const int value = png_sample(test, y, x, c), at = x * channels + c;
                if (test->depth == 16) {
                    rows[y][2 * at] = (uint8_t)(value >> 8);
                    rows[y][2 * at + 1] = (uint8_t)value;
                } else {
                    const int bit = at * test->depth;
                    rows[y][bit / 8] = (uint8_t)(rows[y][bit / 8] | value << (8 - test->depth - bit % 8));
                }
            }
    }
    png_write_image(png, pointers);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

/* What the decoder must give for channel c, by hand. */
static double png_expected(const PngCase *test, int y, int x, int c)
{
    const double most = test->depth == 16 ? 65535 : (1 << test->depth) - 1;
    if (test->type == PNG_COLOR_TYPE_PALETTE) {
        const int i = png_sample(test, y, x, 0), colours[] = { i * 3 % 256, 255 - i, (i * 5 + 1) % 256 };
        const double alpha = !test->transparent || i > 1 ? 1 : i == 0 ? 0 : 128 / 255.0;
        return colours[c] * alpha + 255 * (1 - alpha);
    }
    const int channels = png_channels(test->type);
    const double value = png_sample(test, y, x, c) / most;
    double alpha = channels % 2 ? 1 : png_sample(test, y, x, channels - 1) / most;
    if (test->transparent && png_sample(test, y, x, 0) == sample(0, 0, 0) && png_sample(test, y, x, 1) == sample(0, 0, 1))
        alpha = 0;
    return 255 * (value * alpha + 1 - alpha);
}

static void test_png(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof png_cases / sizeof *png_cases; i++) {
        const PngCase *test = &png_cases[i];
        static Bytes bytes;
        Error error = {0};
        Image image;
        ImageSize size;
        png_make(test, &bytes);
        if (!image_decode(bytes.data, bytes.size, test->name, &whole, &image, &error) ||
            !image_measure(bytes.data, bytes.size, test->name, &whole, &size, &error))
            fail_msg("%s: %s", test->name, error.text);
        const int channels = test->type & PNG_COLOR_MASK_COLOR ? 3 : 1;
        assert_memory_equal(&size, &image.size, sizeof size);
        assert_int_equal(size.channels, channels);
        assert_int_equal(size.height, HEIGHT);
        assert_int_equal(size.width, WIDTH);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                for (int c = 0; c < channels; c++) {
                    const int got = image.pixels[(y * WIDTH + x) * channels + c];
                    const double expected = png_expected(test, y, x, c);
                    if (fabs(got - expected) > (test->depth == 16 && test->type == PNG_COLOR_TYPE_RGBA ? 1.5 : 0.51))
                        fail_msg("%s: (%d, %d, %d) is %d, expected %g", test->name, y, x, c, got, expected);
                }
        free(image.pixels);
        for (size_t cut = 0; cut < bytes.size; cut++)
            if (image_decode(bytes.data, cut, test->name, &whole, &image, &error))
                fail_msg("%s: %zu of %zu bytes were accepted", test->name, cut, bytes.size);
        one_line(&error, test->name);
    }
}

/* A chunk before the pixels. */
static void png_insert(Bytes *bytes, const char *name, const uint8_t *data, size_t size)
{
    enum { AFTER_HEADER = 33 };
    uint8_t *chunk = malloc(size + 12);
    assert_non_null(chunk);
    png_save_uint_32(chunk, (png_uint_32)size);
    memcpy(chunk + 4, name, 4);
    memcpy(chunk + 8, data, size);
    png_save_uint_32(chunk + 8 + size, (png_uint_32)crc32(0, chunk + 4, (uInt)size + 4));
    bytes_insert(bytes, AFTER_HEADER, chunk, size + 12);
    free(chunk);
}

/* 24 texts that inflate to 7 MB each, and a profile: nothing of them is kept. */
static void test_png_texts_are_not_read(void **state)
{
    (void)state;
    enum { LENGTH = 7000000, TEXTS = 24, ROOM = 16384, MOST_GROWTH = 65536 };      /* in KB */
    static Bytes bytes;
    static uint8_t text[ROOM] = "Comment\0";
    uint8_t *letters = malloc(LENGTH);
    uLongf packed = ROOM - 9;
    struct rusage before, after;
    Error error = {0};
    Image image;
    assert_non_null(letters);
    memset(letters, 'a', LENGTH);
    assert_int_equal(compress(text + 9, &packed, letters, LENGTH), Z_OK);
    free(letters);
    png_make(&png_cases[5], &bytes);
    png_insert(&bytes, "iCCP", text, packed + 9);
    for (int i = 0; i < TEXTS; i++)
        png_insert(&bytes, "zTXt", text, packed + 9);
    getrusage(RUSAGE_SELF, &before);
    if (!image_decode(bytes.data, bytes.size, "texts.png", &whole, &image, &error))
        fail_msg("%s", error.text);
    getrusage(RUSAGE_SELF, &after);
    assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, MOST_GROWTH);
    assert_int_equal(image.pixels[0], sample(0, 0, 0));
    free(image.pixels);
}

/* ---- other formats, made by hand: 3 x 2 pixels ---- */

static const uint8_t ppm[] = "P6\n3 2\n255\n" "\1\2\3" "\4\5\6" "\7\10\11" "\12\13\14" "\15\16\17" "\20\21\22";
static const uint8_t pgm[] = "P5\n# grey\n3 2\n255\n" "\1\2\3" "\4\5\6";
static const uint8_t pgm_dim[] = "P5 3#wide\n2 15\n" "\0\1\2" "\3\7\17";
static const uint8_t pgm_zeros[] = "P5 00000000003 2 0255\n" "\1\2\3" "\4\5\6";
static const uint8_t pgm16[] = "P5\n3 2\n65535\n" "\1\2\3\4\5\6\7\10\11\12\13\14";
static const uint8_t tga[] = {
    0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 2, 0, 24, 0x20,
    3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10, 15, 14, 13, 18, 17, 16,
};
static const uint8_t bmp[] = {
    'B', 'M', 78, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 24, 0,
    0, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    12, 11, 10, 15, 14, 13, 18, 17, 16, 0, 0, 0, 3, 2, 1, 6, 5, 4, 9, 8, 7, 0, 0, 0,
};
/* Palette (1 2 3), (4 5 6), (7 8 9), (10 11 12); the pixels 0 1 2 / 3 3 0 as uncompressed codes of 3 bits:
 * clear(4) 0 clear 1 clear 2 clear 3 clear 3 clear 0 end(5). */
static const uint8_t gif[] = {
    'G', 'I', 'F', '8', '9', 'a', 3, 0, 2, 0, 0x81, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    0x2C, 0, 0, 0, 0, 3, 0, 2, 0, 0, 2, 5, 0x04, 0x43, 0x71, 0x1C, 0x51, 0, 0x3B,
};

static void test_others(void **state)
{
    (void)state;
    static const uint8_t counting[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18 };
    static const uint8_t of_dim[] = { 0, 17, 34, 51, 119, 255 };
    static const uint8_t of_gif[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 10, 11, 12, 1, 2, 3 };
    static const struct {
        const char    *name;
        const uint8_t *bytes;
        size_t         size, needed;      /* needed: fewer bytes must be refused */
        int            channels;
        const uint8_t *pixels;
    } cases[] = {
        { "a.ppm", ppm, sizeof ppm - 1, sizeof ppm - 1, 3, counting },
        { "a.pgm", pgm, sizeof pgm - 1, sizeof pgm - 1, 1, counting },
        { "b.pgm", pgm_dim, sizeof pgm_dim - 1, sizeof pgm_dim - 1, 1, of_dim },
        { "c.pgm", pgm_zeros, sizeof pgm_zeros - 1, sizeof pgm_zeros - 1, 1, counting },
        { "a.TGA", tga, sizeof tga,     sizeof tga,     3, counting },
        { "a.bmp", bmp, sizeof bmp,     sizeof bmp,     3, counting },
        { "a.gif", gif, sizeof gif,     sizeof gif - 1, 3, of_gif },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error = {0};
        Image image;
        if (!image_decode(cases[i].bytes, cases[i].size, cases[i].name, &whole, &image, &error))
            fail_msg("%s: %s", cases[i].name, error.text);
        if (image.size.channels != cases[i].channels || image.size.height != 2 || image.size.width != 3 ||
            memcmp(image.pixels, cases[i].pixels, 6 * (size_t)cases[i].channels) != 0)
            fail_msg("%s: %dx%dx%d, first pixel %d", cases[i].name, image.size.channels, image.size.height, image.size.width,
                     image.pixels[0]);
        free(image.pixels);
        for (size_t cut = 0; cut < cases[i].needed; cut++) {
            if (image_decode(cases[i].bytes, cut, cases[i].name, &whole, &image, &error))
                fail_msg("%s: %zu of %zu bytes were accepted", cases[i].name, cut, cases[i].size);
            one_line(&error, cases[i].name);
        }
    }
}

/* stb_image reads 110 bytes of these pixels through its buffer, and then exactly as many as the buffer holds. */
static void test_truncated_in_a_read_of_the_buffers_size(void **state)
{
    (void)state;
    uint8_t bytes[18 + 238] = { [2] = 3, [12] = 238, [14] = 1, [16] = 8 };
    for (size_t cut = 0; cut < sizeof bytes; cut++) {
        Error error = {0};
        Image image;
        if (image_decode(bytes, cut, "cut.tga", &whole, &image, &error))
            fail_msg("%zu of %zu bytes were accepted", cut, sizeof bytes);
        one_line(&error, "cut.tga");
    }
}

/* ---- what is refused ---- */

static void test_refused(void **state)
{
    (void)state;
    static Bytes huge, thin, crc, empty_side;
    png_make(&png_cases[5], &huge);
    thin = crc = empty_side = huge;
    memcpy(huge.data + 16, "\0\0\x4E\x20\0\0\x4E\x20", 8);             /* 20000 x 20000 */
    memcpy(thin.data + 16, "\0\0\x20\0\0\0\x20\0", 8);                 /* 8192 x 8192: 67 million */
    memcpy(empty_side.data + 16, "\0\0\0\0\0\0\0\1", 8);
    crc.data[29] ^= 1;
    const struct {
        const char *name;
        const void *bytes;
        size_t      size;
        const char *text, *more;
    } cases[] = {
        { "huge.png",  huge.data, huge.size, "image too large: huge.png is 20000x20000", "50 million" },
        { "thin.png",  thin.data, thin.size, "image too large: thin.png is 8192x8192", "50 million" },
        { "none.png",  empty_side.data, empty_side.size, "image has no pixels: none.png is 0x1", "remove" },
        { "crc.png",   crc.data, crc.size, "damaged PNG: crc.png: ", "CRC" },
        { "empty.png", "", 0, "empty image file: empty.png", "0 bytes" },
        { "text.png",  "hello", 5, "not an image: text.png begins with bytes 68 65", "PNG, JPEG" },
        { "none.gif",  "GIF89a\1\0\1\0\x80\0\0\0\0\0\1\1\1;", 20, "damaged image: none.gif: ", "it holds no picture" },
        { "a.webp",    "RIFF\4\0\0\0WEBPVP8 ", 16, "WebP is not supported: a.webp", "convert it" },
        { "a.tif",     "II*\0\10\0\0\0", 8, "TIFF is not supported: a.tif", "convert it" },
        { "a.tga",     "8BPS\0\1\0\0", 8, "PSD is not supported: a.tga", "convert it" },
        { "a.heic",    "\0\0\0\30ftypheic", 12, "HEIC is not supported: a.heic", "convert it" },
        { "a.pnm",     "P3\n1 1\n255\n1 2 3\n", 17, "text is not supported: a.pnm", "convert it" },
        { "dark.pgm",  "P5\n1 1\n0\n\0", 10, "largest value is 0", "dark.pgm" },
        { "wide.pgm",  "P5 4294967298 1 255\nab", 22, "image too large: wide.pgm", "50 million" },
        { "high.pgm",  "P5 2#w\n4294967297 255\nab", 24, "image too large: high.pgm", "50 million" },
        { "max.pgm",   "P5 2 1 4294967551\nab", 20, "damaged PNM: max.pgm", "over 65535" },
        { "long.pgm",  "P5 18446744073709551618 1 255\nab", 32, "image too large: long.pgm", "50 million" },
        { "short.ppm", "P6 2", 4, "damaged PNM: short.ppm", "no height" },
        { "minus.ppm", "P6 -2 1 255\nabcabc", 18, "damaged PNM: minus.ppm", "no width" },
        { "a.jpg",     "\0\0\0\fjP  \r\n\x87\n", 12, "JPEG 2000 is not supported: a.jpg", "convert it" },
        { "b.jpg",     "\xFF\n\0\0", 4, "JPEG XL is not supported: b.jpg", "convert it" },
        { "a.ico",     "\0\0\1\0\1\0", 6, "ICO is not supported: a.ico", "convert it" },
        { "b.tga",     "\0\0\x21\0\0\0\0\0\0\0\0\0\2\0\2\0\x18\0...", 22, "TGA of this kind is not read: b.tga has type 33 and 24", "save it as PNG" },
        { "deep.pgm",  pgm16, sizeof pgm16 - 1, "16 bits is not supported: deep.pgm", "convert it to PNG" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error = {0};
        Image image;
        if (image_decode(cases[i].bytes, cases[i].size, cases[i].name, &whole, &image, &error))
            fail_msg("%s was accepted", cases[i].name);
        one_line(&error, cases[i].name);
        if (error.code != EXIT_input || !strstr(error.text, cases[i].text) || !strstr(error.text, cases[i].more))
            fail_msg("%s: code %d, '%s'", cases[i].name, error.code, error.text);
    }
}

static void test_load_refused(void **state)
{
    (void)state;
    char path[256];
    uint8_t pixels[12];
    Error error;
    assert_false(image_load(scratch_path(path, scratch_folder, "missing.png"), &(ImageOptions){ .wanted = { 3, 2, 2 } }, pixels, &error));
    assert_non_null(strstr(error.text, "No such file"));
    assert_int_equal(mkfifo(scratch_path(path, scratch_folder, "fifo.png"), 0600), 0);
    assert_false(image_load(path, &(ImageOptions){ .wanted = { 3, 2, 2 } }, pixels, &error));
    assert_non_null(strstr(error.text, "is a FIFO"));
    assert_false(image_load(scratch_folder, &(ImageOptions){ .wanted = { 3, 2, 2 } }, pixels, &error));
    assert_non_null(strstr(error.text, "is a folder"));
    assert_int_equal(error.code, EXIT_input);
}

/* Through a file: the pixels of a PPM, in planes. */
static void test_load(void **state)
{
    (void)state;
    char path[256];
    uint8_t pixels[18];
    Error error;
    static const uint8_t planes[] = { 1, 4, 7, 10, 13, 16, 2, 5, 8, 11, 14, 17, 3, 6, 9, 12, 15, 18 };
    scratch_write(scratch_path(path, scratch_folder, "a.ppm"), ppm, sizeof ppm - 1);
    assert_true(image_load(path, &(ImageOptions){ .wanted = { 3, 2, 3 } }, pixels, &error));
    assert_memory_equal(pixels, planes, sizeof planes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_png),
        cmocka_unit_test(test_png_texts_are_not_read),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_truncated_in_a_read_of_the_buffers_size),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_load_refused),
        cmocka_unit_test(test_load),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
