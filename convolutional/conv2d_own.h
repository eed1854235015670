/* conv2d_own.h - inside the modules: what our own convolution kernels have in common. */

#ifndef CONVZOO_CONV2D_OWN_H
#define CONVZOO_CONV2D_OWN_H

#include "conv2d.h"
#include "kernels.h"

/* Slots of an own convolution kernel. */
enum { OWN_X, OWN_WEIGHT, OWN_BIAS, OWN_Y, OWN_SCRATCH };

/* What the kernels take: one of these. */
typedef union OwnContext {
    DepthwiseKernel depthwise;
    WinogradKernel  winograd;
    BatchLastKernel batch_last;
} OwnContext;

typedef struct OwnConv2d {
    const char *name;      /* in profiles */
    const_dnnl_memory_desc_t (*tensor_layout)(Program *program, const Tensor *tensor);      /* of x and y */
    const_dnnl_memory_desc_t (*weight_layout)(const Conv2dModule *conv, Program *program);
    OwnContext (*context)(const Conv2dModule *conv, const Buffer *x, const Buffer *y);      /* for these buffers */
    size_t (*scratch)(const void *context);
    KernelFunction *forward, *backward_data, *backward_weights;      /* on OWN_ slots */
} OwnConv2d;

void own_conv2d_forward(const OwnConv2d *own, const Conv2dModule *conv, Program *program);
void own_conv2d_backward(const OwnConv2d *own, const Conv2dModule *conv, Program *program);
/* The plan's layout where channels fill the vectors: channels last, or blocks of 16; */
const_dnnl_memory_desc_t own_conv2d_layout(Program *program, const Tensor *tensor);
/* and whether they do, if the kernel takes multiples of `unit` channels that lie last. */
bool own_conv2d_fits(const Conv2dModule *conv, const Program *program, int unit);

#endif
