/* reference_nodes.h - for the files reference*.c: what their loops over N C H W have in common. */

#ifndef REFERENCE_NODES_H
#define REFERENCE_NODES_H

#include "reference.h"

static inline size_t at(Shape s, int n, int c, int y, int x)
{
    return (((size_t)n * (size_t)s.c + (size_t)c) * (size_t)s.h + (size_t)y) * (size_t)s.w + (size_t)x;
}

static inline double *x_of(const Reference *r, const ReferenceNode *node) { return r->values[node->a->index]; }
static inline double *y_of(const Reference *r, const ReferenceNode *node) { return r->values[node->y->index]; }

static inline double *param_of(const Reference *r, const ReferenceNode *node, int i) { return r->params[node->first + i]; }

static inline int channel_of(Shape s, size_t i) { return (int)(i / ((size_t)s.h * (size_t)s.w) % (size_t)s.c); }

/* Keeps `node` beside the module that was just added; returns y. */
Tensor *reference_keep(Reference *r, ReferenceNode node, Tensor *y);

/* f(x); slope: prelu's. Notes how near a kink is. */
double reference_apply(Reference *r, Activation act, double slope, double x);

#endif
