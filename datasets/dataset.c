/* dataset.c - finds out what a path holds, chooses a split's images, decodes them on all cores; see dataset.h. */

#include "dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <omp.h>

#include "disk.h"
#include "file_names.h"
#include "formats.h"
#include "names.h"
#include "shared_images.h"
#include "sizes.h"
#include "text.h"

static const char DEFAULT_PATH[] = "data/cifar-10-batches-bin";

const Format *const dataset_formats[FORMATS] = { &format_cifar10, &format_cifar100, &format_idx, &format_folder, &format_shapes };

void part_set_classes(Part *part, const char *const *names, int count)
{
    part->classes = count;
    part->class_names = allocate((size_t)count, sizeof *part->class_names, "class names");
    for (int i = 0; i < count; i++)
        part->class_names[i] = text_copy(names[i]);
}

static void names_free(char **names, int count)
{
    for (int i = 0; names && i < count; i++)
        free(names[i]);
    free(names);
}

/* ---- what is it? ---- */

static const Format *format_of(int root)
{
    for (int i = 0; i < FORMATS; i++)
        if (dataset_formats[i]->matches(root))
            return dataset_formats[i];
    return NULL;
}

/* Says what is there instead of data: a person mostly is one folder off. */
static bool unknown_data(int root, const char *path, Error *error)
{
    Listing listing;
    if (!listing_read(root, ".", path, &listing, error))
        return false;
    size_t images = 0;
    for (size_t i = 0; i < listing.count; i++)
        images += listing.entries[i].type == ENTRY_file && image_name(listing.entries[i].name) == NAME_image;
    if (listing.count == 0)
        error_set(error, EXIT_input, "data folder is empty: %s: put a data set there: data_batch_1.bin (CIFAR-10), train.bin "
                  "(CIFAR-100), *-ubyte (MNIST) or a folder of images for each class", name_tail(path));
    else if (images && place_of_class(path, images, error))
        ;
    else if (images)
        error_set(error, EXIT_input, "images without classes: %s holds %zu images and no folders: "
                  "make a folder for each class and move them there", name_tail(path), images);
    else if (disk_has(root, "data_batch_1") || disk_has(root, "meta"))
        error_set(error, EXIT_input, "CIFAR for Python: %s: get the binary version, cifar-10-binary.tar.gz or cifar-100-binary.tar.gz",
                  name_tail(path));
    else
        error_set(error, EXIT_input, "no data set in %s: expected data_batch_1.bin (CIFAR-10), train.bin (CIFAR-100), *-ubyte (MNIST) "
                  "or a folder of images for each class; it begins with '%s'", name_tail(path), name_tail(listing.entries[0].name));
    listing_free(&listing);
    return false;
}

static bool options_ok(const DataOptions *options, Error *error)
{
    if (!(options->val_split >= 0 && options->val_split <= 1))
        return error_set(error, EXIT_usage, "val-split %g: expected a fraction from 0 to 1", (double)options->val_split);
    if (options->side < 0 || options->side > IMAGE_MAX_SIDE)
        return error_set(error, EXIT_usage, "image size %d: expected 1 to %d", options->side, IMAGE_MAX_SIDE);
    if (options->channels != 0 && options->channels != 1 && options->channels != 3)
        return error_set(error, EXIT_usage, "%d channels: expected 1 (grey) or 3 (RGB)", options->channels);
    return true;
}

const char *dataset_default_path(void)
{
    return access(DEFAULT_PATH, F_OK) == 0 ? DEFAULT_PATH : "shapes";
}

/* A name that people type for a set, where there is no such folder. The error is filled. */
static bool missing_data(const char *path, Error *error)
{
    NameSearch search = { .wrong = path };
    names_consider(&search, "shapes", NULL);
    if (search.count)
        return error_set(error, EXIT_input, "no such folder: %s: did you mean shapes, which the program draws itself?", name_tail(path));
    if (names_match("cifar10 cifar100 mnist fashionmnist kmnist emnist", path, strlen(path)))
        return error_set(error, EXIT_input, "no such folder: %s: --data takes a folder with the set's files, and fetches nothing: "
                         "download the set first (CIFAR: its binary version)", name_tail(path));
    return false;
}

