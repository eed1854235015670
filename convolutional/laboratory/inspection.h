/* inspection.h - inside a trained network: what each of its activations reads on real images, and which gradient reaches it. */

#ifndef CONVZOO_INSPECTION_H
#define CONVZOO_INSPECTION_H

#include "activity.h"
#include "chart.h"
#include "model.h"
#include "table.h"

/* Runs the model on the images of the data set, in batches of that size, as in inference. The caller frees it with activity_free. */
Activity *inspection_new(const Model *model, const Dataset *data, int batch);

/* A row a layer, the histogram drawn in blocks; the gradients and dead shares as bars. The caller frees them. */
Table *inspection_table(const Activity *inspection);
Chart *inspection_chart(const Activity *inspection);

#endif
