/* loader.h - batches, made ahead of the step on threads of their own.
 *
 * Order and augmentation are pure functions of (seed, epoch, sample): any step can be made again, by any number of threads. */

#ifndef CONVZOO_LOADER_H
#define CONVZOO_LOADER_H

#include "dataset.h"
#include "pipeline.h"

typedef struct LoaderOptions {
    int      batch;
    bool     training;             /* shuffle, augment, drop the last short batch; else in order, all of them */
    bool     balanced;             /* in training every class as often as another */
    Pipeline pipeline;             /* what is done to an image in training */
    int      threads;              /* that make batches; 0: 1 */
    float    mean[DATASET_MAX_CHANNELS], std[DATASET_MAX_CHANNELS];
    uint64_t seed;
} LoaderOptions;

typedef struct Batch {
    const float    *images;        /* batch x channels x height x width, normalised, 64-byte aligned; valid until the next loader_next */
    const uint16_t *labels;        /* batch */
    const uint16_t *others;        /* batch: labels of what was mixed in; NULL: nothing was */
    const float    *shares;        /* batch: of `labels` in a mixed batch, the rest is of `others`; else NULL */
    int             count;         /* real samples; the rest of a last short batch is zeros */
} Batch;

typedef struct Loader Loader;

/* Does not own the data set. Starts the threads, or as many of them as the system gives: the batches are the same with any number,
 * and without one loader_next makes them itself. */
Loader *loader_new(const Dataset *dataset, const LoaderOptions *options);
void    loader_free(Loader *loader);

/* How many threads could be started. */
int      loader_threads(const Loader *loader);
/* Batches in an epoch. In training, none if the data set is smaller than a batch. */
uint32_t loader_batches(const Loader *loader);
/* Begins `epoch` at batch `from` (resume in mid-epoch). Whatever was under way is dropped. */
void loader_start(Loader *loader, uint32_t epoch, uint32_t from);
/* The next batch; false at the end of the epoch. */
bool loader_next(Loader *loader, Batch *batch);

#endif
