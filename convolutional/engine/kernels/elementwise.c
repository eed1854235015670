/* elementwise.c - y = f(x), its gradient, and sums: every element by itself.
 *
 * A tensor is worked through in chunks of a fixed size, so that the loops' vector and scalar parts cover the same
 * elements, and the bits are the same, for any number of threads. The choice of f is made once a chunk. */

#include "isa.h"

#include "bf16.h"
#include "errors.h"
#include "functions.h"
#include "integers.h"
#include "padding.h"

#include <string.h>

enum { CHUNK = 16 * 1024, STRIP = 1024 };      /* STRIP: numbers converted at a time, so that they stay in the cache */

/* y[i] = f(x[i]) and dx[i] = dy[i] f'(x[i]) for every row of the catalogue. In place is allowed: an iteration
 * reads its elements before it writes them, and no other iteration's. */
#define X(key, ...)                                                                                          \
    static void forward_##key(size_t count, float a, const float *x, float *y)                               \
    {                                                                                                        \
        _Pragma("omp simd")                                                                                  \
        for (size_t i = 0; i < count; i++)                                                                   \
            y[i] = f_##key(x[i], a);                                                                         \
    }                                                                                                        \
    static void backward_##key(size_t count, float a, const float *x, const float *dy, float *dx)            \
    {                                                                                                        \
        _Pragma("omp simd")                                                                                  \
        for (size_t i = 0; i < count; i++)                                                                   \
            dx[i] = dy[i] * df_##key(x[i], a);                                                               \
    }
#include "activations.def"
#undef X

typedef void Forward(size_t count, float a, const float *x, float *y);
typedef void Backward(size_t count, float a, const float *x, const float *dy, float *dx);

static Forward *const forwards[ACT_COUNT] = {
#define X(key, ...) [ACT_##key] = forward_##key,
#include "activations.def"
#undef X
};

static Backward *const backwards[ACT_COUNT] = {
#define X(key, ...) [ACT_##key] = backward_##key,
#include "activations.def"
#undef X
};

static void activation_check(Activation act, const char *kernel)
{
    CHECK(activation_has_loops(act), "%s: %s", kernel, act.info ? act.info->key : "native");
}

/* f was computed of padded channels too: where f(0) is not zero, they are cleared. */
static void padding_restore(const View *view, Activation act, size_t size, void *y)
{
    const float zero = 0.0f;
    float value;
    forwards[act.info->id](1, act.parameters[0], &zero, &value);
    if (value != 0.0f)
        padding_clear(view, size, y);
}

void KERNEL(kernel_activation_forward)(const View *view, Activation act, const float *x, float *y)
{
    activation_check(act, "activation forward");
    Forward *const forward = forwards[act.info->id];
    const size_t count = view_count(view);
    #pragma omp parallel for schedule(static)
    for (size_t at = 0; at < count; at += CHUNK)
        forward(size_min(CHUNK, count - at), act.parameters[0], x + at, y + at);
    padding_restore(view, act, sizeof *y, y);
}

void KERNEL(kernel_activation_backward)(const View *view, Activation act, const float *x, const float *dy, float *dx)
{
    activation_check(act, "activation backward");
    Backward *const backward = backwards[act.info->id];
    const size_t count = view_count(view);
    #pragma omp parallel for schedule(static)
    for (size_t at = 0; at < count; at += CHUNK)
        backward(size_min(CHUNK, count - at), act.parameters[0], x + at, dy + at, dx + at);
}

void KERNEL(kernel_activation_forward_bf16)(const View *view, Activation act, const uint16_t *x, uint16_t *y)
{
    activation_check(act, "activation forward");
    Forward *const forward = forwards[act.info->id];
    const size_t count = view_count(view);
    #pragma omp parallel for schedule(static)
    for (size_t at = 0; at < count; at += STRIP) {
        const size_t length = size_min(STRIP, count - at);
        float values[STRIP];
        bf16_widen(length, x + at, values);
        forward(length, act.parameters[0], values, values);
        bf16_narrow(length, values, y + at);
    }
    padding_restore(view, act, sizeof *y, y);
}

void KERNEL(kernel_activation_backward_bf16)(const View *view, Activation act, const uint16_t *x, const uint16_t *dy,
                                             uint16_t *dx)
{
    activation_check(act, "activation backward");
    Backward *const backward = backwards[act.info->id];
    const size_t count = view_count(view);
    #pragma omp parallel for schedule(static)
    for (size_t at = 0; at < count; at += STRIP) {
        const size_t length = size_min(STRIP, count - at);
        float values[STRIP], gradients[STRIP];
        bf16_widen(length, x + at, values);
        bf16_widen(length, dy + at, gradients);
        backward(length, act.parameters[0], values, gradients, gradients);
        bf16_narrow(length, gradients, dx + at);
    }
}

void KERNEL(kernel_add)(size_t count, const float *a, const float *b, float *y)
{
    #pragma omp parallel for schedule(static)
    for (size_t at = 0; at < count; at += CHUNK) {
        const size_t end = size_min(at + CHUNK, count);
        #pragma omp simd
        for (size_t i = at; i < end; i++)
            y[i] = a[i] + b[i];
    }
}

void KERNEL(kernel_multiply)(size_t count, float factor, const float *x, float *y)
{
    #pragma omp parallel for schedule(static)
    for (size_t at = 0; at < count; at += CHUNK) {
        const size_t end = size_min(at + CHUNK, count);
        #pragma omp simd
        for (size_t i = at; i < end; i++)
            y[i] = factor * x[i];
    }
}
