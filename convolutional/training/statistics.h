/* statistics.h - batch norm's running statistics, measured anew for weights that no training step has seen. */

#ifndef CONVZOO_STATISTICS_H
#define CONVZOO_STATISTICS_H

#include "trainer.h"

/* They become the mean over the batches of the running epoch, as the network's present weights see them (PyTorch's update_bn).
 * Without batch norm nothing is done. A signal ends it early. */
void statistics_measure(Trainer *trainer);

#endif
