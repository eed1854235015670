/* data_files.c - see data_files.h. */

#include "data_files.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "errors.h"
#include "scratch.h"

char data_root[256];

int data_setup(void **state)
{
    (void)state;
    scratch_new(data_root);
    return 0;
}

int data_teardown(void **state)
{
    (void)state;
    scratch_remove(data_root);
    return 0;
}

const char *data_path(const char *name)
{
    static char path[256];
    return scratch_path(path, data_root, name);
}

void data_folder(const char *name)
{
    assert_int_equal(mkdir(data_path(name), 0700), 0);
}

uint8_t data_pixel(uint32_t image, uint32_t k)
{
    return (uint8_t)(image * 31 + k * 7 + (k >> 8));
}

void data_cifar(const char *name, int label_bytes, uint32_t first, uint32_t count, int classes)
{
    const size_t size = (size_t)label_bytes + DATA_PIXELS;
    uint8_t *records = allocate(count, size, "records");
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *record = records + i * size;
        record[0] = (uint8_t)((first + i) % 20);
        record[label_bytes - 1] = (uint8_t)((first + i) % (uint32_t)classes);
        for (uint32_t k = 0; k < DATA_PIXELS; k++)
            record[(uint32_t)label_bytes + k] = data_pixel(first + i, k);
    }
    scratch_write(data_path(name), records, count * size);
    free(records);
}

void data_patch(const char *name, size_t offset, const void *bytes, size_t count)
{
    FILE *file = fopen(data_path(name), "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

void data_resize(const char *name, size_t size)
{
    assert_int_equal(truncate(data_path(name), (off_t)size), 0);
}

size_t data_idx_bytes(uint8_t *bytes, int rank, uint32_t count, uint32_t height, uint32_t width)
{
    const uint32_t dims[] = { count, height, width };
    size_t at = 0, size = 1;
    for (const uint8_t *b = (const uint8_t[]){ 0, 0, 8, (uint8_t)rank }; at < 4; at++)
        bytes[at] = b[at];
    for (int i = 0; i < rank; i++) {
        for (int shift = 24; shift >= 0; shift -= 8)
            bytes[at++] = (uint8_t)(dims[i] >> shift);
        size *= dims[i];
    }
    for (size_t k = 0; k < size; k++)
        bytes[at++] = rank == 1 ? (uint8_t)(k % 5) : (uint8_t)(k * 13 + k / 35);
    return at;
}

void data_idx(const char *name, int rank, uint32_t count, bool packed)
{
    static uint8_t bytes[4096];
    const size_t size = data_idx_bytes(bytes, rank, count, 5, 7);
    if (!packed) {
        scratch_write(data_path(name), bytes, size);
        return;
    }
    gzFile file = gzopen(data_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
}

void data_mnist(bool packed)
{
    data_idx(packed ? "train-images-idx3-ubyte.gz" : "train-images-idx3-ubyte", 3, 40, packed);
    data_idx(packed ? "train-labels-idx1-ubyte.gz" : "train-labels-idx1-ubyte", 1, 40, packed);
    data_idx(packed ? "t10k-images-idx3-ubyte.gz" : "t10k-images-idx3-ubyte", 3, 10, packed);
    data_idx(packed ? "t10k-labels-idx1-ubyte.gz" : "t10k-labels-idx1-ubyte", 1, 10, packed);
}

void data_image(const char *name, int width, int height, int value, bool grey)
{
    static uint8_t bytes[3 * 300 * 300 + 32];
    const int header = snprintf((char *)bytes, 32, "P%d\n%d %d\n255\n", grey ? 5 : 6, width, height);
    const size_t size = (size_t)width * (size_t)height * (grey ? 1 : 3);
    memset(bytes + header, value, size);
    scratch_write(data_path(name), bytes, (size_t)header + size);
}

void data_classes(const char *prefix, int count)
{
    static const char *const classes[] = { "cat", "dog" };
    char name[64];
    for (int c = 0; c < 2; c++) {
        snprintf(name, sizeof name, "%s%s", prefix, classes[c]);
        data_folder(name);
        for (int i = 0; i < count; i++) {
            snprintf(name, sizeof name, "%s%s/%03d.ppm", prefix, classes[c], i);
            data_image(name, 8, 8, 2 * i + c, false);
        }
    }
}
