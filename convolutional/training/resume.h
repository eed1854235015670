/* resume.h - a run that goes on: what its checkpoints say, and whether it may go on with these options. */

#ifndef CONVZOO_RESUME_H
#define CONVZOO_RESUME_H

#include "trainer.h"

/* Before data and network, so that other options are told as such and not by what they lead to. A measured plan becomes the one
 * that the run began with. */
bool resume_settings(TrainerOptions *options, Error *error);

/* Reads last.safetensors, or prev.safetensors where that one is damaged or missing, into a trainer that is compiled. Without
 * either the run begins anew. A file that could not be read ends it: nothing is known of what it holds. */
bool resume_state(Trainer *trainer, const char *settings, Error *error);

#endif
