/* loader.c - threads that keep a ring of batches filled; see loader.h.
 *
 *          taken - 1       taken ... begun - 1         begun
 *             |                     |                    |
 *        at the caller   ready, or being filled   free to be begun        batch b lives in slot b mod ring
 *
 * Everything below `lock` in the struct, and whether a slot is ready, is guarded by it. Filling happens outside: a slot that
 * was begun is its worker's alone, and `order` changes only while no worker is filling.
 * Where the system gives no thread at all, the caller fills the slot that it takes. */

#include "loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "augment.h"
#include "order.h"
#include "random.h"

enum { AHEAD = 3 };             /* slots beside those being filled: one is at the caller */

typedef struct Slot {
    float    *images;           /* samples C H W */
    uint16_t *labels, *others;  /* samples */
    float    *shares;           /* samples */
    bool      mixed;
    int       count;
    bool      ready;
} Slot;

/* A thread and what it works with. */
typedef struct Worker {
    Loader   *loader;
    pthread_t thread;
    Canvas    canvas;
} Worker;

struct Loader {
    const Dataset *dataset;
    LoaderOptions  options;
    int            samples;     /* of a batch, in the share */
    Normalise      normalise;
    bool           plain;       /* augment.c does it */
    int            crop_pad;
    bool           flip;
    Slot          *slots;
    uint32_t       ring;
    Worker        *workers;
    int            asked, threads;      /* workers, and those of them that have a thread */
    uint32_t       batches;
    Order          order;       /* of the samples in this epoch, in training */
    pthread_cond_t to_workers, to_caller;

    pthread_mutex_t lock;
    uint32_t        epoch, begun, taken;
    uint32_t        start;      /* counts loader_start: a batch begun before the last one is dropped */
    int             filling;
    bool            quit;
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
    return loader->options.training ? loader->order.samples[place] : (uint32_t)place;
}

/* A shuffled sample lies anywhere in memory: it is fetched while the one before it is worked on. */
static void sample_prefetch(const uint8_t *image, size_t size)
{
    enum { LINE = 64, MOST = 8192 };
    for (size_t i = 0; i < size && i < MOST; i += LINE)
        __builtin_prefetch(image + i);
}

/* One sample's picture, normalised. */
static void sample_make(Worker *worker, uint32_t epoch, uint32_t sample, float *out)
{
    const Loader *loader = worker->loader;
    const LoaderOptions *options = &loader->options;
    const uint8_t *image = loader->dataset->images + sample * image_elements(loader->dataset);
    Augment augment = {0};
    if (options->training && loader->plain && options->pipeline.count) {
        Random random = random_stream(options->seed, epoch, sample, RANDOM_augment);
        augment = augment_draw(&random, loader->crop_pad, loader->flip);
    } else if (options->training && !loader->plain) {
        canvas_load(&worker->canvas, image);
        pipeline_apply(&options->pipeline, &worker->canvas, options->seed, epoch, sample);
        image = worker->canvas.pixels;
    }
    augment_apply(image, image_size(loader->dataset), &loader->normalise, augment, out);
}

/* Where another part is mixed. */
static void leave_unmixed(const MixedBatch *part)
{
    for (int i = 0; i < part->count; i++) {
        part->others[i] = part->labels[i];
        part->shares[i] = 1.0f;
    }
}

/* Part by part, so that it does not matter who makes the others. */
static bool slot_mix(const Loader *loader, uint32_t epoch, uint32_t batch, Slot *slot)
{
    const LoaderShare *share = &loader->options.share;
    const int each = loader->samples / share->count;
    bool mixed = false;
    for (int i = 0; i < share->count; i++) {
        const size_t from = (size_t)(i * each);
        MixedBatch part = {
            .size = image_size(loader->dataset), .count = each, .images = slot->images + from * image_elements(loader->dataset),
            .labels = slot->labels + from, .others = slot->others + from, .shares = slot->shares + from,
        };
        const uint32_t number = batch * (uint32_t)share->parts + (uint32_t)(share->first + i);
        if (pipeline_mix(&loader->options.pipeline, &part, loader->options.seed, epoch, number))
            mixed = true;
        else
            leave_unmixed(&part);
    }
    return mixed;
}

