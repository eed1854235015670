/* test_batchnorm_kernels.c - batch norm loops, in every layout and instruction set.
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
#include <string.h>

#include "errors.h"
#include "layouts.h"

typedef struct BatchNormTest {
    BatchNormKernel k;
    float *x, *residual, *dy, *y, *dx, *dresidual;
    float *mean, *variance, *weight, *bias, *dweight, *dbias;
    void  *scratch;
} BatchNormTest;

static BatchNormTest batchnorm_new(View v, Activation act, bool residual, float center)
{
    BatchNormTest t = { .k = { .view = v, .act = act, .eps = 1e-5f } };
    t.x = normals(&v, center, 1, 1);
    t.residual = residual ? normals(&v, 0, 1, 2) : NULL;
    t.dy = normals(&v, 0.3f, 1, 3);
    t.y = floats(view_count(&v));
    t.dx = floats(view_count(&v));
    t.dresidual = residual ? floats(view_count(&v)) : NULL;
    t.weight = channel_normals(&v, 1, 0.3f, 4);
    t.bias = channel_normals(&v, 0, 0.5f, 5);
    t.mean = floats((size_t)v.padded);
    t.variance = floats((size_t)v.padded);
    t.dweight = floats((size_t)v.padded);
    t.dbias = floats((size_t)v.padded);
    t.scratch = allocate(kernel_batchnorm_scratch(&t.k), 1, "scratch");
    return t;
}

static void batchnorm_free(BatchNormTest *t)
{
    float *const all[] = { t->x, t->residual, t->dy, t->y, t->dx, t->dresidual, t->mean, t->variance, t->weight, t->bias,
                           t->dweight, t->dbias };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(t->scratch);
}

static void batchnorm_run(BatchNormTest *t)
{
    kernel_batchnorm_statistics(&t->k, t->x, t->mean, t->variance, t->scratch);
    kernel_batchnorm_forward(&t->k, t->x, t->mean, t->variance, t->weight, t->bias, t->residual, t->y);
    kernel_batchnorm_backward(&t->k, t->x, t->mean, t->variance, t->weight, t->bias, t->residual, t->dy, t->dx, t->dweight, t->dbias,
                              t->dresidual, t->scratch);
}

/* In double. */
typedef struct Expected {
    double *z, *y, *dx, *dz, *mean, *variance, *dweight, *dbias;
} Expected;

static Expected expected_new(const View *v)
{
    Expected e;
    double **const tensors[] = { &e.z, &e.y, &e.dx, &e.dz }, **const vectors[] = { &e.mean, &e.variance, &e.dweight, &e.dbias };
    for (int i = 0; i < 4; i++) {
        *tensors[i] = allocate(view_count(v), sizeof(double), "tensor");
        *vectors[i] = allocate((size_t)v->padded, sizeof(double), "vector");
    }
    return e;
}

static void expected_free(Expected *e)
{
    double *const all[] = { e->z, e->y, e->dx, e->dz, e->mean, e->variance, e->dweight, e->dbias };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* z and y from x, which is in double so that it can be perturbed. */
static void expected_forward(const BatchNormTest *t, const double *x, Expected *e)
{
    const View *v = &t->k.view;
    const double count = (double)pixels_of(v);
    for (int c = 0; c < v->c; c++) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < pixels_of(v); i++)
            mean += x[place(v, c, i)] / count;
        for (size_t i = 0; i < pixels_of(v); i++)
            variance += (x[place(v, c, i)] - mean) * (x[place(v, c, i)] - mean) / count;
        e->mean[c] = mean;
        e->variance[c] = variance;
        for (size_t i = 0; i < pixels_of(v); i++) {
            const size_t at = place(v, c, i);
            e->z[at] = (double)t->weight[c] * (x[at] - mean) / sqrt(variance + (double)t->k.eps) + (double)t->bias[c] +
                       (t->residual ? (double)t->residual[at] : 0);
            e->y[at] = activation_value(t->k.act, e->z[at]);
        }
    }
}

/* dz, dx, dweight and dbias from z. Where z is near a kink of the activation, dy is made zero first. */
static void expected_backward(BatchNormTest *t, const double *x, Expected *e)
{
    const View *v = &t->k.view;
    const double count = (double)pixels_of(v);
    for (int c = 0; c < v->c; c++) {
        const double inverse = 1 / sqrt(e->variance[c] + (double)t->k.eps);
        e->dbias[c] = e->dweight[c] = 0;
        for (size_t i = 0; i < pixels_of(v); i++) {
            const size_t at = place(v, c, i);
            for (int kink = 0; kink < t->k.act.info->kink_count; kink++)
                if (fabs(e->z[at] - t->k.act.info->kinks[kink]) < 1e-3)
                    t->dy[at] = 0;
            e->dz[at] = (double)t->dy[at] * activation_slope(t->k.act, e->z[at]);
            e->dbias[c] += e->dz[at];
            e->dweight[c] += e->dz[at] * (x[at] - e->mean[c]) * inverse;
        }
        for (size_t i = 0; i < pixels_of(v); i++) {
            const size_t at = place(v, c, i);
            const double normal = (x[at] - e->mean[c]) * inverse;
            e->dx[at] = (double)t->weight[c] * inverse * (e->dz[at] - (e->dbias[c] + normal * e->dweight[c]) / count);
        }
    }
}

