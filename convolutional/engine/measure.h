/* measure.h - plans chosen by timing. */

#ifndef CONVZOO_MEASURE_H
#define CONVZOO_MEASURE_H

#include "program.h"

/* A fresh network of the kind that is to be planned; its parameters are placed anew for every candidate. */
typedef Network *NetworkBuilder(const void *context);

/* What `wish` leaves open, chosen by running the network in every layout, with the rules' algorithms, oneDNN's direct one and, in
 * mixed precision, bf16 and both kinds of Winograd, and taking for each layer what was fastest: a plan whose layout and layers
 * are named, or `wish` without measuring where nothing was faster. Takes as long as some tens of steps: seconds, for large
 * networks. */
Plan plan_measure(NetworkBuilder *build, const void *context, const Plan *wish, Purpose purpose, int batch);

#endif