static void slot_fill(Worker *worker, uint32_t epoch, uint32_t batch, Slot *slot)
{
    const Loader *loader = worker->loader;
    const Dataset *dataset = loader->dataset;
    const LoaderOptions *options = &loader->options;
    const size_t size = image_elements(dataset), samples = (size_t)loader->samples;
    const size_t first = (size_t)batch * (size_t)options->batch + samples / (size_t)options->share.count * (size_t)options->share.first;
    const size_t left = first < dataset->count ? dataset->count - first : 0;
    slot->count = (int)(left < samples ? left : samples);
    for (int i = 0; i < slot->count; i++) {
        const uint32_t sample = sample_at(loader, first + (size_t)i);
        if (i + 1 < slot->count)
            sample_prefetch(dataset->images + sample_at(loader, first + (size_t)i + 1) * size, size);
        sample_make(worker, epoch, sample, slot->images + (size_t)i * size);
        slot->labels[i] = dataset->labels[sample];
    }
    const size_t missing = samples - (size_t)slot->count;
    memset(slot->images + (size_t)slot->count * size, 0, missing * size * sizeof *slot->images);
    memset(slot->labels + slot->count, 0, missing * sizeof *slot->labels);
    slot->mixed = options->training && slot_mix(loader, epoch, batch, slot);
}

