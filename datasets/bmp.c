/* bmp.c - BMP: 1, 4, 8, 16, 24 and 32 bits a pixel, run-length coding, rows from either end.
 *
 *   0    "BM", file size, 4 bytes, where the pixels begin
 *   14   the header's own size (12: OS/2, of 16-bit numbers), width, height (negative: the top row comes first), planes,
 *        bits a pixel, coding, 12 bytes, colours in the palette (0: all that the bits can name)
 *   54   masks of red, green, blue, alpha, if the coding is BMP_masks: behind a header of 40 bytes or within a longer one
 *
 * The palette follows; what lies between it and the pixels does not count. A row is padded to 4 bytes. */

#include "image.h"

#include <stdlib.h>
#include <string.h>

#include "disk.h"

typedef enum { BMP_plain, BMP_rle8, BMP_rle4, BMP_masks, BMP_jpeg, BMP_png, BMP_masks_alpha, BMP_codings } BmpCoding;

enum { BMP_HEADER = 14, BMP_MASKS = 54, BMP_COLOURS = 256 };

typedef struct BmpFile {
    const uint8_t *bytes;
    size_t         size;
    int            height, width, bits;
    bool           top_down;
    uint32_t       coding;
    uint32_t       masks[4];
    size_t         pixels_at;
    uint8_t        palette[BMP_COLOURS][3];     /* red, green, blue; black where the file has no colour */
} BmpFile;

static uint32_t bmp_number(const uint8_t *bytes, int count)
{
    uint32_t number = 0;
    for (int i = count - 1; i >= 0; i--)
        number = number << 8 | bytes[i];
    return number;
}

static bool bmp_not_read(const char *what, const char *shown, Error *error)
{
    return error_set(error, EXIT_input, "BMP %s is not read: %s: save it as PNG", what, name_tail(shown));
}

static bool bmp_coding_ok(const BmpFile *bmp, const char *shown, Error *error)
{
    const bool masks = bmp->coding == BMP_masks || bmp->coding == BMP_masks_alpha;
    if (bmp->coding == BMP_jpeg || bmp->coding == BMP_png)
        return bmp_not_read("that holds a JPEG or PNG", shown, error);
    if (bmp->coding >= BMP_codings)
        return bmp_not_read("of an unknown coding", shown, error);
    if (bmp->bits != 1 && bmp->bits != 4 && bmp->bits != 8 && bmp->bits != 16 && bmp->bits != 24 && bmp->bits != 32)
        return bmp_not_read("of other than 1, 4, 8, 16, 24 or 32 bits a pixel", shown, error);
    if ((bmp->coding == BMP_rle8 && bmp->bits != 8) || (bmp->coding == BMP_rle4 && bmp->bits != 4) ||
        (masks && bmp->bits != 16 && bmp->bits != 32))
        return image_damaged("BMP", shown, "its coding does not go with its bits a pixel", error);
    return true;
}

/* Of 16 and 32 bits; without masks of its own a file has 5 bits a colour or a byte, and no alpha: the fourth byte is unused, whatever it is. */
static void bmp_read_masks(BmpFile *bmp, uint32_t header)
{
    static const uint32_t of_16[4] = { 0x7C00, 0x03E0, 0x001F, 0 }, of_32[4] = { 0xFF0000, 0xFF00, 0xFF, 0 };
    memcpy(bmp->masks, bmp->bits == 16 ? of_16 : of_32, sizeof bmp->masks);
    if (bmp->coding != BMP_masks && bmp->coding != BMP_masks_alpha)
        return;
    const bool alpha = bmp->coding == BMP_masks_alpha || header >= 56;
    for (int i = 0; i < 4; i++)
        bmp->masks[i] = i < 3 || alpha ? bmp_number(bmp->bytes + BMP_MASKS + 4 * i, 4) : 0;
}

/* The palette at `at`; returns where it ends. */
static size_t bmp_read_palette(BmpFile *bmp, size_t at, uint32_t colours, int entry)
{
    const uint32_t most = bmp->bits <= 8 ? 1u << bmp->bits : 0;
    uint32_t count = colours == 0 || colours > most ? most : colours;
    const size_t end = bmp->pixels_at && bmp->pixels_at < bmp->size ? bmp->pixels_at : bmp->size;
    const size_t room = end > at ? (end - at) / (size_t)entry : 0;
    if (count > room)
        count = (uint32_t)room;
    for (uint32_t i = 0; i < count; i++)
        for (int c = 0; c < 3; c++)
            bmp->palette[i][c] = bmp->bytes[at + i * (size_t)entry + 2 - (size_t)c];
    return at + count * (size_t)entry;
}

