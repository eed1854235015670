/* test_loader.c - every batch is a pure function of (seed, epoch, batch), whenever and however often it is made. */

#define _GNU_SOURCE      /* RTLD_NEXT */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader.h"
#include "random.h"
#include "scratch.h"
#include "tiny_run.h"

enum { MAX_COUNT = 64 };

typedef struct Case {
    const char *name;
    uint32_t    count;
    int         channels, height, width, batch;
    bool        training, augment, flip;
    int         pad;
} Case;

static const Case cases[] = {
    /*                        n   c  h   w  batch  training augment flip  pad */
    { "training",             23, 3, 9, 21, 5,     true,  true,  true,  4 },
    { "narrow images",        23, 2, 5, 7,  4,     true,  true,  true,  2 },
    { "exactly one block",    20, 1, 4, 16, 4,     true,  true,  true,  3 },
    { "no flip",              23, 3, 9, 33, 5,     true,  true,  false, 4 },
    { "no crop",              23, 3, 6, 19, 7,     true,  true,  true,  0 },
    { "pad beyond the image", 11, 1, 3, 4,  3,     true,  true,  true,  6 },
    { "no augmentation",      23, 3, 9, 21, 5,     true,  false, true,  4 },
    { "validation",           23, 3, 9, 21, 5,     false, true,  true,  4 },
    { "one short batch",      3,  1, 4, 18, 8,     false, false, false, 0 },
    { "no short batch",       20, 1, 4, 18, 5,     false, false, false, 0 },
    { "less than a batch",    3,  1, 4, 18, 8,     true,  true,  true,  1 },
};

static const float means[] = { 0.49f, 0.31f, 0.55f }, stds[] = { 0.25f, 0.19f, 0.3f };

static size_t image_size(const Case *test)
{
    return (size_t)test->channels * (size_t)test->height * (size_t)test->width;
}

static Dataset dataset_make(const Case *test)
{
    Dataset data = { .kind = "test", .channels = test->channels, .height = test->height, .width = test->width, .classes = 7, .count = test->count };
    data.images = allocate(test->count, image_size(test), "images");
    data.labels = allocate(test->count, sizeof *data.labels, "labels");
    Random random = random_stream(3, 0, 0, RANDOM_init);
    for (size_t i = 0; i < test->count * image_size(test); i++)
        data.images[i] = (uint8_t)random_next(&random);
    for (uint32_t i = 0; i < test->count; i++)
        data.labels[i] = (uint16_t)(i % 7);
    return data;
}

static void dataset_drop(Dataset *data)
{
    free(data->images);
    free(data->labels);
}

static LoaderOptions options_of(const Case *test)
{
    LoaderOptions options = { .batch = test->batch, .training = test->training, .seed = 42 };
    char text[64] = "";
    Error error;
    if (test->augment)
        snprintf(text, sizeof text, "crop:%d%s", test->pad, test->flip ? " hflip" : "");
    assert_true(pipeline_parse(text, &options.pipeline, &error));
    memcpy(options.mean, means, sizeof means);
    memcpy(options.std, stds, sizeof stds);
    return options;
}

/* Pads the normalised image with zeros, crops, flips: pixel by pixel. */
static double expected_value(const Case *test, const Dataset *data, uint32_t sample, int dy, int dx, bool flip, int c, int y,
                             int x)
{
    const int source_y = y + dy, source_x = (flip ? test->width - 1 - x : x) + dx;
    if (source_y < 0 || source_y >= test->height || source_x < 0 || source_x >= test->width)
        return 0;
    const uint8_t *image = data->images + sample * image_size(test);
    return (image[(c * test->height + source_y) * test->width + source_x] / 255.0 - (double)means[c]) / (double)stds[c];
}

static void check_image(const Case *test, const Dataset *data, uint32_t epoch, uint32_t sample, const float *got)
{
    int dy = 0, dx = 0;
    bool flip = false;
    if (test->training && test->augment) {
        Random random = random_stream(42, epoch, sample, RANDOM_augment);
        dy = (int)random_below(&random, (uint32_t)(2 * test->pad + 1)) - test->pad;
        dx = (int)random_below(&random, (uint32_t)(2 * test->pad + 1)) - test->pad;
        flip = test->flip && random_below(&random, 2) == 1;
    }
    for (int c = 0; c < test->channels; c++)
        for (int y = 0; y < test->height; y++)
            for (int x = 0; x < test->width; x++) {
                const double expected = expected_value(test, data, sample, dy, dx, flip, c, y, x);
                const double value = (double)got[(c * test->height + y) * test->width + x];
                if (fabs(value - expected) > 2e-6)
                    fail_msg("%s: epoch %u, sample %u at (%d, %d, %d): %g, expected %g", test->name, epoch, sample, c, y, x,
                             value, expected);
            }
}

