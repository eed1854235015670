/* metrics.h - how often a network is right, class by class, from its logits over a data set.
 *
 *   confusion[t][p]   images of class t that were called p: the class with the largest logit, the earlier of two equal ones
 *   precision_k       confusion[k][k] / images called k
 *   recall_k          confusion[k][k] / images of class k
 *   f1_k              2 precision recall / (precision + recall)
 *
 * A ratio without a denominator is 0. Macro averages are plain means over the classes that occur, among the images or among what they
 * were called: scikit-learn's precision_recall_fscore_support(average="macro", zero_division=0). */

#ifndef CONVZOO_METRICS_H
#define CONVZOO_METRICS_H

#include <stdint.h>

/* What a network said of a data set. */
typedef struct Outputs {
    uint32_t        count;
    int             classes;
    const float    *logits;        /* count x classes */
    const uint16_t *labels;        /* count */
} Outputs;

/* The class that image i is called. A NaN is larger than everything, as in loss.h. */
int    outputs_called(const Outputs *outputs, uint32_t i);
/* Softmax of the logits divided by the temperature, at one class; 0 means a temperature of 1. */
double outputs_probability(const Outputs *outputs, uint32_t i, int class, double temperature);
/* -log of it, without its rounding to 0. */
double outputs_loss(const Outputs *outputs, uint32_t i, int class, double temperature);

typedef struct ClassMetrics {
    uint32_t images, called, hits;
    double   precision, recall, f1;
} ClassMetrics;

typedef struct Metrics {
    int           classes;
    uint32_t      count, hits;
    uint32_t     *confusion;       /* classes x classes, a row a true class */
    ClassMetrics *each;            /* classes */
    double        precision, recall, f1;      /* macro averages */
} Metrics;

/* The caller frees it with metrics_free. */
Metrics *metrics_new(const Outputs *outputs);
void     metrics_free(Metrics *metrics);

typedef struct Interval {
    double from, to;
} Interval;

/* The 95% score interval of a share (Wilson, 1927; Brown, Cai and DasGupta, 2001, equation 4), z = 1.959964:
 *   (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)
 * Of none: 0 to 1. */
Interval metrics_interval(uint32_t hits, uint32_t count);

/* The images that were called wrong, the surest first (the largest probability of what they were called, at a temperature as above), as indices; the earlier of two
 * equally sure ones first. At most `most`; returns how many. */
uint32_t metrics_mistakes(const Outputs *outputs, double temperature, uint32_t *images, uint32_t most);

#endif