/* Runs everything and compares it. */
static void check_batchnorm(View v, Activation act, bool residual, float center)
{
    const char *name = act.info->key;
    const double rounding = 3e-7 * fabs((double)center);      /* of the mean, which is a float */
    BatchNormTest t = batchnorm_new(v, act, residual, center);
    Expected e = expected_new(&v);
    double *x = doubles(&v, t.x);
    expected_forward(&t, x, &e);
    expected_backward(&t, x, &e);
    batchnorm_run(&t);

    compare_channels("mean", &v, name, t.mean, e.mean, 1e-6);
    compare_channels("variance", &v, name, t.variance, e.variance, 1e-6);
    for (int c = 0; c < v.c; c++)
        assert_true(t.variance[c] >= 0);
    compare("y", &v, name, t.y, e.y, 2e-6 + rounding);
    /* A channel of few pixels has a variance that may be small: dx is then large, and so are its errors. */
    if (pixels_of(&v) > 5) {
        compare("dx", &v, name, t.dx, e.dx, 2e-5 + rounding);
        compare_channels("dweight", &v, name, t.dweight, e.dweight, 1e-5 + rounding);
        compare_channels("dbias", &v, name, t.dbias, e.dbias, 1e-5 + rounding);
        if (residual)
            compare("dresidual", &v, name, t.dresidual, e.dz, 5e-6 + rounding);
    }
    free(x);
    expected_free(&e);
    batchnorm_free(&t);
}

static void test_batchnorm_shapes(void **state)
{
    (void)state;
    for (int s = 0; s < SHAPES; s++)
        for (int b = 0; b < BLOCKS; b++) {
            const View v = view_of(shapes[s], blocks[b]);
            check_batchnorm(v, activation_of(ACT_identity), false, 0.5f);
            check_batchnorm(v, activation_of(ACT_silu), true, -3);
            check_batchnorm(v, activation_of(ACT_relu), (s + b) % 2, 10);
        }
}

static void test_batchnorm_activations(void **state)
{
    (void)state;
    for (int key = ACT_native + 1; key < ACT_COUNT; key++)
        for (int b = 0; key != ACT_prelu && b < BLOCKS; b++)
            for (int option = 0; option < 2; option++) {
                const View v = view_of((View){ .n = 3, .c = 21, .h = 5, .w = 7 }, blocks[b]);
                const Activation act = activation_of((ActivationKey)key);
                check_batchnorm(v, act, option, 0.5f);
            }
}

static void test_batchnorm_large_mean(void **state)
{
    (void)state;
    static const View large[] = { { .n = 33, .c = 24, .h = 12, .w = 12 }, { .n = 150, .c = 19, .h = 7, .w = 7 } };
    for (int b = 0; b < BLOCKS; b++)
        for (size_t s = 0; s < sizeof large / sizeof *large; s++) {
            check_batchnorm(view_of(large[s], blocks[b]), activation_of(ACT_tanh), true, 1000);

            /* Constant channels */
            BatchNormTest t = batchnorm_new(view_of(large[s], blocks[b]), activation_of(ACT_relu), false, 0);
            for (size_t i = 0; i < view_count(&t.k.view); i++)
                t.x[i] = 1234.5678f;
            kernel_batchnorm_statistics(&t.k, t.x, t.mean, t.variance, t.scratch);
            for (int c = 0; c < t.k.view.c; c++)
                assert_true(t.mean[c] == 1234.5678f && t.variance[c] >= 0 && t.variance[c] < 1e-6f);
            batchnorm_free(&t);
        }
}

static double loss_of(const BatchNormTest *t, const double *x, Expected *e)
{
    const View *v = &t->k.view;
    double loss = 0;
    expected_forward(t, x, e);
    for (int c = 0; c < v->c; c++)
        for (size_t i = 0; i < pixels_of(v); i++)
            loss += (double)t->dy[place(v, c, i)] * e->y[place(v, c, i)];
    return loss;
}