static void check_epoch(const Case *test, const Dataset *data, Loader *loader, uint32_t epoch)
{
    uint32_t order[MAX_COUNT], seen = 0;
    for (uint32_t i = 0; i < test->count; i++)
        order[i] = i;
    if (test->training) {
        Random random = random_stream(42, epoch, 0, RANDOM_shuffle);
        random_permutation(&random, order, test->count);
    }
    Batch batch;
    loader_start(loader, epoch, 0);
    for (uint32_t b = 0; loader_next(loader, &batch); b++) {
        assert_true(b < loader_batches(loader));
        assert_int_equal((uintptr_t)batch.images % 64, 0);
        for (int i = 0; i < batch.count; i++, seen++) {
            check_image(test, data, epoch, order[seen], batch.images + (size_t)i * image_size(test));
            assert_int_equal(batch.labels[i], data->labels[order[seen]]);
        }
        for (size_t i = (size_t)batch.count * image_size(test); i < (size_t)test->batch * image_size(test); i++)
            if (batch.images[i] != 0)
                fail_msg("%s: batch %u is not zero behind its %d images", test->name, b, batch.count);
    }
    const uint32_t whole = test->count - test->count % (uint32_t)test->batch;
    if (seen != (test->training ? whole : test->count))
        fail_msg("%s: %u of %u images", test->name, seen, test->count);
    assert_false(loader_next(loader, &batch));
}

static void test_batches(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Dataset data = dataset_make(&cases[i]);
        const LoaderOptions options = options_of(&cases[i]);
        Loader *loader = loader_new(&data, &options);
        Batch batch;
        assert_false(loader_next(loader, &batch));      /* no epoch yet */
        for (uint32_t epoch = 0; epoch < 3; epoch++)
            check_epoch(&cases[i], &data, loader, epoch);
        loader_free(loader);
        dataset_drop(&data);
    }
}

/* Epoch 5 from batch `from` on gives the batches of the whole epoch, bit for bit. */
static void test_restart(void **state)
{
    (void)state;
    const Case *test = &cases[0];
    Dataset data = dataset_make(test);
    const LoaderOptions options = options_of(test);
    Loader *loader = loader_new(&data, &options);
    const uint32_t batches = loader_batches(loader);
    const size_t size = (size_t)test->batch * image_size(test);
    float *whole = allocate(batches * size, sizeof *whole, "an epoch");
    uint16_t labels[MAX_COUNT];
    Batch batch;
    loader_start(loader, 5, 0);
    for (uint32_t b = 0; loader_next(loader, &batch); b++) {
        memcpy(whole + b * size, batch.images, size * sizeof *whole);
        memcpy(labels + b * (uint32_t)test->batch, batch.labels, (size_t)test->batch * sizeof *labels);
    }
    for (uint32_t from = 0; from <= batches; from++) {
        loader_start(loader, 4, 0);                     /* dropped in the middle */
        for (uint32_t b = 0; b < from % 3; b++)
            assert_true(loader_next(loader, &batch));
        loader_start(loader, 5, from);
        uint32_t b = from;
        for (; loader_next(loader, &batch); b++) {
            assert_memory_equal(batch.images, whole + b * size, size * sizeof *whole);
            assert_memory_equal(batch.labels, labels + b * (uint32_t)test->batch, (size_t)test->batch * sizeof *labels);
        }
        assert_int_equal(b, batches);
    }
    free(whole);
    loader_free(loader);
    dataset_drop(&data);
}

/* One hash over everything that an epoch gives from batch `from` on. */
static uint64_t hash_epoch(Loader *loader, const Case *test, uint32_t epoch, uint32_t from)
{
    const size_t size = (size_t)test->batch * image_size(test);
    uint64_t hash = 1;
    Batch batch;
    loader_start(loader, epoch, from);
    while (loader_next(loader, &batch)) {
        for (size_t i = 0; i < size; i++) {
            const size_t c = i / ((size_t)test->height * (size_t)test->width) % (size_t)test->channels;
            if (batch.images[i] < -means[c] / stds[c] - 1e-5f || batch.images[i] > (1 - means[c]) / stds[c] + 1e-5f)
                fail_msg("a pixel of %g: out of the range of bytes", (double)batch.images[i]);
            uint32_t bits;
            memcpy(&bits, &batch.images[i], sizeof bits);
            hash = random_mix(hash ^ bits);
        }
        for (int i = 0; i < test->batch; i++) {
            uint32_t share = 0;
            if (batch.others)
                memcpy(&share, &batch.shares[i], sizeof share);
            hash = random_mix(hash ^ batch.labels[i] ^ (batch.others ? 1024u + batch.others[i] : 0) ^ (uint64_t)share << 20);
        }
    }
    return hash;
}

