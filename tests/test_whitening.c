/* test_whitening.c - eigenvectors against their definition, and whitened filters against the covariance of what they answer. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eigen.h"
#include "modules.h"
#include "parameters.h"
#include "random.h"
#include "whitening.h"

/* ---- eigenvectors ---- */

enum { MOST = 40 };

/* rank: how many directions the matrix has; the other eigenvalues are 0 */
static const struct { int n, rank; double scale; } matrices[] = {
    { 1, 1, 1 }, { 2, 2, 1 }, { 3, 3, 1e-9 }, { 12, 12, 1 }, { 27, 27, 1e6 }, { MOST, MOST, 1 }, { 12, 5, 1 }, { 9, 1, 1 },
};

static void eigenvectors(void **state)
{
    (void)state;
    static double a[MOST * MOST], copy[MOST * MOST], values[MOST], vectors[MOST * MOST], factor[MOST * MOST];
    Random random = random_stream(1, 2, 3, RANDOM_init);
    for (size_t m = 0; m < sizeof matrices / sizeof *matrices; m++) {
        const int n = matrices[m].n;
        double trace = 0, sum = 0;
        for (int i = 0; i < n * matrices[m].rank; i++)
            factor[i] = (double)random_normal(&random);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                a[i * n + j] = 0;
                for (int k = 0; k < matrices[m].rank; k++)
                    a[i * n + j] += matrices[m].scale * factor[i * matrices[m].rank + k] * factor[j * matrices[m].rank + k];
            }
        for (int i = 0; i < n; i++)
            trace += a[i * n + i];
        memcpy(copy, a, sizeof copy);
        eigen_symmetric(n, a, values, vectors);
        for (int i = 0; i < n; i++) {
            sum += values[i];
            assert_true(i == 0 || values[i] <= values[i - 1]);
            assert_true(i < matrices[m].rank || fabs(values[i]) < 1e-12 * trace);
            double largest = 0;
            for (int j = 0; j < n; j++) {
                double product = 0, image = 0;
                for (int k = 0; k < n; k++) {
                    product += vectors[i * n + k] * vectors[j * n + k];
                    image += copy[j * n + k] * vectors[i * n + k];
                }
                largest = fabs(vectors[i * n + j]) > fabs(largest) + 1e-9 ? vectors[i * n + j] : largest;
                if (fabs(product - (i == j)) > 1e-11 || fabs(image - values[i] * vectors[i * n + j]) > 1e-11 * trace)
                    fail_msg("matrix %zu: vectors %d and %d: product %g, %g off", m, i, j, product, image - values[i] * vectors[i * n + j]);
            }
            assert_true(largest > 0);
        }
        assert_true(fabs(sum - trace) < 1e-11 * trace);
    }
}

/* ---- filters ---- */

enum { IMAGES = 30, C = 3, H = 11, W = 13, FILTERS_MOST = 64, LENGTH_MOST = 27 };

/* Neighbours and channels are alike, as in photographs. */
static float *draw_images(void)
{
    float *images = allocate(IMAGES * C * H * W, sizeof *images, "images");
    Random random = random_stream(4, 0, 0, RANDOM_init);
    for (int n = 0; n < IMAGES; n++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                const float grey = random_normal(&random);
                for (int c = 0; c < C; c++) {
                    float *at = &images[((n * C + c) * H + y) * W + x];
                    *at = 0.5f + grey + 0.3f * random_normal(&random) + (x > 0 ? 0.7f * at[-1] : 0) + (y > 0 ? 0.4f * at[-W] : 0);
                }
            }
    return images;
}

