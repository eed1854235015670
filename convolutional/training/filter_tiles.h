/* filter_tiles.h - the filters of a network's first convolution as pixels. */

#ifndef CONVZOO_FILTER_TILES_H
#define CONVZOO_FILTER_TILES_H

#include "network.h"
#include "tiles.h"

enum { FILTERS_MOST = 256 };      /* that are shown */

/* Its weights, out x in x h x w; NULL: there is no convolution. */
const Param *filter_first(const Network *network);
/* What a weight looks like: grey at 0, and as far from it as the largest of the filter's weights is large. */
uint8_t      filter_level(float weight, float most);
float        filter_largest(const float *weights, size_t count);

/* All of them side by side, from filter_first's weights: in colours where they read three channels, else grey, the mean over the channels. The caller
 * frees them. */
Tiles filter_tiles(const Param *filters, const float *weights);

#endif
