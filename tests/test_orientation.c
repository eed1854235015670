/* test_orientation.c - EXIF's eight orientations, in JPEG and PNG, of either byte order; what cannot be read changes nothing. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "orientation.h"
#include "picture.h"

enum { DQT = 0xDB, SQUARE = 16, EXIF_BYTES = 26 };

/* The stored picture is A B C above D E F: its rows as they must be seen (Pillow's exif_transpose says the same). */
static const char *const seen[ORIENTATION_most + 1] = {
    NULL, "ABC/DEF", "CBA/FED", "FED/CBA", "DEF/ABC", "AD/BE/CF", "DA/EB/FC", "FC/EB/DA", "CF/BE/AD",
};

/* A header, one directory, its one entry, no further directory. */
static void exif_make(bool big, int orientation, uint8_t *exif)
{
    static const uint8_t little_bytes[EXIF_BYTES] = { 'I', 'I', '*', 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0 },
                         big_bytes[EXIF_BYTES] = { 'M', 'M', 0, '*', 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1 };
    memcpy(exif, big ? big_bytes : little_bytes, EXIF_BYTES);
    exif[big ? 19 : 18] = (uint8_t)orientation;
}

static uint8_t letter(int y, int x, int c)
{
    (void)c;
    return (uint8_t)(100 + 20 * (y / SQUARE * 3 + x / SQUARE));
}

static void jpeg_with(const uint8_t *exif, size_t size, Bytes *bytes)
{
    uint8_t segment[10 + EXIF_BYTES] = "\xFF\xE1\0\0" "Exif\0";
    segment[3] = (uint8_t)(8 + size);
    memcpy(segment + 10, exif, size);
    jpeg_make(&(JpegRecipe){ .height = 2 * SQUARE, .width = 3 * SQUARE, .given = JCS_GRAYSCALE, .sample = letter }, bytes);
    bytes_insert(bytes, bytes_marker(bytes, DQT), segment, 10 + size);
}

static void png_to_bytes(png_structp png, png_bytep data, size_t size)
{
    bytes_add(png_get_io_ptr(png), data, size);
}

static void png_with(const uint8_t *exif, size_t size, Bytes *bytes)
{
    uint8_t row[3 * SQUARE], copy[EXIF_BYTES];
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    bytes->size = 0;
    memcpy(copy, exif, size);
    png_set_write_fn(png, bytes, png_to_bytes, NULL);
    png_set_IHDR(png, info, 3 * SQUARE, 2 * SQUARE, 8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_eXIf_1(png, info, (png_uint_32)size, copy);
    png_write_info(png, info);
    for (int y = 0; y < 2 * SQUARE; y++) {
        for (int x = 0; x < 3 * SQUARE; x++)
            row[x] = letter(y, x, 0);
        png_write_row(png, row);
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
}

/* The letters of a picture, row by row. */
static void expect_seen(const Bytes *bytes, const char *name, const ImageOptions *options, const char *rows)
{
    Error error = {0};
    Image image;
    ImageSize size;
    char text[16] = "";
    if (!image_decode(bytes->data, bytes->size, name, options, &image, &error) ||
        !image_measure(bytes->data, bytes->size, name, options, &size, &error))
        fail_msg("%s: %s", name, error.text);
    assert_memory_equal(&size, &image.size, sizeof size);
    for (int y = SQUARE / 2; y < size.height; y += SQUARE) {
        for (int x = SQUARE / 2; x < size.width; x += SQUARE)
            strncat(text, &"ABCDEF"[(image.pixels[y * size.width + x] - 90) / 20], 1);
        strcat(text, y + SQUARE < size.height ? "/" : "");
    }
    free(image.pixels);
    if (strcmp(text, rows) != 0)
        fail_msg("%s: %s, expected %s", name, text, rows);
}

static void test_all_eight(void **state)
{
    (void)state;
    for (int orientation = 1; orientation <= ORIENTATION_most; orientation++)
        for (int kind = 0; kind < 4; kind++) {
            static Bytes bytes;
            char name[32];
            uint8_t exif[EXIF_BYTES];
            const bool big = kind & 1, png = kind & 2;
            exif_make(big, orientation, exif);
            (png ? png_with : jpeg_with)(exif, sizeof exif, &bytes);
            snprintf(name, sizeof name, "%s %s %d", png ? "PNG" : "JPEG", big ? "MM" : "II", orientation);
            expect_seen(&bytes, name, &(ImageOptions){0}, seen[orientation]);
            expect_seen(&bytes, name, &(ImageOptions){ .as_stored = true }, seen[1]);
        }
}

/* Every length, and entries that make no sense: the picture stays as it is and is no damaged one. */
static void test_what_cannot_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int         at;
        uint8_t     value;
    } cases[] = {
        { "byte order", 0, 'X' }, { "magic", 2, 43 }, { "directory behind the end", 6, 1 }, { "directory at the end", 4, EXIF_BYTES - 1 },
        { "directory far away", 7, 0xFF }, { "no entry", 8, 0 }, { "another tag", 10, 0x13 }, { "type of text", 12, 2 },
        { "two values", 14, 2 }, { "no value", 14, 0 }, { "value 0", 18, 0 }, { "value 9", 18, 9 }, { "value 262", 19, 1 },
    };
    static Bytes bytes;
    uint8_t exif[EXIF_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        exif_make(false, 6, exif);
        exif[cases[i].at] = cases[i].value;
        assert_int_equal(orientation_read(exif, sizeof exif), ORIENTATION_upright);
        jpeg_with(exif, sizeof exif, &bytes);
        expect_seen(&bytes, cases[i].name, &(ImageOptions){0}, seen[1]);
    }
    exif_make(false, 6, exif);
    for (size_t size = 0; size < 22; size++) {
        uint8_t *exact = malloc(size + !size);      /* a sanitizer sees what is read behind it */
        assert_non_null(exact);
        memcpy(exact, exif, size);
        assert_int_equal(orientation_read(exact, size), ORIENTATION_upright);
        free(exact);
    }
    exif[9] = 0xFF;     /* many more entries than there are */
    assert_int_equal(orientation_read(exif, sizeof exif), 6);
    exif[10]++;
    assert_int_equal(orientation_read(exif, sizeof exif), ORIENTATION_upright);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_eight), cmocka_unit_test(test_what_cannot_be_read) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
