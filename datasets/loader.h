/* loader.h - batches, made ahead of the step on threads of their own.
 *
 * Order and augmentation are pure functions of (seed, epoch, sample): any step can be made again, by any number of threads. */

#ifndef CONVZOO_LOADER_H
#define CONVZOO_LOADER_H

#include "dataset.h"
#include "pipeline.h"

/* Which part of every batch is made. A batch is cut into equal parts, and what mixes images mixes those of one part; count 0: all of
 * them, and there is one. */
typedef struct LoaderShare {
    int parts;                     /* of a batch, which is a multiple of them */
    int first, count;              /* that this loader makes */
} LoaderShare;

typedef struct LoaderOptions {
    int      batch;                /* of all parts */
    LoaderShare share;
    bool     training;             /* shuffle, augment, drop the last short batch; else in order, all of them */
    bool     balanced;             /* in training every class as often as another */
    Pipeline pipeline;             /* what is done to an image in training */
    int      threads;              /* that make batches; 0: 1 */
    float    mean[DATASET_MAX_CHANNELS], std[DATASET_MAX_CHANNELS];
    uint64_t seed;
} LoaderOptions;

typedef struct Batch {
    const float    *images;        /* the share's samples x channels x height x width, normalised, 64-byte aligned; valid until the next
                                      loader_next */
    const uint16_t *labels;        /* one a sample */
    const uint16_t *others;        /* labels of what was mixed in; NULL: nothing was */
    const float    *shares;        /* of `labels` in a mixed batch, the rest is of `others`; else NULL */
    int             count;         /* real samples; the rest of a last short batch is zeros */
} Batch;

typedef struct Loader Loader;

/* Does not own the data set. Starts the threads, or as many of them as the system gives: the batches are the same with any number,
 * and without one loader_next makes them itself. */
Loader *loader_new(const Dataset *dataset, const LoaderOptions *options);
void    loader_free(Loader *loader);

/* How many threads could be started. */
int      loader_threads(const Loader *loader);
/* Samples of a batch that this loader makes. */
int      loader_samples(const Loader *loader);
/* Batches in an epoch. In training, none if the data set is smaller than a batch. */
uint32_t loader_batches(const Loader *loader);
/* Begins `epoch` at batch `from` (resume in mid-epoch). Whatever was under way is dropped. */
void loader_start(Loader *loader, uint32_t epoch, uint32_t from);
/* The next batch; false at the end of the epoch. */
bool loader_next(Loader *loader, Batch *batch);

#endif
