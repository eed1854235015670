/* winograd_points.h - the one-dimensional transforms of F(4, 3) at the points 0, +-P, +-Q and infinity.
 *
 *     B^T: patch 6 -> 6     row of point p: coefficients of the product over the other points q of (x - q)
 *     G:   filter 3 -> 6    row of point p: (1, p, p^2) / product over the other points q of (p - q)
 *     A^T: 6 -> tile 4      column of point p: (1, p, p^2, p^3)
 *
 * and the transposes A and G^T for the gradient of the filters. Pairs of points share their even and odd parts. With P = 5/8
 * and Q = 3/2 the three matrices stay small, and the error is less than half that of the usual points 1 and 2
 * (against double, 128 channels: 9e-7 of the norm, not 2e-6). */

#ifndef CONVZOO_WINOGRAD_POINTS_H
#define CONVZOO_WINOGRAD_POINTS_H

#include "isa.h"

#define P  0.625f
#define Q  1.5f
#define PP (P * P)
#define QQ (Q * Q)
/* Of a point, 1 / product of its differences to the other points. */
#define SCALE_0 (1 / (PP * QQ))
#define SCALE_P (1 / (2 * PP * (PP - QQ)))
#define SCALE_Q (1 / (2 * QQ * (QQ - PP)))

static inline void points_patch(const Vector d[6], Vector t[6])
{
    const Vector even_p = d[4] - QQ * d[2], odd_p = d[3] - QQ * d[1];
    const Vector even_q = d[4] - PP * d[2], odd_q = d[3] - PP * d[1];
    t[0] = PP * QQ * d[0] + (d[4] - (PP + QQ) * d[2]);
    t[1] = even_p + P * odd_p;
    t[2] = even_p - P * odd_p;
    t[3] = even_q + Q * odd_q;
    t[4] = even_q - Q * odd_q;
    t[5] = PP * QQ * d[1] + (d[5] - (PP + QQ) * d[3]);
}

static inline void points_tile(const Vector t[6], Vector s[4])
{
    const Vector sum_p = t[1] + t[2], difference_p = t[1] - t[2];
    const Vector sum_q = t[3] + t[4], difference_q = t[3] - t[4];
    s[0] = t[0] + (sum_p + sum_q);
    s[1] = P * difference_p + Q * difference_q;
    s[2] = PP * sum_p + QQ * sum_q;
    s[3] = t[5] + P * PP * difference_p + Q * QQ * difference_q;
}

/* A: the transpose of points_tile. */
static inline void points_tile_gradient(const Vector s[4], Vector t[6])
{
    const Vector even_p = s[0] + PP * s[2], odd_p = s[1] + PP * s[3];
    const Vector even_q = s[0] + QQ * s[2], odd_q = s[1] + QQ * s[3];
    t[0] = s[0];
    t[1] = even_p + P * odd_p;
    t[2] = even_p - P * odd_p;
    t[3] = even_q + Q * odd_q;
    t[4] = even_q - Q * odd_q;
    t[5] = s[3];
}

static inline void points_filter(const Vector g[3], Vector t[6])
{
    const Vector even_p = SCALE_P * g[0] + SCALE_P * PP * g[2], even_q = SCALE_Q * g[0] + SCALE_Q * QQ * g[2];
    t[0] = SCALE_0 * g[0];
    t[1] = even_p + SCALE_P * P * g[1];
    t[2] = even_p - SCALE_P * P * g[1];
    t[3] = even_q + SCALE_Q * Q * g[1];
    t[4] = even_q - SCALE_Q * Q * g[1];
    t[5] = g[2];
}

/* G^T: the transpose of points_filter. */
static inline void points_filter_gradient(const Vector t[6], Vector g[3])
{
    const Vector sum_p = SCALE_P * (t[1] + t[2]), difference_p = SCALE_P * P * (t[1] - t[2]);
    const Vector sum_q = SCALE_Q * (t[3] + t[4]), difference_q = SCALE_Q * Q * (t[3] - t[4]);
    g[0] = SCALE_0 * t[0] + (sum_p + sum_q);
    g[1] = difference_p + difference_q;
    g[2] = t[5] + (PP * sum_p + QQ * sum_q);
}

#endif
