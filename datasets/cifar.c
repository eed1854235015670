/* cifar.c - CIFAR-10 and CIFAR-100 in their binary version (Krizhevsky, 2009, "Learning Multiple Layers of Features").
 *
 *   CIFAR-10    a record is 1 label byte + 3 x 32 x 32 pixels = 3073 bytes; data_batch_1.bin .. data_batch_5.bin, test_batch.bin
 *   CIFAR-100   a record is 1 coarse label, 1 fine label + the pixels = 3074 bytes; train.bin, test.bin; the fine label is used
 *
 * Records have no signature: size and every label are checked. Images are read from the open files when they are chosen. */

#include "formats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "text.h"

enum { SIDE = 32, PIXELS = 3 * SIDE * SIDE, CHUNK = 256, FILES = 5 };
static const size_t FILE_LIMIT = (size_t)1 << 32;

typedef struct CifarKind {
    const char *title;
    const char *files[3][FILES + 1];            /* of each split, up to the first NULL */
    int         label_bytes;                    /* the last one is the class */
    int         coarse, classes;                /* labels are below these */
    const char *names_file;                     /* a name a line */
    const char *const *names;                   /* where that file is missing */
    const char *hint;                           /* when the size does not fit */
} CifarKind;

static const char *const names10[] = {
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
};

static const char *const names100[] = {
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
    "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
    "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
    "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
};
_Static_assert(sizeof names10 / sizeof *names10 == 10 && sizeof names100 / sizeof *names100 == 100, "a name for each class");

