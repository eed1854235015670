/* wide_math.h - elementary functions in float as in math.h, right on all of float's range: beyond what it holds they are infinite or
 * 0, of NaN they are NaN.
 *
 * The errors named are the largest against libm in double, relative where nothing else is said. */

#ifndef CONVZOO_KERNELS_WIDE_MATH_H
#define CONVZOO_KERNELS_WIDE_MATH_H

#include "math.h"

#include <stdbool.h>

static inline __attribute__((always_inline, unused)) float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline __attribute__((always_inline, unused)) uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* e^x = 2^n (1 + rest), -150 <= n <= 130. */
typedef struct {
    int32_t n;
    float   rest;
} WidePower;

static inline __attribute__((always_inline, unused)) WidePower wide_power(float x)
{
    const float round = 0x1.8p23f;
    const float below = x < -104.0f ? -104.0f : x, bounded = below > 90.0f ? 90.0f : below;
    const float shifted = bounded * 1.44269504f + round;
    const float n = shifted - round;
    const float r = bounded - n * 0.693359375f + n * 0.000212194442f;
    return (WidePower){
        .n = (int32_t)(bits_of_float(shifted) - bits_of_float(round)),
        .rest = r * (1.00000003f + r * (0.499999942f + r * (0.166664315f + r * (0.0416679978f +
                r * (0.00837414123f + r * 0.00138438676f))))),
    };
}

/* 2^n, -126 <= n <= 127 */
FLOAT_MATH wide_two_to(int32_t n)
{
    return float_of_bits((uint32_t)(n + 127) << 23);
}

/* 1.2e-7; in two steps, as 2^n alone may be no float where e^x is one. */
FLOAT_MATH wide_exp(float x)
{
    const WidePower power = wide_power(x);
    const int32_t half = power.n >> 1;
    return (1.0f + power.rest) * wide_two_to(half) * wide_two_to(power.n - half);
}

/* 2e-7, near zero too */
FLOAT_MATH wide_expm1(float x)
{
    const WidePower power = wide_power(x > 88.9f ? 88.9f : x < -30.0f ? -30.0f : x);
    const float half = wide_two_to(power.n - 1);
    return 2.0f * ((half - 0.5f) + half * power.rest);
}

/* 1.2e-7, near 1 too. With m in [sqrt(1/2), sqrt(2)) and f = m - 1: log(2^n m) = n log(2) + f - f^2 / 2 + f^3 P(f)   (Cephes) */
FLOAT_MATH wide_log(float x)
{
    const bool tiny = x < 0x1p-126f;
    const uint32_t bits = bits_of_float(tiny ? x * 0x1p23f : x), from_root = bits - 0x3F3504F3u;
    const float n = (float)((int32_t)from_root >> 23) - (tiny ? 23.0f : 0.0f);
    const float f = float_of_bits((from_root & 0x7FFFFFu) + 0x3F3504F3u) - 1.0f, square = f * f;
    const float p = 3.3333331174e-1f + f * (-2.4999993993e-1f + f * (2.0000714765e-1f + f * (-1.6668057665e-1f +
                    f * (1.4249322787e-1f + f * (-1.2420140846e-1f + f * (1.1676998740e-1f + f * (-1.1514610310e-1f +
                    f * 7.0376836292e-2f)))))));
    const float value = (f + (square * f * p - n * 0.000212194442f - 0.5f * square)) + n * 0.693359375f;
    const float special = x < 0 ? NAN : x == 0 ? -INFINITY : x;      /* of NaN and infinity: themselves */
    return x > 0 && x < INFINITY ? value : special;
}

/* 2.4e-7, near 0 too: what 1 + x rounded away is put back. */
FLOAT_MATH wide_log1p(float x)
{
    const float u = 1.0f + x, lost = x - (u - 1.0f);
    return wide_log(u) + (u - 1.0f == x ? 0.0f : lost / u);
}

/* e^-|x|, 0 where it is no normal number; so that x s(x) vanishes far out. */
FLOAT_MATH wide_decay(float x)
{
    const float t = float_exp(-fabsf(x));
    return fabsf(x) > 87.0f ? 0.0f : t;
}

/* 2.4e-7 and 3.5e-7 */
FLOAT_MATH wide_sigmoid(float x)
{
    const float t = wide_decay(x);
    return (x < 0 ? t : 1.0f) * (1.0f / (1.0f + t));
}

