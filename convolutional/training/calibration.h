/* calibration.h - whether a network that is 90% sure is right nine times in ten, and what can be done about it.
 *
 * The images are put into 15 bins by the largest probability: bin b holds those in (b/15, (b+1)/15].
 *
 *   expected calibration error = sum over bins of  images_b / images  |accuracy_b - confidence_b|
 *
 * confidence_b being the mean of the bin's largest probabilities (Naeini et al., 2015; Guo et al., 2017, arXiv:1706.04599, section 2).
 * Temperature scaling (Guo et al., section 4.2) divides all logits by one number, which leaves the order of the classes alone: the one
 * with the least cross-entropy over images that training did not see. */

#ifndef CONVZOO_CALIBRATION_H
#define CONVZOO_CALIBRATION_H

#include "errors.h"
#include "metrics.h"

enum { CALIBRATION_BINS = 15 };

typedef struct CalibrationBin {
    uint32_t images;
    double   confidence, accuracy;      /* means; 0 without images */
} CalibrationBin;

typedef struct Calibration {
    CalibrationBin bins[CALIBRATION_BINS];
    double         error, worst;        /* expected, and of the worst bin */
    double         loss;                /* mean cross-entropy at this temperature */
} Calibration;

/* temperature 0: 1. */
Calibration calibration_measure(const Outputs *outputs, double temperature);

#define CALIBRATION_COLDEST 0.05
#define CALIBRATION_HOTTEST 20.0

/* The temperature with the least loss, within the bounds above. */
double calibration_temperature(const Outputs *outputs);

/* What a threshold below which a network says "unknown" is chosen by. */
typedef enum {
    REJECT_coverage,           /* the share of images that get an answer */
    REJECT_precision,          /* the share of answers that are right: the lowest threshold that reaches it */
} RejectBy;

typedef struct Rejection {
    double below;              /* images whose largest probability is below this are unknown */
    double coverage, precision;
} Rejection;

/* What a threshold does. */
Rejection calibration_reject(const Outputs *outputs, double temperature, double below);
/* The threshold that does what is wanted. False and a line if no threshold does. */
bool      calibration_threshold(const Outputs *outputs, double temperature, RejectBy by, double wanted, Rejection *rejection, Error *error);

#endif
