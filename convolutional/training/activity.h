/* activity.h - what the activations of a network do to its numbers and its gradients, one by one: dead units, flat parts, gradients that
 * vanish or explode.
 *
 *   z    what an activation reads, N C H W (of a gated unit 2C channels);  y  what it leaves;  dz, dy  the loss's gradients by them
 *
 * slopes: |f'(z)| of an activation whose function is fixed; |dz / dy| where its parameters are learned or where it has a gate, over the
 * numbers with a gradient, dy != 0. */

#ifndef CONVZOO_ACTIVITY_H
#define CONVZOO_ACTIVITY_H

#include "loader.h"
#include "program.h"

enum { ACTIVITY_BINS = 16 };

/* One activation of the network. */
typedef struct ActivityLayer {
    const Module *module;
    double mean, deviation;               /* of z, over images, channels and pixels */
    double dead;                          /* share of z's channels whose slope is below 1e-6 for every image and pixel: no gradient passes */
    double saturated;                     /* share of z where the slope is below 0.05 */
    double slope;                         /* mean slope */
    double gradient;                      /* norm of dz of an image, root mean square over the images */
    double histogram[ACTIVITY_BINS];      /* shares of z from mean - 3 to mean + 3 deviations of the first batch */
} ActivityLayer;

typedef struct ActivitySums ActivitySums;

/* Open to be read, but for what stands last. */
typedef struct Activity {
    ActivityLayer *layers;                /* in the network's order; of the last measurement */
    int            count;
    uint32_t       images;
    double         loss;                  /* mean cross-entropy over the images */

    Program       *program;
    ActivitySums  *sums;
    const Tensor **watched;
    float         *values, *inner, *outer;      /* z, dz and dy of one layer */
} Activity;

/* Compiles a program of its own, as in inference but with gradients; after it nothing is allocated. plan: f32. */
Activity *activity_new(Network *network, const Plan *plan, int batch);
/* Whether there is an activation to look at: identity is none. */
bool activity_has_layers(const Network *network);
void      activity_free(Activity *activity);

/* Runs it over the next batches of a loader that was started, at most so many. */
void activity_measure(Activity *activity, Loader *loader, uint32_t batches, int classes);

#endif
