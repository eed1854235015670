/* kernels.h - the hot loops of our own.
 *
 * Each is compiled for AVX-512, AVX2 and the base instruction set and chosen once at start
 * (kernels_isa). All run on the OpenMP team, give the same bits for the same thread count, and
 * allocate nothing: scratch memory comes from the caller, sized by the *_scratch functions (bytes).
 * Elements are f32 where the type does not say otherwise. Shapes: view.h. Padded channels of an output are written as zero. */

#ifndef CONVZOO_KERNELS_H
#define CONVZOO_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "activations.h"
#include "expression_code.h"
#include "formula.h"
#include "statistics_join.h"
#include "view.h"

/* "avx512 vnni", "avx512", "avx2" or "base". The environment variable CONVZOO_ISA=avx512|avx2|base lowers it: for tests, and
 * so that ranks on unlike processors compute alike. */
const char *kernels_isa(void);
/* Channels that a block of oneDNN's and our blocked layout has: 16 where AVX-512 computes with them, else 8. */
int kernels_block(void);
/* Whether AVX-512 multiplies 16-bit integers by an instruction of its own; any CONVZOO_ISA says no. */
bool kernels_have_vnni(void);

/* ---- elementwise (elementwise.c) ---- */

/* y = f(x), every channel. x == y allowed. Not for prelu. */
void kernel_activation_forward(const View *view, Activation act, const float *x, float *y);
/* dx = dy f'(x). dx may be dy or x. */
void kernel_activation_backward(const View *view, Activation act, const float *x, const float *dy, float *dx);

/* The same of bf16 numbers (their upper 16 bits of an f32), computed in f32 and rounded to nearest even. */
void kernel_activation_forward_bf16(const View *view, Activation act, const uint16_t *x, uint16_t *y);
void kernel_activation_backward_bf16(const View *view, Activation act, const uint16_t *x, const uint16_t *dy, uint16_t *dx);

/* y = x > 0 ? x : slope[c] x. slope: view->padded floats. y may be x. */
void kernel_prelu_forward(const View *view, const float *x, const float *slope, float *y);
/* dx = dy (x > 0 ? 1 : slope[c]),  dslope[c] = sum over n, h, w of dy min(0, x). dx may be dy. */
size_t kernel_prelu_scratch(const View *view);
void kernel_prelu_backward(const View *view, const float *x, const float *slope, const float *dy,
                           float *dx, float *dslope, void *scratch);

/* The formulas of a code (expression_code.h), `count` elements of each; outputs: one array a formula. The output of a code with one
 * formula may be one of its inputs. _run: by the calling thread alone, for use inside other kernels. */
void kernel_expression(const ExpressionCode *code, size_t count, const ExpressionStrips *in, float *const outputs[]);
void kernel_expression_run(const ExpressionCode *code, size_t count, const ExpressionStrips *in, float *const outputs[]);
/* An activation that is computed from its formula (formula_kernels.c). */
typedef struct FormulaKernel {
    const Formula *formula;
    View  view;                                  /* of y. A gated unit's x has twice its channels: the first half is x, the second the gate */
    bool  together;                              /* all channels of a pixel of a gated unit's x lie together */
    bool  learned;                               /* the parameters are one a channel */
    bool  draws;                                 /* `noise` is drawn; else 1/2 */
    float parameters[EXPRESSION_PARAMETERS];     /* where they are not learned */
} FormulaKernel;

typedef struct FormulaInputs {
    const float *x, *dy;                         /* dy: backward alone */
    const float *weights[EXPRESSION_PARAMETERS]; /* learned parameters, view.padded each; else NULL */
    uint64_t     key;                            /* of what is drawn */
} FormulaInputs;

/* y = f(x). y may be x, but not of a gated unit. x of a gated unit lies as y does, with twice the channels: its block divides view.c, or
 * is all of them (together). */
void kernel_formula_forward(const FormulaKernel *k, const FormulaInputs *in, float *y);
size_t kernel_formula_scratch(const FormulaKernel *k);
/* dx = dy f'(x), of a gated unit dy df/dg as well; dweights[i][c] = sum over n, h, w of dy df/dp, where learned. dx may be dy or x, but not of
 * a gated unit. */
void kernel_formula_backward(const FormulaKernel *k, const FormulaInputs *in, float *dx, float *const dweights[], void *scratch);

/* y = a + b. y may be a or b. */
void kernel_add(size_t count, const float *a, const float *b, float *y);

/* y = factor x. y may be x. */
void kernel_multiply(size_t count, float factor, const float *x, float *y);

