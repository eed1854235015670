/* measured.h - what evaluate has found out about a checkpoint, and how it is told. */

#ifndef CONVZOO_MEASURED_H
#define CONVZOO_MEASURED_H

#include <sys/stat.h>

#include "calibration.h"
#include "evaluation.h"
#include "model.h"

typedef struct Measured {
    const char      *path;         /* the checkpoint's */
    const ModelInfo *info;
    const Dataset   *data;         /* whose labels the outputs have */
    ViewSet          views;
    Outputs          outputs;
    LossSum          sum;
    double           seconds;
    Metrics         *metrics;
} Measured;

/* How a data set is gone through. */
typedef struct Pass {
    const Plan *plan;
    ViewOptions views;
    int         batch;
    bool        quiet;
} Pass;

enum { MISTAKES_SHOWN = 25 };      /* on a sheet, if no number is given */

/* Runs the model over the data; all must outlive it. Release with measured_clear. */
Measured measured_new(const char *path, const Model *model, const Dataset *data, const Pass *pass);
void     measured_clear(Measured *measured);

/* ---- figures.c: what is always told ---- */

typedef enum { RESULTS_text, RESULTS_csv, RESULTS_json } ResultsFormat;

/* In JSON the object stays open for more members, until figures_end. */
void figures_begin(const Measured *measured, ResultsFormat format);
void figures_end(ResultsFormat format);

/* ---- details.c: what is told if asked for ---- */

/* Each goes to "-", standard output: lines, or a member of the JSON object; to a table in a file .csv; to a picture in .png, .svg or .pdf. */
typedef struct Details {
    const char *confusion, *per_class, *calibration, *predictions;      /* NULL: not asked for */
    int         misclassified;                                          /* how many; 0: none */
    const char *curves, *rates;                                         /* pictures of the run's log; NULL: none */
    const char *sheet, *filters;                                        /* .png: a picture of mistakes, of the first filters; NULL: none */
} Details;

/* False and a line for a name that cannot be written to: to ask before long work. */
bool details_check(const Details *details, ResultsFormat format, Error *error);
bool details_tell(const Measured *measured, const Details *details, ResultsFormat format, Network *network, Error *error);

/* ---- fitting.c: what is kept in the checkpoint ---- */

typedef struct Fit {
    bool     temperature, reject;
    RejectBy by;
    double   wanted;
    struct stat file;      /* the checkpoint as it was before it was read */
} Fit;

/* "coverage:0.9" or "precision:0.95"; NULL: nothing. */
bool fit_parse(const char *text, Fit *fit, Error *error);
static inline bool fit_is_wanted(const Fit *fit)
{
    return fit->temperature || fit->reject;
}

/* Before the checkpoint is opened. False and a line if it is not there. */
bool fit_look(const char *path, Fit *fit, Error *error);
/* Finds what is asked for and writes it into the checkpoint, and the info. False and a line also where a training has put another file in
 * its place meanwhile. */
bool fit_keep(const Measured *measured, const Fit *fit, ModelInfo *info, bool quiet, Error *error);

/* ---- comparison.c ---- */

/* Another checkpoint on the same images, which it sees in its own size. open: the same data for another model. */
typedef struct Comparison {
    const char *path;
    Dataset  *(*open)(void *context, const Model *model, Error *error);
    void       *context;
} Comparison;

/* Before long work: whether the other is a checkpoint of the same classes. path NULL: nothing to compare. */
bool comparison_check(const char *path, const ModelInfo *info, Error *error);
/* Whether it was not trained on images of `data`. What is not known is told. */
bool comparison_check_images(const char *path, const Dataset *data, Error *error);
bool comparison_tell(const Measured *measured, const Comparison *comparison, const Pass *pass, ResultsFormat format, Error *error);

#endif
