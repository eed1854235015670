/* differences.c - see differences.h. */

#include "differences.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- drawing ---- */

/* A multiple of 2^-16 in [-1, 1), so that the sum of two is exact. Or an integer. */
static double draw(Random *random, bool integers)
{
    return integers ? (double)random_below(random, 7) - 3 : (double)random_below(random, 1 << 17) * 0x1p-16 - 1;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

/* Weights of unit gain, small offsets, factors near 1. */
static double draw_param(const Param *param, Random *random, bool integers)
{
    const double u = draw(random, integers);
    if (integers || !strcmp(param->name, "probe.weight"))
        return u;
    if (param->role == PARAM_weight)
        return (double)(float)(u * sqrt(3.0 * (double)param->dims[0] / (double)param->count));
    if (ends_with(param->name, "bias") || ends_with(param->name, "running_mean"))
        return u / 2;
    return 1 + u / 2;
}

void reference_draw(Reference *r, double *cotangent, uint64_t seed, bool integers)
{
    Random random = random_stream(seed, 0, 0, RANDOM_init);
    for (size_t i = 0; i < reference_size(r, network_image(r->net)); i++)
        r->values[0][i] = draw(&random, integers);
    for (int p = 0; p < network_param_count(r->net); p++)
        for (size_t i = 0; i < network_param(r->net, p)->count; i++)
            r->params[p][i] = draw_param(network_param(r->net, p), &random, integers);
    for (size_t i = 0; i < reference_size(r, network_logits(r->net)); i++)
        cotangent[i] = draw(&random, integers);
}

void direction_draw(const Param *param, int direction, double h, double *v)
{
    Random random = random_stream((uint64_t)direction, (uint64_t)param->count, 1, RANDOM_init);
    const double size = h < 1 ? 1 / sqrt((double)param->count) : 1;
    for (size_t i = 0; i < param->count; i++)
        v[i] = random_next(&random) >> 63 ? size : -size;
}

/* ---- differences ---- */

/* (L(theta + h v) - L(theta - h v)) / 2h, theta and v having `count` entries. */
static double central_difference(Reference *r, const double *cotangent, double *theta, const double *v, size_t count, double h)
{
    const size_t outputs = reference_size(r, network_logits(r->net));
    double *keep = allocate(count, sizeof *keep, "parameters"), *above = allocate(outputs, sizeof *above, "outputs"), slope = 0;
    memcpy(keep, theta, count * sizeof *keep);
    for (size_t i = 0; i < count; i++)
        theta[i] = keep[i] + h * v[i];
    reference_run(r, PURPOSE_training);
    memcpy(above, reference_output(r), outputs * sizeof *above);
    for (size_t i = 0; i < count; i++)
        theta[i] = keep[i] - h * v[i];
    reference_run(r, PURPOSE_training);
    for (size_t i = 0; i < outputs; i++)
        slope += cotangent[i] * (above[i] - reference_output(r)[i]) / (2 * h);
    memcpy(theta, keep, count * sizeof *keep);
    free(keep);
    free(above);
    return slope;
}

Gradient gradient_expected(Reference *r, const double *cotangent, int index, double h)
{
    const Param *param = network_param(r->net, index);
    double *theta = r->params[index], *v = allocate(param->count, sizeof *v, "a direction");
    Gradient gradient = { .samples = param->count < SAMPLES ? (int)param->count : SAMPLES };
    Random random = random_stream(0, (uint64_t)index, param->count, RANDOM_init);
    for (int i = 0; i < gradient.samples; i++) {
        gradient.at[i] = param->count <= SAMPLES ? (size_t)i : random_below(&random, (uint32_t)param->count);
        gradient.slopes[i] = central_difference(r, cotangent, &theta[gradient.at[i]], &(double){ 1 }, 1, h);
    }
    for (int i = 0; i < DIRECTIONS; i++) {
        direction_draw(param, i, h, v);
        gradient.products[i] = central_difference(r, cotangent, theta, v, param->count, h);
    }
    free(v);
    return gradient;
}
