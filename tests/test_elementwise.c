/* test_elementwise.c - activations, channelwise kernels, dropout and sums, in every layout and instruction set.
 *
 * The program runs itself once for each CONVZOO_ISA. Expected values come from double loops through view_offset. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "errors.h"
#include "kernels.h"
#include "random.h"

/* ---- activations against double, over a dense range ---- */

enum { DENSE = 240001 };

static const float extremes[] = { 0.0f, -0.0f, 1e-30f, -1e-30f, 1e-40f, -1e-40f, 3.0f, -3.0f, 6.0f, 5.5f, -5.5f, -5.50001f,
                                  20.0f, 20.1f, 43.0f, -43.0f, 87.0f, -87.0f, 88.0f, -88.0f, 89.0f, -89.0f, 104.0f, -104.0f,
                                  1e3f, -1e3f, 1e4f, -1e4f };

enum { EXTREMES = sizeof extremes / sizeof *extremes, POINTS = DENSE + EXTREMES };

static void compare(const char *what, const char *name, float x, float got, double expected, double scale, double *worst)
{
    const double error = fabs((double)got - expected) / (scale * fmax(1, fabs(expected / scale)));
    if (!(error <= 1e-6))
        fail_msg("%s %s(%.9g) is %.9g, expected %.12g", name, what, (double)x, (double)got, expected);
    *worst = fmax(*worst, error);
}

static void check_function(Activation act, const View *view, const float *x, const float *dy, float *y)
{
    const ActivationInfo *row = act.info;
    double worst = 0, worst_slope = 0;
    kernel_activation_forward(view, act, x, y);
    for (int i = 0; i < POINTS; i++)
        compare("f", row->key, x[i], y[i], activation_value(act, (double)x[i]), 1, &worst);
    kernel_activation_backward(view, act, x, dy, y);
    for (int i = 0; i < POINTS; i++)
        compare("f'", row->key, x[i], y[i], (double)dy[i] * activation_slope(act, (double)x[i]), fabs((double)dy[i]), &worst_slope);
    print_message("%-6s %-11s parameter %-5.3g largest error: f %.1e, f' %.1e\n", kernels_isa(), row->key, (double)act.parameters[0], worst, worst_slope);

    const float nan = NAN;
    kernel_activation_forward(&(View){ 1, 1, 1, 1, 1, 1 }, act, &nan, y);
    assert_true(isnan(y[0]));
}

static void test_functions(void **state)
{
    (void)state;
    const View view = { 1, 1, 1, POINTS, 1, 1 };
    float *x = allocate(POINTS, sizeof *x, "x"), *dy = allocate(POINTS, sizeof *dy, "dy"), *y = allocate(POINTS, sizeof *y, "y");
    for (int i = 0; i < POINTS; i++) {
        x[i] = i < DENSE ? (float)(-30.0 + 60.0 * i / (DENSE - 1)) : extremes[i - DENSE];
        dy[i] = (float)(0.5 + (i * 7) % 13) * (i % 2 ? 1.0f : -1.0f);
    }
    for (ActivationKey key = ACT_native + 1; key < ACT_COUNT; key++) {
        if (key == ACT_prelu)
            continue;
        const ActivationInfo *row = activation_info(key);
        check_function(activation_of(key), &view, x, dy, y);
        if (*row->parameters)
            check_function(activation_with(key, 0.37f), &view, x, dy, y);
    }
    free(x);
    free(dy);
    free(y);
}

/* ---- every kernel in every layout ---- */

static const View views[] = {
    { 2, 5, 3, 7, 1, 5 },      { 3, 13, 5, 3, 8, 16 },    { 2, 21, 3, 5, 16, 32 },     { 2, 10, 4, 3, 10, 10 },
    { 1, 3, 7, 5, 3, 3 },      { 2, 300, 2, 3, 300, 300 }, { 2, 6, 3, 3, 8, 16 },      { 3, 16, 1, 1, 16, 16 },
    { 1, 4, 31, 17, 1, 4 },    { 2, 13, 19, 23, 8, 16 },  { 3, 13, 37, 41, 16, 16 },   { 3, 17, 29, 31, 17, 17 },
    { 2, 12, 3, 5, 16, 16 },
};

