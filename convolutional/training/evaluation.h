/* evaluation.h - the loss and accuracy of a network over a data set. */

#ifndef CONVZOO_EVALUATION_H
#define CONVZOO_EVALUATION_H

#include <signal.h>
#include <stdbool.h>

#include "exchange.h"
#include "loader.h"
#include "loss.h"
#include "views.h"

/* Runs an inference program over every sample of a loader that is not for training; the rows that fill up a last
 * short batch are not counted. False if *stop (NULL: never) became non-zero. */
bool evaluate(Program *program, Loader *loader, int classes, const volatile sig_atomic_t *stop, LossSum *sum);

/* The same by several ranks, whose loaders share out each batch in parts of the program's batch; called by all of them. Returns the signal that one of them
 * has got, or 0. The sum does not depend on who had which part. */
int evaluate_shared(Program *program, Loader *loader, int classes, const volatile sig_atomic_t *stop, const Ranks *ranks, LossSum *sum);

/* The same with several views of each image. logits (NULL: not wanted): those of every sample, samples x classes. */
bool evaluate_views(Views *views, Loader *loader, int classes, const volatile sig_atomic_t *stop, LossSum *sum, float *logits);

#endif
