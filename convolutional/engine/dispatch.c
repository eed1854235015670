/* dispatch.c - chooses the variant of every hot loop once, by what the processor has. */

#include "kernels.h"

#include <stdlib.h>
#include <string.h>

typedef enum { ISA_base, ISA_avx2, ISA_avx512 } Isa;

static Isa isa_of_processor(void)
{
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return ISA_avx512;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? ISA_avx2 : ISA_base;
}

static Isa isa_chosen(void)
{
    const Isa best = isa_of_processor();
    const char *wish = getenv("CONVZOO_ISA");
    if (wish && !strcmp(wish, "base"))
        return ISA_base;
    if (wish && !strcmp(wish, "avx2") && best > ISA_avx2)
        return ISA_avx2;
    return best;
}

static Isa isa;

/* Before main, so that no call races with the choice. */
__attribute__((constructor)) static void isa_choose(void)
{
    isa = isa_chosen();
}

const char *kernels_isa(void)
{
    static const char *const names[] = { [ISA_base] = "base", [ISA_avx2] = "avx2", [ISA_avx512] = "avx512" };
    return names[isa];
}

/* Declares the three variants of a kernel and defines the function that forwards to the chosen one. */
#define DISPATCH(type, name, parameters, arguments)                                     \
    type name##_base parameters;                                                        \
    type name##_avx2 parameters;                                                        \
    type name##_avx512 parameters;                                                      \
    type name parameters                                                                \
    {                                                                                   \
        return isa == ISA_avx512 ? name##_avx512 arguments                              \
             : isa == ISA_avx2   ? name##_avx2 arguments : name##_base arguments;       \
    }

DISPATCH(void, kernel_activation_forward,
         (const View *view, Activation act, const float *x, float *y),
         (view, act, x, y))
DISPATCH(void, kernel_activation_backward,
         (const View *view, Activation act, const float *x, const float *dy, float *dx),
         (view, act, x, dy, dx))
DISPATCH(void, kernel_activation_forward_bf16,
         (const View *view, Activation act, const uint16_t *x, uint16_t *y),
         (view, act, x, y))
DISPATCH(void, kernel_activation_backward_bf16,
         (const View *view, Activation act, const uint16_t *x, const uint16_t *dy, uint16_t *dx),
         (view, act, x, dy, dx))
DISPATCH(void, kernel_prelu_forward,
         (const View *view, const float *x, const float *slope, float *y),
         (view, x, slope, y))
DISPATCH(size_t, kernel_prelu_scratch,
         (const View *view),
         (view))
DISPATCH(void, kernel_prelu_backward,
         (const View *view, const float *x, const float *slope, const float *dy, float *dx, float *dslope, void *scratch),
         (view, x, slope, dy, dx, dslope, scratch))
DISPATCH(void, kernel_add,
         (size_t count, const float *a, const float *b, float *y),
         (count, a, b, y))
DISPATCH(void, kernel_scale_forward,
         (const View *view, const float *x, const float *scale, const float *residual, float *y),
         (view, x, scale, residual, y))
DISPATCH(size_t, kernel_scale_scratch,
         (const View *view),
         (view))
DISPATCH(void, kernel_scale_backward,
         (const View *view, const float *x, const float *scale, const float *dy, float *dx, float *dscale, void *scratch),
         (view, x, scale, dy, dx, dscale, scratch))
DISPATCH(void, kernel_gate_forward,
         (const View *view, const float *x, const float *gate, float *y),
         (view, x, gate, y))
DISPATCH(void, kernel_gate_backward,
         (const View *view, const float *x, const float *gate, const float *dy, float *dx, float *dgate),
         (view, x, gate, dy, dx, dgate))
DISPATCH(void, kernel_dropout,
         (const View *view, float p, uint64_t key, const float *x, float *y),
         (view, p, key, x, y))
DISPATCH(void, kernel_global_average_forward,
         (const View *view, const float *x, float *y),
         (view, x, y))
DISPATCH(void, kernel_global_average_backward,
         (const View *view, const float *dy, float *dx),
         (view, dy, dx))