/* Inputs of one view; padded channels are zero, coefficients included. */
typedef struct {
    View   view;
    float *x, *dy;            /* view_count */
    float *coefficient;       /* padded */
    float *gate;              /* n x padded */
    void  *scratch;
} Inputs;

typedef enum { SUMS_none, SUMS_channel, SUMS_image } Sums;      /* an entry each c, or each n, c */

/* run reads x and dy and writes y (view_count) and sums; element and term give, for the element at `at` with its
 * entry in coefficient and gate, what y and the addend of sums must be. */
typedef struct {
    const char *name;
    void   (*run)(const Inputs *in, const float *x, const float *dy, float *y, float *sums);
    double (*element)(const Inputs *in, size_t at, size_t channel, size_t image_channel);     /* NULL: no y */
    double (*term)(const Inputs *in, size_t at);
    Sums sums;
    bool over_x, over_dy;     /* y may be x, dy */
} KernelCase;

#define UNUSED __attribute__((unused))
#define RUN(name) \
    static void run_##name(const Inputs *in UNUSED, const float *x UNUSED, const float *dy UNUSED, \
                           float *y UNUSED, float *sums UNUSED)
#define ELEMENT(name) \
    static double element_##name(const Inputs *in, size_t at UNUSED, size_t channel UNUSED, size_t image_channel UNUSED)

static double f_of(ActivationKey key, double x)  { return activation_value(activation_with(key, 0.25f), x); }
static double df_of(ActivationKey key, double x) { return activation_slope(activation_with(key, 0.25f), x); }

RUN(identity)          { kernel_activation_forward(&in->view, activation_of(ACT_identity), x, y); }
RUN(sigmoid)           { kernel_activation_forward(&in->view, activation_of(ACT_sigmoid), x, y); }
RUN(gelu)              { kernel_activation_forward(&in->view, activation_of(ACT_gelu), x, y); }
RUN(leaky_backward)    { kernel_activation_backward(&in->view, activation_with(ACT_leaky_relu, 0.25f), x, dy, y); }
RUN(softplus_backward) { kernel_activation_backward(&in->view, activation_of(ACT_softplus), x, dy, y); }
RUN(prelu)             { kernel_prelu_forward(&in->view, x, in->coefficient, y); }
RUN(prelu_backward)    { kernel_prelu_backward(&in->view, x, in->coefficient, dy, y, sums, in->scratch); }
RUN(add)               { kernel_add(view_count(&in->view), x, dy, y); }
RUN(multiply)          { kernel_multiply(view_count(&in->view), 0.375f, x, y); }
RUN(scale)             { kernel_scale_forward(&in->view, x, in->coefficient, NULL, y); }
RUN(scale_residual)    { kernel_scale_forward(&in->view, x, in->coefficient, dy, y); }
RUN(scale_backward)    { kernel_scale_backward(&in->view, x, in->coefficient, dy, y, sums, in->scratch); }
RUN(gate)              { kernel_gate_forward(&in->view, x, in->gate, y); }
RUN(gate_backward)     { kernel_gate_backward(&in->view, x, in->gate, dy, y, sums); }
RUN(dropout)           { kernel_dropout(&in->view, 0.25f, 11, x, y); }
RUN(average)           { kernel_global_average_forward(&in->view, x, sums); }
RUN(average_backward)  { kernel_global_average_backward(&in->view, in->gate, y); }

