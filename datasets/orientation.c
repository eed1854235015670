/* orientation.c - see orientation.h.
 *
 *   1 as it is        2 mirrored               3 half a turn           4 upside down, mirrored
 *   5 transposed      6 a quarter clockwise    7 transposed the other way    8 a quarter anticlockwise */

#include "orientation.h"

#include <stdlib.h>
#include <string.h>

typedef struct Exif {
    const uint8_t *bytes;
    size_t         size;
    bool           big_endian;
} Exif;

/* `count` bytes at `at`, or 0 if they are not all there. */
static uint32_t exif_number(const Exif *exif, size_t at, int count)
{
    uint32_t number = 0;
    if (at > exif->size || exif->size - at < (size_t)count)
        return 0;
    for (int i = 0; i < count; i++)
        number = number << 8 | exif->bytes[at + (size_t)(exif->big_endian ? i : count - 1 - i)];
    return number;
}

int orientation_read(const uint8_t *bytes, size_t size)
{
    enum { ENTRY = 12, TAG = 0x0112, SHORT = 3, LONG = 4 };
    Exif exif = { .bytes = bytes, .size = size };
    if (size < 8 || (memcmp(bytes, "II*\0", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0))
        return ORIENTATION_upright;
    exif.big_endian = bytes[0] == 'M';
    const size_t directory = exif_number(&exif, 4, 4), entries = exif_number(&exif, directory, 2);
    for (size_t i = 0; i < entries; i++) {
        const size_t at = directory + 2 + i * ENTRY;
        if (at > size || size - at < ENTRY)
            break;
        const uint32_t type = exif_number(&exif, at + 2, 2);
        if (exif_number(&exif, at, 2) != TAG || exif_number(&exif, at + 4, 4) != 1 || (type != SHORT && type != LONG))
            continue;
        const uint32_t orientation = exif_number(&exif, at + 8, type == SHORT ? 2 : 4);
        return orientation >= 1 && orientation <= ORIENTATION_most ? (int)orientation : ORIENTATION_upright;
    }
    return ORIENTATION_upright;
}

bool orientation_turns(int orientation)
{
    return orientation >= 5;
}

/* Where a stored picture's columns and rows go: from the right, from below, and in each other's place. */
static const struct {
    bool from_right, from_below, transposed;
} orientations[ORIENTATION_most + 1] = {
    [2] = { .from_right = true },
    [3] = { .from_right = true, .from_below = true },
    [4] = { .from_below = true },
    [5] = { .transposed = true },
    [6] = { .transposed = true, .from_below = true },
    [7] = { .transposed = true, .from_right = true, .from_below = true },
    [8] = { .transposed = true, .from_right = true },
};

void orientation_apply(int orientation, ImageSize *size, Image *image)
{
    CHECK(orientation >= 1 && orientation <= ORIENTATION_most, "orientation %d", orientation);
    if (orientation == ORIENTATION_upright)
        return;
    const bool transposed = orientations[orientation].transposed;
    if (transposed)
        *size = (ImageSize){ size->channels, size->width, size->height };
    if (!image)
        return;
    const ImageSize stored = image->size;
    const size_t channels = (size_t)stored.channels;
    ImageSize turned = stored;
    if (transposed)
        turned = (ImageSize){ stored.channels, stored.width, stored.height };
    uint8_t *pixels = image_pixels(turned), *to = pixels;
    for (int y = 0; y < turned.height; y++)
        for (int x = 0; x < turned.width; x++, to += channels) {
            const int row = transposed ? x : y, column = transposed ? y : x;
            const size_t from_row = (size_t)(orientations[orientation].from_below ? stored.height - 1 - row : row);
            const size_t from_column = (size_t)(orientations[orientation].from_right ? stored.width - 1 - column : column);
            memcpy(to, image->pixels + (from_row * (size_t)stored.width + from_column) * channels, channels);
        }
    free(image->pixels);
    image->pixels = pixels;
    image->size = turned;
}
