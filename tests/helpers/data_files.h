/* data_files.h - small data sets of every kind, made in a folder of the test's own. */

#ifndef CONVZOO_DATA_FILES_H
#define CONVZOO_DATA_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DATA_PIXELS = 3072 };      /* of a CIFAR image */

extern char data_root[256];       /* the folder: a new one for each test */

int data_setup(void **state);
int data_teardown(void **state);

/* <data_root>/<name>, until the next call. */
const char *data_path(const char *name);
void data_folder(const char *name);

/* Overwrites bytes of a file, or cuts or lengthens it. */
void data_patch(const char *name, size_t offset, const void *bytes, size_t count);
void data_resize(const char *name, size_t size);

/* Byte k of CIFAR image `image`. */
uint8_t data_pixel(uint32_t image, uint32_t k);
/* Records first, first+1, ...: labels image mod classes, the coarse one mod 20. */
void data_cifar(const char *name, int label_bytes, uint32_t first, uint32_t count, int classes);

/* An IDX file: rank 3 is images, rank 1 labels 0 .. 4 in turn. Returns its size. */
size_t data_idx_bytes(uint8_t *bytes, int rank, uint32_t count, uint32_t height, uint32_t width);
/* Images of 5 x 7, or labels. */
void data_idx(const char *name, int rank, uint32_t count, bool packed);
/* 40 images for training, 10 for testing. */
void data_mnist(bool packed);

/* A PPM of one colour, or a PGM if `grey`. */
void data_image(const char *name, int width, int height, int value, bool grey);
/* Classes cat and dog, `count` images each of 8 x 8; image i of class c has the value 2 i + c. */
void data_classes(const char *prefix, int count);

#endif