ELEMENT(identity)          { return (double)in->x[at]; }
ELEMENT(sigmoid)           { return f_of(ACT_sigmoid, (double)in->x[at]); }
ELEMENT(gelu)              { return f_of(ACT_gelu, (double)in->x[at]); }
ELEMENT(leaky_backward)    { return (double)in->dy[at] * df_of(ACT_leaky_relu, (double)in->x[at]); }
ELEMENT(softplus_backward) { return (double)in->dy[at] * df_of(ACT_softplus, (double)in->x[at]); }
ELEMENT(prelu)             { return in->x[at] > 0 ? (double)in->x[at] : (double)in->x[at] * (double)in->coefficient[channel]; }
ELEMENT(prelu_backward)    { return (double)in->dy[at] * (in->x[at] > 0 ? 1 : (double)in->coefficient[channel]); }
ELEMENT(add)               { return (double)in->x[at] + (double)in->dy[at]; }
ELEMENT(scale)             { return (double)in->coefficient[channel] * (double)in->x[at]; }
ELEMENT(scale_residual)    { return (double)in->dy[at] + element_scale(in, at, channel, image_channel); }
ELEMENT(multiply)          { return 0.375 * (double)in->x[at]; }
ELEMENT(scale_backward)    { return (double)in->coefficient[channel] * (double)in->dy[at]; }
ELEMENT(gate)              { return (double)in->gate[image_channel] * (double)in->x[at]; }
ELEMENT(gate_backward)     { return (double)in->gate[image_channel] * (double)in->dy[at]; }
ELEMENT(average_backward)  { return (double)in->gate[image_channel] / (in->view.h * in->view.w); }

static double term_prelu(const Inputs *in, size_t at)   { return (double)in->dy[at] * fmin(0, (double)in->x[at]); }
static double term_product(const Inputs *in, size_t at) { return (double)in->dy[at] * (double)in->x[at]; }
static double term_average(const Inputs *in, size_t at) { return (double)in->x[at] / (in->view.h * in->view.w); }

static double element_dropout(const Inputs *in, size_t at, size_t channel, size_t image_channel)
{
    /* The position in N C H W order, found by search over the pixels. */
    const View *v = &in->view;
    const size_t n = image_channel / (size_t)v->padded;
    for (int h = 0; h < v->h; h++)
        for (int w = 0; w < v->w; w++)
            if (view_offset(v, (int)n, (int)channel, h, w) == at) {
                const size_t position = ((n * (size_t)v->c + channel) * (size_t)v->h + (size_t)h) * (size_t)v->w + (size_t)w;
                return random_mix(11 + position) >= (uint64_t)1 << 62 ? (double)in->x[at] / 0.75 : 0;
            }
    return NAN;
}

static const KernelCase kernel_cases[] = {
    /* name                       run                    element                    term          sums          over x, dy */
    { "identity",                 run_identity,          element_identity,          NULL,         SUMS_none,    true,  false },
    { "sigmoid",                  run_sigmoid,           element_sigmoid,           NULL,         SUMS_none,    true,  false },
    { "gelu",                     run_gelu,              element_gelu,              NULL,         SUMS_none,    true,  false },
    { "leaky_relu backward",      run_leaky_backward,    element_leaky_backward,    NULL,         SUMS_none,    true,  true },
    { "softplus backward",        run_softplus_backward, element_softplus_backward, NULL,         SUMS_none,    true,  true },
    { "prelu",                    run_prelu,             element_prelu,             NULL,         SUMS_none,    true,  false },
    { "prelu backward",           run_prelu_backward,    element_prelu_backward,    term_prelu,   SUMS_channel, false, true },
    { "add",                      run_add,               element_add,               NULL,         SUMS_none,    true,  true },
    { "multiply",                 run_multiply,          element_multiply,          NULL,         SUMS_none,    true,  false },
    { "scale",                    run_scale,             element_scale,             NULL,         SUMS_none,    true,  false },
    { "scale with residual",      run_scale_residual,    element_scale_residual,    NULL,         SUMS_none,    true,  true },
    { "scale backward",           run_scale_backward,    element_scale_backward,    term_product, SUMS_channel, false, true },
    { "gate",                     run_gate,              element_gate,              NULL,         SUMS_none,    true,  false },
    { "gate backward",            run_gate_backward,     element_gate_backward,     term_product, SUMS_image,   false, true },
    { "dropout",                  run_dropout,           element_dropout,           NULL,         SUMS_none,    true,  false },
    { "global average",           run_average,           NULL,                      term_average, SUMS_image,   false, false },
    { "global average backward",  run_average_backward,  element_average_backward,  NULL,         SUMS_none,    false, false },
};

