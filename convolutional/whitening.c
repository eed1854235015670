/* whitening.c - see whitening.h. */

#include "whitening.h"

#include "eigen.h"
#include "errors.h"
#include "parameters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Patches that are looked at: they lie on a grid in every image, as fine as keeps the work near a second. */
static const double products_most = 1e9;

typedef struct Patches {
    const float *images;
    int    count;             /* of images */
    Shape  image;
    int    kernel, length;    /* length: values of a patch */
    int    step;              /* of the grid, pixels */
    size_t *offset;           /* of each of a patch's values */
} Patches;

static long patches_a_side(const Patches *p, int side)
{
    return side < p->kernel ? 0 : (side - p->kernel) / p->step + 1;
}

static long patches_total(const Patches *p)
{
    return p->count * patches_a_side(p, p->image.h) * patches_a_side(p, p->image.w);
}

static const float *patch_at(const Patches *p, long index)
{
    const long rows = patches_a_side(p, p->image.h), columns = patches_a_side(p, p->image.w);
    const long image = index / (rows * columns), row = index / columns % rows, column = index % columns;
    return p->images + (size_t)image * shape_size(p->image) + (size_t)(row * p->step) * (size_t)p->image.w + (size_t)(column * p->step);
}

static Patches patches_of(const Network *network, const Param *weight, const float *images, int count)
{
    Patches p = { .images = images, .count = count, .image = network_image(network)->shape, .kernel = (int)weight->dims[2], .step = 1 };
    p.length = (int)(weight->count / (size_t)weight->dims[0]);
    while ((double)patches_total(&p) * p.length * p.length > products_most && p.step < p.kernel)
        p.step++;
    p.offset = allocate((size_t)p.length, sizeof *p.offset, "patches");
    for (int i = 0; i < p.length; i++) {
        const int column = i % p.kernel, row = i / p.kernel % p.kernel, channel = i / p.kernel / p.kernel;
        p.offset[i] = ((size_t)channel * (size_t)p.image.h + (size_t)row) * (size_t)p.image.w + (size_t)column;
    }
    return p;
}

/* Unbiased, around the mean. Each row is one thread's, over the patches in their order. */
static void covariance(const Patches *p, double *matrix)
{
    const long total = patches_total(p);
    const int n = p->length;
    double *mean = allocate((size_t)n, sizeof *mean, "patches");
    #pragma omp parallel for schedule(static)
    for (int i = 0; i < n; i++)
        for (long k = 0; k < total; k++)
            mean[i] += (double)patch_at(p, k)[p->offset[i]] / (double)total;
    #pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < n; i++) {
        double *row = matrix + (size_t)i * (size_t)n;
        for (long k = 0; k < total; k++) {
            const float *patch = patch_at(p, k);
            const double x = (double)patch[p->offset[i]] - mean[i];
            for (int j = 0; j <= i; j++)
                row[j] += x * ((double)patch[p->offset[j]] - mean[j]);
        }
        for (int j = 0; j <= i; j++)
            row[j] /= (double)(total - 1);
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            matrix[(size_t)j * (size_t)n + (size_t)i] = matrix[(size_t)i * (size_t)n + (size_t)j];
    free(mean);
}

static void write_filters(Network *network, const Param *weight, int length, const double *values, const double *vectors, double eps)
{
    Parameters *parameters = network_parameters(network);
    const int half = (int)weight->dims[0] / 2, pairs = length < half ? length : half;
    float *plain = allocate(weight->count, sizeof *plain, "filters");
    parameters_export(network, parameters->values, weight, plain);
    for (int i = 0; i < pairs; i++)
        for (int k = 0; k < length; k++) {
            const double value = vectors[(size_t)i * (size_t)length + (size_t)k] / sqrt(fmax(values[i], 0) + eps);
            plain[(size_t)i * (size_t)length + (size_t)k] = (float)value;
            plain[(size_t)(pairs + i) * (size_t)length + (size_t)k] = (float)-value;
        }
    parameters_import(network, parameters->values, weight, plain);
    free(plain);
}

bool whitening_apply(Network *network, const float *images, int count, double eps, Error *error)
{
    const Module *first = network_module(network, 0);
    const Param *weight = network_param_of(network, first, "weight");
    if (!weight || weight->rank != 4 || first->in[0] != network_image(network) || weight->dims[1] != network_image(network)->shape.c)
        return error_set(error, EXIT_usage, "cannot whiten: '%s' is the first layer: only a convolution of the image can be whitened", first->name);
    Patches patches = patches_of(network, weight, images, count);
    const size_t length = (size_t)patches.length;
    const bool enough = patches_total(&patches) > patches.length;
    if (enough) {
        double *matrix = allocate(length * length, sizeof *matrix, "a covariance"), *vectors = allocate(length * length, sizeof *vectors, "vectors");
        double *values = allocate(length, sizeof *values, "eigenvalues");
        covariance(&patches, matrix);
        eigen_symmetric(patches.length, matrix, values, vectors);
        write_filters(network, weight, patches.length, values, vectors, eps);
        free(matrix);
        free(vectors);
        free(values);
    }
    free(patches.offset);
    return enough || error_set(error, EXIT_usage, "cannot whiten: %ld patches of %d values: the first layer needs more patches than values: use "
                               "more images", patches_total(&patches), patches.length);
}
