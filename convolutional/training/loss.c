/* loss.c - see loss.h.
 *
 *   p = softmax(z)   ce:  loss = sum w q log sum exp(z) - sum w q z   gradient = scale (p sum w q - w q) / count
 *   s = sigmoid(z)   bce: loss = sum w (softplus(z) - q z)            gradient = scale w (s - q) / count */

#include "loss.h"

#include "names.h"

#include <math.h>
#include <string.h>

enum { GROUPS = 64, PARALLEL_FROM = 1 << 14 };      /* elements: below, starting threads costs more than the sums */

/* ---- names ---- */

#define X(key, about) #key,
static const char *const names[] = { LOSSES(X) };
#undef X
#define X(key, about) " " #key
static const char choices[] = LOSSES(X);      /* with a space in front */
#undef X

const char *loss_name(LossKind kind)
{
    return names[kind];
}

bool loss_parse(const char *name, LossKind *kind, Error *error)
{
    NameSearch search = { .wrong = name };
    for (int i = 0; i < LOSS_COUNT; i++) {
        if (names_match(names[i], name, strlen(name))) {
            *kind = (LossKind)i;
            return true;
        }
        names_consider(&search, names[i], NULL);
    }
    return names_unknown_of(&search, "unknown loss", "--loss", choices + 1, error);
}

/* ---- rows ---- */

int loss_rank(const float *logits, int label, int classes)
{
    const float own = logits[label];
    if (isnan(own))
        return classes + 5;
    int rank = 0;
    for (int k = 0; k < classes; k++)
        rank += k < label ? !(logits[k] < own) : !(logits[k] <= own);
    return rank;
}

/* One label, no weights: the common case. */
static double row_plain(const float *logits, int label, int classes, double smoothing, double scale, float *gradient)
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
    /* 0 times an infinite logit is no loss */
    return log(sum) - on_label * ((double)logits[label] - largest) - (everywhere > 0 ? everywhere * shifted : 0);
}

/* A row's target and what it is measured with. */
typedef struct Target {
    int    label, other;
    double on_label, on_other, everywhere;
    double logit_scale, scale;        /* of the gradient: logit_scale / samples */
    const float *weights;
} Target;

static Target target_of(const LossOptions *options, const Targets *targets, int row, int of, int classes)
{
    const double share = targets->others ? (double)targets->shares[row] : 1, rest = 1 - (double)options->smoothing;
    const double logit_scale = options->logit_scale != 0 ? (double)options->logit_scale : 1;
    return (Target){
        .label = targets->labels[row], .other = targets->others ? targets->others[row] : targets->labels[row],
        .on_label = rest * share, .on_other = rest * (1 - share), .everywhere = (double)options->smoothing / classes,
        .logit_scale = logit_scale, .scale = logit_scale / of, .weights = options->class_weights,
    };
}

static double target_at(const Target *target, int k)
{
    return target->everywhere + (k == target->label ? target->on_label : 0) + (k == target->other ? target->on_other : 0);
}

static double weight_at(const Target *target, int k)
{
    return target->weights ? (double)target->weights[k] : 1;
}

static double row_ce(const float *logits, const Target *target, int classes, float *gradient)
{
    double largest = -INFINITY, sum = 0, weight = 0, loss = 0;      /* weight: sum of w q */
    for (int k = 0; k < classes; k++)
        largest = fmax(largest, target->logit_scale * (double)logits[k]);
    for (int k = 0; k < classes; k++)
        sum += exp(target->logit_scale * (double)logits[k] - largest);
    for (int k = 0; k < classes; k++) {
        const double wanted = weight_at(target, k) * target_at(target, k);
        weight += wanted;
        if (wanted != 0)                                            /* 0 times an infinite logit is no loss */
            loss += wanted * (log(sum) - (target->logit_scale * (double)logits[k] - largest));
    }
    for (int k = 0; gradient && k < classes; k++)
        gradient[k] = (float)((exp(target->logit_scale * (double)logits[k] - largest) / sum * weight -
                               weight_at(target, k) * target_at(target, k)) * target->scale);
    return loss;
}

static double row_bce(const float *logits, const Target *target, int classes, float *gradient)
{
    double loss = 0;
    for (int k = 0; k < classes; k++) {
        const double z = target->logit_scale * (double)logits[k], wanted = target_at(target, k), weight = weight_at(target, k);
        const double small = exp(-fabs(z));                         /* 0 .. 1 */
        loss += weight * (fmax(z, 0) + log1p(small) - wanted * z);
        if (gradient)
            gradient[k] = (float)(weight * ((z < 0 ? small : 1) / (1 + small) - wanted) * target->scale);
    }
    return loss;
}

/* ---- batches ---- */

static int main_label(const Targets *targets, int row)
{
    return targets->others && targets->shares[row] < 0.5f ? targets->others[row] : targets->labels[row];
}

static void check_labels(const uint16_t *labels, int count, int classes)
{
    for (int i = 0; labels && i < count; i++)
        CHECK(labels[i] < classes, "row %d: label %d, %d classes", i, labels[i], classes);
}

/* of: samples that the mean is taken over. */
static double row_loss(const LossOptions *options, const float *logits, const Targets *targets, int row, int of, int classes,
                       float *gradient)
{
    if (options->kind == LOSS_ce && !targets->others && !options->class_weights && (options->logit_scale == 0 || options->logit_scale == 1))
        return row_plain(logits, targets->labels[row], classes, (double)options->smoothing, 1.0 / of, gradient);
    const Target target = target_of(options, targets, row, of, classes);
    return (options->kind == LOSS_ce ? row_ce : row_bce)(logits, &target, classes, gradient);
}

void loss_add(LossSum *sum, const LossSum *part)
{
    sum->loss += part->loss;
    sum->top1 += part->top1;
    sum->top5 += part->top5;
    sum->count += part->count;
}

void loss_measure(const LossOptions *options, const float *logits, const Targets *targets, int rows, int count, int classes,
                  float *gradient, LossSum *sum)
{
    CHECK(classes > 0 && count >= 0 && count <= rows, "%d of %d rows, %d classes", count, rows, classes);
    check_labels(targets->labels, count, classes);
    check_labels(targets->others, count, classes);

    /* Rows in a fixed number of groups, added in order: the same bits for any number of threads. */
    LossSum groups[GROUPS] = {0};
    const int of = options->parts > 1 ? count * options->parts : count;
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
            const int rank = loss_rank(row, main_label(targets, i), classes);
            groups[g].loss += row_loss(options, row, targets, i, of, classes, row_gradient);
            groups[g].top1 += rank < 1;
            groups[g].top5 += rank < 5;
        }
    }
    for (int g = 0; g < GROUPS; g++)
        loss_add(sum, &groups[g]);
    sum->count += (uint32_t)count;
}

void loss_cross_entropy(const float *logits, const uint16_t *labels, int rows, int count, int classes, float smoothing,
                        float *gradient, LossSum *sum)
{
    loss_measure(&(LossOptions){ .smoothing = smoothing }, logits, &(Targets){ .labels = labels }, rows, count, classes, gradient, sum);
}

void loss_class_weights(const uint32_t *counts, int classes, float *weights)
{
    uint64_t samples = 0;
    int used = 0;
    for (int k = 0; k < classes; k++) {
        samples += counts[k];
        used += counts[k] > 0;
    }
    for (int k = 0; k < classes; k++)
        weights[k] = counts[k] ? (float)((double)samples / used / counts[k]) : 1;
}
