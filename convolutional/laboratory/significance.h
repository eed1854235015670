/* significance.h - whether differences of a few runs are more than noise.
 *
 * Runs are paired: the same seed gives the same images, order and start to each of two activations, so that what the seed does falls out
 * of the difference (Student, 1908). Several comparisons at once are corrected as Holm (1979) did: the chance that any of them is called
 * a difference where there is none stays what one wanted for a single one. */

#ifndef CONVZOO_SIGNIFICANCE_H
#define CONVZOO_SIGNIFICANCE_H

typedef struct Paired {
    double mean, deviation;        /* of b - a; deviation of a single difference */
    double t;                      /* mean / (deviation / sqrt(count)) */
    double p;                      /* the chance of a t as far from 0, or farther, where there is no difference; NAN for fewer than two pairs.
                                    * Of differences that are all equal but for rounding, and not 0: that all signs are, 2^(1 - count) */
} Paired;

Paired significance_paired(const double *a, const double *b, int count);

/* Two-sided p of Student's t with so many degrees of freedom. */
double significance_t(double t, int freedom);

/* Two classifiers on the same images (McNemar, 1947): only the images count that one of them gets right and the other does not. */
typedef struct McNemar {
    double exact;                  /* two-sided p of the binomial distribution with a share of 1/2 */
    double chi2, approximate;      /* (|b - c| - 1)^2 / (b + c), and its p; good for b + c of 25 and more */
} McNemar;

McNemar significance_mcnemar(unsigned only_first, unsigned only_second);

/* p-values, corrected; `corrected` may be `p`. NAN stays NAN and does not count. */
void significance_holm(const double *p, int count, double *corrected);

#endif