static bool is_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && !S_ISDIR(about.st_mode);
}

/* Fills part->format, path and root. */
static bool part_find(Part *part, const DataOptions *options, Error *error)
{
    const char *path = options->path && *options->path ? options->path : dataset_default_path();
    *part = (Part){ .options = options, .path = path, .root = -1 };
    if (!strcmp(path, "shapes")) {
        part->path = "";
        part->format = &format_shapes;
        return true;
    }
    part->root = disk_folder(path, error);
    if (part->root < 0)
        return is_file(path) ? place_of_file(path, error) : missing_data(path, error);
    part->format = format_of(part->root);
    if (part->format == &format_folder && !place_holds_data(part->root) && place_below(part->root, path, error)) {
        part->format = NULL;
        return false;
    }
    return part->format || unknown_data(part->root, path, error);
}

static void part_close(Part *part)
{
    if (part->format)
        part->format->close(part);
    if (part->root >= 0)
        close(part->root);
    names_free(part->class_names, part->classes);
    free(part->notes);
    free(part->labels);
}

/* ---- is it what is wanted? ---- */

/* For messages. */
static const char *place_of(const Part *part)
{
    return *part->path ? name_tail(part->path) : part->format->kind;
}

static bool classes_agree(const Part *part, Error *error)
{
    const DataOptions *options = part->options;
    if (!options->class_names)
        return true;
    if (part->classes != options->classes)
        return error_set(error, EXIT_input, "classes differ: %s has %d, the checkpoint has %d: use the data it was trained on",
                         place_of(part), part->classes, options->classes);
    for (int i = 0; i < part->classes; i++)
        if (strcmp(part->class_names[i], options->class_names[i]) != 0)
            return error_set(error, EXIT_input, "classes differ: class %d is '%s' in %s and '%s' in the checkpoint: use the data it was "
                             "trained on", i, name_tail(part->class_names[i]), place_of(part),
                             name_tail(options->class_names[i]));
    return true;
}

/* Bytes of all images, if the machine can hold them: better refused than killed. */
static bool memory_ok(const Part *part, uint32_t count, ImageSize size, Error *error)
{
    size_t bytes;
    const int64_t dims[] = { count, size.channels, size.height, size.width };
    const size_t memory = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    if (size_of_dims(dims, 4, 1, &bytes) && bytes <= memory)
        return true;
    return error_set(error, EXIT_memory, "out of memory: %u images of %dx%dx%d from %s need %.1f GB, the machine has %.1f: "
                     "use fewer or smaller images", count, size.channels, size.height, size.width, place_of(part),
                     (double)count * size.channels * size.height * size.width * 1e-9, (double)memory * 1e-9);
}

/* ---- decoding ---- */

/* images[i] is image chosen[i]; bad[i] if it cannot be read. Returns how many are bad. */
static uint32_t decode_all(const Part *part, const uint32_t *chosen, Dataset *dataset, bool *bad)
{
    const ImageSize size = { dataset->channels, dataset->height, dataset->width };
    const size_t bytes = (size_t)size.channels * (size_t)size.height * (size_t)size.width;
    const int threads = part->options->threads > 0 ? part->options->threads : omp_get_num_procs();
    uint32_t first, last;
    shared_images_range(dataset, part->options->ranks, &first, &last);
    #pragma omp parallel for num_threads(threads) schedule(dynamic, 16)
    for (uint32_t i = first; i < last; i++)
        bad[i] = !part->format->load(part, chosen[i], size, dataset->images + i * bytes, NULL);
    return shared_images_collect(dataset, part->options->ranks, bad);
}

