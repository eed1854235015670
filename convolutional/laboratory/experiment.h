/* experiment.h - what pages on activations tell, as something to run: one table, one picture, the same again for the same seed.
 *
 * Adding one: experiment_<key>.c, which exports `const Experiment experiment_<key>`, and a row in experiments.def. */

#ifndef CONVZOO_EXPERIMENT_H
#define CONVZOO_EXPERIMENT_H

#include <stdint.h>

#include "activations.h"
#include "chart.h"
#include "table.h"

typedef struct ExperimentOptions {
    const Activation *acts;            /* those to look at; the experiment's own if none is given */
    int               act_count;
    uint64_t          seed;
    int               depth, width, steps;     /* 0: the experiment's own */
    /* Of an experiment that trains a network of the zoo; others refuse them. */
    const char       *arch, *data;     /* NULL: the experiment's own */
    int               seeds, epochs;   /* 0: likewise */
    int               limit;           /* images of each split; 0: all */
    void            (*note)(void *context, const char *text);      /* told how far it is; NULL: nobody */
} ExperimentOptions;

/* Both owned by the caller. */
typedef struct ExperimentResult {
    Table *table;
    Chart *chart;
} ExperimentResult;

typedef struct Experiment {
    const char *name;                  /* "linear-collapse" */
    const char *about;                 /* a line: what it does, and what shows */
    const char *acts;                  /* looked at where nobody says which, comma-separated */
    int         depth, width, steps;   /* likewise; 0: the experiment has none */
    const char *arch;                  /* NULL: it trains no network of the zoo */
    int         seeds, epochs;
    bool      (*run)(const ExperimentOptions *options, ExperimentResult *result, Error *error);
} Experiment;

int               experiment_count(void);
const Experiment *experiment_at(int index);
const Experiment *experiment_find(const char *name, Error *error);

/* Activations from "relu,leaky:0.1,max(x,0)": commas inside brackets and in front of a number belong to one of them. The caller frees the
 * array. NULL and a line: a mistake. */
Activation *experiment_acts(const char *text, int *count, Error *error);

/* Fills in what the options leave open, and runs. False and a line: an option that the experiment does not have, or what
 * the training says. */
bool experiment_run(const Experiment *experiment, const ExperimentOptions *options, ExperimentResult *result, Error *error);

#define X(key) extern const Experiment experiment_##key;
#include "experiments.def"
#undef X

#endif
