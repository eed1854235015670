/* convzoo_own.h - what the files behind convzoo.h share; not installed. */

#ifndef CONVZOO_OWN_H
#define CONVZOO_OWN_H

#include <locale.h>

#include "convzoo.h"
#include "model.h"
#include "trainer.h"

struct ConvzooModel {
    Model        model;
    const Architecture *arch;
    uint64_t     seed;
    int          threads;          /* what really comes, 1 or more */
    Program     *inference;        /* for `batch` images; NULL until logits are first asked for */
    int          batch;
    bool         training;         /* a ConvzooTraining is at work on it */
};

/* Hands an error out, and returns its code. */
int own_failed(const Error *error, ConvzooError *to);

/* The calling thread's OpenMP and locale as they were: nothing that the caller has set is changed by a call. */
typedef struct OwnCaller {
    int      threads, dynamic;
    locale_t locale;
} OwnCaller;

/* Until own_leave is given what this returned, OpenMP's threads are `threads` (0: as many as it would use), and numbers are read and
 * written with a point. */
OwnCaller own_enter(int threads);
void      own_leave(OwnCaller before);
/* memory_guard between the two: false and an error if memory ran out. */
bool      own_call(int threads, void (*work)(void *context), void *context, Error *error);
/* How many come when so many are asked for (threads.h). A model keeps to that number: its programs run with no other. */
int        own_threads_count(int threads);

/* The architecture's recipe with what the options change; NULL: nothing. */
bool own_recipe(const Architecture *arch, const ConvzooOptimizer *options, TrainerOptions *recipe, Error *error);

/* Copies the values of `count` images of the model; false if one is not finite. */
bool own_images_copy(const ConvzooModel *model, const float *images, int count, float *to, Error *error);

#endif
