/* loader.c - a thread that keeps a ring of batches filled; see loader.h.
 *
 *          taken - 1     taken ... made - 1     made
 *             |                  |               |
 *        at the caller         ready        being filled         batch b lives in slot b mod RING
 *
 * Everything below `lock` in the struct is guarded by it. Filling happens outside: the slot of batch `made` is
 * the thread's alone, and `order` changes only while the thread is not filling. */

#include "loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "augment.h"
#include "random.h"

enum { RING = 4 };

typedef struct Slot {
    float    *images;           /* batch C H W */
    uint16_t *labels;           /* batch */
    int       count;
} Slot;

struct Loader {
    const Dataset *dataset;
    LoaderOptions  options;
    Normalise      normalise;
    Slot           slots[RING];
    uint32_t       batches;
    uint32_t      *order;       /* of the samples in this epoch; NULL: as they are */
    pthread_t      thread;
    pthread_cond_t to_thread, to_caller;

    pthread_mutex_t lock;
    uint32_t        epoch, made, taken;
    uint32_t        start;      /* counts loader_start: a batch begun before the last one is dropped */
    bool            filling, quit;
};

static ImageSize image_size(const Dataset *dataset)
{
    return (ImageSize){ dataset->channels, dataset->height, dataset->width };
}

static size_t image_elements(const Dataset *dataset)
{
    return (size_t)dataset->channels * (size_t)dataset->height * (size_t)dataset->width;
}

static uint32_t sample_at(const Loader *loader, size_t place)
{
    return loader->order ? loader->order[place] : (uint32_t)place;
}

/* A shuffled sample lies anywhere in memory: it is fetched while the one before it is worked on. */
static void sample_prefetch(const uint8_t *image, size_t size)
{
    enum { LINE = 64, MOST = 8192 };
    for (size_t i = 0; i < size && i < MOST; i += LINE)
        __builtin_prefetch(image + i);
}

static void loader_fill(const Loader *loader, uint32_t epoch, uint32_t batch, Slot *slot)
{
    const Dataset *dataset = loader->dataset;
    const LoaderOptions *options = &loader->options;
    const size_t size = image_elements(dataset), first = (size_t)batch * (size_t)options->batch;
    const size_t left = dataset->count - first;
    slot->count = left < (size_t)options->batch ? (int)left : options->batch;
    for (int i = 0; i < slot->count; i++) {
        const uint32_t sample = sample_at(loader, first + (size_t)i);
        if (i + 1 < slot->count)
            sample_prefetch(dataset->images + sample_at(loader, first + (size_t)i + 1) * size, size);
        Augment augment = {0};
        if (options->training && options->augment) {
            Random random = random_stream(options->seed, epoch, sample, RANDOM_augment);
            augment = augment_draw(&random, options->crop_pad, options->flip);
        }
        augment_apply(dataset->images + sample * size, image_size(dataset), &loader->normalise, augment,
                      slot->images + (size_t)i * size);
        slot->labels[i] = dataset->labels[sample];
    }
    const size_t missing = (size_t)(options->batch - slot->count);
    memset(slot->images + (size_t)slot->count * size, 0, missing * size * sizeof *slot->images);
    memset(slot->labels + slot->count, 0, missing * sizeof *slot->labels);
}

static void *loader_run(void *argument)
{
    Loader *loader = argument;
    pthread_mutex_lock(&loader->lock);
    while (!loader->quit) {
        /* One slot is the caller's: the batch it took last. */
        if (loader->made == loader->batches || loader->made - loader->taken == RING - 1) {
            pthread_cond_wait(&loader->to_thread, &loader->lock);
            continue;
        }
        const uint32_t start = loader->start, epoch = loader->epoch, batch = loader->made;
        loader->filling = true;
        pthread_mutex_unlock(&loader->lock);
        loader_fill(loader, epoch, batch, &loader->slots[batch % RING]);
        pthread_mutex_lock(&loader->lock);
        loader->filling = false;
        if (loader->start == start)
            loader->made++;
        pthread_cond_signal(&loader->to_caller);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

/* Signals are for the thread that trains. */
static void thread_start(Loader *loader)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int status = pthread_create(&loader->thread, NULL, loader_run, loader);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    CHECK(status == 0, "the loader's thread cannot be started: %s", strerror(status));
}

Loader *loader_new(const Dataset *dataset, const LoaderOptions *options)
{
    CHECK(options->batch > 0, "batch %d", options->batch);
    CHECK(options->crop_pad >= 0, "crop_pad %d", options->crop_pad);
    Loader *loader = allocate(1, sizeof *loader, "a loader");
    loader->dataset = dataset;
    loader->options = *options;
    loader->normalise = normalise_new(options->mean, options->std, dataset->channels);
    const uint32_t batch = (uint32_t)options->batch;
    loader->batches = options->training ? dataset->count / batch : (dataset->count + batch - 1) / batch;
    loader->made = loader->taken = loader->batches;
    if (options->training)
        loader->order = allocate(dataset->count, sizeof *loader->order, "an epoch's order");
    for (int i = 0; i < RING; i++) {
        loader->slots[i].images = allocate(batch * image_elements(dataset), sizeof *loader->slots[i].images, "a batch");
        loader->slots[i].labels = allocate(batch, sizeof *loader->slots[i].labels, "a batch's labels");
    }
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->to_thread, NULL);
    pthread_cond_init(&loader->to_caller, NULL);
    thread_start(loader);
    return loader;
}

void loader_free(Loader *loader)
{
    if (!loader)
        return;
    pthread_mutex_lock(&loader->lock);
    loader->quit = true;
    pthread_cond_signal(&loader->to_thread);
    pthread_mutex_unlock(&loader->lock);
    pthread_join(loader->thread, NULL);
    pthread_mutex_destroy(&loader->lock);
    pthread_cond_destroy(&loader->to_thread);
    pthread_cond_destroy(&loader->to_caller);
    for (int i = 0; i < RING; i++) {
        free(loader->slots[i].images);
        free(loader->slots[i].labels);
    }
    free(loader->order);
    free(loader);
}

uint32_t loader_batches(const Loader *loader)
{
    return loader->batches;
}

void loader_start(Loader *loader, uint32_t epoch, uint32_t from)
{
    CHECK(from <= loader->batches, "batch %u of %u", from, loader->batches);
    pthread_mutex_lock(&loader->lock);
    loader->start++;
    loader->made = loader->taken = loader->batches;        /* nothing to do until the order is made */
    while (loader->filling)
        pthread_cond_wait(&loader->to_caller, &loader->lock);
    if (loader->order) {
        Random random = random_stream(loader->options.seed, epoch, 0, RANDOM_shuffle);
        random_permutation(&random, loader->order, loader->dataset->count);
    }
    loader->epoch = epoch;
    loader->made = loader->taken = from;
    pthread_cond_signal(&loader->to_thread);
    pthread_mutex_unlock(&loader->lock);
}

bool loader_next(Loader *loader, Batch *batch)
{
    pthread_mutex_lock(&loader->lock);
    if (loader->taken == loader->batches) {
        pthread_mutex_unlock(&loader->lock);
        return false;
    }
    while (loader->made == loader->taken)
        pthread_cond_wait(&loader->to_caller, &loader->lock);
    const Slot *slot = &loader->slots[loader->taken++ % RING];
    pthread_cond_signal(&loader->to_thread);
    pthread_mutex_unlock(&loader->lock);
    *batch = (Batch){ .images = slot->images, .labels = slot->labels, .count = slot->count };
    return true;
}
