/* significance.c - see significance.h. */

#include "significance.h"

#include <math.h>
#include <stdlib.h>

#include "errors.h"

/* The continued fraction of the incomplete beta function, by Lentz's method (Press et al., Numerical Recipes, section 6.4). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), sum;
    d = 1 / (fabs(d) < tiny ? tiny : d);
    sum = d;
    for (int m = 1; m <= 1000; m++) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        const double terms[] = { even, odd };
        double change = 1;
        for (int i = 0; i < 2; i++) {
            d = 1 + terms[i] * d;
            c = 1 + terms[i] / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            change = c * d;
            sum *= change;
        }
        if (fabs(change - 1) < 1e-15)
            break;
    }
    return sum;
}

/* I_x(a, b), the share of the beta distribution below x. */
static double beta_share(double a, double b, double x)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    const double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double significance_t(double t, int freedom)
{
    return freedom < 1 || isnan(t) ? NAN : beta_share(freedom / 2.0, 0.5, freedom / (freedom + t * t));
}

/* At most k of n fair coins show heads with chance I_1/2(n - k, k + 1). */
McNemar significance_mcnemar(unsigned only_first, unsigned only_second)
{
    const double few = fmin(only_first, only_second), all = (double)only_first + only_second, apart = fabs((double)only_first - only_second);
    McNemar m = { .exact = 1, .approximate = 1 };
    if (all == 0)
        return m;
    m.exact = fmin(1, 2 * beta_share(all - few, few + 1, 0.5));
    m.chi2 = pow(fmax(apart - 1, 0), 2) / all;
    m.approximate = erfc(sqrt(m.chi2 / 2));
    return m;
}

/* What rounding to the seven digits of a log leaves of equal differences, as a share of the values. One image of 100,000 is ten times as much. */
static const double ROUNDING = 1e-6;

Paired significance_paired(const double *a, const double *b, int count)
{
    Paired paired = { .p = NAN };
    double sum = 0, squares = 0, largest = 0;
    for (int i = 0; i < count; i++) {
        sum += b[i] - a[i];
        largest = fmax(largest, fmax(fabs(a[i]), fabs(b[i])));
    }
    paired.mean = sum / count;
    for (int i = 0; i < count; i++)
        squares += (b[i] - a[i] - paired.mean) * (b[i] - a[i] - paired.mean);
    if (count < 2)
        return paired;
    paired.deviation = sqrt(squares / (count - 1));
    if (paired.deviation <= ROUNDING * largest)
        paired.deviation = 0;
    /* Shares of few images often differ by the same number of them: without any scatter only the signs tell, and p is that of all being alike. */
    paired.t = paired.deviation > 0 ? paired.mean / (paired.deviation / sqrt(count)) : paired.mean == 0 ? 0 : copysign(INFINITY, paired.mean);
    paired.p = isinf(paired.t) ? pow(2, 1 - count) : significance_t(paired.t, count - 1);
    return paired;
}

/* The i-th smallest is multiplied by the number of those that are not smaller; none may be below the one before it. */
void significance_holm(const double *p, int count, double *corrected)
{
    int *order = allocate((size_t)count + 1, sizeof *order, "p-values"), known = 0;
    for (int i = 0; i < count; i++) {
        if (isnan(p[i]))
            continue;
        int place = known++;
        for (; place > 0 && p[order[place - 1]] > p[i]; place--)
            order[place] = order[place - 1];
        order[place] = i;
    }
    double least = 0;
    for (int i = 0; i < known; i++) {
        least = fmax(least, fmin(1, p[order[i]] * (known - i)));
        corrected[order[i]] = least;
    }
    for (int i = 0; i < count; i++)
        if (isnan(p[i]))
            corrected[i] = NAN;
    free(order);
}