static const CifarKind cifar10 = {
    .title = "CIFAR-10",
    .files = {
        [SPLIT_train] = { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin" },
        [SPLIT_test] = { "test_batch.bin" },
    },
    .label_bytes = 1, .classes = 10, .names_file = "batches.meta.txt", .names = names10,
    .hint = "CIFAR-100, whose files are train.bin and test.bin",
};

static const CifarKind cifar100 = {
    .title = "CIFAR-100",
    .files = { [SPLIT_train] = { "train.bin" }, [SPLIT_test] = { "test.bin" } },
    .label_bytes = 2, .coarse = 20, .classes = 100, .names_file = "fine_label_names.txt", .names = names100,
    .hint = "CIFAR-10, whose files are data_batch_1.bin and so on",
};

typedef struct CifarFile {
    const char *name;
    int         file;
    uint32_t    first, count;       /* records */
} CifarFile;

typedef struct Cifar {
    const CifarKind *kind;
    CifarFile        files[FILES];
    int              count;
} Cifar;

static size_t record_size(const CifarKind *kind)
{
    return (size_t)kind->label_bytes + PIXELS;
}

static bool cifar_has(const CifarKind *kind, int root, Split split)
{
    for (const char *const *name = kind->files[split]; *name; name++)
        if (disk_has(root, *name))
            return true;
    return false;
}

static bool cifar_size_ok(const CifarKind *kind, const char *shown, size_t size, Error *error)
{
    const size_t record = record_size(kind), other = record == PIXELS + 1 ? PIXELS + 2 : PIXELS + 1;
    if (size == 0)
        return error_set(error, EXIT_input, "%s file is empty: %s: download it again", kind->title, name_tail(shown));
    if (size % record == 0)
        return true;
    if (size % other == 0)
        return error_set(error, EXIT_input, "size %zu is not a multiple of %zu but of %zu: %s: this looks like %s",
                         size, record, other, name_tail(shown), kind->hint);
    return error_set(error, EXIT_input,
                     "size %zu is not a multiple of %zu: %s has %zu whole %s records and %zu bytes more: it is truncated "
                     "or something else; download it again",
                     size, record, name_tail(shown), size / record, kind->title, size % record);
}

static bool cifar_label_ok(const CifarKind *kind, const uint8_t *record, uint32_t index, const char *shown, Error *error)
{
    for (int i = 0; i < kind->label_bytes; i++) {
        const bool fine = i == kind->label_bytes - 1;
        const int bound = fine ? kind->classes : kind->coarse;
        if (record[i] >= bound)
            return error_set(
                error, EXIT_input,
                "%slabel %d out of range 0..%d: %s, record %u (byte %zu): it is not %s or is damaged; download it again",
                fine ? "" : "coarse ", record[i], bound - 1, name_tail(shown), index,
                (size_t)index * record_size(kind) + (size_t)i, kind->title);
    }
    return true;
}

/* Appends the labels of one open file to part->labels. */
static bool cifar_read_labels(Part *part, const CifarKind *kind, const CifarFile *file, const char *shown, Error *error)
{
    const size_t record = record_size(kind);
    uint8_t *chunk = allocate(CHUNK, record, "records");
    bool good = true;
    for (uint32_t i = 0; i < file->count && good; i += CHUNK) {
        const uint32_t count = file->count - i < CHUNK ? file->count - i : CHUNK;
        good = disk_read(file->file, chunk, count * record, i * record, shown, error);
        for (uint32_t j = 0; j < count && good; j++) {
            good = cifar_label_ok(kind, chunk + j * record, i + j, shown, error);
            part->labels[file->first + i + j] = chunk[j * record + (size_t)kind->label_bytes - 1];
        }
    }
    free(chunk);
    return good;
}

static bool cifar_open_file(Part *part, Cifar *cifar, const char *name, const char *shown, Error *error)
{
    size_t size;
    CifarFile *file = &cifar->files[cifar->count];
    file->name = name;
    file->file = disk_open(part->root, name, shown, FILE_LIMIT, &size, error);
    if (file->file < 0)
        return false;
    cifar->count++;
    if (!cifar_size_ok(cifar->kind, shown, size, error))
        return false;
    file->first = part->count;
    file->count = (uint32_t)(size / record_size(cifar->kind));
    Section *section = &part->sections[part->section_count++];
    *section = (Section){ .first = file->first, .count = file->count };
    snprintf(section->name, sizeof section->name, "%.*s", (int)strcspn(name, "."), name);
    part->count += file->count;
    return true;
}

/* The names file is optional; if it is there it must be right. */
static bool cifar_read_names(Part *part, const CifarKind *kind, Error *error)
{
    if (!disk_has(part->root, kind->names_file)) {
        part_set_classes(part, kind->names, kind->classes);
        return true;
    }
    size_t size;
    char *shown = path_join(part->path, kind->names_file);
    char *text = (char *)disk_read_all(part->root, kind->names_file, shown, 1 << 16, &size, error);
    const char *names[100];
    int count = 0;
    bool good = text != NULL;
    char *rest = text;
    for (char *line; good && (line = strsep(&rest, "\r\n"));) {
        if (!*line)
            continue;
        if (!text_is_printable(line))
            good = error_set(error, EXIT_input, "class name is not printable UTF-8: %s, name %d: correct it or remove the file",
                             name_tail(shown), count + 1);
        else if (count < kind->classes)
            names[count] = line;
        for (int i = 0; good && i < count && count < kind->classes; i++)
            if (!strcmp(names[i], line))
                good =
                    error_set(error, EXIT_input, "class name twice: %s: names %d and %d are '%s': correct it or remove the file",
                              name_tail(shown), i + 1, count + 1, line);
        count++;
    }
    if (good && count != kind->classes)
        good = error_set(error, EXIT_input, "%d class names, expected %d: %s: correct it or remove the file", count,
                         kind->classes, name_tail(shown));
    if (good)
        part_set_classes(part, names, count);
    free(text);
    free(shown);
    return good;
}

/* Of ten thousand images less nothing else tells. */
static void note_missing(Part *part, const char *name)
{
    char *longer = text_format("%s%s%s", part->notes ? part->notes : "; without ", part->notes ? ", " : "", name);
    free(part->notes);
    part->notes = longer;
}

static bool cifar_open(Part *part, const CifarKind *kind, Split split, Error *error)
{
    Cifar *cifar = part->state = allocate(1, sizeof *cifar, "a data set");
    cifar->kind = kind;
    part->size = (ImageSize){ 3, SIDE, SIDE };
    bool good = cifar_read_names(part, kind, error);
    for (const char *const *name = kind->files[split]; *name && good; name++)
        if (disk_has(part->root, *name)) {
            char *shown = path_join(part->path, *name);
            good = cifar_open_file(part, cifar, *name, shown, error);
            free(shown);
        } else
            note_missing(part, *name);
    if (!good)
        return false;
    part->labels = allocate(part->count, sizeof *part->labels, "labels");
    for (int i = 0; i < cifar->count && good; i++) {
        char *shown = path_join(part->path, cifar->files[i].name);
        good = cifar_read_labels(part, kind, &cifar->files[i], shown, error);
        free(shown);
    }
    return good;
}

static void cifar_close(Part *part)
{
    Cifar *cifar = part->state;
    for (int i = 0; cifar && i < cifar->count; i++)
        close(cifar->files[i].file);
    free(cifar);
}

static const CifarFile *file_of(const Cifar *cifar, uint32_t index)
{
    const CifarFile *file = cifar->files;
    while (index - file->first >= file->count)
        file++;
    return file;
}

static bool cifar_load(const Part *part, uint32_t index, ImageSize wanted, uint8_t *planes, Error *error)
{
    const Cifar *cifar = part->state;
    const CifarFile *file = file_of(cifar, index);
    const size_t offset = (index - file->first) * record_size(cifar->kind) + (size_t)cifar->kind->label_bytes;
    if (wanted.channels == 3 && wanted.height == SIDE && wanted.width == SIDE && image_scaled_side(SIDE, part->options->fit) == SIDE)
        return disk_read(file->file, planes, PIXELS, offset, file->name, error);
    uint8_t pixels[PIXELS];
    if (!disk_read(file->file, pixels, PIXELS, offset, file->name, error))
        return false;
    const Image image = { .size = { 3, SIDE, SIDE }, .pixels = pixels, .pixel_step = 1, .plane_step = SIDE * SIDE };
    image_fit(&image, wanted, part->options->fit, planes);
    return true;
}

static char *cifar_name(const Part *part, uint32_t index)
{
    const CifarFile *file = file_of(part->state, index);
    char name[64];
    snprintf(name, sizeof name, "%s, record %u", file->name, index - file->first);
    return path_join(part->path, name);
}

static bool cifar10_has(int root, Split split)
{
    return cifar_has(&cifar10, root, split);
}

static bool cifar10_matches(int root)
{
    return cifar10_has(root, SPLIT_train) || cifar10_has(root, SPLIT_test);
}

static bool cifar10_open(Part *part, Split split, Error *error)
{
    return cifar_open(part, &cifar10, split, error);
}

static bool cifar100_has(int root, Split split)
{
    return cifar_has(&cifar100, root, split);
}

static bool cifar100_matches(int root)
{
    return cifar100_has(root, SPLIT_train) || cifar100_has(root, SPLIT_test);
}

static bool cifar100_open(Part *part, Split split, Error *error)
{
    return cifar_open(part, &cifar100, split, error);
}

const Format format_cifar10 = {
    .kind = "cifar10", .title = "CIFAR-10", .mirror_ok = true, .matches = cifar10_matches, .has = cifar10_has,
    .open = cifar10_open, .close = cifar_close, .load = cifar_load, .name = cifar_name,
};

const Format format_cifar100 = {
    .kind = "cifar100", .title = "CIFAR-100", .mirror_ok = true, .matches = cifar100_matches, .has = cifar100_has,
    .open = cifar100_open, .close = cifar_close, .load = cifar_load, .name = cifar_name,
};
