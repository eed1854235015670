/* picture.h - small picture files that tests make in memory. */

#ifndef CONVZOO_PICTURE_H
#define CONVZOO_PICTURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jpeglib.h>

#include "image.h"

enum { BYTES_ROOM = 1 << 20 };

/* A file's bytes in memory. */
typedef struct Bytes {
    uint8_t data[BYTES_ROOM];
    size_t  size;
} Bytes;

void bytes_add(Bytes *bytes, const void *data, size_t size);
/* Puts `size` bytes before the one at `at`. */
void bytes_insert(Bytes *bytes, size_t at, const void *data, size_t size);
/* Where FF `code` is in a JPEG file for the first time; the test fails if it is not there. */
size_t bytes_marker(const Bytes *bytes, int code);

/* A sample of a picture: channel c at (y, x). */
typedef uint8_t PictureSample(int y, int x, int c);

typedef struct JpegRecipe {
    int            height, width;
    J_COLOR_SPACE  given, stored;       /* stored JCS_UNKNOWN: libjpeg's choice */
    bool           progressive;
    int            restart;             /* a restart marker after so many blocks; 0: none */
    PictureSample *sample;
} JpegRecipe;

/* Of quality 100. */
void jpeg_make(const JpegRecipe *recipe, Bytes *bytes);

/* Fails unless the message is one line. */
void one_line(const Error *error, const char *what);

#endif