/* Two and five threads give the batches of one, also when they begin in mid-epoch with others under way. */
static void test_any_threads(void **state)
{
    (void)state;
    static const char *const pipelines[] = {
        "crop:4 hflip", "crop:3 hflip:0.3", "hflip:0.7 crop:2@0.5", "crop:4 hflip mixup:0.4", "randaugment:9,2,0.5 erase:0.5,pixel mixup@0.5",
        "crop cutmix hflip:0.2 mixup", "augmix blur noise trivialaugment jitter:0.3,0.1",
    };
    const Case *test = &(const Case){ .count = 61, .channels = 3, .height = 9, .width = 21, .batch = 3, .training = true };
    Dataset data = dataset_make(test);
    for (size_t p = 0; p < sizeof pipelines / sizeof *pipelines; p++) {
        LoaderOptions options = options_of(test);
        Error error;
        if (!pipeline_parse(pipelines[p], &options.pipeline, &error))
            fail_msg("%s", error.text);
        Loader *one = loader_new(&data, &options);
        for (options.threads = 2; options.threads <= 5; options.threads += 3) {
            Loader *many = loader_new(&data, &options);
            for (uint32_t from = 0; from <= loader_batches(one); from++) {
                Batch batch;
                loader_start(many, 7, from / 2);
                for (uint32_t b = 0; b < from % 4; b++)
                    loader_next(many, &batch);
                if (hash_epoch(many, test, from % 3, from) != hash_epoch(one, test, from % 3, from))
                    fail_msg("%s: %d threads give other batches from batch %u on", pipelines[p], options.threads, from);
            }
            loader_free(many);
        }
        assert_true(hash_epoch(one, test, 0, 0) != hash_epoch(one, test, 1, 0));
        loader_free(one);
    }
    dataset_drop(&data);
}

/* ---- a system that gives no more threads ---- */

static int threads_left = -1;      /* that a loader may start; -1: any number */

/* Stands before the C library's. OpenMP's own threads have attributes, a loader's have none. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
    if (!attributes && threads_left == 0)
        return EAGAIN;
    threads_left -= !attributes && threads_left > 0;
    return create(thread, attributes, run, argument);
}

/* Whatever threads could be started, the batches are those of five. */
static void test_threads_that_do_not_start(void **state)
{
    (void)state;
    const Case *test = &(const Case){ .count = 61, .channels = 3, .height = 9, .width = 21, .batch = 3, .training = true };
    static const char *const pipelines[] = { "crop:4 hflip", "randaugment:9,2,0.5 erase:0.5,pixel mixup@0.5" };
    Dataset data = dataset_make(test);
    for (size_t p = 0; p < sizeof pipelines / sizeof *pipelines; p++) {
        LoaderOptions options = options_of(test);
        Error error;
        assert_true(pipeline_parse(pipelines[p], &options.pipeline, &error));
        options.threads = 5;
        Loader *all = loader_new(&data, &options);
        assert_int_equal(loader_threads(all), 5);
        for (int started = 0; started < 5; started++) {
            threads_left = started;
            Loader *some = loader_new(&data, &options);
            threads_left = -1;
            assert_int_equal(loader_threads(some), started);
            for (uint32_t from = 0; from <= loader_batches(all); from++) {
                Batch batch;
                loader_start(some, 7, from / 2);
                for (uint32_t b = 0; b < from % 4; b++)
                    loader_next(some, &batch);
                if (hash_epoch(some, test, from % 3, from) != hash_epoch(all, test, from % 3, from))
                    fail_msg("%s: %d of 5 threads give other batches from batch %u on", pipelines[p], started, from);
            }
            loader_free(some);
        }
        loader_free(all);
    }
    dataset_drop(&data);
}

/* A run says it once a loader, and leaves the same bytes. */
static void test_run_without_threads(void **state)
{
    (void)state;
    char whole[256], alone[256];
    Error error;
    scratch_path(whole, scratch_folder, "whole");
    scratch_path(alone, scratch_folder, "alone");
    for (int i = 0; i < 2; i++) {
        Seen seen = { 0 };
        TrainerOptions options = tiny_options("lenet", i ? alone : whole, &seen);
        options.epochs = 1;
        options.loader_threads = 3;
        threads_left = i ? 2 : -1;      /* two of three for training, and then none */
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, i ? "alone" : "whole");
        threads_left = -1;
        assert_int_equal(strstr(seen.notes, "2 of 3 threads that make batches for training") != NULL, i);
        assert_int_equal(strstr(seen.notes, "0 of 1 threads that make batches for validation") != NULL, i);
    }
    tiny_expect_same(whole, alone, "last.safetensors");
}

