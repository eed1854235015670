/* attention.h - which part of an image an answer comes from.
 *
 *   y_c        the logit of the class that is asked about
 *   Grad-CAM   a_k = mean over the pixels of  d y_c / d A_k        A: a layer's output, k its channel
 *              map = max(0, sum over k of  a_k A_k)                h x w of the layer       (Selvaraju et al., 2017, arXiv:1610.02391)
 *   saliency   max over the channels of  |d y_c / d image|         the image's size         (Simonyan, Vedaldi and Zisserman, 2013, arXiv:1312.6034)
 *
 * The image is the normalised one that the network reads. */

#ifndef CONVZOO_ATTENTION_H
#define CONVZOO_ATTENTION_H

#include "program.h"

/* What a layer of this name puts out. NULL: the last convolution's features, after its norm, activation and sum, before they are pooled.
 * NULL and a line if there is no such layer, or none that fits. */
const Tensor *attention_layer(const Network *network, const char *name, Error *error);

typedef struct Attention Attention;

/* Compiles the network for a batch. The caller frees it with attention_free. */
Attention *attention_new(Network *network, const Plan *plan, const Tensor *layer, int batch);
void       attention_free(Attention *attention);

/* Asks about one class an image, for the first `count` of a batch of normalised images, batch x c h w, 64-byte aligned. */
void attention_run(Attention *attention, const float *images, const int *classes, int count);

/* Of image i of the last run, valid until the next: h x w of the layer, and of the image. */
const float *attention_gradcam(Attention *attention, int i);
const float *attention_saliency(Attention *attention, int i);

/* The layer's output for image i, c h w. */
const float *attention_features(const Attention *attention, int i);

/* A map brought to another size: bilinear, corners not aligned (torch's interpolate(mode="bilinear", align_corners=False)). */
void attention_enlarge(const float *map, int h, int w, float *out, int out_h, int out_w);

#endif
