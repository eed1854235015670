/* whitening.h - a first layer whose answers to the training images are uncorrelated and of equal variance.
 *
 *   C        covariance of the K x K patches (channel, row, column) of the images
 *   C v[i] = lambda[i] v[i], the largest lambda first
 *
 *   filter i = v[i] / sqrt(lambda[i] + eps),  filter k + i = -filter i,   i < k = min(values of a patch, filters / 2)
 *
 * Filters beyond 2k stay as they were drawn. Page, 2018, "How to train your ResNet"; Jordan, 2024, arXiv:2404.00498, where eps is
 * 5e-4. Frozen (training/freeze.h), it stays what it is. */

#ifndef CONVZOO_WHITENING_H
#define CONVZOO_WHITENING_H

#include "network.h"

/* images: count x c x h x w of the network's image, normalised as for training. After parameters_init. The number of threads changes
 * nothing. False and a line if the network does not begin with a convolution of one group, or the images give too few patches. */
bool whitening_apply(Network *network, const float *images, int count, double eps, Error *error);

#endif