/* Why image `index` cannot be read: it is tried once more. reader: the rank that could not. */
static Error damage_of(const Part *part, uint32_t index, int reader)
{
    Error error;
    char *name = part->format->name(part, index);
    if (ranks_count(part->options->ranks) > 1)
        error_set(&error, EXIT_input, "image that rank %d cannot read: %s: look at that machine's copy, or start again", reader, name_tail(name));
    else
        error_set(&error, EXIT_input, "image changed while it was read: %s: start again", name_tail(name));
    uint8_t *planes = allocate((size_t)part->size.channels * (size_t)part->size.height, (size_t)part->size.width, "an image");
    part->format->load(part, index, part->size, planes, &error);
    free(planes);
    free(name);
    return error;
}

typedef struct Damage {
    uint32_t count, limit, total;   /* of images; total: of the whole data set */
    NameList names;
    Error    first;                 /* the first one's trouble */
} Damage;

static uint32_t damage_limit(uint32_t total)
{
    return total / 100 + (total % 100 != 0);
}

static Damage damage_read(const Part *part, const uint32_t *chosen, const bool *bad, uint32_t count)
{
    const uint32_t total = part->total > part->count ? part->total : part->count;
    Damage damage = { .limit = damage_limit(total), .total = total };
    for (uint32_t i = 0; i < count; i++) {
        if (!bad[i])
            continue;
        char *name = part->format->name(part, chosen[i]);
        name_list_add(&damage.names, name);
        free(name);
        if (damage.count++ == 0)
            damage.first = damage_of(part, chosen[i], shared_images_reader(part->options->ranks, count, i));
    }
    return damage;
}

/* One line: how many, the names of the first ones, and the first one's trouble. */
static void damaged_error(const Damage *damage, const DataOptions *options, uint32_t count, Error *error)
{
    const uint32_t before = options->skipped_before;
    if (options->skip_bad)
        error_set(error, EXIT_input, "%u of %u images are damaged: %s%s: --skip-bad is on and skips up to %u of the data set's %u "
                  "(1%%, rounded up)%s: remove or replace them; the first: %.250s", damage->count, count, damage->names.first,
                  name_list_more(&damage->names), damage->limit, damage->total, before ? ", other parts' counted" : "",
                  damage->first.text);
    else if (damage->count == 1)
        error_set(error, EXIT_input, "%.900s", damage->first.text);
    else
        error_set(error, EXIT_input, "%u of %u images are damaged: %s%s: remove or replace them, or let --skip-bad skip up to 1%% of "
                  "the data set; the first: %.300s", damage->count, count, damage->names.first, name_list_more(&damage->names),
                  damage->first.text);
}

/* Closes the gaps that damaged images leave. */
static void drop_damaged(Dataset *dataset, const bool *bad)
{
    const size_t bytes = (size_t)dataset->channels * (size_t)dataset->height * (size_t)dataset->width;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < dataset->count; i++) {
        if (bad[i])
            continue;
        if (kept == i) {
            kept++;
            continue;
        }
        memcpy(dataset->images + kept * bytes, dataset->images + i * bytes, bytes);
        if (dataset->names) {
            free(dataset->names[kept]);
            dataset->names[kept] = dataset->names[i];
            dataset->names[i] = NULL;
        }
        dataset->labels[kept++] = dataset->labels[i];
    }
    for (uint32_t i = kept; dataset->names && i < dataset->count; i++)
        free(dataset->names[i]);
    dataset->damaged = dataset->count - kept;
    dataset->count = kept;
}

/* Whether so many may be skipped; a line about it goes to the data set or to the error. */
static bool damage_bearable(const Part *part, const uint32_t *chosen, const bool *bad, Dataset *dataset, Error *error)
{
    const Damage damage = damage_read(part, chosen, bad, dataset->count);
    if (!part->options->skip_bad || damage.count + part->options->skipped_before > damage.limit || damage.count == dataset->count) {
        damaged_error(&damage, part->options, dataset->count, error);
        return false;
    }
    dataset->skipped = text_format("%u damaged %s skipped of the data set's %u images (--skip-bad allows %u, 1%% rounded up): %s%s",
                                   damage.count, damage.count == 1 ? "image" : "images", damage.total, damage.limit,
                                   damage.names.first, name_list_more(&damage.names));
    return true;
}