/* y = residual + scale[c] x  (residual NULL: 0). y may be x or residual. */
void kernel_scale_forward(const View *view, const float *x, const float *scale, const float *residual, float *y);
/* dx = scale[c] dy,  dscale[c] = sum of dy x. dx may be dy. */
size_t kernel_scale_scratch(const View *view);
void kernel_scale_backward(const View *view, const float *x, const float *scale, const float *dy,
                           float *dx, float *dscale, void *scratch);

/* y = x gate[n][c], gate: n x padded floats. y may be x. */
void kernel_gate_forward(const View *view, const float *x, const float *gate, float *y);
/* dx = dy gate[n][c],  dgate[n][c] = sum over h, w of dy x. dx may be dy. */
void kernel_gate_backward(const View *view, const float *x, const float *gate, const float *dy, float *dx, float *dgate);

/* Dropout: y = keep ? x / (1 - p) : 0, keep drawn for the logical element (n, c, h, w) from `key`,
 * so that the layout does not change the draw. Backward is the same call on the gradient. y may be x. */
void kernel_dropout(const View *view, float p, uint64_t key, const float *x, float *y);

/* Stochastic depth: y = keep[n] x / (1 - p) + residual (NULL: 0), keep drawn for sample n from `key`. y may be x or residual. */
void kernel_drop_path(const View *view, float p, uint64_t key, const float *x, const float *residual, float *y);

/* mean over h, w: y[n][c], n x padded floats; and its gradient dx = dy[n][c] / (h w). */
void kernel_global_average_forward(const View *view, const float *x, float *y);
void kernel_global_average_backward(const View *view, const float *dy, float *dx);

/* ---- normalisation (batchnorm_kernels.c, layernorm_kernels.c) ---- */

/* Batch norm over n, h, w with what follows it fused in:
 *     z = weight[c] (x - mean[c]) / sqrt(variance[c] + eps) + bias[c] + residual        (residual NULL: 0)
 *     y = f(z)
 * All vectors have view->padded floats. prelu is not fused. */
typedef struct BatchNormKernel {
    View       view;
    Activation act;           /* ACT_identity: none */
    float      eps;
    bool       fixed;         /* mean and variance are constants: backward has no gradient through them */
    const StatisticsJoin *const *join;      /* where it is said whose images mean and variance are of; NULL: this call's */
} BatchNormKernel;

size_t kernel_batchnorm_scratch(const BatchNormKernel *k);
/* mean[c], variance[c] (biased) of x; safe for |mean| up to 1000 standard deviations. Of all processes' x, if they join. */
void kernel_batchnorm_statistics(const BatchNormKernel *k, const float *x, float *mean, float *variance, void *scratch);
/* y may be x. */
void kernel_batchnorm_forward(const BatchNormKernel *k, const float *x, const float *mean, const float *variance,
                              const float *weight, const float *bias, const float *residual, float *y);
/* From x and dy (gradient of y): z is recomputed. dx, dweight, dbias, dresidual (NULL: not wanted; it equals
 * dy f'(z)). With mean and variance of this batch (training), which a join has made those of all processes: dx is then so too, dweight and
 * dbias are this process's share. dx may be dy, or dresidual may be dy. */
void kernel_batchnorm_backward(const BatchNormKernel *k, const float *x, const float *mean, const float *variance,
                               const float *weight, const float *bias, const float *residual, const float *dy,
                               float *dx, float *dweight, float *dbias, float *dresidual, void *scratch);

/* Layer norm over the channels of each pixel: y = weight[c] (x - mean) / sqrt(variance + eps) + bias[c].
 * mean, inverse (= 1 / sqrt(variance + eps)): n h w floats, kept for backward. Any block. */
void kernel_layernorm_forward(const View *view, float eps, const float *x, const float *weight, const float *bias,
                              float *y, float *mean, float *inverse);
size_t kernel_layernorm_scratch(const View *view);
/* dx may be dy. */
void kernel_layernorm_backward(const View *view, const float *x, const float *mean, const float *inverse,
                               const float *weight, const float *dy, float *dx, float *dweight, float *dbias, void *scratch);

/* ---- convolutions (depthwise_*.c, winograd_*.c) ---- */

/* Depthwise convolution, one filter a channel. Views have the same block, a multiple of 8.
 * weights: [kernel][kernel][padded] (row, column, channel), f32. */
typedef struct DepthwiseKernel {
    View x, y;
    int  kernel, stride, pad;
} DepthwiseKernel;

