/* saves.h - what a run writes under way: checkpoints, and lines of its log.
 *
 * A write that fails does not end hours of training. It is told, what should have been written is owed, and it is tried again
 * with every later save. What is still owed in the end decides the exit code. */

#ifndef CONVZOO_SAVES_H
#define CONVZOO_SAVES_H

#include "trainer.h"

/* Writes what is owed and then last.safetensors. */
void saves_last(Trainer *trainer);

/* The weights of this epoch are the best so far, whether or not best.safetensors can be written now. False if they are not finite. */
bool saves_best(Trainer *trainer, double top1);

/* Appends a line to the log. */
void saves_log(Trainer *trainer, const char *line);

/* Writes what is owed, and leaves last.safetensors. */
void saves_owed(Trainer *trainer);

/* Writes all that is owed, and last.safetensors unless it holds the present state. False and the first line if something is left; called by all ranks, of
 * which the first one writes, and the same for all. */
bool saves_settle(Trainer *trainer, Error *error);

#endif
