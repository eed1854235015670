/* random_shares.c - see random_shares.h. */

#include "random_shares.h"

#include <math.h>

/* The logarithm of a number of Gamma(alpha) (Marsaglia and Tsang, 2000): below alpha = 1 the number itself may be too small for a double. */
static double gamma_log(Random *random, double alpha)
{
    if (alpha < 1) {
        const double u = ((double)(random_next(random) >> 11) + 0.5) * 0x1p-53;
        return gamma_log(random, alpha + 1) + log(u) / alpha;
    }
    const double d = alpha - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        const double x = (double)random_normal(random), t = 1 + c * x, v = t * t * t;
        const double u = ((double)(random_next(random) >> 11) + 0.5) * 0x1p-53;
        if (t > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return log(d * v);
    }
}

float random_beta(Random *random, float alpha)
{
    const double a = gamma_log(random, (double)alpha), b = gamma_log(random, (double)alpha);
    return (float)(1 / (1 + exp(b - a)));
}

void random_dirichlet(Random *random, float alpha, int count, float *shares)
{
    double largest = -INFINITY, sum = 0;
    for (int i = 0; i < count; i++) {
        shares[i] = (float)gamma_log(random, (double)alpha);
        largest = fmax(largest, (double)shares[i]);
    }
    for (int i = 0; i < count; i++) {
        shares[i] = (float)exp((double)shares[i] - largest);
        sum += (double)shares[i];
    }
    for (int i = 0; i < count; i++)
        shares[i] = (float)((double)shares[i] / sum);
}