/* dx is the derivative of sum dy y: central differences of the forward formula alone. */
static void test_batchnorm_differences(void **state)
{
    (void)state;
    const View v = view_of((View){ .n = 3, .c = 5, .h = 3, .w = 2 }, 8);
    const double step = 1e-5;
    BatchNormTest t = batchnorm_new(v, activation_of(ACT_mish), true, 1);
    Expected e = expected_new(&v);
    double *x = doubles(&v, t.x);
    batchnorm_run(&t);
    for (int c = 0; c < v.c; c++)
        for (size_t i = 0; i < pixels_of(&v); i++) {
            double *at = &x[place(&v, c, i)];
            const double kept = *at;
            *at = kept + step;
            const double above = loss_of(&t, x, &e);
            *at = kept - step;
            e.dx[place(&v, c, i)] = (above - loss_of(&t, x, &e)) / (2 * step);
            *at = kept;
        }
    compare("dx by differences", &v, "mish", t.dx, e.dx, 1e-5);
    free(x);
    expected_free(&e);
    batchnorm_free(&t);
}

static void test_batchnorm_threads(void **state)
{
    (void)state;
    for (int s = 0; s < SHAPES; s++)
        for (int b = 0; b < BLOCKS; b++) {
            const View v = view_of(shapes[s], blocks[b]);
            const size_t count = view_count(&v), padded = (size_t)v.padded;
            BatchNormTest t = batchnorm_new(v, activation_of(ACT_gelu), true, 2);
            BatchNormTest other = batchnorm_new(v, activation_of(ACT_gelu), true, 2);
            omp_set_num_threads(1);
            batchnorm_run(&t);
            omp_set_num_threads(3);
            batchnorm_run(&other);
            compare_bits("3 threads: mean", &v, t.mean, other.mean, padded);
            compare_bits("3 threads: variance", &v, t.variance, other.variance, padded);
            compare_bits("3 threads: y", &v, t.y, other.y, count);
            compare_bits("3 threads: dx", &v, t.dx, other.dx, count);
            compare_bits("3 threads: dweight", &v, t.dweight, other.dweight, padded);
            compare_bits("3 threads: dbias", &v, t.dbias, other.dbias, padded);
            compare_bits("3 threads: dresidual", &v, t.dresidual, other.dresidual, count);
            batchnorm_free(&t);
            batchnorm_free(&other);
        }
}

/* y in x, dx in dy, dresidual in dy: the same bits as out of place, where the large tensor is stored past the caches. */
static void test_batchnorm_in_place(void **state)
{
    (void)state;
    static const View large = { .n = 33, .c = 60, .h = 45, .w = 45 };
    for (int s = 0; s <= SHAPES; s++)
        for (int b = 0; b < (s < SHAPES ? BLOCKS : 1); b++) {
            const View v = s < SHAPES ? view_of(shapes[s], blocks[b]) : view_of(large, 16);
            const size_t count = view_count(&v);
            BatchNormTest t = batchnorm_new(v, activation_of(ACT_hardswish), true, 0);
            batchnorm_run(&t);
            float *copy = floats(count);
            memcpy(copy, t.dy, count * sizeof *copy);
            float *dx = floats(count);
            kernel_batchnorm_backward(&t.k, t.x, t.mean, t.variance, t.weight, t.bias, t.residual, copy, dx, t.dweight,
                                      t.dbias, copy, t.scratch);
            compare_bits("dresidual in dy", &v, t.dresidual, copy, count);
            compare_bits("dresidual in dy: dx", &v, t.dx, dx, count);

            kernel_batchnorm_backward(&t.k, t.x, t.mean, t.variance, t.weight, t.bias, t.residual, t.dy, dx, t.dweight,
                                      t.dbias, NULL, t.scratch);
            kernel_batchnorm_backward(&t.k, t.x, t.mean, t.variance, t.weight, t.bias, t.residual, t.dy, t.dy, t.dweight,
                                      t.dbias, NULL, t.scratch);
            compare_bits("dx in dy", &v, dx, t.dy, count);
            kernel_batchnorm_forward(&t.k, t.x, t.mean, t.variance, t.weight, t.bias, t.residual, t.x);
            compare_bits("y in x", &v, t.y, t.x, count);
            free(copy);
            free(dx);
            batchnorm_free(&t);
        }
}

/* ---- batch norm over several processes' images ---- */

enum { NUMBERS = 256 };

/* Two processes, one after another: each is run once to say its sums, and once more to hear the other's. */
typedef struct Meeting {
    double said[2][NUMBERS];
    int    who;
    bool   hears;
} Meeting;

static void meet(void *context, double *numbers, size_t count)
{
    Meeting *meeting = context;
    assert_true(count <= NUMBERS);
    for (size_t i = 0; i < count; i++) {
        if (meeting->hears)
            numbers[i] += meeting->said[!meeting->who][i];
        else
            meeting->said[meeting->who][i] = numbers[i];
    }
}

