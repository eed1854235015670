/* rank_model.c - see rank_model.h. */

#include "rank_model.h"

#include "errors.h"

#include <math.h>
#include <stdlib.h>

RankStep rank_step_new(int count)
{
    return (RankStep){
        .count = count,
        .bytes = allocate((size_t)count, sizeof(double), "a model of ranks"),
        .ready = allocate((size_t)count, sizeof(double), "a model of ranks"),
    };
}

void rank_step_free(RankStep *step)
{
    free(step->bytes);
    free(step->ready);
    *step = (RankStep){ 0 };
}

double rank_step_alone(const RankStep *step)
{
    return step->before + step->backward + step->after;
}

/* Of a rank's bytes, those that it sends. */
static double share(int ranks)
{
    return (double)(ranks - 1) / ranks;
}

static double busy(const RankWire *wire, int ranks, double bytes)
{
    return (ranks - 1) * wire->message + share(ranks) * bytes * wire->byte;
}

double rank_model_bucket(const RankWire *wire, int ranks, double bytes)
{
    return 2.0 * (busy(wire, ranks, bytes) + wire->latency);
}

double rank_model_step(const RankStep *step, const RankWire *wire, int ranks, bool overlap)
{
    double stolen = 0.0, free_at = 0.0, end = 0.0;
    if (ranks == 1)
        return rank_step_alone(step);
    for (int b = 0; b < step->count; b++) {
        const double ready = overlap ? step->ready[b] + stolen : step->backward;
        free_at = fmax(ready, free_at) + 2.0 * busy(wire, ranks, step->bytes[b]);
        end = free_at + 2.0 * wire->latency;
        stolen += overlap ? 2.0 * share(ranks) * step->bytes[b] * wire->handling : 0.0;
    }
    return step->before + fmax(step->backward + stolen, end) + step->after;
}

/* ---- fitting ---- */

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_slope(const RankTrial *trials, int count)
{
    double *slopes = allocate((size_t)(count * (count - 1) / 2), sizeof *slopes, "slopes");
    int n = 0;
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++)
            slopes[n++] = (trials[j].seconds - trials[i].seconds) / (trials[j].bytes - trials[i].bytes);
    qsort(slopes, (size_t)n, sizeof *slopes, by_size);
    const double median = n % 2 ? slopes[n / 2] : 0.5 * (slopes[n / 2 - 1] + slopes[n / 2]);
    free(slopes);
    return median;
}

void rank_model_fit(RankWire *wire, int ranks, const RankTrial *trials, int count)
{
    CHECK(ranks > 1 && count > 1, "%d trials between %d ranks", count, ranks);
    wire->byte = fmax(0.0, median_slope(trials, count) / (2.0 * share(ranks)));
    wire->latency = fmax(0.0, trials[0].seconds / 2.0 - busy(wire, ranks, trials[0].bytes));
}