static void fill(Random *random, const View *view, size_t count, size_t (*channel_of)(const View *, size_t), float *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = channel_of(view, i) < (size_t)view->c ? 6 * random_uniform(random) - 3 : 0;
}

static size_t channel_of_element(const View *v, size_t at)
{
    return at / view_block_stride(v) % view_blocks(v) * (size_t)v->block + at % (size_t)v->block;
}

static size_t channel_of_vector(const View *v, size_t at)
{
    return at % (size_t)v->padded;
}

static Inputs inputs_new(const View *view)
{
    const size_t count = view_count(view), padded = (size_t)view->padded, images = (size_t)view->n * padded;
    const size_t prelu = kernel_prelu_scratch(view), scale = kernel_scale_scratch(view);
    Inputs in = { .view = *view };
    in.x = allocate(count, sizeof *in.x, "x");
    in.dy = allocate(count, sizeof *in.dy, "dy");
    in.coefficient = allocate(padded, sizeof *in.coefficient, "coefficient");
    in.gate = allocate(images, sizeof *in.gate, "gate");
    in.scratch = allocate(prelu > scale ? prelu : scale, 1, "scratch");
    Random random = random_stream(5, count, 0, RANDOM_init);
    fill(&random, view, count, channel_of_element, in.x);
    fill(&random, view, count, channel_of_element, in.dy);
    fill(&random, view, padded, channel_of_vector, in.coefficient);
    fill(&random, view, images, channel_of_vector, in.gate);
    return in;
}

static void inputs_free(Inputs *in)
{
    free(in->x);
    free(in->dy);
    free(in->coefficient);
    free(in->gate);
    free(in->scratch);
}

static void check_elements(const KernelCase *k, const Inputs *in, const float *y)
{
    const View *v = &in->view;
    size_t at_zero = 0;
    for (size_t at = 0; at < view_count(v); at++)
        at_zero += channel_of_element(v, at) >= (size_t)v->c && y[at] == 0;
    if (at_zero != (size_t)(v->n * (v->padded - v->c)) * view_pixels(v))
        fail_msg("%s: padded channels are not zero", k->name);
    for (int n = 0; n < v->n; n++)
        for (int c = 0; c < v->c; c++)
            for (int h = 0; h < v->h; h++)
                for (int w = 0; w < v->w; w++) {
                    const size_t at = view_offset(v, n, c, h, w);
                    const double expected = k->element(in, at, (size_t)c, (size_t)n * (size_t)v->padded + (size_t)c);
                    if (!(fabs((double)y[at] - expected) <= 1e-6 * fmax(1, fabs(expected))))
                        fail_msg("%s: (%d, %d, %d, %d) is %.9g, expected %.12g", k->name, n, c, h, w, (double)y[at], expected);
                }
}

static void check_sums(const KernelCase *k, const Inputs *in, const float *sums)
{
    const View *v = &in->view;
    const int images = k->sums == SUMS_image ? v->n : 1, inner = k->sums == SUMS_image ? 1 : v->n;
    for (int image = 0; image < images; image++)
        for (int c = 0; c < v->padded; c++) {
            double expected = 0, size = 0;
            for (int n = image; n < image + inner && c < v->c; n++)
                for (int h = 0; h < v->h; h++)
                    for (int w = 0; w < v->w; w++) {
                        const double term = k->term(in, view_offset(v, n, c, h, w));
                        expected += term;
                        size += fabs(term);
                    }
            const double got = (double)sums[image * v->padded + c];
            if (!(fabs(got - expected) <= 1e-6 * size))
                fail_msg("%s: sum %d of channel %d is %.9g, expected %.12g", k->name, image, c, got, expected);
        }
}

