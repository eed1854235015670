/* real.h - what activations are made of, in double precision: the reference that the kernels in float are held to. */

#ifndef CONVZOO_REAL_H
#define CONVZOO_REAL_H

#include <math.h>

/* 1 / (1 + e^-x) and its derivative, through e^-|x|: nothing overflows or cancels. */
static inline double real_sigmoid(double x)
{
    const double t = exp(-fabs(x));
    return (x < 0 ? t : 1) / (1 + t);
}

static inline double real_sigmoid_slope(double x)
{
    const double t = exp(-fabs(x));
    return t / ((1 + t) * (1 + t));
}

/* 1 - tanh(x)^2 */
static inline double real_tanh_slope(double x)
{
    return 4 * real_sigmoid_slope(2 * x);
}

/* log(1 + e^x) */
static inline double real_softplus(double x)
{
    return (x < 0 ? 0 : x) + log1p(exp(-fabs(x)));
}

/* The standard normal's distribution function and density. */
static inline double real_phi(double x)
{
    return erfc(-x * 0.70710678118654752) / 2;
}

static inline double real_normal(double x)
{
    return 0.39894228040143268 * exp(-x * x / 2);
}

/* NaN stays NaN, as in PyTorch. */
static inline double real_min(double a, double b)  { return isnan(a) || a < b ? a : b; }
static inline double real_max(double a, double b)  { return isnan(a) || a > b ? a : b; }
static inline double real_relu(double x)           { return x < 0 ? 0 : x; }
static inline double real_sign(double x)           { return x > 0 ? 1 : x < 0 ? -1 : x; }

#endif