static void *worker_run(void *argument)
{
    Worker *worker = argument;
    Loader *loader = worker->loader;
    pthread_mutex_lock(&loader->lock);
    while (!loader->quit) {
        /* One slot is the caller's: the batch it took last. */
        if (loader->begun == loader->batches || loader->begun - loader->taken == loader->ring - 1) {
            pthread_cond_wait(&loader->to_workers, &loader->lock);
            continue;
        }
        const uint32_t start = loader->start, epoch = loader->epoch, batch = loader->begun++;
        Slot *slot = &loader->slots[batch % loader->ring];
        loader->filling++;
        pthread_mutex_unlock(&loader->lock);
        slot_fill(worker, epoch, batch, slot);
        pthread_mutex_lock(&loader->lock);
        loader->filling--;
        slot->ready = loader->start == start;
        pthread_cond_signal(&loader->to_caller);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

/* Signals are for the thread that trains. False if the system gives no thread. */
static bool worker_start(Worker *worker)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int status = pthread_create(&worker->thread, NULL, worker_run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status == 0;
}

static void allocate_slots(Loader *loader)
{
    const size_t samples = (size_t)loader->samples;
    loader->ring = (uint32_t)loader->asked + AHEAD;
    loader->slots = allocate(loader->ring, sizeof *loader->slots, "batches");
    for (uint32_t i = 0; i < loader->ring; i++) {
        loader->slots[i].images = allocate(samples * image_elements(loader->dataset), sizeof *loader->slots[i].images, "a batch");
        loader->slots[i].labels = allocate(samples, sizeof *loader->slots[i].labels, "a batch's labels");
        loader->slots[i].others = allocate(samples, sizeof *loader->slots[i].others, "a batch's labels");
        loader->slots[i].shares = allocate(samples, sizeof *loader->slots[i].shares, "a batch's labels");
    }
}

static void start_workers(Loader *loader)
{
    loader->workers = allocate((size_t)loader->asked, sizeof *loader->workers, "a loader's threads");
    for (int i = 0; i < loader->asked; i++) {
        loader->workers[i].loader = loader;
        if (!loader->plain)
            loader->workers[i].canvas = canvas_new(image_size(loader->dataset), loader->options.mean, loader->options.std);
    }
    while (loader->threads < loader->asked && worker_start(&loader->workers[loader->threads]))
        loader->threads++;
}

Loader *loader_new(const Dataset *dataset, const LoaderOptions *options)
{
    CHECK(options->batch > 0, "batch %d", options->batch);
    CHECK(options->threads >= 0, "%d threads", options->threads);
    Loader *loader = allocate(1, sizeof *loader, "a loader");
    loader->dataset = dataset;
    loader->options = *options;
    LoaderShare *share = &loader->options.share;
    if (share->count == 0)
        *share = (LoaderShare){ .parts = 1, .count = 1 };
    CHECK(options->batch % share->parts == 0, "a batch of %d in %d parts", options->batch, share->parts);
    loader->samples = options->batch / share->parts * share->count;
    loader->asked = options->threads ? options->threads : 1;
    loader->normalise = normalise_new(options->mean, options->std, dataset->channels);
    loader->plain = pipeline_is_plain(&options->pipeline, &loader->crop_pad, &loader->flip);
    const uint32_t batch = (uint32_t)options->batch;
    loader->batches = options->training ? dataset->count / batch : (dataset->count + batch - 1) / batch;
    loader->begun = loader->taken = loader->batches;
    if (options->training)
        loader->order = order_new(dataset, options->balanced);
    allocate_slots(loader);
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->to_workers, NULL);
    pthread_cond_init(&loader->to_caller, NULL);
    start_workers(loader);
    return loader;
}

void loader_free(Loader *loader)
{
    if (!loader)
        return;
    pthread_mutex_lock(&loader->lock);
    loader->quit = true;
    pthread_cond_broadcast(&loader->to_workers);
    pthread_mutex_unlock(&loader->lock);
    for (int i = 0; i < loader->threads; i++)
        pthread_join(loader->workers[i].thread, NULL);
    for (int i = 0; i < loader->asked; i++)
        canvas_free(&loader->workers[i].canvas);
    pthread_mutex_destroy(&loader->lock);
    pthread_cond_destroy(&loader->to_workers);
    pthread_cond_destroy(&loader->to_caller);
    for (uint32_t i = 0; i < loader->ring; i++) {
        free(loader->slots[i].images);
        free(loader->slots[i].labels);
        free(loader->slots[i].others);
        free(loader->slots[i].shares);
    }
    free(loader->slots);
    free(loader->workers);
    order_free(&loader->order);
    free(loader);
}

uint32_t loader_batches(const Loader *loader)
{
    return loader->batches;
}

int loader_samples(const Loader *loader)
{
    return loader->samples;
}

int loader_threads(const Loader *loader)
{
    return loader->threads;
}

void loader_start(Loader *loader, uint32_t epoch, uint32_t from)
{
    CHECK(from <= loader->batches, "batch %u of %u", from, loader->batches);
    pthread_mutex_lock(&loader->lock);
    loader->start++;
    loader->begun = loader->taken = loader->batches;       /* nothing to do until the order is made */
    while (loader->filling)
        pthread_cond_wait(&loader->to_caller, &loader->lock);
    for (uint32_t i = 0; i < loader->ring; i++)
        loader->slots[i].ready = false;
    if (loader->options.training)
        order_make(&loader->order, loader->options.seed, epoch);
    loader->epoch = epoch;
    loader->begun = loader->taken = from;
    pthread_cond_broadcast(&loader->to_workers);
    pthread_mutex_unlock(&loader->lock);
}

bool loader_next(Loader *loader, Batch *batch)
{
    pthread_mutex_lock(&loader->lock);
    if (loader->taken == loader->batches) {
        pthread_mutex_unlock(&loader->lock);
        return false;
    }
    Slot *slot = &loader->slots[loader->taken % loader->ring];
    if (loader->threads == 0)
        slot_fill(loader->workers, loader->epoch, loader->begun++, slot);
    while (loader->threads && !slot->ready)
        pthread_cond_wait(&loader->to_caller, &loader->lock);
    slot->ready = false;
    loader->taken++;
    pthread_cond_signal(&loader->to_workers);
    pthread_mutex_unlock(&loader->lock);
    *batch = (Batch){ .images = slot->images, .labels = slot->labels, .count = slot->count };
    if (slot->mixed) {
        batch->others = slot->others;
        batch->shares = slot->shares;
    }
    return true;
}
