/* fine_tune.h - what a run's weights begin with, and which of them it leaves alone, and for how long. */

#ifndef CONVZOO_FINE_TUNE_H
#define CONVZOO_FINE_TUNE_H

#include "errors.h"

typedef struct Trainer Trainer;

typedef struct FineTuneOptions {
    const char *checkpoint;        /* a file, or a run's folder, whose weights the run starts from (checkpoint_start.h); NULL: none */
    const char *freeze;            /* what is not trained (freeze.h); NULL: nothing */
    int         unfreeze_epoch;    /* after so many epochs it is trained as well; 0: never */
    float       whiten;            /* the first layer starts as a whitening of training images, with this eps (whitening.h); 0: no */
} FineTuneOptions;

/* The network's first values, and what is frozen; before its programs are compiled. Where a run goes on from a checkpoint, which
 * brings all values, neither the file nor the images are read. */
bool fine_tune_begin(Trainer *trainer, Error *error);
/* At the start of an epoch's steps: when the time has come, what was frozen is trained, by a program that is compiled anew. */
void fine_tune_epoch(Trainer *trainer);

#endif
