/* probe.h - a module for tests, y = x + weight with a weight of its own for every element: its gradient is exactly the
 * gradient of what follows it. It is also what a module added to the zoo looks like: one file, emit.h, nothing else. */

#ifndef CONVZOO_PROBE_H
#define CONVZOO_PROBE_H

#include "emit.h"

/* y = x + weight, weight: batch c h w, for programs of that batch. Written in the layout of `tag`. */
Tensor *probe(Network *net, const char *name, const Tensor *x, int batch, dnnl_format_tag_t tag);

#endif