/* What the filters answer to each patch, by plain loops: their covariance. */
static void answers(const float *images, const float *filters, int count, int kernel, double *matrix)
{
    const int rows = H - kernel + 1, columns = W - kernel + 1, total = IMAGES * rows * columns;
    double *y = allocate((size_t)(total * count), sizeof *y, "answers");
    for (int p = 0; p < total; p++)
        for (int f = 0; f < count; f++)
            for (int c = 0; c < C; c++)
                for (int ky = 0; ky < kernel; ky++)
                    for (int kx = 0; kx < kernel; kx++) {
                        const int n = p / (rows * columns), row = p / columns % rows + ky, column = p % columns + kx;
                        y[p * count + f] += (double)filters[((f * C + c) * kernel + ky) * kernel + kx] * (double)images[((n * C + c) * H + row) * W + column];
                    }
    for (int f = 0; f < count; f++) {
        double mean = 0;
        for (int p = 0; p < total; p++)
            mean += y[p * count + f] / total;
        for (int p = 0; p < total; p++)
            y[p * count + f] -= mean;
    }
    for (int f = 0; f < count; f++)
        for (int g = 0; g < count; g++) {
            matrix[f * count + g] = 0;
            for (int p = 0; p < total; p++)
                matrix[f * count + g] += y[p * count + f] * y[p * count + g] / (total - 1);
        }
    free(y);
}

static const struct { int kernel, filters, pairs; double eps; } cases[] = {
    { 2, 24, 12, 5e-4 }, { 3, 64, 27, 1e-2 }, { 3, 20, 10, 1e-6 }, { 2, 7, 3, 5e-4 }, { 1, 16, 3, 5e-4 }, { 2, 1, 0, 5e-4 },
};

static void filters_whiten(void **state)
{
    (void)state;
    float *images = draw_images();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int length = C * cases[i].kernel * cases[i].kernel, pairs = cases[i].pairs;
        float before[FILTERS_MOST * LENGTH_MOST], after[FILTERS_MOST * LENGTH_MOST];
        static double matrix[FILTERS_MOST * FILTERS_MOST];
        Error error;
        Network *net = network_new();
        conv2d(net, "conv", network_input(net, (Shape){ C, H, W }), cases[i].filters, (Conv2d){ .kernel = cases[i].kernel });
        const Param *weight = network_param(net, 0);
        parameters_init(net, 3);
        parameters_export(net, network_parameters(net)->values, weight, before);
        assert_true(whitening_apply(net, images, IMAGES, cases[i].eps, &error));
        parameters_export(net, network_parameters(net)->values, weight, after);
        for (int k = 0; k < pairs * length; k++)
            assert_true(after[pairs * length + k] == -after[k]);
        assert_memory_equal(after + 2 * pairs * length, before + 2 * pairs * length, (size_t)((cases[i].filters - 2 * pairs) * length) * sizeof(float));

        /* |filter|^2 = 1 / (lambda + eps), and its answers have the variance lambda / (lambda + eps). */
        double last = INFINITY;
        if (pairs > 0)
            answers(images, after, pairs, cases[i].kernel, matrix);
        for (int f = 0; f < pairs; f++) {
            double squares = 0;
            for (int k = 0; k < length; k++)
                squares += (double)after[f * length + k] * (double)after[f * length + k];
            const double lambda = 1 / squares - cases[i].eps;
            assert_true(lambda > 0 && lambda < last * (1 + 1e-5));
            last = lambda;
            for (int g = 0; g < pairs; g++) {
                const double expected = f == g ? lambda / (lambda + cases[i].eps) : 0;
                if (fabs(matrix[f * pairs + g] - expected) > 2e-4)
                    fail_msg("case %zu: covariance of answers %d and %d is %g, expected %g", i, f, g, matrix[f * pairs + g], expected);
            }
        }
        network_free(net);
    }
    free(images);
}

static void refused(void **state)
{
    (void)state;
    Error error;
    float *images = draw_images();
    Network *net = network_new();
    linear(net, "fc", network_input(net, (Shape){ C, H, W }), 5);
    parameters_init(net, 1);
    assert_false(whitening_apply(net, images, IMAGES, 1e-3, &error));
    assert_non_null(strstr(error.text, "cannot whiten: 'fc' is the first layer"));
    network_free(net);
    net = network_new();
    conv2d(net, "conv", network_input(net, (Shape){ C, H, W }), 8, (Conv2d){ .kernel = 9 });
    parameters_init(net, 1);
    assert_false(whitening_apply(net, images, 1, 1e-3, &error));
    assert_non_null(strstr(error.text, "15 patches of 243 values"));
    network_free(net);
    free(images);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(eigenvectors), cmocka_unit_test(filters_whiten), cmocka_unit_test(refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
