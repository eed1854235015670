/* loss.h - cross-entropy and binary cross-entropy from logits, with label smoothing (Szegedy et al., 2015, arXiv:1512.00567), for
 * one label or two mixed ones a sample.
 *
 *   target   q_k = (1 - smoothing) (share [k = label] + (1 - share) [k = other]) + smoothing / classes
 *   logit    z_k = logit_scale x_k
 *   weight   w_k = 1, or the class's
 *
 *   ce       -sum_k w_k q_k log softmax(z)_k                                 as torch's CrossEntropyLoss
 *   bce      sum_k w_k (log(1 + exp z_k) - q_k z_k)                          as timm's BinaryCrossEntropy with sum_classes
 *
 * The mean is taken over samples. (CrossEntropyLoss with weights divides by the sum of the labels' weights instead, so that a sample's
 * influence depends on which others are in its batch; loss_class_weights makes weights whose mean over the samples is 1.) */

#ifndef CONVZOO_LOSS_H
#define CONVZOO_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"

#define LOSSES(X)                                         \
    X(ce,  "cross-entropy of the softmax")                \
    X(bce, "binary cross-entropy, a sigmoid a class")

#define X(key, about) LOSS_##key,
typedef enum { LOSSES(X) LOSS_COUNT } LossKind;
#undef X

const char *loss_name(LossKind kind);
/* False and a line with the choices for a name that is none. */
bool        loss_parse(const char *name, LossKind *kind, Error *error);

typedef struct LossOptions {
    LossKind     kind;
    float        smoothing;
    float        logit_scale;         /* 0: 1 */
    const float *class_weights;       /* classes; NULL: all 1 */
    int          parts;               /* of a batch, all equal, of which a call sees one: the mean is over all of them; 0: 1 */
} LossOptions;

typedef struct Targets {
    const uint16_t *labels, *others;  /* rows; others NULL: nothing is mixed */
    const float    *shares;           /* rows: of the label, the rest is the other's */
} Targets;

typedef struct LossSum {
    double   loss;        /* summed over samples, not divided */
    uint32_t top1, top5;  /* samples whose label has the largest, or one of the five largest, logits */
    uint32_t count;
} LossSum;

/* Adds what `part` counts to *sum. */
void loss_add(LossSum *sum, const LossSum *part);

/* How many classes rank before the label: larger, or equal and earlier. A NaN elsewhere ranks before everything, one at the label behind
 * everything. A sample is right if none does, and among the first five if at most four do. */
int loss_rank(const float *logits, int label, int classes);

/* What a rank tells the others of its part of a batch. */
typedef struct PartWord {
    LossSum sum;
    int32_t stop;        /* a signal that the rank has got; 0: none */
} PartWord;

/* logits: rows x classes. Adds the first `count` rows to *sum; hits are of the label whose share is the larger one. gradient (NULL: not
 * wanted): rows x classes, d (mean loss over count x parts) / d logits; rows past count get zero. Stable for logits of any size. Ties count
 * against the label's rank in index order (an earlier class with an equal logit ranks before), and a NaN logit is never a hit. */
void loss_measure(const LossOptions *options, const float *logits, const Targets *targets, int rows, int count, int classes,
                  float *gradient, LossSum *sum);

/* The same for plain labels and LOSS_ce without weights. */
void loss_cross_entropy(const float *logits, const uint16_t *labels, int rows, int count, int classes, float smoothing,
                        float *gradient, LossSum *sum);

/* weights[k] = samples / (classes that have any x counts[k]): rare classes count more, and the mean over the samples is 1. Classes
 * without a sample get 1. */
void loss_class_weights(const uint32_t *counts, int classes, float *weights);

#endif
