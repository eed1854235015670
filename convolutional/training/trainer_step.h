/* trainer_step.h - a step of a run, and how one ends it. */

#ifndef CONVZOO_TRAINER_STEP_H
#define CONVZOO_TRAINER_STEP_H

#include "loss.h"
#include "trainer.h"

/* Forward, loss, backward on one batch: its gradients are in the network's block afterwards, its loss and hits added to *sum.
 * False and a line if the loss is not finite. */
bool trainer_gradients(Trainer *trainer, const Batch *batch, LossSum *sum, Error *error);

/* One step of the optimizer, on the loader's next batches. EXIT_ok, or EXIT_diverged and a line. */
int trainer_step(Trainer *trainer, double *gradient_norm, Error *error);

/* The same for steps that are only tried: where the epoch ends, it begins anew. The loader was started. */
int trainer_step_around(Trainer *trainer, double *gradient_norm, Error *error);

/* Two batches of a validation, or what this rank has of their first part, without keeping their figures: seconds of the second, or of the only one; its loss and hits in *sum. */
double trainer_try_validation(Trainer *trainer, LossSum *sum);

/* The line for a number that is not finite (0: for one that is not known), found in or after a step of an epoch, both counted from 1; returns
 * EXIT_diverged. */
int trainer_diverged(const Trainer *trainer, uint64_t step, uint32_t epoch, const char *subject, double value, Error *error);

#endif