/* The half of every tensor that belongs to process `who`. */
static void take_half(const BatchNormTest *whole, BatchNormTest *half, int who)
{
    const View *all = &whole->k.view, *own = &half->k.view;
    for (int c = 0; c < own->c; c++) {
        for (size_t i = 0; i < pixels_of(own); i++) {
            const size_t from = place(all, c, i + (size_t)who * pixels_of(own)), to = place(own, c, i);
            half->x[to] = whole->x[from];
            half->dy[to] = whole->dy[from];
        }
        half->weight[c] = whole->weight[c];
        half->bias[c] = whole->bias[c];
    }
}

static void compare_half(const BatchNormTest *whole, const BatchNormTest *half, int who)
{
    const View *all = &whole->k.view, *own = &half->k.view;
    for (int c = 0; c < own->c; c++) {
        if (fabsf(half->mean[c] - whole->mean[c]) > 1e-5f || fabsf(half->variance[c] - whole->variance[c]) > 1e-5f * whole->variance[c])
            fail_msg("%s: channel %d: mean %g and %g, variance %g and %g", text_of(own), c, (double)half->mean[c], (double)whole->mean[c],
                     (double)half->variance[c], (double)whole->variance[c]);
        for (size_t i = 0; i < pixels_of(own); i++) {
            const float dx = half->dx[place(own, c, i)], wanted = whole->dx[place(all, c, i + (size_t)who * pixels_of(own))];
            if (fabsf(dx - wanted) > 1e-5f)
                fail_msg("%s: process %d, channel %d, pixel %zu: dx %g, of the whole batch %g", text_of(own), who, c, i, (double)dx, (double)wanted);
        }
    }
}

static void join_halves(const BatchNormTest *whole, View shape, int block)
{
    static Meeting meeting;
    const StatisticsJoin join = { .processes = 2, .sum = meet, .context = &meeting }, *joined = &join;
    BatchNormTest halves[2];
    for (int who = 0; who < 2; who++) {
        halves[who] = batchnorm_new(view_of(shape, block), whole->k.act, false, 0);
        halves[who].k.join = &joined;
        take_half(whole, &halves[who], who);
    }
    for (int step = 0; step < 4; step++)      /* statistics said and heard, then sums said and heard */
        for (int who = 0; who < 2; who++) {
            BatchNormTest *t = &halves[who];
            meeting.who = who;
            meeting.hears = step % 2;
            if (step < 2)
                kernel_batchnorm_statistics(&t->k, t->x, t->mean, t->variance, t->scratch);
            else
                kernel_batchnorm_backward(&t->k, t->x, t->mean, t->variance, t->weight, t->bias, NULL, t->dy, t->dx, t->dweight,
                                          t->dbias, NULL, t->scratch);
        }
    for (int who = 0; who < 2; who++)
        compare_half(whole, &halves[who], who);
    for (int c = 0; c < shape.c; c++)
        if (fabsf(halves[0].dweight[c] + halves[1].dweight[c] - whole->dweight[c]) > 1e-4f ||
            fabsf(halves[0].dbias[c] + halves[1].dbias[c] - whole->dbias[c]) > 1e-4f)
            fail_msg("%s: channel %d: the processes' shares of dweight or dbias are not the whole", text_of(&halves[0].k.view), c);
    batchnorm_free(&halves[0]);
    batchnorm_free(&halves[1]);
}

/* What two processes make of half a batch each is what one makes of the whole. */
static void test_batchnorm_joined(void **state)
{
    (void)state;
    const Activation acts[] = { activation_of(ACT_identity), activation_of(ACT_relu) };
    for (int b = 0; b < BLOCKS; b++)
        for (size_t a = 0; a < sizeof acts / sizeof *acts; a++) {
            BatchNormTest whole = batchnorm_new(view_of((View){ .n = 6, .c = 20, .h = 5, .w = 3 }, blocks[b]), acts[a], false, 0.5f);
            omp_set_num_threads(2);
            batchnorm_run(&whole);
            join_halves(&whole, (View){ .n = 3, .c = 20, .h = 5, .w = 3 }, blocks[b]);
            batchnorm_free(&whole);
        }
}

int main(void)
{
    if (!getenv("CONVZOO_ISA"))
        return run_every_isa();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batchnorm_shapes),      cmocka_unit_test(test_batchnorm_activations),
        cmocka_unit_test(test_batchnorm_large_mean),
        cmocka_unit_test(test_batchnorm_differences), cmocka_unit_test(test_batchnorm_threads),
        cmocka_unit_test(test_batchnorm_in_place),    cmocka_unit_test(test_batchnorm_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
