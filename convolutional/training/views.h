/* views.h - an image seen in several ways, and what a network says of them averaged (test-time augmentation).
 *
 *   logits(image) = sum over views v of  weight_v  network(v(image))         weights add up to 1
 *
 * A view moves the image by some pixels, the border reflected without repeating the outermost row (as torch's F.pad(mode="reflect")),
 * and may mirror it. Logits are averaged, not probabilities, with the weights of airbench (Jordan, 2024, arXiv:2404.00498, section 3.6).
 * A step is one pixel for each 32 of the side, at least one: an image of 224 moves by 7. */

#ifndef CONVZOO_VIEWS_H
#define CONVZOO_VIEWS_H

#include "program.h"

/* key, name: the image as it is; it and its mirror image; both of these, and both moved by a step to the right and down, to the left
 * and up; the centre and four corners a step away, each mirrored too. (Corners two steps away are worse: of a network with a loss of 1.171 on
 * CIFAR-10, 1.170 instead of 1.160.) */
#define VIEW_SETS(FIRST, X) FIRST(none, "none") X(flip, "flip") X(flip_shift, "flip-shift") X(ten, "ten")

#define VIEW_SET_KEY(key, name)   VIEWS_##key,
#define VIEW_SET_FIRST(key, name) name
#define VIEW_SET_NEXT(key, name)  " " name
typedef enum { VIEW_SETS(VIEW_SET_KEY, VIEW_SET_KEY) VIEW_SET_COUNT } ViewSet;

/* "none flip ...", for a table of options. */
#define VIEW_SET_NAMES VIEW_SETS(VIEW_SET_FIRST, VIEW_SET_NEXT)

const char *view_set_name(ViewSet set);
/* How many views an image gets. */
int         view_set_count(ViewSet set);
/* The set of one of VIEW_SET_NAMES. */
ViewSet     view_set_find(const char *name);

typedef struct ViewOptions {
    ViewSet set;
    double  below;       /* > 0: only images whose largest probability, as they are, is below this get the further views */
    double  temperature; /* that logits are divided by for that probability; 0: 1 */
} ViewOptions;

typedef struct Views Views;

/* For an inference program of the network, which stays the caller's and must outlive it. The caller frees it with views_free. */
Views *views_new(const Network *network, Program *program, ViewOptions options);
void   views_free(Views *views);

/* The averaged logits of the first `count` of a batch: count x classes, valid until the next call. images: batch x c h w, 64-byte aligned.
 * Further views of several images share the program's batches, so that few images cost few of them. */
const float *views_logits(Views *views, const float *images, int count);

/* One view of one image, c h w; `place` counts from 0, the image as it is. */
void view_apply(ViewSet set, int place, Shape shape, const float *image, float *out);

#endif
