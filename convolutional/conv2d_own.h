/* conv2d_own.h - inside the modules: what our own convolution kernels have in common. */

#ifndef CONVZOO_CONV2D_OWN_H
#define CONVZOO_CONV2D_OWN_H

#include "conv2d.h"
#include "kernels.h"

/* The sizes that the kernels take: one of these. */
typedef union OwnSizes {
    DepthwiseKernel depthwise;
    WinogradKernel  winograd;
    BatchLastKernel batch_last;
} OwnSizes;

/* What one direction leaves out is NULL, and so is the bias where there is none. */
typedef struct OwnCall {
    OwnSizes     sizes;
    const float *x, *weight, *bias, *dy;
    float       *y, *dx, *dweight, *dbias;
    void        *scratch;
} OwnCall;

typedef struct OwnConv2d {
    const char *name;      /* in profiles */
    const_dnnl_memory_desc_t (*tensor_layout)(Emitter *emitter, const Tensor *tensor);      /* of x and y */
    const_dnnl_memory_desc_t (*weight_layout)(const Conv2dModule *conv, Emitter *emitter);
    OwnSizes (*sizes)(const Conv2dModule *conv, const Buffer *x, const Buffer *y);      /* for these buffers */
    size_t (*scratch)(const OwnSizes *sizes);
    CallFunction *forward, *backward_data, *backward_weights;      /* of an OwnCall */
} OwnConv2d;

void own_conv2d_forward(const OwnConv2d *own, const Conv2dModule *conv, Emitter *emitter);
void own_conv2d_backward(const OwnConv2d *own, const Conv2dModule *conv, Emitter *emitter);
/* The plan's layout where channels fill the vectors: channels last, or blocks of 16; */
const_dnnl_memory_desc_t own_conv2d_layout(Emitter *emitter, const Tensor *tensor);
/* and whether they do, if the kernel takes multiples of `unit` channels that lie last. */
bool own_conv2d_fits(const Conv2dModule *conv, const Program *program, int unit);

#endif