static bool bmp_read_header(BmpFile *bmp, const char *shown, Error *error)
{
    const uint8_t *bytes = bmp->bytes;
    const uint32_t header = bmp->size >= 26 ? bmp_number(bytes + BMP_HEADER, 4) : 0;
    const bool core = header == 12;
    if ((!core && header < 40) || header > 1024 || bmp->size < BMP_HEADER + (size_t)header)
        return image_damaged("BMP", shown, "its header is cut short", error);
    bmp->width = core ? (int)bmp_number(bytes + 18, 2) : (int32_t)bmp_number(bytes + 18, 4);
    const int64_t height = core ? (int16_t)bmp_number(bytes + 20, 2) : (int32_t)bmp_number(bytes + 22, 4);
    bmp->top_down = height < 0;
    if (!image_size_ok(height < 0 ? -height : height, bmp->width, IMAGE_MAX_PIXELS, shown, error))
        return false;
    bmp->height = (int)(height < 0 ? -height : height);
    bmp->bits = (int)bmp_number(bytes + (core ? 24 : 28), 2);
    bmp->coding = core ? BMP_plain : bmp_number(bytes + 30, 4);
    if (!bmp_coding_ok(bmp, shown, error))
        return false;
    const bool masks = bmp->coding == BMP_masks || bmp->coding == BMP_masks_alpha;
    size_t at = BMP_HEADER + (size_t)header;
    if (masks && header == 40)
        at += bmp->coding == BMP_masks ? 12 : 16;
    if (bmp->size < at || (masks && bmp->size < BMP_MASKS + 16u))      /* other headers hold them, or are too short and followed by them */
        return image_damaged("BMP", shown, "its header is cut short", error);
    bmp_read_masks(bmp, header);
    bmp->pixels_at = bmp_number(bytes + 10, 4);
    if (bmp->pixels_at && bmp->pixels_at < at)
        return image_damaged("BMP", shown, "its pixels begin within its header", error);
    at = bmp_read_palette(bmp, at, core ? 0 : bmp_number(bytes + 46, 4), core ? 3 : 4);
    if (bmp->pixels_at == 0)
        bmp->pixels_at = at;
    return true;
}

static size_t bmp_row_bytes(const BmpFile *bmp)
{
    return ((size_t)bmp->width * (size_t)bmp->bits + 31) / 32 * 4;
}

/* ---- run-length coding: pairs of a count and a colour; after a count of 0, a command or so many colours as they are ---- */

typedef struct BmpRuns {
    const BmpFile *bmp;
    uint8_t       *indices;     /* height x width, in the file's order of rows */
    int            y, x;
} BmpRuns;

static void bmp_put(BmpRuns *runs, int colour)
{
    if (runs->x < runs->bmp->width && runs->y < runs->bmp->height)
        runs->indices[(size_t)runs->y * (size_t)runs->bmp->width + (size_t)runs->x] = (uint8_t)colour;
    runs->x += runs->x < runs->bmp->width;
}

/* Pixel `i` of colours that are packed as the coding does. */
static int bmp_colour(const BmpFile *bmp, const uint8_t *packed, int i)
{
    return bmp->bits == 8 ? packed[i] : packed[i / 2] >> (i % 2 ? 0 : 4) & 15;
}

/* Fills `indices`, which are zeros; false if the file ends before the picture does. */
static bool bmp_unpack(const BmpFile *bmp, uint8_t *indices)
{
    enum { END_OF_LINE, END_OF_PICTURE, MOVE };
    BmpRuns runs = { .bmp = bmp, .indices = indices };
    const uint8_t *at = bmp->bytes + bmp->pixels_at, *end = bmp->bytes + bmp->size;
    while (end - at >= 2) {
        const int count = at[0], second = at[1];
        at += 2;
        if (count) {
            const uint8_t pair[2] = { (uint8_t)second, (uint8_t)second };
            for (int i = 0; i < count; i++)
                bmp_put(&runs, bmp_colour(bmp, pair, i % 2));
        } else if (second == END_OF_PICTURE) {
            return true;
        } else if (second == END_OF_LINE) {
            runs.x = 0;
            runs.y += runs.y < bmp->height;
        } else if (second == MOVE) {
            if (end - at < 2)
                return false;
            runs.x = runs.x + at[0] < bmp->width ? runs.x + at[0] : bmp->width;
            runs.y = runs.y + at[1] < bmp->height ? runs.y + at[1] : bmp->height;
            at += 2;
        } else {
            const int bytes = bmp->bits == 8 ? second : (second + 1) / 2;
            if (end - at < bytes)
                return false;
            for (int i = 0; i < second; i++)
                bmp_put(&runs, bmp_colour(bmp, at, i));
            at += bytes + bytes % 2 <= end - at ? bytes + bytes % 2 : bytes;
        }
    }
    return runs.y >= bmp->height || (runs.y == bmp->height - 1 && runs.x >= bmp->width);
}

