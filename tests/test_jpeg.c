/* test_jpeg.c - JPEG: every kind of colours, what is damage and what is an odd file, large pictures. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

enum { SOF0 = 0xC0, SOI = 0xD8, SOS = 0xDA, DQT = 0xDB, RST1 = 0xD1, APP0 = 0xE0 };

static const ImageOptions whole;

static uint8_t slope(int y, int x, int c)
{
    return (uint8_t)(100 + 9 * y + 5 * x + 7 * c);
}

static uint8_t *decoded(const Bytes *bytes, const char *name, const ImageOptions *options, ImageSize *size)
{
    Error error = {0};
    Image image;
    if (!image_decode(bytes->data, bytes->size, name, options, &image, &error))
        fail_msg("%s: %s", name, error.text);
    *size = image.size;
    return image.pixels;
}

static void refused(const Bytes *bytes, const char *name, const char *text, const char *never)
{
    Error error = {0};
    Image image;
    if (image_decode(bytes->data, bytes->size, name, &whole, &image, &error))
        fail_msg("%s was accepted", name);
    one_line(&error, name);
    if (error.code != EXIT_input || !strstr(error.text, text) || (never && strstr(error.text, never)))
        fail_msg("%s: code %d, '%s', expected '%s'", name, error.code, error.text, text);
}

static void test_jpeg(void **state)
{
    (void)state;
    static const struct {
        const char   *name;
        J_COLOR_SPACE space;
        int           channels;
        bool          progressive;
    } cases[] = {
        { "grey", JCS_GRAYSCALE, 1, false }, { "rgb", JCS_RGB, 3, false }, { "rgb progressive", JCS_RGB, 3, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static Bytes bytes;
        Error error = {0};
        Image image;
        ImageSize size;
        jpeg_make(&(JpegRecipe){ .height = 5, .width = 7, .given = cases[i].space, .progressive = cases[i].progressive,
                                 .sample = slope }, &bytes);
        uint8_t *pixels = decoded(&bytes, cases[i].name, &whole, &size);
        assert_int_equal(size.channels, cases[i].channels);
        for (int y = 0; y < 5; y++)
            for (int x = 0; x < 7; x++)
                for (int c = 0; c < size.channels; c++) {
                    const int got = pixels[(y * 7 + x) * size.channels + c], expected = slope(y, x, c);
                    if (abs(got - expected) > 4)
                        fail_msg("%s: (%d, %d, %d) is %d, expected about %d", cases[i].name, y, x, c, got, expected);
                }
        free(pixels);
        for (size_t cut = 0; cut < bytes.size; cut++)       /* without its end marker alone as well: so does Pillow */
            if (image_decode(bytes.data, cut, cases[i].name, &whole, &image, &error))
                fail_msg("%s: %zu of %zu bytes were accepted", cases[i].name, cut, bytes.size);
        one_line(&error, cases[i].name);
    }
}

/* A progressive JPEG whose first scan is repeated 200 times. */
static void test_scans(void **state)
{
    (void)state;
    static Bytes bytes, bomb;
    jpeg_make(&(JpegRecipe){ .height = 5, .width = 7, .given = JCS_GRAYSCALE, .progressive = true, .sample = slope }, &bytes);
    const size_t scan = bytes_marker(&bytes, SOS);
    size_t end = scan + 2;
    while (bytes.data[end] != 0xFF || bytes.data[end + 1] == 0)
        end++;
    bomb = bytes;
    for (int i = 0; i < 200; i++)
        bytes_insert(&bomb, scan, bytes.data + scan, end - scan);
    refused(&bomb, "bomb.jpg", "too many scans in JPEG: bomb.jpg", "damaged");
}

/* ---- odd files: every pixel is there ---- */

static void restarts(Bytes *bytes)
{
    jpeg_make(&(JpegRecipe){ .height = 40, .width = 48, .given = JCS_GRAYSCALE, .restart = 2, .sample = slope }, bytes);
}

/* The spectral selection and approximation, which a baseline file repeats in vain. */
static void odd_scan(Bytes *bytes)
{
    const size_t scan = bytes_marker(bytes, SOS);
    const size_t length = (size_t)(bytes->data[scan + 2] * 256 + bytes->data[scan + 3]);
    memset(bytes->data + scan + 2 + length - 3, 0, 3);
}

static void odd_between(Bytes *bytes)
{
    bytes_insert(bytes, bytes_marker(bytes, DQT), "\0\0", 2);
}

static void odd_before_frame(Bytes *bytes)
{
    bytes_insert(bytes, bytes_marker(bytes, SOF0), "odd bytes", 9);
}

