/* idx.c - IDX files, plain or gzipped: MNIST, Fashion-MNIST, KMNIST, EMNIST.
 *
 *   images   00 00 08 03, count, height, width (4 bytes each, big-endian), then count x height x width bytes
 *   labels   00 00 08 01, count, then count bytes
 *   QMNIST's 00 00 0C 02, count, 8, then count x 8 numbers of 4 bytes, of which the first is the label
 *
 * In a folder, in capitals or not: *train-images*ubyte[.gz] and *t10k-images* or *test-images*; the labels' name has "labels"
 * for "images" and "idx1" for "idx3", or ends in "idx2-int". There are as many classes as the largest training label says; they are called 0, 1, 2, ... */

#include "formats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <zlib.h>

#include "disk.h"
#include "file_names.h"
#include "text.h"

enum { IDX_MAX_COUNT = MAX_IMAGES, IDX_MAX_SIDE = 4096, IDX_MAX_HEADER = 16, IDX_MAX_CLASSES = 256 };
static const size_t FILE_LIMIT = (size_t)1 << 30;

typedef struct Idx {
    int      rank;
    uint32_t dims[3];
    size_t   size;          /* of the data in bytes */
    uint8_t *bytes;
} Idx;

typedef enum { IDX_images, IDX_labels } IdxContent;

/* What a header may begin with after two zeros; the first row of a content is the usual one. */
typedef struct IdxKind {
    IdxContent content;
    uint8_t    type, rank;
    size_t     item;        /* bytes */
} IdxKind;

static const IdxKind kinds[] = { { IDX_images, 0x08, 3, 1 }, { IDX_labels, 0x08, 1, 1 }, { IDX_labels, 0x0C, 2, 4 } };

/* ---- one file ---- */

static uint32_t big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static size_t idx_header_size(int rank)
{
    return 4 + 4 * (size_t)rank;
}

/* The row that fits the header, NULL if none does. */
static const IdxKind *idx_kind(const uint8_t *header, IdxContent content)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].content == content && !header[0] && !header[1] && header[2] == kinds[i].type && header[3] == kinds[i].rank)
            return &kinds[i];
    return NULL;
}

static bool idx_read_header(const uint8_t *header, size_t size, IdxContent content, const char *shown, Idx *idx, Error *error)
{
    const IdxKind *kind = size < 4 ? NULL : idx_kind(header, content);
    *idx = (Idx){0};
    if (!kind)
        return error_set(error, EXIT_input,
                         "not an IDX file of %s: %s begins with %02X %02X %02X %02X, expected 00 00 08 %02X: download it again",
                         content == IDX_images ? "images" : "labels", name_tail(shown), header[0], header[1], header[2], header[3],
                         content == IDX_images ? 3 : 1);
    const int rank = kind->rank;
    *idx = (Idx){ .rank = rank, .size = kind->item };
    if (size < idx_header_size(rank))
        return error_set(error, EXIT_input, "truncated IDX file: %s has %zu bytes, its header alone has %zu: download it again",
                         name_tail(shown), size, idx_header_size(rank));
    for (int i = 0; i < rank; i++) {
        const uint32_t limit = i == 0 ? IDX_MAX_COUNT : IDX_MAX_SIDE;
        idx->dims[i] = big_endian(header + 4 + 4 * i);
        if (idx->dims[i] < 1 || idx->dims[i] > limit)
            return error_set(error, EXIT_input,
                             "IDX dimension %d is %u, expected 1 to %u: %s: the file is damaged; download it again", i,
                             idx->dims[i], limit, name_tail(shown));
        idx->size *= idx->dims[i];      /* at most 10^7 x 2^24 */
    }
    return true;
}

static bool idx_payload_ok(const Idx *idx, size_t found, const char *shown, Error *error)
{
    if (found == idx->size)
        return true;
    return error_set(error, EXIT_input, "%s IDX file: %s has %zu bytes of data, its header says %zu: download it again",
                     found < idx->size ? "truncated" : "too long an", name_tail(shown), found, idx->size);
}

static bool idx_plain(const uint8_t *bytes, size_t size, IdxContent content, const char *shown, Idx *idx, Error *error)
{
    if (!idx_read_header(bytes, size, content, shown, idx, error))
        return false;
    const size_t header = idx_header_size(idx->rank);
    if (!idx_payload_ok(idx, size - header, shown, error))
        return false;
    idx->bytes = allocate(idx->size, 1, "IDX data");
    memcpy(idx->bytes, bytes + header, idx->size);
    return true;
}

