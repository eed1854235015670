/* curves.h - activations as curves on a chart. */

#ifndef CONVZOO_CURVES_H
#define CONVZOO_CURVES_H

#include "activations.h"
#include "chart.h"

typedef struct CurvesOptions {
    double from, to;               /* of x */
    bool   derivative;             /* f' too: in a panel beside f, */
    bool   one_panel;              /* or dashed over f */
    bool   difference;             /* of two activations: what the second has more than the first, */
    bool   no_marks;               /* lowest points, and the largest difference, are left without a dot */
} CurvesOptions;

/* A chart of f (and f') of each; of differences exactly two. Where a curve jumps it is interrupted. The caller frees it. */
Chart *curves_chart(const Activation *acts, int count, const CurvesOptions *options);

/* The largest |g(x) - f(x)| of two activations on [from, to], and where it is; slopes: of g' - f'. */
double curves_difference(const Activation acts[2], bool slopes, double from, double to, double *at);

#endif
