/* test_bmp.c - BMP: the same picture in every form that is read, and what is said of those that are not. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

enum { WIDTH = 5, HEIGHT = 3, COLOURS = 3 };

static const ImageOptions whole;

/* Red, green, blue; of 5 bits each, so that 16 bits a pixel hold them. */
static const uint8_t colours[COLOURS][3] = { { 0, 255, 132 }, { 255, 33, 0 }, { 66, 0, 255 } };
static const uint8_t picture[HEIGHT][WIDTH] = { { 0, 0, 0, 1, 2 }, { 2, 1, 1, 1, 0 }, { 2, 2, 0, 1, 0 } };

typedef struct BmpCase {
    const char *name;
    int         bits, header, coding;
    bool        top_down;
    int         gap;                    /* bytes between palette and pixels */
    int         colours;                /* as the header says; 0: all that the bits can name */
    bool        no_offset;              /* the header does not say where the pixels begin */
    const char *packed;                 /* run-length coded: the pixels, from the lowest row up */
    size_t      packed_size;
} BmpCase;

#define PACKED(text) .packed = text, .packed_size = sizeof text - 1

static const BmpCase cases[] = {
    { "4 bits",                .bits = 4,  .header = 40, .colours = 16 },
    { "4 bits, 3 colours",     .bits = 4,  .header = 40, .colours = 3, .top_down = true },
    { "8 bits",                .bits = 8,  .header = 40, .colours = 256 },
    { "8 bits, all colours",   .bits = 8,  .header = 40 },
    { "8 bits, 3 colours",     .bits = 8,  .header = 40, .colours = 3 },
    { "8 bits, top down",      .bits = 8,  .header = 40, .colours = 3, .top_down = true },
    { "8 bits, gap",           .bits = 8,  .header = 40, .colours = 3, .gap = 3000 },
    { "8 bits, no offset",     .bits = 8,  .header = 40, .colours = 3, .no_offset = true },
    { "8 bits, OS/2",          .bits = 8,  .header = 12 },
    { "16 bits",               .bits = 16, .header = 40 },
    { "16 bits, top down",     .bits = 16, .header = 40, .top_down = true },
    { "16 bits, masks",        .bits = 16, .header = 40, .coding = 3, .gap = 5 },
    { "24 bits",               .bits = 24, .header = 40 },
    { "24 bits, top down",     .bits = 24, .header = 40, .top_down = true },
    { "24 bits, gap",          .bits = 24, .header = 40, .gap = 3001 },
    { "24 bits, OS/2",         .bits = 24, .header = 12 },
    { "24 bits, version 5",    .bits = 24, .header = 124 },
    { "32 bits",               .bits = 32, .header = 40 },
    { "32 bits, top down",     .bits = 32, .header = 40, .top_down = true },
    { "32 bits, masks",        .bits = 32, .header = 56, .coding = 3 },
    { "32 bits, masks and gap", .bits = 32, .header = 40, .coding = 3, .gap = 1 },
    { "RLE8",                  .bits = 8,  .header = 40, .colours = 3, .coding = 1,
      PACKED("\2\2\1\0\1\1\1\0\0\0" "\1\2\3\1\1\0\0\0" "\3\0\1\1\1\2\0\0" "\0\1") },
    { "RLE8 as it is",         .bits = 8,  .header = 40, .colours = 3, .coding = 1, .gap = 9,
      PACKED("\0\5\2\2\0\1\0\0\0\0" "\0\4\2\1\1\1\1\0\0\0" "\0\3\0\0\0\0\1\1\1\2" "\0\1") },
    { "RLE8 with moves",       .bits = 8,  .header = 40, .colours = 3, .coding = 1,           /* colour 0 where nothing is put */
      PACKED("\2\2\0\2\1\0\1\1\0\0" "\1\2\3\1\0\2\2\1" "\0\0" "\0\1") },
    { "RLE4",                  .bits = 4,  .header = 40, .colours = 3, .coding = 2,
      PACKED("\2\x22\3\x01\0\0" "\1\x20\4\x11\0\0" "\3\0\2\x12\0\0" "\0\1") },
};

/* The rows of "RLE8 with moves" and "RLE4" end otherwise than the picture's; see expected_index. */
static int expected_index(const BmpCase *test, int y, int x)
{
    if (!strcmp(test->name, "RLE8 with moves") && y == 0)
        return 0;
    if (!strcmp(test->name, "RLE4") && y == 1 && x == 4)
        return 1;
    return picture[y][x];
}

