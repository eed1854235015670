/* properties.h - what an activation is like, computed from f and f' in double precision: nothing here is looked up.
 *
 * z is standard normal: what a unit sees before training in a network whose signal keeps its size. Extremes, kinks and signs are
 * searched for on [-50, 50] in steps of 1/64, ends and jumps then narrowed down. */

#ifndef CONVZOO_PROPERTIES_H
#define CONVZOO_PROPERTIES_H

#include <stdbool.h>

#include "activations.h"

enum { PROPERTIES_MOST = 8, PROPERTIES_TEXT = 64 };

typedef enum {
    SMOOTH_jumps,          /* f itself jumps */
    SMOOTH_kinks,          /* f is continuous, f' jumps */
    SMOOTH_once,           /* f' is continuous, f'' jumps */
    SMOOTH_twice,          /* f'' is continuous, and as far as is looked at all the rest */
} Smoothness;

typedef struct Properties {
    Smoothness smooth;
    int    kinks;                          /* where f or f' jumps: how many of them are kept below */
    double kink_at[PROPERTIES_MOST];
    bool   rises, falls;                   /* never falls; never rises: both of a constant, neither: not monotone */
    bool   saturates_left, saturates_right;      /* f tends to a constant, and f' to 0 */
    double slope_least, slope_most;        /* bounds of f'; looked for on [-50, 50], infinite where it goes on growing beyond */
    double least_at, least;                /* the lowest point, if f has one and is not monotone; else NAN */
    double mean, square;                   /* E f(z), E f(z)^2 */
    double slope_square;                   /* E f'(z)^2 */
    double gain;                           /* 1 / sqrt(E f(z)^2): weights of variance gain^2 / fan-in keep the size of the signal */
    int    fixed_points;                   /* f(x) = x on [-50, 50]: points, or where it holds along a stretch, on [-5, 5], its ends */
    struct { double from, to; } fixed[PROPERTIES_MOST];
    bool   fixed_more;                 /* there are others to the right */
} Properties;

Properties properties_of(Activation act);

/* For tables: "yes", "no, falls below -1.2785"; "left and right"; texts of PROPERTIES_TEXT bytes, returned. */
const char *properties_monotone(const Properties *p, char *text);
const char *properties_smooth(const Properties *p, char *text);
const char *properties_saturates(const Properties *p, char *text);
const char *properties_minimum(const Properties *p, char *text);
const char *properties_fixed_points(const Properties *p, char *text);

/* Gaussian mean of g(context, z), split where g may jump. */
double properties_gaussian_mean(double (*g)(const void *context, double z), const void *context, const double *jumps, int count);

#endif
