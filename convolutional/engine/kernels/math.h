/* math.h - elementary functions in float that the compiler turns into vector code.
 *
 * No branches, tables or calls. The errors named are the largest against libm in double over the whole range, with and
 * without fused multiply-add. Polynomials are minimax fits of the form written above them. */

#ifndef CONVZOO_KERNELS_MATH_H
#define CONVZOO_KERNELS_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define FLOAT_MATH static inline __attribute__((always_inline, unused)) float

/* e^x = 2^n e^r with n an integer and |r| <= log(2) / 2. */
typedef struct {
    float scale;      /* 2^n */
    float rest;       /* e^r - 1 */
} FloatPower;

/* x <= 88; below -87 (where e^x is no longer a normal number) it counts as -87. */
static inline __attribute__((always_inline, unused)) FloatPower float_power(float x)
{
    /* Adding 1.5 2^23 rounds to an integer, which then stands in the low bits; + 127 makes it the exponent of 2^n. */
    const float round = 0x1.8p23f + 127.0f;
    const float bounded = x < -87.0f ? -87.0f : x;
    const float shifted = bounded * 1.44269504f + round;
    const float n = shifted - round;
    /* log(2) in two parts; n times the first is exact. */
    const float r = bounded - n * 0.693359375f + n * 0.000212194442f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits <<= 23;
    FloatPower power;
    memcpy(&power.scale, &bits, sizeof bits);
    /* (e^r - 1) / r, error 3e-9 */
    power.rest = r * (1.00000003f + r * (0.499999942f + r * (0.166664315f + r * (0.0416679978f +
                 r * (0.00837414123f + r * 0.00138438676f)))));
    return power;
}

/* e^x for x <= 88; relative error 1.2e-7. */
FLOAT_MATH float_exp(float x)
{
    const FloatPower power = float_power(x);
    return power.scale + power.scale * power.rest;
}

/* e^x - 1 for x <= 88; relative error 2e-7, near zero too. */
FLOAT_MATH float_expm1(float x)
{
    const FloatPower power = float_power(x);
    return (power.scale - 1.0f) + power.scale * power.rest;
}

/* log(1 + x) for 0 <= x <= 1; relative error 3e-7. */
FLOAT_MATH float_log1p(float x)
{
    return x * (0.99999984f + x * (-0.499986129f + x * (0.333054411f + x * (-0.247531219f + x * (0.187990804f +
           x * (-0.130744785f + x * (0.0718277278f + x * (-0.0258271891f + x * 0.00436372801f))))))));
}

/* 1 / (1 + e^-x) and its derivative, through t = e^-|x| so that nothing overflows or cancels;
 * relative errors 2.2e-7 and 3.2e-7. */
FLOAT_MATH float_sigmoid(float x)
{
    const float t = float_exp(-fabsf(x));
    return (x < 0 ? t : 1.0f) * (1.0f / (1.0f + t));
}

FLOAT_MATH float_sigmoid_slope(float x)
{
    const float t = float_exp(-fabsf(x)), inverse = 1.0f / (1.0f + t);
    return t * inverse * inverse;
}

/* tanh(x) = -e / (2 + e) with e = e^(-2 |x|) - 1, and the sign of x; relative error 2.2e-7. */
FLOAT_MATH float_tanh(float x)
{
    const float e = float_expm1(-2.0f * fabsf(x));
    return copysignf(e / (2.0f + e), x);
}

/* Phi(x), the standard normal's distribution function; absolute error 2.1e-7, 0 below -5.5
 * so that x Phi(x) vanishes there. */
FLOAT_MATH float_phi(float x)
{
    const float bounded = x < -5.5f ? -5.5f : x > 5.5f ? 5.5f : x;
    const float s = bounded * bounded;
    /* Phi(x) - 1/2 = x P(x^2) / Q(x^2), error 7e-9 */
    const float p = 0.398942235f + s * (0.0338527772f + s * (0.00467726911f + s * (0.000168827059f +
                    s * (6.35213239e-6f + s * 2.27493361e-8f))));
    const float q = 1.0f + s * (0.251522247f + s * (0.0286459476f + s * (0.0018844527f +
                    s * (7.3647973e-5f + s * 1.19750415e-6f))));
    const float phi = 0.5f + bounded * p / q;
    return x < -5.5f ? 0.0f : phi;
}

#endif
