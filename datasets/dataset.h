/* dataset.h - images and labels in memory, whatever file they came from.
 *
 * Images are kept as bytes, N C H W, decoded once. Every label is checked while opening. */

#ifndef CONVZOO_DATASET_H
#define CONVZOO_DATASET_H

#include <stdint.h>

#include "image.h"
#include "ranks.h"

typedef enum { SPLIT_train, SPLIT_val, SPLIT_test, SPLITS } Split;

/* "train", "val" and "test"; in SPLIT_NAMES for a table of options. */
#define SPLIT_NAMES "test val train"
const char *split_name(Split split);

enum { DATASET_MAX_CHANNELS = 3 };

typedef struct Dataset {
    const char *kind;                  /* "cifar10" "cifar100" "idx" "folder" "shapes" */
    Split       split;                 /* what it is: not what was asked for where the data has no such part */
    char       *path;                  /* where it came from; "" for shapes */
    int         channels, height, width;
    int         classes;
    char      **class_names;           /* classes strings */
    uint32_t    count;
    uint8_t    *images;                /* count x channels x height x width */
    uint16_t   *labels;                /* count */
    char      **names;                 /* count: each image's file, or its place in one, for people; NULL: not asked for */
    bool        mirror_ok;             /* horizontal flips keep the meaning: false for IDX digits, and for grey images
                                          of classes that are named by one letter or digit */
    uint32_t    damaged;               /* images skipped under skip_bad */
    char       *skipped;               /* a line about them; NULL: none */
    char       *held_out;              /* which images of the train part these are: "0.1 of seed 42", "data_batch_5"; NULL: a part of its own, or the rest */
    char       *notes;                 /* which parts were found and what was left out, for dataset_describe; NULL: nothing */
} Dataset;

typedef struct DataOptions {
    const char *path;                  /* NULL or "": data/cifar-10-batches-bin if it is there, else shapes; "shapes" */
    float       val_split;             /* held out of train, 0..1; 0: 0.1 where the data has no val or test part, else none */
    const char *val_part;              /* held out instead of a fraction: the stem of a CIFAR-10 file, "data_batch_5"; NULL: none */
    bool        val_if_none;           /* either of these counts only where the data has no val part of its own, and the part where there is it */
    uint64_t    seed;                  /* of the held-out choice and of shapes */
    uint32_t    limit;                 /* use only so many images of each split, every class its share; 0: all */
    int         side;                  /* resize images to side x side; 0: keep (folders of mixed sizes or of oblong
                                          images: 32 if the median short side is under 64, else 224) */
    int         channels;              /* 1 or 3: convert; 0: as the data is */
    bool        as_stored;             /* EXIF orientation of photographs is not applied */
    ImageFit    fit;                   /* how images of other sizes come to theirs */
    bool        named;                 /* the data set has its images' names */
    bool        undecoded;             /* sizes, labels and classes alone: images stays NULL, and damage is not found */
    bool        skip_bad;              /* skip damaged images, up to 1% of all parts' images together (rounded up), instead of stopping */
    uint32_t    skipped_before;        /* skipped already in other splits of the same data set; they count too */
    char      **class_names;           /* when evaluating: the checkpoint's; a data set that has other ones is refused */
    int         classes;
    int         threads;               /* decoding threads; 0: all cores */
    const Ranks *ranks;                /* that read it together: each decodes a share, all call dataset_open. NULL: one alone */
} DataOptions;

/* What --val-split says: a share ("0.1") or a part's name ("data_batch_5"), which stays the caller's. NULL: neither. False and one line
 * for what is neither a name nor a share. */
bool split_hold_out(const char *text, DataOptions *data, Error *error);

/* The same from what a data set says of itself, which stays the caller's. False if that is neither a share with its seed nor a name. */
bool dataset_hold_out(const char *held_out, DataOptions *data);

/* The path that stands for none: data/cifar-10-batches-bin if it is there, else "shapes". */
const char *dataset_default_path(void);

/* Sniffs `options->path` (DESIGN: data_batch_1.bin CIFAR-10, train.bin CIFAR-100, *-ubyte[.gz] IDX,
 * train/ [val/ test/] with class folders, class folders alone) and loads one split.
 *
 *   train   the train part, without what is held out
 *   val     the data's own val part; else its test part unless val_split or val_part is given; else held out of train
 *   test    the test part, else the same as val
 *
 * What is held out depends on the labels and the seed alone: val_split of every class, drawn at random, or val_part. Data with a
 * val part of its own hold out nothing: either of them is then refused.
 * NULL and one line in `error` if anything is wrong; nothing is half loaded. */
Dataset *dataset_open(const DataOptions *options, Split split, Error *error);
void     dataset_free(Dataset *dataset);

/* One line to print first: what was found, how many images, classes and, for the built-in set, how to get CIFAR-10. */
void dataset_describe(const Dataset *dataset, char *text, size_t size);
/* How many images each class has; counts has dataset->classes entries. A class may be empty: worth a warning. */
void dataset_histogram(const Dataset *dataset, uint32_t *counts);
/* Mean and standard deviation of each channel, for pixels in 0..1. A constant channel gets standard deviation 1. */
void dataset_statistics(const Dataset *dataset, float *mean, float *std);
/* A hash of labels, sizes and pixels: resume refuses another data set. */
uint64_t dataset_hash(const Dataset *dataset);

/* One image file (PNG, JPEG, BMP, GIF, TGA, PNM), brought to options->wanted exactly as in a data set (image.h);
 * pixels: channels x height x width bytes. For predict. */
bool image_load(const char *path, const ImageOptions *options, uint8_t *pixels, Error *error);

#endif
