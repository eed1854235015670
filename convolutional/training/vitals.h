/* vitals.h - how well the layers of a network are, read off its gradients and weights while it trains.
 *
 *   dead units   an activation's channels for which the gradient of the bias in front of it (of a convolution, a linear layer or a
 *                norm, through sums) was exactly 0 in every step: it is the sum of what comes back through the channel
 *   layers       norms of a weight and of its gradient in the epoch's last step, and how far that step moves it, as a share of it
 *
 * A step costs a look at each bias; the rest is done in one step an epoch. Nothing is allocated in either. */

#ifndef CONVZOO_VITALS_H
#define CONVZOO_VITALS_H

#include "parameters.h"

/* Of an activation whose bias is trained; others are not here. */
typedef struct UnitVitals {
    const Module *activation;
    const Param  *bias;
    int           channels;
    double        dead;              /* share of them, in the steps before the last vitals_settle */
    bool         *alive;             /* of each channel, so far */
    uint32_t     *positions;         /* of each channel in the gradients */
} UnitVitals;

/* Of a convolution's or linear layer's weight. */
typedef struct LayerVitals {
    const Param *param;
    double       weight, gradient;   /* norms */
    double       update;             /* of the step, over the weight's norm, by a sample of the values; 0: frozen */
} LayerVitals;

typedef struct Vitals {
    Network     *network;
    UnitVitals  *units;
    int          unit_count;
    LayerVitals *layers;             /* from the image on */
    int          layer_count;
    uint32_t     steps;              /* seen, with a gradient, since the last vitals_settle */
    float       *before;             /* the sample of every layer's values */
} Vitals;

/* After the network's first program is compiled. */
Vitals *vitals_new(Network *network);
void    vitals_free(Vitals *vitals);

/* The gradients of a step are there. */
void vitals_see(Vitals *vitals);
/* Around an epoch's last step: its gradients are there, and the weights have moved. */
void vitals_before_step(Vitals *vitals);
void vitals_after_step(Vitals *vitals);
/* Shares of dead units over the steps seen; the next steps are counted anew. */
void vitals_settle(Vitals *vitals);

#endif