FLOAT_MATH wide_sigmoid_slope(float x)
{
    const float t = wide_decay(x), inverse = 1.0f / (1.0f + t);
    return t * inverse * inverse;
}

/* With e = e^(-2 |x|) - 1 and 1 + e, both from one power: -e / (2 + e) with the sign of x, and 4 (1 + e) / (2 + e)^2; 2.6e-7 and 4e-7. */
FLOAT_MATH wide_tanh(float x)
{
    const FloatPower power = float_power(-2.0f * fabsf(x));
    const float e = (power.scale - 1.0f) + power.scale * power.rest, inverse = 1.0f / (2.0f + e);
    return copysignf(e * inverse, x);
}

FLOAT_MATH wide_tanh_slope(float x)
{
    const FloatPower power = float_power(-2.0f * fabsf(x));
    const float e = (power.scale - 1.0f) + power.scale * power.rest, inverse = 1.0f / (2.0f + e);
    return fabsf(x) > 43.0f ? 0.0f : 4.0f * (power.scale + power.scale * power.rest) * inverse * inverse;
}

FLOAT_MATH wide_softplus(float x)
{
    return (x < 0 ? 0.0f : x) + float_log1p(wide_decay(x));
}

/* With t = e^-|x| and q = s(-x): tanh(log(1 + e^x)) = (1 - q^2) / (1 + q^2), written in t so that one division is enough:
 * (1 + 2 t) / (1 + 2 t + 2 t^2) for x >= 0, (t^2 + 2 t) / (t^2 + 2 t + 2) below. */
FLOAT_MATH wide_tanh_softplus(float x)
{
    const float t = wide_decay(x), u = x < 0 ? t * t + 2.0f * t : 1.0f + 2.0f * t;
    return u * (1.0f / (u + (x < 0 ? 2.0f : 2.0f * t * t)));
}

/* Its derivative: 4 t^2 (1 + t) / (1 + 2 t + 2 t^2)^2 for x >= 0, 4 t (1 + t) / (t^2 + 2 t + 2)^2 below. */
FLOAT_MATH wide_tanh_softplus_slope(float x)
{
    const float t = wide_decay(x), u = x < 0 ? t * t + 2.0f * t : 1.0f + 2.0f * t, w = u + (x < 0 ? 2.0f : 2.0f * t * t);
    const float inverse = 1.0f / w;
    return 4.0f * (x < 0 ? t : t * t) * (1.0f + t) * inverse * inverse;
}

/* The standard normal's density; relative error 1.3e-7 (1 + x^2 / 2). */
FLOAT_MATH wide_normal(float x)
{
    return 0.398942280f * (fabsf(x) > 13.0f ? 0.0f : float_exp(-0.5f * x * x));
}

/* 1.5e-7. x P(x^2) to 1; above 1 - e^(-x^2) P(t) with t = 1 / (1 + x / 2), 1 beyond 4. */
FLOAT_MATH wide_erf(float x)
{
    const float size = fabsf(x), bounded = size > 4.0f ? 4.0f : size, s = bounded * bounded;
    const float near = bounded * (1.12837911f + s * (-0.37612626f + s * (0.112835854f + s * (-0.026853811f + s * (0.00518832728f +
                       s * (-0.000801019138f + s * 7.85385491e-5f))))));
    const float t = 1.0f / (1.0f + 0.5f * bounded);
    const float rest = float_exp(-s) * (-0.0135064041f + t * (0.392460883f + t * (-0.0614506006f + t * (0.72365886f +
                       t * -0.0387617201f))));
    return copysignf(bounded < 1.0f ? near : 1.0f - rest, x);
}

/* |a|^b, not of 0, infinity and NaN; found in double, as b multiplies the error of log |a|; 6e-8.
 * With |a| = 2^e m and s = (m - 1) / (m + 1): log |a| = e log(2) + 2 (s + s^3 / 3 + s^5 / 5 + ...). */