static void odd_before_end(Bytes *bytes)
{
    bytes_insert(bytes, bytes->size - 2, "\0\1\2\3", 4);
}

static void odd_behind_end(Bytes *bytes)
{
    bytes_add(bytes, "a film, say", 11);
}

static void odd_revision(Bytes *bytes)
{
    bytes->data[bytes_marker(bytes, APP0) + 9] = 7;
}

static void odd_adobe(Bytes *bytes)
{
    bytes_insert(bytes, bytes_marker(bytes, DQT), "\xFF\xEE\0\16" "Adobe\0\144\0\0\0\0\t", 16);
}

static void odd_profile(Bytes *bytes)
{
    bytes_insert(bytes, bytes_marker(bytes, DQT), "\xFF\xE2\0\22" "ICC_PROFILE\0\5\1!!", 20);
}

static void test_odd_files_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void      (*edit)(Bytes *bytes);
    } cases[] = {
        { "scan header", odd_scan }, { "between segments", odd_between }, { "before the frame", odd_before_frame },
        { "before the end", odd_before_end }, { "behind the end", odd_behind_end }, { "JFIF 7", odd_revision },
        { "Adobe transform 9", odd_adobe }, { "profile 5 of 1", odd_profile },
    };
    static Bytes plain, odd;
    ImageSize size;
    restarts(&plain);
    uint8_t *expected = decoded(&plain, "plain", &whole, &size);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ImageSize odd_size;
        odd = plain;
        cases[i].edit(&odd);
        uint8_t *pixels = decoded(&odd, cases[i].name, &whole, &odd_size);
        assert_memory_equal(&odd_size, &size, sizeof size);
        if (memcmp(pixels, expected, (size_t)size.height * (size_t)size.width) != 0)
            fail_msg("%s: other pixels", cases[i].name);
        free(pixels);
    }
    free(expected);
}

/* ---- damage: pixels would be made up ---- */

static void cut_before_end(Bytes *bytes)
{
    memmove(bytes->data + bytes->size - 42, bytes->data + bytes->size - 2, 2);
    bytes->size -= 40;
}

static void cut_within(Bytes *bytes)
{
    const size_t at = bytes_marker(bytes, RST1) - 20;
    memmove(bytes->data + at, bytes->data + at + 20, bytes->size - at - 20);
    bytes->size -= 20;
}

static void lost_restart(Bytes *bytes)
{
    bytes->data[bytes_marker(bytes, RST1) + 1] += 2;
}

static void bytes_before_restart(Bytes *bytes)
{
    bytes_insert(bytes, bytes_marker(bytes, RST1), "\1\2\3", 3);
}

static void bad_code(Bytes *bytes)
{
    const size_t at = bytes_marker(bytes, RST1) + 2;
    for (size_t i = at; i < at + 16; i += 2)
        memcpy(bytes->data + i, "\xFF\0", 2);          /* a code of ones alone is none */
}

static void test_damage_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void      (*edit)(Bytes *bytes);
    } cases[] = {
        { "cut before the end", cut_before_end }, { "cut within", cut_within }, { "lost restart", lost_restart },
        { "bytes before a restart", bytes_before_restart }, { "bad code", bad_code },
    };
    static Bytes bytes;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        restarts(&bytes);
        cases[i].edit(&bytes);
        refused(&bytes, cases[i].name, "damaged JPEG: ", NULL);
    }
}

/* ---- whole files of kinds that are not read ---- */

static void test_kinds_that_are_not_read(void **state)
{
    (void)state;
    enum { PRECISION = 4, HEIGHT = 5 };       /* behind the marker */
    static const struct {
        const char *name;
        size_t      at;
        const char *bytes;
        size_t      count;
        const char *text;
    } cases[] = {
        { "deep.jpg",     PRECISION, "\14", 1,              "JPEG of other than 8 bits is not read: deep.jpg: save it as PNG" },
        { "lossless.jpg", 1,         "\xC3", 1,             "lossless or hierarchical JPEG is not read: lossless.jpg: save it" },
        { "late.jpg",     HEIGHT,    "\0\0", 2,             "JPEG without a size in its header is not read: late.jpg" },
        { "huge.jpg",     HEIGHT,    "\xFD\xE8\xFD\xE8", 4, "huge.jpg is 65000x65000; the limits are a side of 16384" },
        { "wide.jpg",     HEIGHT,    "\x3E\x80\x3E\x81", 4, "wide.jpg is 16001x16000; the limits are a side of 16384 and 256 million" },
    };
    static Bytes bytes;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        restarts(&bytes);
        memcpy(bytes.data + bytes_marker(&bytes, SOF0) + cases[i].at, cases[i].bytes, cases[i].count);
        refused(&bytes, cases[i].name, cases[i].text, "damaged");
    }
    jpeg_make(&(JpegRecipe){ .height = 40, .width = 40, .given = JCS_RGB, .progressive = true, .sample = slope }, &bytes);
    memcpy(bytes.data + bytes_marker(&bytes, 0xC2) + HEIGHT, "\x27\x11\x27\x10", 4);
    refused(&bytes, "slow.jpg", "slow.jpg is 10000x10001; the limit for progressive JPEG is 100 million", "damaged");
}

