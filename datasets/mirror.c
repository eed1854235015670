/* mirror.c - whether a data set's images may be mirrored: digits and letters may not. */

#include "formats.h"

#include <ctype.h>
#include <string.h>

/* "0" .. "9", "a" .. "z", "A" .. "Z" */
static bool names_are_characters(const Dataset *dataset)
{
    for (int i = 0; i < dataset->classes; i++)
        if (!isalnum((unsigned char)dataset->class_names[i][0]) || dataset->class_names[i][1])
            return false;
    return dataset->classes > 0;
}

/* In colour files too: red, green and blue are alike. */
static bool images_are_grey(const Dataset *dataset)
{
    const size_t plane = (size_t)dataset->height * (size_t)dataset->width;
    if (dataset->channels == 1)
        return true;
    for (uint32_t i = 0; i < dataset->count; i++) {
        const uint8_t *red = dataset->images + (size_t)i * (size_t)dataset->channels * plane;
        if (memcmp(red, red + plane, plane) || memcmp(red, red + 2 * plane, plane))
            return false;
    }
    return true;
}

bool dataset_shows_characters(const Dataset *dataset)
{
    return names_are_characters(dataset) && images_are_grey(dataset);
}
