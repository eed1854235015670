/* reference.h - every module's forward in double precision, by plain loops over N C H W.
 *
 * A Reference builds a network and keeps, beside each module, what computes it in double. Parameters and the image are
 * arrays that a test may perturb: central differences of reference_run are the gradients to expect. */

#ifndef CONVZOO_REFERENCE_H
#define CONVZOO_REFERENCE_H

#include "modules.h"
#include "probe.h"
#include "program.h"

enum { REFERENCE_NODES = 16, REFERENCE_TENSORS = 32, REFERENCE_PARAMS = 32 };

typedef struct Reference Reference;

/* One module: y from its inputs and the parameters from `first` on. */
typedef struct ReferenceNode {
    void        (*forward)(Reference *reference, const struct ReferenceNode *node);
    const Tensor *a, *b, *y;
    int           first;
    Conv2d        conv;
    int           above, beside;            /* padding: rows before the first, columns before the first */
    Pool          pool;
    Linear        linear;
    Activation    act;
    double        eps, momentum, factor;
    int           reduced;
} ReferenceNode;

struct Reference {
    Network      *net;
    int           batch;
    Purpose       purpose;                     /* of the run */
    ReferenceNode nodes[REFERENCE_NODES];
    int           count;

    double *values[REFERENCE_TENSORS];      /* one a tensor: batch x c x h x w */
    double *params[REFERENCE_PARAMS];       /* one a parameter, in the file's order */
    double *updated[REFERENCE_PARAMS];      /* running statistics after a training run */
    double *mask;                           /* what dropout or drop_path multiplies by in training; the caller's */
    double  margin;                         /* how near the last run came to a kink, or to a tie of two maxima */
};

Reference *reference_new(int batch, Shape image);
/* Its network too. */
void       reference_free(Reference *reference);
/* After the last module: makes the arrays, zero. */
void       reference_complete(Reference *reference);
/* Values of all tensors from the image's (values[0]) and the parameters. */
void       reference_run(Reference *reference, Purpose purpose);

/* batch x c x h x w */
size_t        reference_size(const Reference *reference, const Tensor *tensor);
const double *reference_output(const Reference *reference);

/* modules.h's constructors. */
Tensor *reference_conv2d(Reference *r, const char *name, const Tensor *x, int channels, Conv2d options);
Tensor *reference_linear(Reference *r, const char *name, const Tensor *x, int features);
Tensor *reference_linear_with(Reference *r, const char *name, const Tensor *x, int features, Linear options);
Tensor *reference_pixel_linear(Reference *r, const char *name, const Tensor *x, int features);
Tensor *reference_batchnorm(Reference *r, const char *name, const Tensor *x);
Tensor *reference_batchnorm_with(Reference *r, const char *name, const Tensor *x, BatchNorm options);
Tensor *reference_layernorm(Reference *r, const char *name, const Tensor *x, float eps);
Tensor *reference_activation(Reference *r, const char *name, const Tensor *x, Activation act);
Tensor *reference_max_pool(Reference *r, const char *name, const Tensor *x, Pool options);
Tensor *reference_avg_pool(Reference *r, const char *name, const Tensor *x, Pool options);
Tensor *reference_adaptive_avg_pool(Reference *r, const char *name, const Tensor *x, int side);
Tensor *reference_global_avg_pool(Reference *r, const char *name, const Tensor *x);
Tensor *reference_dropout(Reference *r, const char *name, const Tensor *x, float p);
Tensor *reference_drop_path(Reference *r, const char *name, const Tensor *x, float p);
Tensor *reference_add(Reference *r, const char *name, const Tensor *a, const Tensor *b);
Tensor *reference_layer_scale(Reference *r, const char *name, const Tensor *x, float start);
Tensor *reference_constant_scale(Reference *r, const char *name, const Tensor *x, float factor);
Tensor *reference_channel_gate(Reference *r, const char *name, const Tensor *x, const Tensor *gate);
Tensor *reference_squeeze_excite(Reference *r, const char *name, const Tensor *x, int reduced, Activation act);
Tensor *reference_flatten(Reference *r, const char *name, const Tensor *x);
/* probe.h's, writing in the layout of `tag`. */
Tensor *reference_probe(Reference *r, const char *name, const Tensor *x, dnnl_format_tag_t tag);

#endif
