/* score.h - a training of one of the zoo's networks as a number to compare activations by. */

#ifndef CONVZOO_SCORE_H
#define CONVZOO_SCORE_H

#include <stdint.h>

#include "activations.h"

typedef struct ScoreOptions {
    const char *arch;
    const char *data;              /* NULL: shapes */
    int         limit, epochs;     /* images of each split, 0: all; of the network's own recipe */
} ScoreOptions;

/* The share of right answers on the validation images after a whole run, 0 if it diverged. The same seed gives every activation the same
 * images, order and start. False and a line: it could not be trained. */
bool score_run(const ScoreOptions *options, Activation act, uint64_t seed, double *top1, Error *error);

#endif