/* A gzip file may be several, one behind the other: `cat a.gz b.gz`, pigz, bgzip. */
static bool next_member(z_stream *stream)
{
    return stream->avail_in >= 2 && stream->next_in[0] == 0x1F && stream->next_in[1] == 0x8B && inflateReset(stream) == Z_OK;
}

/* Inflates up to `room` bytes; `got` is how many there were. False if the stream is damaged. */
static bool gzip_read(z_stream *stream, uint8_t *to, size_t room, size_t *got, bool *ended, const char *shown, Error *error)
{
    *got = 0;
    while (*got < room && !*ended) {
        const size_t left = room - *got;
        stream->next_out = to + *got;
        stream->avail_out = left < (1u << 30) ? (uInt)left : 1u << 30;
        const uInt before = stream->avail_out;
        const int status = inflate(stream, Z_NO_FLUSH);
        *got += before - stream->avail_out;
        *ended = status == Z_STREAM_END && !next_member(stream);
        if (status == Z_BUF_ERROR || (status == Z_OK && stream->avail_in == 0 && stream->avail_out > 0))
            return true;        /* the file ends before the stream does */
        if (status == Z_MEM_ERROR)
            memory_exhausted("zlib");
        if (status != Z_OK && status != Z_STREAM_END)
            return error_set(error, EXIT_input, "damaged gzip: %s: %s; download it again", name_tail(shown),
                             stream->msg ? stream->msg : "not a gzip stream");
    }
    return true;
}

/* The stream must hold what the header says, no more and no less, and end with the right checksum. */
static bool idx_inflate(z_stream *stream, IdxContent content, const char *shown, Idx *idx, Error *error)
{
    uint8_t header[IDX_MAX_HEADER] = {0};
    uint8_t extra;
    size_t got, rest = 0, more = 0;
    bool ended = false;
    if (!gzip_read(stream, header, 4, &got, &ended, shown, error))
        return false;
    const IdxKind *kind = got == 4 ? idx_kind(header, content) : NULL;
    if ((kind && !gzip_read(stream, header + 4, idx_header_size(kind->rank) - 4, &rest, &ended, shown, error)) ||
        !idx_read_header(header, got + rest, content, shown, idx, error))
        return false;
    /* Deflate packs at most 1032 bytes into one: a small file that promises more is not given the memory. */
    if (idx->size / 1032 > (size_t)stream->avail_in + 1)
        return error_set(error, EXIT_input,
                         "truncated gzip: %s cannot hold the %zu bytes that its header says: download it again", name_tail(shown),
                         idx->size);
    idx->bytes = allocate(idx->size, 1, "IDX data");
    if (!gzip_read(stream, idx->bytes, idx->size, &got, &ended, shown, error) ||
        !gzip_read(stream, &extra, 1, &more, &ended, shown, error))
        return false;
    if (got == idx->size && more == 0 && !ended)
        return error_set(error, EXIT_input, "truncated gzip: %s lacks its checksum: download it again", name_tail(shown));
    if (got < idx->size && !ended)
        return error_set(error, EXIT_input, "truncated gzip: %s: %zu of %zu bytes; download it again", name_tail(shown), got,
                         idx->size);
    if (!idx_payload_ok(idx, got + more, shown, error))
        return false;
    if (stream->avail_in)
        return error_set(error, EXIT_input, "%u bytes after the end of the gzip stream: %s: download it again", stream->avail_in,
                         name_tail(shown));
    return true;
}

static bool idx_gzip(const uint8_t *bytes, size_t size, IdxContent content, const char *shown, Idx *idx, Error *error)
{
    z_stream stream = { .next_in = (Bytef *)bytes, .avail_in = (uInt)size };
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
        memory_exhausted("zlib");
    const bool good = idx_inflate(&stream, content, shown, idx, error);
    inflateEnd(&stream);
    return good;
}

/* Numbers of 4 bytes become labels of one: the first of each row. */
static bool idx_narrow(Idx *labels, const char *shown, Error *error)
{
    for (uint32_t i = 0; labels->rank == 2 && i < labels->dims[0]; i++) {
        const uint32_t label = big_endian(labels->bytes + (size_t)i * labels->dims[1] * 4);
        if (label >= IDX_MAX_CLASSES)
            return error_set(error, EXIT_input, "label %u out of range 0..%d: %s, label %u: the file is damaged; download it again",
                             label, IDX_MAX_CLASSES - 1, name_tail(shown), i);
        labels->bytes[i] = (uint8_t)label;
    }
    return true;
}

