/* png_file.c - see png_file.h. */

#include "png_file.h"

#include <stdlib.h>

#include "files.h"
#include "png_bytes.h"

bool png_file_write(const char *path, const uint8_t *pixels, int channels, int h, int w, Error *error)
{
    size_t size;
    uint8_t *bytes = png_bytes(pixels, channels, h, w, &size);
    const bool written = bytes ? file_replace(path, bytes, size, error)
                               : error_set(error, EXIT_memory, "a picture cannot be made: %s: ask for fewer images", path);
    free(bytes);
    return written;
}
