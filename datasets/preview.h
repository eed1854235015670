/* preview.h - what a network will see: a picture of augmented samples, side by side. */

#ifndef CONVZOO_PREVIEW_H
#define CONVZOO_PREVIEW_H

#include "loader.h"
#include "tiles.h"

enum { PREVIEW_MOST = 1024 };

/* The first `count` samples of the first epoch (all of them where the data has fewer), made as a loader with these options makes them,
 * mixed in pairs where the pipeline mixes, as one batch. Small images are enlarged, each pixel to a square. The caller frees them. */
Tiles preview_tiles(const Dataset *dataset, const LoaderOptions *options, int count);

#endif