typedef struct { float *y, *sums; } Outputs;

static Outputs outputs_new(const View *view)
{
    const size_t count = view_count(view), images = (size_t)view->n * (size_t)view->padded;
    const Outputs out = { allocate(count, sizeof(float), "y"), allocate(images, sizeof(float), "sums") };
    memset(out.y, 0xff, count * sizeof(float));         /* NaN: everything must be written */
    memset(out.sums, 0xff, images * sizeof(float));
    return out;
}

static void outputs_free(Outputs *out)
{
    free(out->y);
    free(out->sums);
}

static void check_same(const KernelCase *k, const View *view, const char *what, const Outputs *expected, const Outputs *got)
{
    const size_t images = (size_t)view->n * (size_t)view->padded;
    if (memcmp(expected->y, got->y, view_count(view) * sizeof(float)) ||
        memcmp(expected->sums, got->sums, images * sizeof(float)))
        fail_msg("%s: %s gives other bits", k->name, what);
}

static void check_kernel(const KernelCase *k, const Inputs *in)
{
    const View *v = &in->view;
    Outputs one = outputs_new(v);
    omp_set_num_threads(1);
    k->run(in, in->x, in->dy, one.y, one.sums);
    if (k->element)
        check_elements(k, in, one.y);
    if (k->term)
        check_sums(k, in, one.sums);

    Outputs three = outputs_new(v), over_x = outputs_new(v), over_dy = outputs_new(v);
    omp_set_num_threads(3);
    k->run(in, in->x, in->dy, three.y, three.sums);
    check_same(k, v, "another thread count", &one, &three);
    if (k->over_x) {
        memcpy(over_x.y, in->x, view_count(v) * sizeof(float));
        k->run(in, over_x.y, in->dy, over_x.y, over_x.sums);
        check_same(k, v, "output over x", &one, &over_x);
    }
    if (k->over_dy) {
        memcpy(over_dy.y, in->dy, view_count(v) * sizeof(float));
        k->run(in, in->x, over_dy.y, over_dy.y, over_dy.sums);
        check_same(k, v, "output over dy", &one, &over_dy);
    }
    outputs_free(&one);
    outputs_free(&three);
    outputs_free(&over_x);
    outputs_free(&over_dy);
}

static void test_layouts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        Inputs in = inputs_new(&views[i]);
        for (size_t k = 0; k < sizeof kernel_cases / sizeof *kernel_cases; k++) {
            if (kernel_cases[k].run == run_dropout && view_pixels(&views[i]) > 1000)
                continue;       /* its search is quadratic */
            check_kernel(&kernel_cases[k], &in);
        }
        inputs_free(&in);
    }
}

/* ---- dropout ---- */

