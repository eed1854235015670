/* png_bytes.h - a picture in memory as the bytes of a PNG, and as a text that a page can hold. */

#ifndef CONVZOO_PNG_BYTES_H
#define CONVZOO_PNG_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* pixels: h x w x channels, 1 (grey) or 3. The caller frees what is returned; NULL where libpng gives up. */
uint8_t *png_bytes(const uint8_t *pixels, int channels, int h, int w, size_t *size);

/* "data:image/png;base64,...", for an <img>; rgb: h x w x 3. */
char *png_uri(const uint8_t *rgb, int h, int w);

#endif
