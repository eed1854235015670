/* metrics.c - see metrics.h. */

#include "metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"

#define Z 1.959963984540054      /* a standard normal value lies within +- Z with 95% */

static const float *row_of(const Outputs *outputs, uint32_t i)
{
    return outputs->logits + (size_t)i * (size_t)outputs->classes;
}

int outputs_called(const Outputs *outputs, uint32_t i)
{
    const float *row = row_of(outputs, i);
    int called = 0;
    for (int k = 1; k < outputs->classes && !isnan(row[called]); k++)
        if (!(row[k] <= row[called]))
            called = k;
    return called;
}

double outputs_loss(const Outputs *outputs, uint32_t i, int class, double temperature)
{
    const float *row = row_of(outputs, i);
    const double scale = temperature > 0 ? 1 / temperature : 1;
    double largest = -INFINITY, sum = 0;
    for (int k = 0; k < outputs->classes; k++)
        largest = fmax(largest, (double)row[k]);
    for (int k = 0; k < outputs->classes; k++)
        sum += exp(scale * ((double)row[k] - largest));
    return log(sum) - scale * ((double)row[class] - largest);
}

double outputs_probability(const Outputs *outputs, uint32_t i, int class, double temperature)
{
    return exp(-outputs_loss(outputs, i, class, temperature));
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void average_classes(Metrics *m)
{
    int occur = 0;
    for (int k = 0; k < m->classes; k++) {
        ClassMetrics *each = &m->each[k];
        each->precision = ratio(each->hits, each->called);
        each->recall = ratio(each->hits, each->images);
        each->f1 = ratio(2 * each->precision * each->recall, each->precision + each->recall);
        if (each->images == 0 && each->called == 0)
            continue;
        occur++;
        m->precision += each->precision;
        m->recall += each->recall;
        m->f1 += each->f1;
    }
    m->precision = ratio(m->precision, occur);
    m->recall = ratio(m->recall, occur);
    m->f1 = ratio(m->f1, occur);
}

Metrics *metrics_new(const Outputs *outputs)
{
    Metrics *m = allocate(1, sizeof *m, "metrics");
    const size_t classes = (size_t)outputs->classes;
    m->classes = outputs->classes;
    m->count = outputs->count;
    m->confusion = allocate(classes * classes, sizeof *m->confusion, "a confusion matrix");
    m->each = allocate(classes, sizeof *m->each, "metrics of classes");
    for (uint32_t i = 0; i < outputs->count; i++) {
        const int label = outputs->labels[i], called = outputs_called(outputs, i);
        CHECK(label < outputs->classes, "label %d, %d classes", label, outputs->classes);
        m->confusion[(size_t)label * classes + (size_t)called]++;
        m->each[label].images++;
        m->each[called].called++;
        if (label == called) {
            m->each[label].hits++;
            m->hits++;
        }
    }
    average_classes(m);
    return m;
}

void metrics_free(Metrics *metrics)
{
    if (!metrics)
        return;
    free(metrics->confusion);
    free(metrics->each);
    free(metrics);
}

Interval metrics_interval(uint32_t hits, uint32_t count)
{
    if (count == 0)
        return (Interval){ 0, 1 };
    const double n = count, p = hits / n, centre = p + Z * Z / (2 * n), half = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)), all = 1 + Z * Z / n;
    return (Interval){ hits ? (centre - half) / all : 0, hits < count ? (centre + half) / all : 1 };
}

typedef struct Mistake {
    uint32_t image;
    double   probability;
} Mistake;

static int surer_first(const void *a, const void *b)
{
    const Mistake *first = a, *second = b;
    if (first->probability != second->probability)
        return first->probability > second->probability ? -1 : 1;
    return first->image < second->image ? -1 : 1;
}

uint32_t metrics_mistakes(const Outputs *outputs, double temperature, uint32_t *images, uint32_t most)
{
    Mistake *all = allocate((size_t)outputs->count + 1, sizeof *all, "a list of mistakes");
    uint32_t count = 0;
    for (uint32_t i = 0; i < outputs->count; i++) {
        const int called = outputs_called(outputs, i);
        if (called != outputs->labels[i])
            all[count++] = (Mistake){ i, outputs_probability(outputs, i, called, temperature) };
    }
    qsort(all, count, sizeof *all, surer_first);
    count = count < most ? count : most;
    for (uint32_t i = 0; i < count; i++)
        images[i] = all[i].image;
    free(all);
    return count;
}
