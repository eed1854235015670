/* filters.h - the filters of a network's first convolution as pictures. */

#ifndef CONVZOO_FILTERS_H
#define CONVZOO_FILTERS_H

#include "network.h"
#include "sheet.h"

/* A picture a filter, 256 at most: in colour where it reads three channels, grey at 0 and as far from it as its largest weight is large; else
 * the mean over the channels, by the scale of colours. The caller frees it. NULL and a line if there is no convolution. */
Sheet *filters_sheet(Network *network, Error *error);

#endif
