/* loss.c - see loss.h.
 *
 *   p = softmax(logits)    q = 1 - smoothing on the label, + smoothing / classes everywhere
 *   loss = -sum q log p = log sum exp(z) - sum q z        z = logits - max
 *   gradient = (p - q) / count */

#include "loss.h"

#include "errors.h"

#include <math.h>

enum { GROUPS = 64, PARALLEL_FROM = 1 << 14 };      /* elements: below, starting threads costs more than the sums */

/* How many classes rank before the label: larger, or equal and earlier. A NaN elsewhere ranks before everything, one
 * at the label behind everything. */
static int rank_of_label(const float *logits, int label, int classes)
{
    const float own = logits[label];
    if (isnan(own))
        return classes + 5;
    int rank = 0;
    for (int k = 0; k < classes; k++)
        rank += k < label ? !(logits[k] < own) : !(logits[k] <= own);
    return rank;
}

static double row_loss(const float *logits, int label, int classes, double smoothing, double scale, float *gradient)
{
    float largest = logits[0];
    for (int k = 1; k < classes; k++)
        largest = logits[k] > largest ? logits[k] : largest;

    double sum = 0, shifted = 0;      /* of exp(z); of z */
    for (int k = 0; k < classes; k++) {
        const double z = (double)logits[k] - largest;
        sum += exp(z);
        shifted += z;
    }
    const double everywhere = smoothing / classes, on_label = 1 - smoothing;
    if (gradient) {
        for (int k = 0; k < classes; k++)
            gradient[k] = (float)((exp((double)logits[k] - largest) / sum - everywhere - (k == label ? on_label : 0)) * scale);
    }
    return log(sum) - on_label * ((double)logits[label] - largest) - everywhere * shifted;
}

void loss_cross_entropy(const float *logits, const uint16_t *labels, int rows, int count, int classes, float smoothing,
                        float *gradient, LossSum *sum)
{
    CHECK(classes > 0 && count >= 0 && count <= rows, "%d of %d rows, %d classes", count, rows, classes);
    for (int i = 0; i < count; i++)
        CHECK(labels[i] < classes, "row %d: label %d, %d classes", i, labels[i], classes);

    /* Rows in a fixed number of groups, added in order: the same bits for any number of threads. */
    LossSum groups[GROUPS] = {0};
    #pragma omp parallel for schedule(static) if ((long)rows * classes >= PARALLEL_FROM)
    for (int g = 0; g < GROUPS; g++) {
        const int first = (int)((long)rows * g / GROUPS), last = (int)((long)rows * (g + 1) / GROUPS);
        for (int i = first; i < last; i++) {
            const float *row = logits + (size_t)i * classes;
            float *row_gradient = gradient ? gradient + (size_t)i * classes : NULL;
            if (i >= count) {
                for (int k = 0; row_gradient && k < classes; k++)
                    row_gradient[k] = 0;
                continue;
            }
            const int rank = rank_of_label(row, labels[i], classes);
            groups[g].loss += row_loss(row, labels[i], classes, smoothing, 1.0 / count, row_gradient);
            groups[g].top1 += rank < 1;
            groups[g].top5 += rank < 5;
        }
    }
    for (int g = 0; g < GROUPS; g++) {
        sum->loss += groups[g].loss;
        sum->top1 += groups[g].top1;
        sum->top5 += groups[g].top5;
    }
    sum->count += (uint32_t)count;
}
