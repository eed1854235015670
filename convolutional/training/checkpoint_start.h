/* checkpoint_start.h - a network that starts from another one's weights, to be trained further (fine-tuning).
 *
 * The body must be the same. The head, the network's last layer, may be for other classes: the rows of classes that both know are
 * kept, by name; the other rows stay as they were initialised. A file that names no classes gives its head where that fits. */

#ifndef CONVZOO_CHECKPOINT_START_H
#define CONVZOO_CHECKPOINT_START_H

#include "checkpoint.h"

/* The network has its first values already. note: one line that says what was kept and what is new. False and one line if the file
 * is not of this body, and then nothing is changed. */
bool checkpoint_start_from(const char *path, Network *network, const ModelInfo *info, char *note, size_t size, Error *error);

#endif
