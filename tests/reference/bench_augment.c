/* bench_augment.c - how fast a pipeline is: images/s that a loader gives of the built-in set, 32 x 32 x 3.
 *
 *     cmake --build build --target bench_augment
 *     build/bench_augment "crop:4 hflip randaugment erase:0.25,pixel mixup:0.2" [WORKERS [SIDE]]
 *
 * Batches of 128 are taken as fast as they come, for a second at least; the best of five such runs is printed, by the clock and by
 * the time that the processor worked, which a busy machine changes little. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "loader.h"

typedef struct Rate { double by_clock, by_work; } Rate;

static Rate images_per_second(Loader *loader, int batch)
{
    double images = 0, seconds = 0;
    const double begin = seconds_now();
    const clock_t worked = clock();
    for (uint32_t epoch = 0; seconds < 1; epoch++) {
        Batch taken;
        loader_start(loader, epoch, 0);
        while (loader_next(loader, &taken))
            images += batch;
        seconds = seconds_now() - begin;
    }
    return (Rate){ images / seconds, images * CLOCKS_PER_SEC / (double)(clock() - worked) };
}

int main(int argc, char **argv)
{
    Error error;
    LoaderOptions options = { .batch = 128, .training = true, .threads = argc > 2 ? atoi(argv[2]) : 1 };
    const DataOptions wanted = { .path = "shapes", .limit = 5120, .side = argc > 3 ? atoi(argv[3]) : 0 };
    if (argc < 2 || !pipeline_parse(argv[1], &options.pipeline, &error))
        return fprintf(stderr, "usage: bench_augment STEPS [WORKERS [SIDE]]%s%s\n", argc < 2 ? "" : ": ", argc < 2 ? "" : error.text), 2;
    Dataset *data = dataset_open(&wanted, SPLIT_train, &error);
    if (!data)
        return fprintf(stderr, "%s\n", error.text), 3;
    dataset_statistics(data, options.mean, options.std);
    Loader *loader = loader_new(data, &options);
    Rate best = { 0, 0 };
    for (int run = 0; run < 5; run++) {
        const Rate rate = images_per_second(loader, options.batch);
        best.by_clock = rate.by_clock > best.by_clock ? rate.by_clock : best.by_clock;
        best.by_work = rate.by_work > best.by_work ? rate.by_work : best.by_work;
    }
    printf("%-72s %d workers %9.0f images/s %9.0f images/s of a core\n", argv[1], options.threads, best.by_clock, best.by_work);
    loader_free(loader);
    dataset_free(data);
    return 0;
}