static void put(Bytes *bytes, uint32_t number, int count)
{
    for (int i = 0; i < count; i++)
        bytes_add(bytes, &(uint8_t){ (uint8_t)(i < 4 ? number >> 8 * i : 0) }, 1);
}

static void put_row(const BmpCase *test, int y, Bytes *bytes)
{
    uint8_t row[WIDTH * 4 + 4] = {0};
    for (int x = 0; x < WIDTH; x++) {
        const int index = picture[y][x];
        const uint8_t *colour = colours[index];
        if (test->bits <= 8)
            row[x * test->bits / 8] |= (uint8_t)(index << (8 - test->bits - x * test->bits % 8));
        else if (test->bits == 16) {
            const int pixel = (colour[0] >> 3) << 10 | (colour[1] >> 3) << 5 | colour[2] >> 3;
            row[2 * x] = (uint8_t)pixel;
            row[2 * x + 1] = (uint8_t)(pixel >> 8);
        } else
            for (int c = 0; c < 3; c++)
                row[x * test->bits / 8 + 2 - c] = colour[c];
    }
    bytes_add(bytes, row, (size_t)((WIDTH * test->bits + 31) / 32 * 4));
}

static void bmp_make(const BmpCase *test, Bytes *bytes)
{
    static const uint32_t masks[2][3] = { { 0x7C00, 0x3E0, 0x1F }, { 0xFF0000, 0xFF00, 0xFF } };
    const bool core = test->header == 12;
    const int entries = test->bits > 8 ? 0 : test->colours ? test->colours : 1 << test->bits;
    const int behind = test->coding == 3 && test->header == 40 ? 12 : 0;
    const int offset = 14 + test->header + behind + entries * (core ? 3 : 4) + test->gap;
    bytes->size = 0;
    bytes_add(bytes, "BM", 2);
    put(bytes, 0, 8);
    put(bytes, test->no_offset ? 0 : (uint32_t)offset, 4);
    put(bytes, (uint32_t)test->header, 4);
    put(bytes, WIDTH, core ? 2 : 4);
    put(bytes, (uint32_t)(test->top_down ? -HEIGHT : HEIGHT), core ? 2 : 4);
    put(bytes, 1, 2);
    put(bytes, (uint32_t)test->bits, 2);
    if (!core) {
        put(bytes, (uint32_t)test->coding, 4);
        put(bytes, 0, 12);
        put(bytes, (uint32_t)(test->bits > 8 ? 0 : test->colours), 4);
        put(bytes, 0, 4);
    }
    for (int i = 0; test->coding == 3 && i < 3; i++)
        put(bytes, masks[test->bits == 32][i], 4);
    while (bytes->size < (size_t)(14 + test->header + behind))
        put(bytes, 0, 1);
    for (int i = 0; i < entries; i++)
        for (int c = 2; c >= (core ? 0 : -1); c--)
            put(bytes, c < 0 || i >= COLOURS ? 0 : colours[i][c], 1);
    for (int i = 0; i < test->gap; i++)
        put(bytes, 0xAA, 1);
    if (test->packed)
        bytes_add(bytes, test->packed, test->packed_size);
    for (int y = 0; y < HEIGHT && !test->packed; y++)
        put_row(test, test->top_down ? y : HEIGHT - 1 - y, bytes);
}

static void test_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const BmpCase *test = &cases[i];
        static Bytes bytes;
        Error error = {0};
        Image image;
        bmp_make(test, &bytes);
        if (!image_decode(bytes.data, bytes.size, test->name, &whole, &image, &error))
            fail_msg("%s: %s", test->name, error.text);
        assert_memory_equal(&image.size, &((ImageSize){ 3, HEIGHT, WIDTH }), sizeof image.size);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                if (memcmp(image.pixels + (y * WIDTH + x) * 3, colours[expected_index(test, y, x)], 3) != 0)
                    fail_msg("%s: pixel (%d, %d) begins with %d", test->name, y, x, image.pixels[(y * WIDTH + x) * 3]);
        free(image.pixels);
        const size_t needed = bytes.size - (test->packed ? 4 : 0);         /* the last row's end and the picture's may be missing */
        for (size_t cut = 0; cut < needed; cut++) {
            uint8_t *exact = malloc(cut + !cut);      /* a sanitizer sees what is read behind it */
            assert_non_null(exact);
            memcpy(exact, bytes.data, cut);
            if (image_decode(exact, cut, "cut.bmp", &whole, &image, &error))
                fail_msg("%s: %zu of %zu bytes were accepted", test->name, cut, bytes.size);
            free(exact);
        }
        one_line(&error, test->name);
    }
}