static void test_dropout(void **state)
{
    (void)state;
    static const float probabilities[] = { 0.0f, 0.1f, 0.5f, 0.9f };
    const View plain = { 4, 17, 61, 67, 1, 17 }, blocked = { 4, 17, 61, 67, 8, 24 };
    const size_t count = view_count(&plain);
    float *x = allocate(count, sizeof *x, "x"), *y = allocate(count, sizeof *y, "y");
    float *other = allocate(count, sizeof *other, "other");
    float *blocked_x = allocate(view_count(&blocked), sizeof *x, "x");
    for (size_t i = 0; i < count; i++)
        x[i] = 1;
    for (size_t i = 0; i < view_count(&blocked); i++)
        blocked_x[i] = channel_of_element(&blocked, i) < 17;

    for (size_t i = 0; i < sizeof probabilities / sizeof *probabilities; i++) {
        const float p = probabilities[i], kept_value = 1.0f / (1.0f - p);
        kernel_dropout(&plain, p, 42, x, y);
        size_t kept = 0, pairs = 0;
        for (size_t at = 0; at < count; at++) {
            assert_true(y[at] == 0 || y[at] == kept_value);
            kept += y[at] != 0;
            pairs += at > 0 && y[at] != 0 && y[at - 1] != 0;
        }
        /* Five standard deviations of a binomial; neighbours are independent. */
        const double q = 1 - (double)p, total = (double)count;
        if (fabs((double)kept - q * total) > 5 * sqrt(q * (1 - q) * total) + 1e-9)
            fail_msg("p = %g: %zu of %zu kept", (double)p, kept, count);
        if (fabs((double)pairs - q * q * (total - 1)) > 10 * sqrt(q * q * (1 - q * q) * total) + 1e-6)
            fail_msg("p = %g: %zu of %zu neighbours both kept", (double)p, pairs, count);

        float *blocked_y = allocate(view_count(&blocked), sizeof *x, "y");
        kernel_dropout(&blocked, p, 42, blocked_x, blocked_y);
        for (int n = 0; n < plain.n; n++)
            for (int c = 0; c < plain.c; c++)
                for (int h = 0; h < plain.h; h++)
                    for (int w = 0; w < plain.w; w++)
                        assert_true(y[view_offset(&plain, n, c, h, w)] == blocked_y[view_offset(&blocked, n, c, h, w)]);
        free(blocked_y);
    }
    kernel_dropout(&plain, 0.5f, 42, x, y);
    kernel_dropout(&plain, 0.5f, random_mix(42), x, other);
    size_t same = 0;
    for (size_t at = 0; at < count; at++)
        same += y[at] == other[at];
    assert_true(fabs((double)same / (double)count - 0.5) < 0.01);
    free(x);
    free(y);
    free(other);
    free(blocked_x);
}

/* ---- flat loops ---- */

static void test_flat(void **state)
{
    (void)state;
    static const size_t counts[] = { 0, 1, 15, 16, 17, 255, 4096, 4097, 100003 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const size_t count = counts[i];
        float *x = allocate(count + 1, sizeof *x, "x"), *y = allocate(count + 1, sizeof *y, "y");
        Random random = random_stream(3, count, 0, RANDOM_init);
        long double expected = 0;
        for (size_t at = 0; at < count; at++) {
            x[at] = (random_uniform(&random) - 0.5f) * 1e30f;
            expected += (long double)x[at] * (long double)x[at];
        }
        omp_set_num_threads(1);
        const double one = kernel_sum_of_squares(count, x);
        omp_set_num_threads(3);
        const double three = kernel_sum_of_squares(count, x);
        if (one != three || !(fabsl(one - expected) <= 1e-13L * expected))
            fail_msg("sum of %zu squares: %.17g and %.17g, expected %.17Lg", count, one, three, expected);

        x[count] = y[count] = 77;
        kernel_add(count, x, x, y);
        for (size_t at = 0; at < count; at++)
            assert_true(y[at] == x[at] + x[at]);
        assert_true(y[count] == 77);
        free(x);
        free(y);
    }
}

/* Runs this program again for one instruction set; 0 if its tests pass. */
static int run_again(const char *isa)
{
    const pid_t child = fork();
    if (child == 0) {
        if (setenv("CONVZOO_ISA", isa, 1) == 0)
            execl("/proc/self/exe", "test_elementwise", (char *)NULL);
        perror("test_elementwise");
        _exit(127);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child)
        perror("test_elementwise");
    return status;
}

int main(void)
{
    if (!getenv("CONVZOO_ISA"))
        return run_again("avx512") | run_again("avx2") | run_again("base") ? 1 : 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions), cmocka_unit_test(test_layouts), cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_flat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
