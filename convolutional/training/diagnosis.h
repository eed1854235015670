/* diagnosis.h - what is wrong with a run after an epoch, from its figures alone, and what to do: one line each. */

#ifndef CONVZOO_DIAGNOSIS_H
#define CONVZOO_DIAGNOSIS_H

#include "activity.h"
#include "trainer.h"
#include "vitals.h"

enum { DIAGNOSIS_EPOCHS = 5, DIAGNOSIS_TEXT = 640 };

typedef struct Facts {
    const TrainerEpoch *epoch;
    const Vitals   *vitals;                          /* settled */
    bool            partial;                         /* the run was resumed within this epoch: vitals are of the rest of it */
    const Activity *activity;                        /* the last measurement of --act-stats; NULL: none */
    double          val_losses[DIAGNOSIS_EPOCHS];    /* the last ones, the newest first */
    uint32_t        epochs;                          /* seen by this call */
    double          best_val_loss;                   /* of those before */
    double          train_chance, val_chance;        /* accuracies that guessing may reach with luck; below 0: guessing does not tell */
} Facts;

/* The accuracy of guessing the largest class of a data set, and what luck may add on so many images. balanced: of guessing any, where an epoch has all
 * classes equally often. */
double      diagnosis_chance(const Dataset *data, bool balanced, double images);

enum { DIAGNOSES_MOST = 16 };

int         diagnosis_count(void);
const char *diagnosis_key(int index);      /* "dead", "oscillation", ... */
/* Writes the line and returns true if it is so. text: DIAGNOSIS_TEXT bytes. */
bool        diagnosis_find(int index, const Facts *facts, char *text);

#endif
