/* loss.h - cross-entropy from logits with label smoothing (Szegedy et al., 2015, arXiv:1512.00567). */

#ifndef CONVZOO_LOSS_H
#define CONVZOO_LOSS_H

#include <stdint.h>

typedef struct LossSum {
    double   loss;        /* summed over samples, not divided */
    uint32_t top1, top5;  /* samples whose label has the largest, or one of the five largest, logits */
    uint32_t count;
} LossSum;

/* logits: rows x classes. The target puts 1 - smoothing on the label and smoothing / classes on every class.
 * Adds the first `count` rows to *sum. gradient (NULL: not wanted): rows x classes, d (mean loss over count) / d logits;
 * rows past count get zero. Stable for logits of any size: the row's maximum is subtracted first. Ties count against the label's rank
 * in index order (an earlier class with an equal logit ranks before), and a NaN logit is never a hit. */
void loss_cross_entropy(const float *logits, const uint16_t *labels, int rows, int count, int classes, float smoothing,
                        float *gradient, LossSum *sum);

#endif
