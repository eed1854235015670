/* fine_tune.h - what a run's weights begin with. */

#ifndef CONVZOO_FINE_TUNE_H
#define CONVZOO_FINE_TUNE_H

#include "errors.h"

typedef struct Trainer Trainer;

typedef struct FineTuneOptions {
    const char *checkpoint;        /* a file, or a run's folder, whose weights the run starts from (checkpoint_start.h); NULL: none */
    float       whiten;            /* the first layer starts as a whitening of training images, with this eps (whitening.h); 0: no */
} FineTuneOptions;

/* The network's first values, before its programs are compiled. Where a run goes on from a checkpoint, which
 * brings all values, neither the file nor the images are read. */
bool fine_tune_begin(Trainer *trainer, Error *error);

#endif
