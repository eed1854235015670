/* differences.h - gradients to expect: central differences of a Reference in double.
 *
 * L = the output times a cotangent. Differences by every element would take long: some elements are taken one by one, and all
 * of them together along directions of random signs. */

#ifndef CONVZOO_DIFFERENCES_H
#define CONVZOO_DIFFERENCES_H

#include "random.h"
#include "reference.h"

enum { SAMPLES = 48, DIRECTIONS = 3 };

typedef struct Gradient {
    int    samples;
    size_t at[SAMPLES];                              /* elements, */
    double slopes[SAMPLES], products[DIRECTIONS];    /* dL / d element, and the gradient times each direction */
} Gradient;

/* Draws the image, the parameters and the cotangent, all exact in f32: multiples of 2^-16 scaled to unit gain, or integers
 * from -3 to 3. */
void reference_draw(Reference *r, double *cotangent, uint64_t seed, bool integers);

/* The gradient of parameter `index`, by steps of h. */
Gradient gradient_expected(Reference *r, const double *cotangent, int index, double h);

/* v[i] = +-size: 1 for steps of whole numbers, else that of a unit vector, along which no value goes far. */
void direction_draw(const Param *param, int direction, double h, double *v);

#endif