static bool idx_read(int root, const char *path, const char *name, IdxContent content, Idx *idx, Error *error)
{
    size_t size;
    char *shown = path_join(path, name);
    uint8_t *bytes = disk_read_all(root, name, shown, FILE_LIMIT, &size, error);
    *idx = (Idx){0};
    const bool gzipped = bytes && size >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
    const bool good = bytes && (gzipped ? idx_gzip : idx_plain)(bytes, size, content, shown, idx, error) &&
                      (content == IDX_images || idx_narrow(idx, shown, error));
    if (!good) {
        free(idx->bytes);
        idx->bytes = NULL;
    }
    free(bytes);
    free(shown);
    return good;
}

/* ---- which files ---- */

static bool is_images_of(const Entry *entry, Split split)
{
    const char *name = entry->name;
    if (entry->type == ENTRY_folder || (!name_ends_with(name, "ubyte") && !name_ends_with(name, "ubyte.gz")))
        return false;
    if (split == SPLIT_train)
        return name_find(name, "train-images");
    return split == SPLIT_test && (name_find(name, "t10k-images") || name_find(name, "test-images"));
}

/* The name of a part's images, NULL if there is none; `another` is a second candidate: NULL is to be hoped for. The
 * same file plain and gzipped counts once. */
static char *find_images(int root, Split split, char **another)
{
    Listing listing;
    char *name = NULL;
    *another = NULL;
    if (!listing_read(root, ".", "", &listing, NULL))
        return NULL;
    for (size_t i = 0; i < listing.count; i++) {
        const char *found = listing.entries[i].name;
        if (!is_images_of(&listing.entries[i], split))
            continue;
        const bool packed_twin = name && !strncmp(found, name, strlen(name)) && !strcasecmp(found + strlen(name), ".gz");
        if (!name)
            name = text_copy(found);
        else if (!packed_twin && !*another)
            *another = text_copy(found);
    }
    listing_free(&listing);
    return name;
}

/* "train-images-idx3-ubyte.gz" -> "train-labels-idx1-ubyte" */
static char *usual_labels(const char *images)
{
    char *name = text_copy(images);
    const char *word = name_find(name, "images");
    memcpy(name + (word - name), *word == 'I' ? "LABELS" : "labels", 6);
    const char *rank = name_find(name, "idx3");
    if (rank)
        name[rank - name + 3] = '1';
    if (name_ends_with(name, ".gz"))
        name[strlen(name) - 3] = '\0';
    return name;
}

/* How well a name fits the labels that are looked for: 0 not at all; the usual name is better than QMNIST's, plain better
 * than gzipped. "-idx1" and ".idx1" are the same. */
static int labels_fit(const char *found, const char *usual)
{
    const size_t stem = (size_t)(name_find(usual, "labels") - usual) + 6, length = strlen(usual);
    const int packed = name_ends_with(found, ".gz");
    const size_t size = strlen(found) - (packed ? 3 : 0);
    if (size < stem || strncasecmp(found, usual, stem) != 0)
        return 0;
    const bool separated = size > stem && strchr("-._", found[stem]);
    if (size == length && (separated || !strncasecmp(found, usual, size)) && !strncasecmp(found + stem + 1, usual + stem + 1, size - stem - 1))
        return 4 - packed;
    return separated && size == stem + 9 && !strncasecmp(found + stem + 1, "idx2-int", 8) ? 2 - packed : 0;
}

static char *find_labels(int root, const char *path, const char *images, Error *error)
{
    Listing listing;
    if (!listing_read(root, ".", path, &listing, error))
        return NULL;
    char *usual = usual_labels(images), *name = NULL;
    int best = 0;
    for (size_t i = 0; i < listing.count; i++) {
        const int fit = listing.entries[i].type == ENTRY_folder ? 0 : labels_fit(listing.entries[i].name, usual);
        if (fit <= best)
            continue;
        free(name);
        name = text_copy(listing.entries[i].name);
        best = fit;
    }
    if (!name)
        error_set(error, EXIT_input, "no labels: %s has %s but neither %s nor %s.gz: download it", name_tail(path),
                  name_tail(images), name_tail(usual), name_tail(usual));
    listing_free(&listing);
    free(usual);
    return name;
}

static bool idx_has(int root, Split split)
{
    char *another, *name = find_images(root, split, &another);
    const bool has = name != NULL;
    free(name);
    free(another);
    return has;
}

static bool idx_matches(int root)
{
    return idx_has(root, SPLIT_train) || idx_has(root, SPLIT_test);
}