/* ---- threads and their caller ---- */

static void wait_a_little(void)
{
    const struct timespec time = { .tv_nsec = 20000000 };
    nanosleep(&time, NULL);
}

/* The threads run ahead, but not into the batch that the caller holds. */
static void test_held_batch(void **state)
{
    (void)state;
    const Case *test = &cases[7];
    Dataset data = dataset_make(test);
    LoaderOptions options = options_of(test);
    options.threads = 2;
    Loader *loader = loader_new(&data, &options);
    const size_t bytes = (size_t)test->batch * image_size(test) * sizeof(float);
    float *copy = allocate(1, bytes, "a batch");
    Batch batch;
    loader_start(loader, 0, 0);
    while (loader_next(loader, &batch)) {
        memcpy(copy, batch.images, bytes);
        wait_a_little();
        assert_memory_equal(copy, batch.images, bytes);
    }
    free(copy);
    loader_free(loader);
    dataset_drop(&data);
}

static void test_free_any_time(void **state)
{
    (void)state;
    Dataset data = dataset_make(&cases[0]);
    LoaderOptions options = options_of(&cases[0]);
    loader_free(NULL);
    for (uint32_t taken = 0; taken < 40; taken++) {
        options.threads = 1 + (int)taken % 3;
        Loader *loader = loader_new(&data, &options);
        Batch batch;
        if (taken)
            loader_start(loader, taken, 0);
        for (uint32_t b = 0; b < taken % 5; b++)
            loader_next(loader, &batch);
        loader_free(loader);
    }
    dataset_drop(&data);
}

/* The mask of blocked signals of every thread but this one. */
static void test_signals_blocked(void **state)
{
    (void)state;
    Dataset data = dataset_make(&cases[0]);
    const LoaderOptions options = options_of(&cases[0]);
    Loader *loader = loader_new(&data, &options);
    DIR *threads = opendir("/proc/self/task");
    assert_non_null(threads);
    int blocking = 0, all = 0;
    for (struct dirent *entry; (entry = readdir(threads));) {
        char path[300], line[128];
        unsigned long long mask = 0;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        while (fgets(line, sizeof line, file))
            if (!strncmp(line, "SigBlk:", 7))
                mask = strtoull(line + 7, NULL, 16);
        fclose(file);
        all++;
        blocking += (mask >> (SIGINT - 1) & 1) && (mask >> (SIGTERM - 1) & 1) && (mask >> (SIGHUP - 1) & 1);
    }
    closedir(threads);
    assert_true(all >= 2);
    assert_true(blocking >= 1 && blocking < all);       /* the loader's thread, but not this one */
    loader_free(loader);
    dataset_drop(&data);
}

/* Different epochs and seeds give different orders; crops reach every place and both directions. */
static void test_spread(void **state)
{
    (void)state;
    const Case test = { "spread", 60, 1, 9, 9, 60, true, true, true, 4 };
    Dataset data = dataset_make(&test);
    memset(data.images, 0, data.count * image_size(&test));
    for (uint32_t i = 0; i < data.count; i++)
        data.images[i * image_size(&test) + 4 * 9 + 4] = 255;       /* one bright pixel in the middle */
    LoaderOptions options = options_of(&test);
    Loader *loader = loader_new(&data, &options);
    bool reached[81] = { false };
    uint16_t first[MAX_COUNT];
    Batch batch;
    for (uint32_t epoch = 0; epoch < 30; epoch++) {
        loader_start(loader, epoch, 0);
        assert_true(loader_next(loader, &batch));
        for (int i = 0; i < batch.count; i++)
            for (int k = 0; k < 81; k++)
                if (batch.images[i * 81 + k] > 1)
                    reached[k] = true;
        if (epoch == 0)
            memcpy(first, batch.labels, sizeof *first * 60);
        else
            assert_memory_not_equal(first, batch.labels, sizeof *first * 60);
    }
    for (int k = 0; k < 81; k++)
        if (!reached[k])
            fail_msg("no crop puts the middle at (%d, %d)", k / 9, k % 9);
    loader_free(loader);
    dataset_drop(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_any_threads),
        cmocka_unit_test(test_threads_that_do_not_start),
        cmocka_unit_test(test_run_without_threads),
        cmocka_unit_test(test_held_batch),
        cmocka_unit_test(test_free_any_time),
        cmocka_unit_test(test_signals_blocked),
        cmocka_unit_test(test_spread),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
