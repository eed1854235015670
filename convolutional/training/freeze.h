/* freeze.h - which of a network's parameters a run leaves alone.
 *
 *   all-but-head        everything but the last layer
 *   layer1*,bn1         names, as the shell matches them; a name also stands for all that it begins with a dot after: bn1 is bn1.* too
 *
 * It is what programs compiled afterwards do (network.h: Param.frozen), and what an optimizer that is made afterwards leaves out. */

#ifndef CONVZOO_FREEZE_H
#define CONVZOO_FREEZE_H

#include "errors.h"
#include "network.h"

/* False and a line, and nothing frozen, if a pattern matches no parameter that is trained, or nothing is left to train. */
bool   freeze_apply(Network *network, const char *patterns, Error *error);
void   freeze_lift(Network *network);
/* Values of trained parameters that are frozen. */
size_t freeze_count(const Network *network);

#endif
