/* orientation.h - which way up a photograph is: EXIF's orientation.
 *
 * Cameras store what their sensor sees and a number that says how it must be turned or mirrored to be seen upright. */

#ifndef CONVZOO_ORIENTATION_H
#define CONVZOO_ORIENTATION_H

#include "image.h"

enum { ORIENTATION_upright = 1, ORIENTATION_most = 8 };

/* The orientation in an EXIF block, from its "II*" or "MM": ORIENTATION_upright if it has none or cannot be read. */
int orientation_read(const uint8_t *exif, size_t size);

/* Do height and width change places? */
bool orientation_turns(int orientation);

/* Turns `size` and the interleaved pixels of `image` upright; image may be NULL. */
void orientation_apply(int orientation, ImageSize *size, Image *image);

#endif
