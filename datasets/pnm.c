/* pnm.c - PGM and PPM of bytes: a text of three numbers, width, height and the pixels' largest value, then the pixels.
 *
 * White space and comments, from # to the end of the line, lie between the numbers. One white space ends the header. */

#include "image.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"

enum { PNM_WIDTH, PNM_HEIGHT, PNM_LARGEST, PNM_NUMBERS, PNM_MOST = 1000000 };

/* The next number from *at on, which then is behind it: at most PNM_MOST however many digits it has; -1 if there is none. */
static long pnm_number(const uint8_t *bytes, size_t size, size_t *at)
{
    while (*at < size && (isspace(bytes[*at]) || bytes[*at] == '#'))
        if (bytes[(*at)++] == '#')
            while (*at < size && bytes[*at] != '\n' && bytes[*at] != '\r')
                ++*at;
    if (*at >= size || !isdigit(bytes[*at]))
        return -1;
    long number = 0;
    for (; *at < size && isdigit(bytes[*at]); ++*at)
        if (number < PNM_MOST)
            number = 10 * number + bytes[*at] - '0';
    return number < PNM_MOST ? number : PNM_MOST;
}

/* `at` is where the pixels begin. */
static bool pnm_header(const uint8_t *bytes, size_t size, const char *shown, long *numbers, size_t *at, Error *error)
{
    static const char *const names[PNM_NUMBERS] = { "its header has no width", "its header has no height",
                                                    "its header has no largest value" };
    *at = 2;
    for (int i = 0; i < PNM_NUMBERS; i++) {
        numbers[i] = pnm_number(bytes, size, at);
        if (numbers[i] < 0)
            return image_damaged("PNM", shown, names[i], error);
    }
    if (*at >= size || !isspace(bytes[(*at)++]))
        return image_damaged("PNM", shown, "its header has no end", error);
    if (!image_size_ok(numbers[PNM_HEIGHT], numbers[PNM_WIDTH], IMAGE_MAX_PIXELS, shown, error))
        return false;
    if (numbers[PNM_LARGEST] == 0)
        return image_damaged("PNM", shown, "its largest value is 0", error);
    if (numbers[PNM_LARGEST] > UINT16_MAX)
        return image_damaged("PNM", shown, "its largest value is over 65535", error);
    if (numbers[PNM_LARGEST] > UINT8_MAX)
        return error_set(error, EXIT_input, "PNM of 16 bits is not supported: %s: convert it to PNG", name_tail(shown));
    return true;
}

bool pnm_decode(const uint8_t *bytes, size_t size, const char *shown, const ImageOptions *options, ImageSize *found, Image *image,
                Error *error)
{
    (void)options;
    long numbers[PNM_NUMBERS];
    size_t at;
    if (!pnm_header(bytes, size, shown, numbers, &at, error))
        return false;
    *found = (ImageSize){ bytes[1] == '5' ? 1 : 3, (int)numbers[PNM_HEIGHT], (int)numbers[PNM_WIDTH] };
    if (!image)
        return true;
    const size_t count = (size_t)found->channels * (size_t)found->height * (size_t)found->width;
    if (size - at < count)
        return image_damaged("PNM", shown, "the file is truncated", error);
    uint8_t *pixels = image_pixels(*found);
    const int largest = (int)numbers[PNM_LARGEST];
    for (size_t i = 0; i < count; i++) {
        const int value = bytes[at + i] < largest ? bytes[at + i] : largest;
        pixels[i] = (uint8_t)((value * 255 + largest / 2) / largest);
    }
    image_finish(*found, pixels, image);
    return true;
}