/* Images and labels of a part; images NULL: labels alone. */
static bool idx_read_part(const Part *part, Split split, Idx *images, Idx *labels, Error *error)
{
    char *another, *name = find_images(part->root, split, &another);
    char *labels_name = NULL;
    bool good = name != NULL;
    if (another)
        good = error_set(error, EXIT_input, "several IDX data sets in %s: %s and %s: keep one in a folder of its own",
                         name_tail(part->path), name_tail(name), name_tail(another));
    labels_name = good ? find_labels(part->root, part->path, name, error) : NULL;
    good = labels_name && (!images || idx_read(part->root, part->path, name, IDX_images, images, error)) &&
           idx_read(part->root, part->path, labels_name, IDX_labels, labels, error);
    if (good && images && images->dims[0] != labels->dims[0])
        good = error_set(error, EXIT_input, "%u images but %u labels: %s and %s in %s: download both again", images->dims[0],
                         labels->dims[0],
                         name_tail(name), name_tail(labels_name), name_tail(part->path));
    free(name);
    free(another);
    free(labels_name);
    return good;
}

/* ---- the format ---- */

static int label_bound(const Idx *labels)
{
    int bound = 0;
    for (uint32_t i = 0; i < labels->dims[0]; i++)
        if (labels->bytes[i] >= bound)
            bound = labels->bytes[i] + 1;
    return bound;
}

static bool idx_set_classes(Part *part, Split split, const Idx *labels, Error *error)
{
    int classes = label_bound(labels);
    if (split != SPLIT_train && idx_has(part->root, SPLIT_train)) {
        Idx train = {0};
        if (!idx_read_part(part, SPLIT_train, NULL, &train, error))
            return false;
        const int bound = label_bound(&train);
        free(train.bytes);
        if (classes > bound)
            return error_set(
                error, EXIT_input,
                "label %d out of range 0..%d: test labels in %s: the files do not belong together; download them again",
                classes - 1, bound - 1, name_tail(part->path));
        classes = bound;
    }
    if (part->options->class_names && classes < part->options->classes)
        classes = part->options->classes;       /* a test part need not have every class */
    if (classes > IDX_MAX_CLASSES)
        classes = IDX_MAX_CLASSES;
    if (classes < 2)
        return error_set(error, EXIT_input, "one class only, expected 2 or more: every label in %s is 0: the labels are damaged, or of something else; download them again",
                         name_tail(part->path));
    char digits[IDX_MAX_CLASSES][4];
    const char *names[IDX_MAX_CLASSES];
    for (int i = 0; i < classes; i++) {
        snprintf(digits[i], sizeof digits[i], "%d", i);
        names[i] = digits[i];
    }
    part_set_classes(part, names, classes);
    return true;
}

static bool idx_open(Part *part, Split split, Error *error)
{
    Idx *images = part->state = allocate(1, sizeof *images, "a data set");
    Idx labels = {0};
    if (!idx_read_part(part, split, images, &labels, error) || !idx_set_classes(part, split, &labels, error)) {
        free(labels.bytes);
        return false;
    }
    part->size = (ImageSize){ 1, (int)images->dims[1], (int)images->dims[2] };
    part->count = images->dims[0];
    part->labels = allocate(part->count, sizeof *part->labels, "labels");
    for (uint32_t i = 0; i < part->count; i++)
        part->labels[i] = labels.bytes[i];
    free(labels.bytes);
    return true;
}

static void idx_close(Part *part)
{
    Idx *images = part->state;
    if (images)
        free(images->bytes);
    free(images);
}

static bool idx_load(const Part *part, uint32_t index, ImageSize wanted, uint8_t *planes, Error *error)
{
    (void)error;
    const Idx *images = part->state;
    const ImageSize size = { 1, (int)images->dims[1], (int)images->dims[2] };
    const size_t pixels = (size_t)size.height * (size_t)size.width;
    const Image image = { .size = size, .pixels = images->bytes + index * pixels, .pixel_step = 1, .plane_step = pixels };
    image_fit(&image, wanted, part->options->fit, planes);
    return true;
}

static char *idx_name(const Part *part, uint32_t index)
{
    char name[32];
    snprintf(name, sizeof name, "image %u", index);
    return path_join(part->path, name);
}

const Format format_idx = {
    .kind = "idx", .title = "IDX", .mirror_ok = false, .matches = idx_matches, .has = idx_has,
    .open = idx_open, .close = idx_close, .load = idx_load, .name = idx_name,
};
