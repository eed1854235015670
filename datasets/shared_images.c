/* shared_images.c - see shared_images.h. */

#include "shared_images.h"

#include "random.h"

#include <stdlib.h>
#include <string.h>

void shared_images_range(const Dataset *dataset, const Ranks *ranks, uint32_t *first, uint32_t *last)
{
    *first = (uint32_t)ranks_start(ranks, dataset->count, 1, ranks_rank(ranks));
    *last = (uint32_t)ranks_start(ranks, dataset->count, 1, ranks_rank(ranks) + 1);
}

int shared_images_reader(const Ranks *ranks, uint32_t count, uint32_t image)
{
    int rank = 0;
    while (ranks_start(ranks, count, 1, rank + 1) <= image)
        rank++;
    return rank;
}

typedef struct Outline {
    uint32_t count, classes;
    int32_t  channels, height, width;
    uint64_t labels;
} Outline;

static Outline outline_of(const Dataset *dataset, char *const *class_names, int classes)
{
    Outline outline = { dataset->count, (uint32_t)classes, dataset->channels, dataset->height, dataset->width, 0 };
    for (uint32_t i = 0; i < dataset->count; i++)
        outline.labels = random_mix(outline.labels + dataset->labels[i] + 1);
    for (int i = 0; i < classes; i++)
        for (const char *letter = class_names[i]; *letter; letter++)
            outline.labels = random_mix(outline.labels + (unsigned char)*letter);
    return outline;
}

static bool is_same(const Outline *a, const Outline *b)
{
    return a->count == b->count && a->classes == b->classes && a->channels == b->channels && a->height == b->height && a->width == b->width &&
           a->labels == b->labels;
}

bool shared_images_agree(const Dataset *dataset, char *const *class_names, int classes, const Ranks *ranks, Error *error)
{
    const int count = ranks_count(ranks);
    if (count == 1)
        return true;
    const Outline own = outline_of(dataset, class_names, classes);
    Outline *all = allocate((size_t)count, sizeof *all, "ranks");
    ranks_gather(ranks, &own, sizeof own, all);
    int other = 1;
    while (other < count && is_same(&all[other], &all[0]))
        other++;
    if (other < count)
        error_set(error, EXIT_peer, "ranks have other images: rank %d: %u images of %dx%dx%d in %u classes, rank 0 has %u of %dx%dx%d in %u, or they are "
                  "other files: copy --data again, or name one that all of them see", other, all[other].count, all[other].channels,
                  all[other].height, all[other].width, all[other].classes, all[0].count, all[0].channels, all[0].height, all[0].width,
                  all[0].classes);
    free(all);
    return other == count;
}

/* A block of so many bytes an image, in pieces that a message may have. */
static void collect(const Dataset *dataset, const Ranks *ranks, void *block, size_t bytes)
{
    enum { MOST = 1 << 28 };
    const int count = ranks_count(ranks);
    const size_t step = bytes < MOST ? MOST / bytes : 1;
    size_t *starts = allocate((size_t)count + 1, sizeof *starts, "ranks");
    for (size_t from = 0; from < dataset->count; from += step) {
        const size_t to = dataset->count - from < step ? dataset->count : from + step;
        for (int rank = 0; rank <= count; rank++) {
            const size_t cut = ranks_start(ranks, dataset->count, 1, rank);
            starts[rank] = cut < from ? 0 : cut > to ? to - from : cut - from;
        }
        ranks_wait(ranks, ranks->transport->collect(ranks->state, (char *)block + from * bytes, starts, bytes));
    }
    free(starts);
}

uint32_t shared_images_collect(Dataset *dataset, const Ranks *ranks, bool *bad)
{
    uint32_t failures = 0;
    if (ranks_count(ranks) > 1) {
        collect(dataset, ranks, bad, sizeof *bad);
        collect(dataset, ranks, dataset->images, (size_t)dataset->channels * (size_t)dataset->height * (size_t)dataset->width);
    }
    for (uint32_t i = 0; i < dataset->count; i++)
        failures += bad[i];
    return failures;
}