/* All but the pixels. */
static Dataset *dataset_begin(Part *part, const uint32_t *chosen, uint32_t count, Error *error)
{
    const DataOptions *options = part->options;
    if (options->side)
        part->size.height = part->size.width = options->side;
    if (options->channels)
        part->size.channels = options->channels;
    if (!options->undecoded && !memory_ok(part, count, part->size, error))
        return NULL;

    Dataset *dataset = allocate(1, sizeof *dataset, "a data set");
    *dataset = (Dataset){ .kind = part->format->kind, .path = text_copy(part->path), .count = count,
                          .mirror_ok = part->format->mirror_ok, .channels = part->size.channels, .height = part->size.height, .width = part->size.width };
    if (!options->undecoded)
        dataset->images = allocate((size_t)count * (size_t)dataset->channels, (size_t)dataset->height * (size_t)dataset->width,
                                   "the images");
    dataset->labels = allocate(count, sizeof *dataset->labels, "the labels");
    for (uint32_t i = 0; i < count; i++)
        dataset->labels[i] = part->labels[chosen[i]];
    if (options->named)
        dataset->names = allocate(count, sizeof *dataset->names, "the images' names");
    for (uint32_t i = 0; options->named && i < count; i++)
        dataset->names[i] = part->format->name(part, chosen[i]);
    return dataset;
}

/* The pixels; it takes over what is left of the part. */
static bool dataset_decode(Part *part, const uint32_t *chosen, Dataset *dataset, Error *error)
{
    bool *bad = allocate(dataset->count, sizeof *bad, "a data set");
    const uint32_t failures = part->options->undecoded ? 0 : decode_all(part, chosen, dataset, bad);
    const bool good = failures == 0 || damage_bearable(part, chosen, bad, dataset, error);
    if (good && failures)
        drop_damaged(dataset, bad);
    free(bad);
    if (!good)
        return false;
    dataset->classes = part->classes;
    dataset->class_names = part->class_names;
    part->class_names = NULL;
    dataset->mirror_ok = dataset->mirror_ok && (part->options->undecoded || !dataset_shows_characters(dataset));
    dataset->notes = part->notes;
    part->notes = NULL;
    return true;
}

Dataset *dataset_open(const DataOptions *options, Split split, Error *error)
{
    Part part = { .root = -1 };
    SplitSource source;
    Dataset *dataset = NULL;
    uint32_t *chosen = NULL;
    if (options_ok(options, error) && part_find(&part, options, error) &&
        split_source(part.format, part.path, part.root, options, split, &source, error) &&
        part.format->open(&part, source.part, error) && classes_agree(&part, error)) {
        uint32_t count;
        chosen = allocate(part.count, sizeof *chosen, "a split");
        if (split_choose(&part, source.share, chosen, &count, error))
            dataset = dataset_begin(&part, chosen, count, error);
        if (dataset)
            dataset->split = source.share == SHARE_held_out ? SPLIT_val : source.part;
        if (dataset && source.share == SHARE_held_out)
            dataset->held_out = split_held_out(&part);
    }
    if (!ranks_agree(options->ranks, dataset != NULL, error) || !shared_images_agree(dataset, part.class_names, part.classes, options->ranks, error) ||
        !dataset_decode(&part, chosen, dataset, error)) {
        dataset_free(dataset);
        dataset = NULL;
    }
    free(chosen);
    part_close(&part);
    return dataset;
}

void dataset_free(Dataset *dataset)
{
    if (!dataset)
        return;
    names_free(dataset->class_names, dataset->classes);
    names_free(dataset->names, (int)dataset->count);
    free(dataset->path);
    free(dataset->held_out);
    free(dataset->notes);
    free(dataset->skipped);
    free(dataset->images);
    free(dataset->labels);
    free(dataset);
}
