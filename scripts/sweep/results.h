/* results.h - what came of a sweep, for its tables, its picture and its page. */

#ifndef CONVZOO_RESULTS_H
#define CONVZOO_RESULTS_H

#include "sweep.h"

/* A run's validation by epoch. */
typedef struct Curve {
    double *top1, *loss;       /* percent; NAN: none */
    int     epochs;
    double  seconds;           /* of its epochs */
    double  best;              /* of top1; NAN without an epoch */
} Curve;

typedef struct Choice {
    int    runs;               /* that are done */
    double mean, deviation, best, seconds, memory;
} Choice;

typedef struct Results {
    const Sweep *sweep;
    Curve  *curves;            /* by run */
    Choice *choices;
    int     count;             /* choices */
    int     leader;            /* of the choices with the most runs, the one with the best mean; -1: none has a run */
    double *p;                 /* count x count, corrected; NAN: not known; of pairs that are not compared nothing */
    double *differences;       /* count x count: mean of the second's less the first's, percent */
} Results;

/* Whether the run is one that sums are of. */
bool results_counts(const Results *results, int run);
/* A run's seconds: of all attempts whose end was seen, or of all its epochs if that is more. */
double results_seconds(const Results *results, int run);
/* Whether two choices are compared where every two of at most `most` are: of more choices, the best with each. */
bool results_compared(const Results *results, int first, int second, int most);
/* The mean over a choice's runs, of epochs that all of them have: how many, x: 1, 2, ... */
int  results_mean(const Results *results, int choice, bool loss, double *x, double *y);
/* How many choices are better: have more runs, or as many and a better mean; of equal ones the earlier is. */
int  results_rank(const Results *results, int choice);

/* sweep.html: the tables, and curves that one can move over, for a browser. */
bool sweep_page_save(const Results *results, const char *path, Error *error);

#endif
