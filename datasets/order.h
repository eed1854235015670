/* order.h - which samples an epoch has, and in which order: pure functions of (seed, epoch). */

#ifndef CONVZOO_ORDER_H
#define CONVZOO_ORDER_H

#include "dataset.h"

typedef struct Order {
    const Dataset *dataset;
    uint32_t *samples;                     /* the epoch's, as many as the data set has */
    uint32_t *members, *firsts, *ends;     /* for a balanced order, else NULL: the samples, class after class; where each begins, and ends */
} Order;

/* balanced: every class that has a sample is as frequent as another, to one sample; small classes come round again. */
Order order_new(const Dataset *dataset, bool balanced);
void  order_free(Order *order);

/* Fills samples for this epoch. */
void order_make(Order *order, uint64_t seed, uint32_t epoch);

#endif
