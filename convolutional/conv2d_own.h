/* conv2d_own.h - inside the modules: what our own convolution kernels have in common. */

#ifndef CONVZOO_CONV2D_OWN_H
#define CONVZOO_CONV2D_OWN_H

#include "conv2d.h"

/* Slots of an own convolution kernel. */
enum { OWN_X, OWN_WEIGHT, OWN_BIAS, OWN_Y, OWN_SCRATCH };

enum { OWN_CONTEXT_ROOM = 128 };

typedef struct OwnConv2d {
    const_dnnl_memory_desc_t (*weight_layout)(const Conv2dModule *conv, Program *program);
    /* Fills the kernels' context for these views; returns its size. */
    size_t (*context)(const Conv2dModule *conv, View x, View y, void *context);
    size_t (*scratch)(const void *context);
    KernelFunction *forward, *backward_data, *backward_weights;      /* on OWN_ slots */
} OwnConv2d;

void own_conv2d_forward(const OwnConv2d *own, const Conv2dModule *conv, Program *program);
void own_conv2d_backward(const OwnConv2d *own, const Conv2dModule *conv, Program *program);
/* Whether the plan's layout is one that our kernels read: channels last, or blocks of 16 with channels to fill them. */
bool own_conv2d_fits(const Conv2dModule *conv, const Program *program);

#endif
