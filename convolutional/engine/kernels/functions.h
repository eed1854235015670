/* functions.h - the catalogue's activations in float, inline: f_relu(x, a), df_relu(x, a), ...
 *
 * x is the input, a the parameter. For the inner loops of kernels; a loop over one of them vectorises. */

#ifndef CONVZOO_KERNELS_FUNCTIONS_H
#define CONVZOO_KERNELS_FUNCTIONS_H

#include "math.h"

#define REAL(constant)    constant##f
#define ABS(x)            fabsf(x)
#define EXP(x)            float_exp(x)
#define EXPM1(x)          float_expm1(x)
#define LOG1P(x)          float_log1p(x)
#define TANH(x)           float_tanh(x)
#define SIGMOID(x)        float_sigmoid(x)
#define SIGMOID_SLOPE(x)  float_sigmoid_slope(x)
#define PHI(x)            float_phi(x)

#define X(key, f, df, ...)                                             \
    FLOAT_MATH f_##key(float x, float a)  { (void)x, (void)a; return f; }  \
    FLOAT_MATH df_##key(float x, float a) { (void)x, (void)a; return df; }
#include "activations.def"
#undef X

#undef REAL
#undef ABS
#undef EXP
#undef EXPM1
#undef LOG1P
#undef TANH
#undef SIGMOID
#undef SIGMOID_SLOPE
#undef PHI

#endif
