/* shared_images.h - a data set that several ranks read together: each decodes a share of the images, and gets the others' pixels. */

#ifndef CONVZOO_SHARED_IMAGES_H
#define CONVZOO_SHARED_IMAGES_H

#include "dataset.h"

/* Which images this rank decodes: *first to *last - 1. All of them without ranks. */
void shared_images_range(const Dataset *dataset, const Ranks *ranks, uint32_t *first, uint32_t *last);

/* Whether all ranks are about to read the same images, by number, size, labels and classes; false and a line. Called by all ranks. */
bool shared_images_agree(const Dataset *dataset, char *const *class_names, int classes, const Ranks *ranks, Error *error);

/* Which rank decodes image `image` of `count`. */
int shared_images_reader(const Ranks *ranks, uint32_t count, uint32_t image);

/* Fills in pixels and bad (one an image, true: it cannot be read) of the images that others have decoded. Returns how many are bad. */
uint32_t shared_images_collect(Dataset *dataset, const Ranks *ranks, bool *bad);

#endif
