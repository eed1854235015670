/* test_layernorm_kernels.c - layer norm loops, in every layout and instruction set.
 *
 * The program runs itself once for each CONVZOO_ISA. Expected values come from double loops through view_offset. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "errors.h"
#include "layouts.h"

typedef struct LayerNormTest {
    View   v;
    float *x, *dy, *y, *dx, *weight, *bias, *mean, *inverse, *dweight, *dbias;
    void  *scratch;
} LayerNormTest;

static LayerNormTest layernorm_new(View v, float center)
{
    LayerNormTest t = { .v = v };
    t.x = normals(&v, center, 1, 1);
    t.dy = normals(&v, 0.3f, 1, 3);
    t.y = floats(view_count(&v));
    t.dx = floats(view_count(&v));
    t.weight = channel_normals(&v, 1, 0.3f, 4);
    t.bias = channel_normals(&v, 0, 0.5f, 5);
    t.mean = floats(pixels_of(&v));
    t.inverse = floats(pixels_of(&v));
    t.dweight = floats((size_t)v.padded);
    t.dbias = floats((size_t)v.padded);
    t.scratch = allocate(kernel_layernorm_scratch(&v), 1, "scratch");
    return t;
}

static void layernorm_free(LayerNormTest *t)
{
    float *const all[] = { t->x, t->dy, t->y, t->dx, t->weight, t->bias, t->mean, t->inverse, t->dweight, t->dbias };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(t->scratch);
}

/* dx goes to `dx`, which may be dy. */
static void layernorm_run(LayerNormTest *t, float *dx)
{
    kernel_layernorm_forward(&t->v, 1e-6f, t->x, t->weight, t->bias, t->y, t->mean, t->inverse);
    kernel_layernorm_backward(&t->v, t->x, t->mean, t->inverse, t->weight, t->dy, dx, t->dweight, t->dbias, t->scratch);
}

/* In double. */
typedef struct Expected {
    double *y, *dx, *dweight, *dbias;
} Expected;

static Expected expected_new(const View *v)
{
    return (Expected){ allocate(view_count(v), sizeof(double), "y"), allocate(view_count(v), sizeof(double), "dx"),
                       allocate((size_t)v->padded, sizeof(double), "dweight"), allocate((size_t)v->padded, sizeof(double), "dbias") };
}

static void expected_free(Expected *e)
{
    double *const all[] = { e->y, e->dx, e->dweight, e->dbias };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* One pixel in double. */
static void layernorm_pixel(const LayerNormTest *t, size_t i, Expected *e)
{
    const View *v = &t->v;
    double mean = 0, variance = 0, sum = 0, product = 0;
    for (int c = 0; c < v->c; c++)
        mean += (double)t->x[place(v, c, i)] / v->c;
    for (int c = 0; c < v->c; c++)
        variance += ((double)t->x[place(v, c, i)] - mean) * ((double)t->x[place(v, c, i)] - mean) / v->c;
    const double inverse = 1 / sqrt(variance + 1e-6);
    for (int c = 0; c < v->c; c++) {
        const size_t at = place(v, c, i);
        const double normal = ((double)t->x[at] - mean) * inverse, g = (double)t->weight[c] * (double)t->dy[at];
        e->y[at] = (double)t->weight[c] * normal + (double)t->bias[c];
        e->dweight[c] += (double)t->dy[at] * normal;
        e->dbias[c] += (double)t->dy[at];
        sum += g / v->c;
        product += g * normal / v->c;
    }
    for (int c = 0; c < v->c; c++) {
        const size_t at = place(v, c, i);
        const double normal = ((double)t->x[at] - mean) * inverse;
        e->dx[at] = inverse * ((double)t->weight[c] * (double)t->dy[at] - sum - normal * product);
    }
    if (!(fabs((double)t->mean[i] - mean) <= 1e-6 * (fabs(mean) + 1) &&
          fabs((double)t->inverse[i] - inverse) <= 2e-6 * inverse))
        fail_msg("%s pixel %zu: mean %.9g, inverse %.9g; expected %.9g, %.9g", text_of(v), i, (double)t->mean[i],
                 (double)t->inverse[i], mean, inverse);
}

static void test_layernorm(void **state)
{
    (void)state;
    static const float centers[] = { 0.5f, -10, 1000 };
    for (int s = 0; s < SHAPES; s++)
        for (int b = 0; b < BLOCKS; b++)
            for (int m = 0; shapes[s].c > 5 && m < 3; m++) {
                const View v = view_of(shapes[s], blocks[b]);
                const double rounding = 3e-7 * fabs((double)centers[m]);
                LayerNormTest t = layernorm_new(v, centers[m]);
                Expected e = expected_new(&v);
                layernorm_run(&t, t.dx);
                for (size_t i = 0; i < pixels_of(&v); i++)
                    layernorm_pixel(&t, i, &e);
                compare("y", &v, "layer norm", t.y, e.y, 2e-6 + rounding);
                compare("dx", &v, "layer norm", t.dx, e.dx, 2e-5 + rounding);
                compare_channels("dweight", &v, "layer norm", t.dweight, e.dweight, 1e-5 + rounding);
                compare_channels("dbias", &v, "layer norm", t.dbias, e.dbias, 1e-5);
                expected_free(&e);
                layernorm_free(&t);
            }
}

/* The same bits for any number of threads, with dx in dy, and in every layout. */
static void test_layernorm_bits(void **state)
{
    (void)state;
    for (int s = 0; s < SHAPES; s++) {
        LayerNormTest last = layernorm_new(view_of(shapes[s], 0), 2);
        omp_set_num_threads(1);
        layernorm_run(&last, last.dx);
        for (int b = 0; b < BLOCKS; b++) {
            const View v = view_of(shapes[s], blocks[b]);
            LayerNormTest t = layernorm_new(v, 2);
            omp_set_num_threads(3);
            layernorm_run(&t, t.dy);
            for (int c = 0; c < v.c; c++)
                for (size_t i = 0; i < pixels_of(&v); i++)
                    if (t.y[place(&v, c, i)] != last.y[place(&last.v, c, i)] ||
                        t.dy[place(&v, c, i)] != last.dx[place(&last.v, c, i)])
                        fail_msg("%s: other bits at channel %d, pixel %zu", text_of(&v), c, i);
            compare_bits("another layout: dweight", &v, last.dweight, t.dweight, (size_t)v.c);
            compare_bits("another layout: dbias", &v, last.dbias, t.dbias, (size_t)v.c);
            layernorm_free(&t);
        }
        layernorm_free(&last);
    }
}

int main(void)
{
    if (!getenv("CONVZOO_ISA"))
        return run_every_isa();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layernorm),
        cmocka_unit_test(test_layernorm_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