/* bias: padded floats or NULL. */
void kernel_depthwise_forward(const DepthwiseKernel *k, const float *x, const float *weights, const float *bias, float *y);
void kernel_depthwise_backward_data(const DepthwiseKernel *k, const float *dy, const float *weights, float *dx);
size_t kernel_depthwise_scratch(const DepthwiseKernel *k);
/* dbias may be NULL. */
void kernel_depthwise_backward_weights(const DepthwiseKernel *k, const float *x, const float *dy,
                                       float *dweights, float *dbias, void *scratch);

/* Winograd F(4x4, 3x3): 3x3, stride 1, padding 1 (Lavin and Gray, 2015, arXiv:1509.09308).
 * Channels of both views are multiples of 16; blocks are 16 or the channels themselves.
 * weights: [3][3][in][out] (row, column, input, output channel), f32. All tensors are f32 in any case.
 * int16: numbers are rounded in Winograd's domain to integers that share an exponent (kernels/winograd_int16.h): twice the
 * rate of f32, an error of 2e-3 of the norm instead of 1e-6. Numbers below 1e-18 may count as zero, above 1e17 as infinite. */
typedef struct WinogradKernel {
    View x, y;
    bool int16;
} WinogradKernel;

size_t kernel_winograd_scratch(const WinogradKernel *k);      /* enough for each of the three */
/* bias: out floats or NULL. */
void kernel_winograd_forward(const WinogradKernel *k, const float *x, const float *weights, const float *bias,
                             float *y, void *scratch);
void kernel_winograd_backward_data(const WinogradKernel *k, const float *dy, const float *weights, float *dx, void *scratch);
/* dbias: out floats or NULL. */
void kernel_winograd_backward_weights(const WinogradKernel *k, const float *x, const float *dy,
                                      float *dweights, float *dbias, void *scratch);

/* ---- the batch-last layout (batch_last_*.c) ----
 *
 * N/16 C H W 16: the images of a group of 16 lie together in a pixel, so that layers of a few channels fill the vectors. */

enum { BATCH_LANES = 16 };

/* weights: as in the file, [out][c][kernel][kernel]. */
typedef struct BatchLastKernel {
    int groups;                       /* of BATCH_LANES images */
    int c, h, w, out, oh, ow;
    int kernel, stride, pad;          /* pad < kernel */
} BatchLastKernel;

/* bias: out floats or NULL. */
void kernel_batch_last_forward(const BatchLastKernel *k, const float *x, const float *weights, const float *bias, float *y);
/* Stride 1 alone. */
void kernel_batch_last_backward_data(const BatchLastKernel *k, const float *dy, const float *weights, float *dx);
size_t kernel_batch_last_scratch(const BatchLastKernel *k);
/* dbias may be NULL. */
void kernel_batch_last_backward_weights(const BatchLastKernel *k, const float *x, const float *dy,
                                        float *dweights, float *dbias, void *scratch);

/* After oneDNN's largest of each window, which passes over NaN: y gets the NaN of every window that holds one. x: inputs, y: outputs. */
typedef struct PoolNan {
    View x, y;
    int  kernel, stride, pad;
} PoolNan;

void kernel_pool_nan(const PoolNan *p, const float *x, float *y);

/* Pooling: the mean of a window's pixels inside the image, or the largest (NaN where there is one), whose gradient goes to the first of
 * equal ones. */
typedef struct BatchLastPool {
    int  planes;                      /* groups x channels */
    int  h, w, oh, ow, kernel, stride, pad;
    bool average;
} BatchLastPool;

void kernel_batch_last_pool_forward(const BatchLastPool *p, const float *x, float *y);
/* x: not read if average. */
void kernel_batch_last_pool_backward(const BatchLastPool *p, const float *x, const float *dy, float *dx);

/* ---- optimiser loops (optimizer_kernels.c, matrix_kernels.c) ---- */

/* c[rows][columns] = a[rows][depth] b[depth][columns]; c is neither. Every sum is in the same order for any thread count. */
void kernel_matrix_product(size_t rows, size_t columns, size_t depth, const float *a, const float *b, float *c);
/* c[rows][rows] = a[rows][depth] times itself turned over, with the same sums: the lower half is a copy of the upper one, for little more than half
 * of the work. c is not a. */
void kernel_matrix_gram(size_t rows, size_t depth, const float *a, float *c);
/* The product of two symmetric matrices that commute, and so is symmetric: likewise. All are [rows][rows]; a and b may be the same, c is neither. */
void kernel_matrix_symmetric(size_t rows, const float *a, const float *b, float *c);

/* Sum of squares in double, in fixed blocks added in order: the same bits for any thread count. */
double kernel_sum_of_squares(size_t count, const float *x);

#endif
