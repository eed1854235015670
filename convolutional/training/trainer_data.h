/* trainer_data.h - a run's data sets, opened and told, and the batch and the rates that follow from them. */

#ifndef CONVZOO_TRAINER_DATA_H
#define CONVZOO_TRAINER_DATA_H

#include "trainer.h"

/* Opens train_set and val_set and settles, in the trainer's options, what depends on them: augmentation, batch and learning rate.
 * False and a line, a user's, if the images cannot be read or cannot be trained on; what was opened goes with the trainer. */
bool trainer_data_open(Trainer *trainer, Error *error);

#endif