DISPATCH(size_t, kernel_batchnorm_scratch,
         (const BatchNormKernel *k),
         (k))
DISPATCH(void, kernel_batchnorm_statistics,
         (const BatchNormKernel *k, const float *x, float *mean, float *variance, void *scratch),
         (k, x, mean, variance, scratch))
DISPATCH(void, kernel_batchnorm_forward,
         (const BatchNormKernel *k, const float *x, const float *mean, const float *variance, const float *weight, const float *bias, const float *residual, float *y),
         (k, x, mean, variance, weight, bias, residual, y))
DISPATCH(void, kernel_batchnorm_backward,
         (const BatchNormKernel *k, const float *x, const float *mean, const float *variance, const float *weight, const float *bias, const float *residual, const float *y, const float *dy, float *dx, float *dweight, float *dbias, float *dresidual, void *scratch),
         (k, x, mean, variance, weight, bias, residual, y, dy, dx, dweight, dbias, dresidual, scratch))
DISPATCH(void, kernel_layernorm_forward,
         (const View *view, float eps, const float *x, const float *weight, const float *bias, float *y, float *mean, float *inverse),
         (view, eps, x, weight, bias, y, mean, inverse))
DISPATCH(size_t, kernel_layernorm_scratch,
         (const View *view),
         (view))
DISPATCH(void, kernel_layernorm_backward,
         (const View *view, const float *x, const float *mean, const float *inverse, const float *weight, const float *dy, float *dx, float *dweight, float *dbias, void *scratch),
         (view, x, mean, inverse, weight, dy, dx, dweight, dbias, scratch))
DISPATCH(void, kernel_depthwise_forward,
         (const DepthwiseKernel *k, const float *x, const float *weights, const float *bias, float *y),
         (k, x, weights, bias, y))
DISPATCH(void, kernel_depthwise_backward_data,
         (const DepthwiseKernel *k, const float *dy, const float *weights, float *dx),
         (k, dy, weights, dx))
DISPATCH(size_t, kernel_depthwise_scratch,
         (const DepthwiseKernel *k),
         (k))
DISPATCH(void, kernel_depthwise_backward_weights,
         (const DepthwiseKernel *k, const float *x, const float *dy, float *dweights, float *dbias, void *scratch),
         (k, x, dy, dweights, dbias, scratch))
DISPATCH(size_t, kernel_winograd_scratch,
         (const WinogradKernel *k),
         (k))
DISPATCH(void, kernel_winograd_forward,
         (const WinogradKernel *k, const float *x, const float *weights, const float *bias, float *y, void *scratch),
         (k, x, weights, bias, y, scratch))
DISPATCH(void, kernel_winograd_backward_data,
         (const WinogradKernel *k, const float *dy, const float *weights, float *dx, void *scratch),
         (k, dy, weights, dx, scratch))
DISPATCH(void, kernel_winograd_backward_weights,
         (const WinogradKernel *k, const float *x, const float *dy, float *dweights, float *dbias, void *scratch),
         (k, x, dy, dweights, dbias, scratch))
DISPATCH(void, kernel_batch_last_forward,
         (const BatchLastKernel *k, const float *x, const float *weights, const float *bias, float *y),
         (k, x, weights, bias, y))
DISPATCH(void, kernel_batch_last_backward_data,
         (const BatchLastKernel *k, const float *dy, const float *weights, float *dx),
         (k, dy, weights, dx))
DISPATCH(size_t, kernel_batch_last_scratch,
         (const BatchLastKernel *k),
         (k))
DISPATCH(void, kernel_batch_last_backward_weights,
         (const BatchLastKernel *k, const float *x, const float *dy, float *dweights, float *dbias, void *scratch),
         (k, x, dy, dweights, dbias, scratch))
DISPATCH(void, kernel_batch_last_pool_forward,
         (const BatchLastPool *p, const float *x, float *y),
         (p, x, y))
DISPATCH(void, kernel_batch_last_pool_backward,
         (const BatchLastPool *p, const float *x, const float *dy, float *dx),
         (p, x, dy, dx))
DISPATCH(double, kernel_sum_of_squares,
         (size_t count, const float *x),
         (count, x))
