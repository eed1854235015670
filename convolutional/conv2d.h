/* conv2d.h - inside the modules: one convolution and the ways to compute it. */

#ifndef CONVZOO_CONV2D_H
#define CONVZOO_CONV2D_H

#include "emit.h"
#include "modules.h"

typedef struct Conv2dModule {
    Module base;
    Param *weight, *bias;      /* bias NULL: none */
    Conv2d options;            /* zeros replaced by their defaults */
    int before[2], after[2];   /* padding of rows and of columns; the options' pad does not know of `same` */
} Conv2dModule;

/* One way to compute a convolution. The first of the list that takes it and gains by it (conv2d.c) is the default plan's. */
typedef struct Conv2dAlgorithm {
    char letter;
    bool (*takes)(const Conv2dModule *conv, const Program *program);
    void (*forward)(const Conv2dModule *conv, Emitter *emitter);
    void (*backward)(const Conv2dModule *conv, Emitter *emitter);
} Conv2dAlgorithm;

extern const Conv2dAlgorithm conv2d_direct;         /* oneDNN, any shape */
extern const Conv2dAlgorithm conv2d_bf16;           /* the same in bf16, where the plan is of mixed precision */
extern const Conv2dAlgorithm conv2d_winograd;       /* our own, 3x3 stride 1 */
extern const Conv2dAlgorithm conv2d_winograd_int16;      /* the same on 16-bit integers, where the plan is of mixed precision */
extern const Conv2dAlgorithm conv2d_depthwise;      /* our own, one filter a channel */
extern const Conv2dAlgorithm conv2d_batch_last;     /* our own, few channels, where the plan's layout is batch last */

/* Whether oneDNN computes the gradient of these weights in f32 faster as a product of matrices (conv2d_product.c): those of 1x1
 * convolutions, channels last, without AVX-512. */
bool conv2d_is_product(const Conv2dModule *conv, const Program *program);
/* Emits it. */
void conv2d_product_backward_weights(const Conv2dModule *conv, Emitter *emitter);

/* The same padding on all four sides? */
bool conv2d_pads_evenly(const Conv2dModule *conv);

/* Floating-point operations of one direction, by the direct algorithm's count. */
double conv2d_flops(const Conv2dModule *conv, const Program *program);

#endif
