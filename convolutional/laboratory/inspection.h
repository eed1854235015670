/* inspection.h - inside a trained network: what each of its activations reads on real images, and which gradient reaches it. */

#ifndef CONVZOO_INSPECTION_H
#define CONVZOO_INSPECTION_H

#include <stdint.h>

#include "chart.h"
#include "model.h"
#include "table.h"

enum { INSPECTION_BINS = 16 };

/* One activation of the network. A learned parameter counts with what it started as. */
typedef struct InspectionLayer {
    const Module *module;              /* the activation; its input are the sums below */
    double mean, deviation;            /* of the sums, over images, channels and pixels */
    double dead;                       /* share of channels whose slope is below 1e-6 for every image and pixel: no gradient passes */
    double saturated;                  /* share of sums where the slope is below 0.05 */
    double gradient;                   /* norm of the loss's gradient by the sums of an image, root mean square over the images */
    double histogram[INSPECTION_BINS]; /* shares of the sums from mean - 3 to mean + 3 deviations of the first batch */
} InspectionLayer;

typedef struct Inspection {
    InspectionLayer *layers;           /* in the network's order */
    int              count;
    uint32_t         images;
    double           loss;             /* mean cross-entropy over the images */
} Inspection;

/* Runs the model on the images of the data set, in batches of that size, as in inference. */
Inspection *inspection_new(const Model *model, const Dataset *data, int batch);
void        inspection_free(Inspection *inspection);

/* A row a layer, the histogram drawn in blocks; the gradients and dead shares as bars. The caller frees them. */
Table *inspection_table(const Inspection *inspection);
Chart *inspection_chart(const Inspection *inspection);

#endif
