/* statistics.c - what a data set is, in a line and in numbers; see dataset.h. */

#include "dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "disk.h"
#include "formats.h"
#include "file_names.h"
#include "random.h"
#include "text.h"

typedef struct Folded {
    char *text;
    int   class;
} Folded;

static int compare_folded(const void *a, const void *b)
{
    const int order = strcmp(((const Folded *)a)->text, ((const Folded *)b)->text);
    return order ? order : ((const Folded *)a)->class - ((const Folded *)b)->class;
}

/* Two classes that look the same, or that some file systems could not tell apart, are worth a word. */
static void describe_twins(const Dataset *dataset, char *text, size_t size)
{
    char first[160], second[160];
    Folded *folded = allocate((size_t)dataset->classes, sizeof *folded, "class names");
    for (int i = 0; i < dataset->classes; i++)
        folded[i] = (Folded){ dataset->class_names ? name_folded(dataset->class_names[i]) : text_copy(""), i };
    qsort(folded, (size_t)dataset->classes, sizeof *folded, compare_folded);
    *text = '\0';
    for (int i = 0; i + 1 < dataset->classes && dataset->class_names && !*text; i++) {
        if (strcmp(folded[i].text, folded[i + 1].text) != 0)
            continue;
        const char *a = dataset->class_names[folded[i].class], *b = dataset->class_names[folded[i + 1].class];
        name_bytes(name_tail(a), first, sizeof first);
        name_bytes(name_tail(b), second, sizeof second);
        snprintf(text, size, "; warning: classes '%s' and '%s' %s", first, second,
                 !strcasecmp(a, b) ? "differ in upper and lower case only" :
                 "look the same: their letters are composed otherwise, or differ in case only");
    }
    for (int i = 0; i < dataset->classes; i++)
        free(folded[i].text);
    free(folded);
}

void dataset_describe(const Dataset *dataset, char *text, size_t size)
{
    const char *title = dataset->kind;
    for (int i = 0; i < FORMATS; i++)
        if (!strcmp(dataset_formats[i]->kind, dataset->kind))
            title = dataset_formats[i]->title;
    char twins[480];
    describe_twins(dataset, twins, sizeof twins);
    snprintf(text, size, "%s%s%s: %u images of %dx%dx%d in %d classes%s%s%s%s%s", title, *dataset->path ? " in " : "",
             name_tail(dataset->path),
             dataset->count, dataset->channels, dataset->height, dataset->width, dataset->classes, twins,
             dataset->skipped ? "; " : "", dataset->skipped ? dataset->skipped : "", dataset->notes ? dataset->notes : "",
             strcmp(dataset->kind, format_shapes.kind) ? "" : "; for CIFAR-10, unpack "
             "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz in data/");
}

void dataset_histogram(const Dataset *dataset, uint32_t *counts)
{
    memset(counts, 0, (size_t)dataset->classes * sizeof *counts);
    for (uint32_t i = 0; i < dataset->count; i++)
        counts[dataset->labels[i]]++;
}

/* Sum and sum of squares; exact, so that the order of adding does not matter. */
static void add_plane(const uint8_t *plane, size_t pixels, uint64_t *sum, uint64_t *squares)
{
    enum { RUN = 65536 };      /* 65536 x 255^2 still fits 32 bits, which vectorises */
    for (size_t from = 0; from < pixels; from += RUN) {
        const size_t end = from + RUN < pixels ? from + RUN : pixels;
        uint32_t run_sum = 0, run_squares = 0;
        for (size_t i = from; i < end; i++) {
            run_sum += plane[i];
            run_squares += (uint32_t)(plane[i] * plane[i]);
        }
        *sum += run_sum;
        *squares += run_squares;
    }
}

void dataset_statistics(const Dataset *dataset, float *mean, float *std)
{
    const size_t pixels = (size_t)dataset->height * (size_t)dataset->width;
    for (int c = 0; c < dataset->channels; c++) {
        uint64_t sum = 0, squares = 0;
        #pragma omp parallel for schedule(static) reduction(+ : sum, squares)
        for (uint32_t i = 0; i < dataset->count; i++)
            add_plane(dataset->images + ((size_t)i * (size_t)dataset->channels + (size_t)c) * pixels, pixels, &sum, &squares);
        const double count = (double)dataset->count * (double)pixels;
        const double average = (double)sum / count;
        const double variance = (double)squares / count - average * average;
        mean[c] = (float)(average / 255);
        std[c] = variance > 1e-6 ? (float)(sqrt(variance) / 255) : 1.0f;
    }
}

/* Four independent lanes of 8 bytes, mixed at the end: as fast as memory. */
static uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t size)
{
    enum { LANES = 4 };
    static const uint64_t FACTOR = 0x9E3779B97F4A7C15u;
    const uint8_t *at = bytes;
    uint64_t lanes[LANES] = { seed, seed + 1, seed + 2, seed + 3 };
    size_t left = size;
    for (; left; at += sizeof lanes) {
        uint64_t words[LANES] = {0};
        const size_t taken = left < sizeof words ? left : sizeof words;
        memcpy(words, at, taken);
        left -= taken;
        for (int i = 0; i < LANES; i++) {
            const uint64_t product = (lanes[i] ^ words[i]) * FACTOR;
            lanes[i] = product ^ product >> 32;
        }
    }
    uint64_t hash = size;
    for (int i = 0; i < LANES; i++)
        hash = random_mix(hash ^ lanes[i]);
    return hash;
}

uint64_t dataset_hash(const Dataset *dataset)
{
    const int32_t sizes[] = { (int32_t)dataset->count, dataset->channels, dataset->height, dataset->width, dataset->classes };
    const size_t pixels = (size_t)dataset->count * (size_t)dataset->channels * (size_t)dataset->height * (size_t)dataset->width;
    uint64_t hash = hash_bytes(0, sizes, sizeof sizes);
    hash = hash_bytes(hash, dataset->labels, dataset->count * sizeof *dataset->labels);
    return hash_bytes(hash, dataset->images, pixels);
}
