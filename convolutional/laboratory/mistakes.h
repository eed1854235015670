/* mistakes.h - the images that a network is wrong about, the surest first, on a sheet. */

#ifndef CONVZOO_MISTAKES_H
#define CONVZOO_MISTAKES_H

#include "dataset.h"
#include "metrics.h"
#include "sheet.h"

/* Each with what it is and what it was called, and the probabilities of both, outputs divided by the temperature (0: 1). At most `most`, and 400; the caller
 * frees it. NULL if there is no mistake. */
Sheet *mistakes_sheet(const Dataset *data, const Outputs *outputs, char *const *classes, double temperature, int most);

/* An image of the data as a picture's pixels: rgb is height x width x 3. */
void mistakes_picture(const Dataset *data, uint32_t image, uint8_t *rgb);

#endif