FLOAT_MATH wide_pow_of_size(float a, float b)
{
    const double size = (double)fabsf(a);
    uint64_t bits;
    memcpy(&bits, &size, sizeof bits);
    const uint64_t root = 0x3FE6A09E667F3BCDu, from_root = bits - root;      /* of sqrt(1/2) */
    const int32_t e = (int32_t)((int64_t)from_root >> 52);
    bits = (from_root & 0xFFFFFFFFFFFFFu) + root;
    double m, scale;
    memcpy(&m, &bits, sizeof m);
    const double s = (m - 1.0) / (m + 1.0), z = s * s;
    const double log_m = 2.0 * s * (1.0 + z * (1.0 / 3 + z * (1.0 / 5 + z * (1.0 / 7 + z * (1.0 / 9 + z * (1.0 / 11 + z / 13))))));
    const double exponent = (double)b * ((double)e * 0.69314718055994531 + log_m);
    const double below = exponent < -120.0 ? -120.0 : exponent, bounded = below > 100.0 ? 100.0 : below;
    const double shifted = bounded * 1.4426950408889634 + 0x1.8p52, n = shifted - 0x1.8p52, r = bounded - n * 0.69314718055994531;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52;
    memcpy(&scale, &bits, sizeof scale);
    return (float)(scale * (1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * (1.0 / 720 + r / 5040))))))));
}

/* a^b with C's special cases. Without AVX2 there are no vectors of 64-bit integers to speak of: libm is quicker. */
FLOAT_MATH wide_pow(float a, float b)
{
#ifdef __AVX2__
    const float size = fabsf(a);
    const bool whole = floorf(b) == b, odd = whole && floorf(0.5f * b) != 0.5f * b, ends = size == 0 || size == INFINITY;
    const float end = (b > 0) == (size != 0) ? INFINITY : 0.0f, power = ends ? end : wide_pow_of_size(a, b);
    const float real = a < 0 && !whole && !ends ? NAN : odd && copysignf(1.0f, a) < 0 ? -power : power;
    const float known = a != a || b != b ? NAN : size == 1 && fabsf(b) == INFINITY ? 1.0f : real;
    return b == 0 || a == 1 ? 1.0f : known;
#else
    return powf(a, b);
#endif
}

/* |r| <= pi / 4 */
FLOAT_MATH wide_sine_near(float r)
{
    const float s = r * r;
    return r + r * s * (-1.6666654611e-1f + s * (8.3321608736e-3f + s * -1.9515295891e-4f));
}

FLOAT_MATH wide_cosine_near(float r)
{
    const float s = r * r;
    return 1.0f - 0.5f * s + s * s * (4.166664568298827e-2f + s * (-1.388731625493765e-3f + s * 2.443315711809948e-5f));
}

/* sin(x + quarters pi / 2) for |x| <= WIDE_TURNS; the remainder is found in double. */
#define WIDE_TURNS 1e5f
FLOAT_MATH wide_sine_of(float x, int32_t quarters)
{
    const double turns = (double)x * 0.63661977236758134, n = (turns + 0x1.8p52) - 0x1.8p52;
    const float r = (float)((double)x - n * 1.5707963267948966);
    const int32_t quadrant = (int32_t)n + quarters;
    const float value = quadrant & 1 ? wide_cosine_near(r) : wide_sine_near(r);
    return quadrant & 2 ? -value : value;
}

/* 1.2e-7 of |x| <= WIDE_TURNS; the rest is libm's. */
FLOAT_MATH wide_sin(float x) { return wide_sine_of(x, 0); }
FLOAT_MATH wide_cos(float x) { return wide_sine_of(x, 1); }

/* 2e-7 (Cephes) */
FLOAT_MATH wide_atan(float x)
{
    const float size = fabsf(x);
    const bool far = size > 2.41421356f, middle = size > 0.414213562f;
    const float r = far ? -1.0f / size : middle ? (size - 1.0f) / (size + 1.0f) : size;
    const float s = r * r;
    const float p = r + r * s * (-3.33329491539e-1f + s * (1.99777106478e-1f + s * (-1.38776856032e-1f + s * 8.05374449538e-2f)));
    return copysignf((far ? 1.57079633f : middle ? 0.785398163f : 0.0f) + p, x);
}

/* With half e^|x| = 2^(n - 1) (1 + rest), which is a float a little further than e^|x|; 2.4e-7. */
FLOAT_MATH wide_half_exp(float size)
{
    const WidePower power = wide_power(size);
    const int32_t half = power.n >> 1;
    return (1.0f + power.rest) * wide_two_to(half - 1) * wide_two_to(power.n - half);
}

FLOAT_MATH wide_cosh(float x)
{
    const float half = wide_half_exp(fabsf(x));
    return half + 0.25f / half;
}

FLOAT_MATH wide_sinh(float x)
{
    const float size = fabsf(x), half = wide_half_exp(size), e = wide_expm1(size > 1.0f ? 1.0f : size);
    const float near = 0.5f * (e + e / (1.0f + e));
    return copysignf(size > 1.0f ? half - 0.25f / half : near, x);
}

#endif