/* ---- pixels ---- */

/* The bits of a mask as a byte: few bits are repeated, so that all ones are 255. */
static uint8_t bmp_masked(uint32_t pixel, uint32_t mask)
{
    if (mask == 0)
        return 0;
    const int shift = __builtin_ctz(mask), bits = 32 - __builtin_clz(mask) - shift;
    const uint32_t value = (pixel & mask) >> shift;
    if (bits >= 8)
        return (uint8_t)(value >> (bits - 8));
    uint32_t repeated = value << (8 - bits);
    for (int have = bits; have < 8; have *= 2)
        repeated |= repeated >> have;
    return (uint8_t)repeated;
}

static void bmp_row(const BmpFile *bmp, const uint8_t *from, int channels, uint8_t *to)
{
    for (int x = 0; x < bmp->width; x++, to += channels) {
        if (bmp->bits <= 8) {
            const int bit = x * bmp->bits;
            const int index = from[bit / 8] >> (8 - bmp->bits - bit % 8) & ((1 << bmp->bits) - 1);
            memcpy(to, bmp->palette[index], 3);
        } else if (bmp->bits == 24) {
            for (int c = 0; c < 3; c++)
                to[c] = from[3 * x + 2 - c];
        } else {
            const uint32_t pixel = bmp_number(from + x * (bmp->bits / 8), bmp->bits / 8);
            for (int c = 0; c < channels; c++)
                to[c] = bmp_masked(pixel, bmp->masks[c]);
        }
    }
}

static void bmp_rows(const BmpFile *bmp, ImageSize size, uint8_t *pixels)
{
    const size_t row = bmp_row_bytes(bmp);
    for (int y = 0; y < size.height; y++) {
        const size_t place = (size_t)(bmp->top_down ? y : size.height - 1 - y);
        bmp_row(bmp, bmp->bytes + bmp->pixels_at + (size_t)y * row, size.channels,
                pixels + place * (size_t)size.width * (size_t)size.channels);
    }
}

/* As a file of 8 bits a pixel that was never packed. */
static bool bmp_packed_rows(const BmpFile *bmp, ImageSize size, uint8_t *pixels)
{
    uint8_t *indices = image_pixels((ImageSize){ 1, size.height, size.width });
    memset(indices, 0, (size_t)size.height * (size_t)size.width);
    const bool whole = bmp_unpack(bmp, indices);
    for (int y = 0; whole && y < size.height; y++)
        for (int x = 0; x < size.width; x++) {
            const size_t place = (size_t)(bmp->top_down ? y : size.height - 1 - y);
            memcpy(pixels + (place * (size_t)size.width + (size_t)x) * 3,
                   bmp->palette[indices[(size_t)y * (size_t)size.width + (size_t)x]], 3);
        }
    free(indices);
    return whole;
}

bool bmp_decode(const uint8_t *bytes, size_t size, const char *shown, const ImageOptions *options, ImageSize *found, Image *image,
                Error *error)
{
    (void)options;
    BmpFile bmp = { .bytes = bytes, .size = size };
    if (!bmp_read_header(&bmp, shown, error))
        return false;
    *found = (ImageSize){ 3, bmp.height, bmp.width };
    if (!image)
        return true;
    const bool packed = bmp.coding == BMP_rle8 || bmp.coding == BMP_rle4;
    if (bmp.pixels_at > size || (!packed && size - bmp.pixels_at < bmp_row_bytes(&bmp) * (size_t)bmp.height))
        return image_damaged("BMP", shown, "the file is truncated", error);
    const ImageSize stored = { bmp.bits >= 16 && bmp.bits != 24 && bmp.masks[3] ? 4 : 3, bmp.height, bmp.width };
    uint8_t *pixels = image_pixels(stored);
    if (packed && !bmp_packed_rows(&bmp, stored, pixels)) {
        free(pixels);
        return image_damaged("BMP", shown, "the file is truncated", error);
    }
    if (!packed)
        bmp_rows(&bmp, stored, pixels);
    image_finish(stored, pixels, image);
    return true;
}
