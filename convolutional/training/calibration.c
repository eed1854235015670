/* calibration.c - see calibration.h. */

#include "calibration.h"

#include <math.h>
#include <stdlib.h>

enum { GROUPS = 64, PARALLEL_FROM = 1 << 14 };      /* numbers: below, starting threads costs more than the sums */

/* The bin of (b/15, (b+1)/15] that a probability is in. */
static int bin_of(double probability)
{
    if (!(probability > 0))      /* NaN too */
        return 0;
    const int bin = (int)ceil(probability * CALIBRATION_BINS) - 1;
    return bin < 0 ? 0 : bin < CALIBRATION_BINS ? bin : CALIBRATION_BINS - 1;
}

Calibration calibration_measure(const Outputs *outputs, double temperature)
{
    Calibration c = { 0 };
    for (uint32_t i = 0; i < outputs->count; i++) {
        const int called = outputs_called(outputs, i), label = outputs->labels[i];
        const double probability = outputs_probability(outputs, i, called, temperature);
        CalibrationBin *bin = &c.bins[bin_of(probability)];
        bin->images++;
        bin->confidence += probability;
        bin->accuracy += called == label;
        c.loss += outputs_loss(outputs, i, label, temperature);
    }
    for (int b = 0; b < CALIBRATION_BINS; b++) {
        CalibrationBin *bin = &c.bins[b];
        if (bin->images == 0)
            continue;
        bin->confidence /= bin->images;
        bin->accuracy /= bin->images;
        const double gap = fabs(bin->accuracy - bin->confidence);
        c.error += gap * bin->images / outputs->count;
        c.worst = fmax(c.worst, gap);
    }
    if (outputs->count)
        c.loss /= outputs->count;
    return c;
}

/* d loss / d scale, scale = 1 / temperature, of the mean loss: the mean over images of  sum_k p_k z_k - z_label. It rises with the
 * scale: the loss is convex. */
static double slope_of(const Outputs *outputs, double scale, uint32_t first, uint32_t last)
{
    double slope = 0;
    for (uint32_t i = first; i < last; i++) {
        const float *row = outputs->logits + (size_t)i * (size_t)outputs->classes;
        double largest = -INFINITY, sum = 0, weighted = 0;
        for (int k = 0; k < outputs->classes; k++)
            largest = fmax(largest, (double)row[k]);
        for (int k = 0; k < outputs->classes; k++) {
            const double z = (double)row[k] - largest, e = exp(scale * z);
            sum += e;
            weighted += e * z;
        }
        slope += weighted / sum - ((double)row[outputs->labels[i]] - largest);
    }
    return slope;
}

/* In fixed groups, added in order: the same bits for any number of threads. */
static double slope_at(const Outputs *outputs, double scale)
{
    double groups[GROUPS], slope = 0;
    #pragma omp parallel for schedule(static) if ((double)outputs->count * outputs->classes > PARALLEL_FROM)
    for (int g = 0; g < GROUPS; g++)
        groups[g] = slope_of(outputs, scale, (uint32_t)((uint64_t)outputs->count * (uint64_t)g / GROUPS),
                             (uint32_t)((uint64_t)outputs->count * (uint64_t)(g + 1) / GROUPS));
    for (int g = 0; g < GROUPS; g++)
        slope += groups[g];
    return slope;
}

/* Halving the range of log scale: forty times give more digits than a checkpoint keeps. */
double calibration_temperature(const Outputs *outputs)
{
    double from = -log(CALIBRATION_HOTTEST), to = -log(CALIBRATION_COLDEST);
    for (int i = 0; i < 40; i++) {
        const double middle = (from + to) / 2;
        if (slope_at(outputs, exp(middle)) > 0)
            to = middle;
        else
            from = middle;
    }
    return exp(-(from + to) / 2);
}

/* ---- thresholds ---- */

typedef struct Answer {
    double probability;
    bool   right;
} Answer;

static int surer_first(const void *a, const void *b)
{
    const double first = ((const Answer *)a)->probability, second = ((const Answer *)b)->probability;
    return first > second ? -1 : first < second;
}

static Answer *answers_of(const Outputs *outputs, double temperature)
{
    Answer *answers = allocate((size_t)outputs->count + 1, sizeof *answers, "answers");
    for (uint32_t i = 0; i < outputs->count; i++) {
        const int called = outputs_called(outputs, i);
        answers[i] = (Answer){ outputs_probability(outputs, i, called, temperature), called == outputs->labels[i] };
    }
    qsort(answers, outputs->count, sizeof *answers, surer_first);
    return answers;
}

static Rejection reject_all_but(const Answer *answers, uint32_t kept, uint32_t hits, uint32_t count)
{
    return (Rejection){ kept ? answers[kept - 1].probability : 1, count ? (double)kept / count : 0, kept ? (double)hits / kept : 0 };
}

Rejection calibration_reject(const Outputs *outputs, double temperature, double below)
{
    Answer *answers = answers_of(outputs, temperature);
    uint32_t kept = 0, hits = 0;
    for (; kept < outputs->count && answers[kept].probability >= below; kept++)
        hits += answers[kept].right;
    Rejection rejection = reject_all_but(answers, kept, hits, outputs->count);
    rejection.below = below;
    free(answers);
    return rejection;
}

bool calibration_threshold(const Outputs *outputs, double temperature, RejectBy by, double wanted, Rejection *rejection, Error *error)
{
    Answer *answers = answers_of(outputs, temperature);
    uint32_t hits = 0;
    double best = 0;
    bool found = false;
    for (uint32_t kept = 1; kept <= outputs->count && !(found && by == REJECT_coverage); kept++) {
        hits += answers[kept - 1].right;
        if (kept < outputs->count && answers[kept].probability >= answers[kept - 1].probability)
            continue;                        /* a threshold cannot tell them apart */
        const Rejection here = reject_all_but(answers, kept, hits, outputs->count);
        best = fmax(best, here.precision);
        if ((by == REJECT_coverage ? here.coverage : here.precision) >= wanted) {
            *rejection = here;
            found = true;
        }
    }
    free(answers);
    return found || error_set(error, EXIT_usage, "no threshold gives a precision of %g: --fit-reject: of %u images the surest are right in "
                              "%.2f%% at best: ask for less", wanted, outputs->count, 100 * best);
}
