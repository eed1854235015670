/* formats.h - the kinds of data sets: one row of `dataset_formats` each (dataset.c).
 *
 * A Part is one of a data set's train, val or test parts as it lies on the disk: labels and names are read and checked,
 * pixels are not. What is to be used of it is chosen then (split.c), and only that is decoded. */

#ifndef CONVZOO_FORMATS_H
#define CONVZOO_FORMATS_H

#include "dataset.h"
#include "image.h"

enum { PART_SECTIONS = 5, MAX_CLASSES = 10000, MAX_IMAGES = 10000000 };

/* A run of a part's images that can be held out by name. */
typedef struct Section {
    char     name[32];
    uint32_t first, count;
} Section;

typedef struct Part {
    const struct Format *format;
    const DataOptions   *options;
    const char *path;               /* "" for shapes */
    int         root;               /* the folder's descriptor; -1 for shapes */
    ImageSize   size;               /* of the images as the data has them, or as they should be loaded by default */
    int         classes;
    char      **class_names;
    uint32_t    count;
    uint16_t   *labels;
    Section     sections[PART_SECTIONS];
    int         section_count;
    uint32_t    total;              /* images of all parts; 0: as many as this one has */
    char       *notes;              /* what else to tell first, each note behind "; "; NULL: nothing */
    void       *state;              /* the format's own */
} Part;

typedef struct Format {
    const char *kind;
    const char *title;
    bool        mirror_ok;
    bool (*matches)(int root);                          /* does this folder hold such data? */
    bool (*has)(int root, Split split);                 /* has it this part? */
    bool (*open)(Part *part, Split split, Error *error);
    void (*close)(Part *part);                          /* releases `state`; it may be NULL or half filled */
    /* Image `index` as planes of `wanted`. Called from several threads. */
    bool (*load)(const Part *part, uint32_t index, ImageSize wanted, uint8_t *planes, Error *error);
    char *(*name)(const Part *part, uint32_t index);    /* of an image, for messages; release with free() */
} Format;

extern const Format format_cifar10, format_cifar100, format_idx, format_folder, format_shapes;

/* All of them, in the order in which a folder is tried (dataset.c). */
enum { FORMATS = 5 };
extern const Format *const dataset_formats[FORMATS];

/* For a Part's names: `names` has `count` strings, which are copied. */
void part_set_classes(Part *part, const char *const *names, int count);

/* ---- place.c: what a person named is near a data set ---- */

/* Any kind; a folder of images only if two folders of it, or of a part, hold images. */
bool place_holds_data(int root);

/* For a folder without data: true, and the line, if there are data sets one or two folders further down, or if it is something
 * else altogether, of which nothing should be changed. */
bool place_below(int root, const char *path, Error *error);
/* True, and the line, if a folder of `images` images is a class of the data above it. */
bool place_of_class(const char *path, size_t images, Error *error);
/* A file was given: what to give instead. Always false. */
bool place_of_file(const char *path, Error *error);

/* ---- split.c ---- */

/* Where a split comes from: a part of the data, and which of its images. */
typedef enum { SHARE_all, SHARE_held_out, SHARE_rest } Share;

typedef struct SplitSource {
    Split part;
    Share share;
} SplitSource;

/* Follows the rules of dataset.h. False if the data lack the part. */
bool split_source(const Format *format, const char *path, int root, const DataOptions *options, Split split,
                  SplitSource *source, Error *error);

/* The images of `part` that belong to the share, ascending; `chosen` has room for part->count. */
bool split_choose(const Part *part, Share share, uint32_t *chosen, uint32_t *count, Error *error);

/* What split_choose holds out of the part, as Dataset has it; the caller frees it. */
char *split_held_out(const Part *part);

/* Whether these are digits or letters: grey images of classes that are named by one of them. */
bool dataset_shows_characters(const Dataset *dataset);

#endif