/* ---- CMYK ---- */

static const uint8_t inks[4][4] = { { 0, 0, 0, 0 }, { 255, 0, 0, 0 }, { 0, 128, 64, 32 }, { 10, 200, 30, 100 } };

/* Four squares of 16 pixels; files hold 255 - ink, as Adobe's do. */
static uint8_t printed(int y, int x, int c)
{
    return (uint8_t)(255 - inks[y / 16 * 2 + x / 16][c]);
}

/* Pillow 9.4's Image.open(...).convert("RGB") of the same inks. */
static void test_cmyk(void **state)
{
    (void)state;
    static const uint8_t of_pillow[4][3] = { { 255, 255, 255 }, { 0, 255, 255 }, { 223, 111, 167 }, { 149, 33, 137 } };
    static const J_COLOR_SPACE stored[] = { JCS_CMYK, JCS_YCCK };
    for (int i = 0; i < 2; i++) {
        static Bytes bytes;
        ImageSize size;
        jpeg_make(&(JpegRecipe){ .height = 32, .width = 32, .given = JCS_CMYK, .stored = stored[i], .sample = printed }, &bytes);
        uint8_t *pixels = decoded(&bytes, "inks.jpg", &whole, &size);
        assert_memory_equal(&size, &((ImageSize){ 3, 32, 32 }), sizeof size);
        for (int square = 0; square < 4; square++)
            for (int c = 0; c < 3; c++) {
                const int got = pixels[((square / 2 * 16 + 8) * 32 + square % 2 * 16 + 8) * 3 + c];
                if (abs(got - of_pillow[square][c]) > 2 * i)
                    fail_msg("stored as %d: square %d, channel %d is %d, expected %d", stored[i], square, c, got, of_pillow[square][c]);
            }
        free(pixels);
    }
}

/* ---- large pictures ---- */

static uint8_t flat(int y, int x, int c)
{
    (void)y;
    (void)x;
    (void)c;
    return 137;
}

/* 52 million pixels: decoded no larger than needed. 50 million and fewer stay as they are. */
static void test_large_pictures(void **state)
{
    (void)state;
    static const struct {
        int height, width, wanted, decoded_height, decoded_width;
    } cases[] = {
        { 3200, 16300, 32,   400,  2038 },
        { 3200, 16300, 400,  400,  2038 },
        { 3200, 16300, 401,  800,  4075 },
        { 3200, 16300, 1600, 1600, 8150 },
        { 3200, 16300, 1601, 3200, 16300 },
        { 3200, 16300, 0,    3200, 16300 },
        { 3050, 16384, 32,   3050, 16384 },
    };
    static Bytes bytes;
    int made = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ImageSize size;
        if (made != cases[i].height)
            jpeg_make(&(JpegRecipe){ .height = cases[i].height, .width = cases[i].width, .given = JCS_GRAYSCALE, .sample = flat }, &bytes);
        made = cases[i].height;
        uint8_t *pixels = decoded(&bytes, "large.jpg", &(ImageOptions){ .wanted = { 1, cases[i].wanted, cases[i].wanted } }, &size);
        if (size.height != cases[i].decoded_height || size.width != cases[i].decoded_width)
            fail_msg("wanted %d: decoded as %dx%d, expected %dx%d", cases[i].wanted, size.width, size.height,
                     cases[i].decoded_width, cases[i].decoded_height);
        assert_int_equal(pixels[0], 137);
        assert_int_equal(pixels[(size_t)size.height * (size_t)size.width - 1], 137);
        free(pixels);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jpeg),
        cmocka_unit_test(test_scans),
        cmocka_unit_test(test_odd_files_are_read),
        cmocka_unit_test(test_damage_is_named),
        cmocka_unit_test(test_kinds_that_are_not_read),
        cmocka_unit_test(test_cmyk),
        cmocka_unit_test(test_large_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
