/* png_file.h - pixels as a PNG file. */

#ifndef CONVZOO_PNG_FILE_H
#define CONVZOO_PNG_FILE_H

#include <stdint.h>

#include "errors.h"

/* h x w pixels, row by row, of 1 or 3 bytes each. The file is replaced whole or not at all. False and a line: EXIT_memory or EXIT_write. */
bool png_file_write(const char *path, const uint8_t *pixels, int channels, int h, int w, Error *error);

#endif