/* Alpha is laid over white, and an alpha of zeros alone is none. Where the file has no mask for it, the fourth byte is none, whatever it is. */
static void test_alpha(void **state)
{
    (void)state;
    static Bytes bytes;
    Error error = {0};
    Image image;
    for (int masks = 0; masks < 2; masks++) {
        bmp_make(&(BmpCase){ .bits = 32, .header = 56, .coding = masks ? 3 : 0, .top_down = true }, &bytes);
        if (masks)
            bytes.data[54 + 12 + 3] = 255;      /* alpha: 0xFF000000 */
        bytes.data[14 + 56 + 3] = 255;
        assert_true(image_decode(bytes.data, bytes.size, "alpha.bmp", &whole, &image, &error));
        assert_memory_equal(image.pixels, colours[picture[0][0]], 3);
        assert_memory_equal(image.pixels + 3, masks ? (const uint8_t *)"\xFF\xFF\xFF" : colours[picture[0][1]], 3);
        free(image.pixels);
    }
}

static void test_what_is_not_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t      at;
        const char *bytes;
        size_t      count;
        const char *text;
    } edits[] = {
        { "jpeg.bmp",   30, "\4\0\0\0", 4,         "BMP that holds a JPEG or PNG is not read: jpeg.bmp: save it as PNG" },
        { "png.bmp",    30, "\5\0\0\0", 4,         "BMP that holds a JPEG or PNG is not read" },
        { "coding.bmp", 30, "\x0B\0\0\0", 4,       "BMP of an unknown coding is not read" },
        { "bits.bmp",   28, "\2\0", 2,             "BMP of other than 1, 4, 8, 16, 24 or 32 bits a pixel is not read" },
        { "rle.bmp",    30, "\1\0\0\0", 4,         "damaged BMP: rle.bmp: its coding does not go with its bits" },
        { "narrow.bmp", 18, "\0\0\0\0", 4,         "image has no pixels: narrow.bmp is 0x3" },
        { "minus.bmp",  18, "\xFF\xFF\xFF\xFF", 4, "image has no pixels" },
        { "least.bmp",  22, "\0\0\0\x80", 4,       "image too large: least.bmp is 5x2147483648" },
        { "offset.bmp", 10, "\x20\0\0\0", 4,       "damaged BMP: offset.bmp: its pixels begin within its header" },
        { "far.bmp",    10, "\0\0\0\x80", 4,       "damaged BMP: far.bmp: the file is truncated" },
        { "header.bmp", 14, "\x20\0\0\0", 4,       "damaged BMP: header.bmp: its header" },
    };
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        static Bytes bytes;
        Error error = {0};
        Image image;
        bmp_make(&(BmpCase){ .bits = 24, .header = 40 }, &bytes);
        memcpy(bytes.data + edits[i].at, edits[i].bytes, edits[i].count);
        if (image_decode(bytes.data, bytes.size, edits[i].name, &whole, &image, &error))
            fail_msg("%s was accepted", edits[i].name);
        one_line(&error, edits[i].name);
        if (error.code != EXIT_input || !strstr(error.text, edits[i].text))
            fail_msg("%s: code %d, '%s', expected '%s'", edits[i].name, error.code, error.text, edits[i].text);
    }
}

/* A header that is no version's, with masks to be read behind it, in a block of exactly its size. */
static void test_masks_behind_the_end(void **state)
{
    (void)state;
    enum { SIZE = 55 };
    uint8_t *bytes = calloc(SIZE, 1);
    Image image;
    Error error = { 0 };
    memcpy(bytes, "BM", 2);
    bytes[14] = 41;
    bytes[18] = bytes[22] = bytes[26] = 1;
    bytes[28] = 32;
    bytes[30] = 6;
    assert_false(image_decode(bytes, SIZE, "masks.bmp", &whole, &image, &error));
    assert_non_null(strstr(error.text, "damaged BMP: masks.bmp: its header is cut short"));
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_form), cmocka_unit_test(test_alpha), cmocka_unit_test(test_what_is_not_read), cmocka_unit_test(test_masks_behind_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
