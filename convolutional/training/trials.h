/* trials.h - steps that are only tried, with a trainer that was opened with options.trial: nothing is written, and afterwards the run is
 * as it was. */

#ifndef CONVZOO_TRIALS_H
#define CONVZOO_TRIALS_H

#include "trainer.h"

/* A step of a search for the learning rate. */
typedef struct RatePoint {
    float  lr;
    double loss, smooth;         /* of the step; averaged over the ones before */
} RatePoint;

enum { RATE_POINTS = 100 };

/* Rates from tiny to far too high, one a step (Smith, 2015, arXiv:1506.01186), until the loss runs away. Returns the number of points.
 * *suggested: where the smoothed loss falls fastest over the rate's logarithm; 0 if it does not fall, or a signal ended the search. */
int trials_rates(Trainer *trainer, RatePoint points[RATE_POINTS], float *suggested);

/* One batch, over and over. */
typedef struct Overfit {
    int    steps;
    double first_loss, loss, top1;       /* of the batch: before the first step, before the last one */
    bool   falls;                        /* to less than half, or nearly all are right */
} Overfit;

/* Up to `most` steps at the run's rate, fewer if all are right before; each step is reported. EXIT_ok, 128 + signal if one came
 * before the answer, or EXIT_diverged and a line. */
int trials_overfit(Trainer *trainer, int most, Overfit *result, Error *error);

/* One step and one batch of the validation. */
typedef struct DryRun {
    double loss, val_loss;
    double step_seconds, val_seconds;    /* of the second of two, so that it is warm */
} DryRun;

/* As trials_overfit. */
int trials_dry(Trainer *trainer, DryRun *result, Error *error);

/* Unlike the others this one changes the run: all its epochs at once, nothing written, then the loss and the hits over the validation
 * images in *val. EXIT_ok, 128 + signal, or EXIT_diverged and a line. */
int trials_train(Trainer *trainer, LossSum *val, Error *error);

#endif
