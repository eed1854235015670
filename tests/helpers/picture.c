#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

void bytes_add(Bytes *bytes, const void *data, size_t size)
{
    assert_true(bytes->size + size <= BYTES_ROOM);
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void bytes_insert(Bytes *bytes, size_t at, const void *data, size_t size)
{
    assert_true(at <= bytes->size && bytes->size + size <= BYTES_ROOM);
    memmove(bytes->data + at + size, bytes->data + at, bytes->size - at);
    memcpy(bytes->data + at, data, size);
    bytes->size += size;
}

size_t bytes_marker(const Bytes *bytes, int code)
{
    for (size_t i = 0; i + 1 < bytes->size; i++)
        if (bytes->data[i] == 0xFF && bytes->data[i + 1] == code)
            return i;
    fail_msg("no marker %02X", code);
    return 0;
}

void jpeg_make(const JpegRecipe *recipe, Bytes *bytes)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *data = NULL;
    unsigned long size = 0;
    const int channels = recipe->given == JCS_GRAYSCALE ? 1 : recipe->given == JCS_RGB ? 3 : 4;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &data, &size);
    jpeg.image_width = (unsigned)recipe->width;
    jpeg.image_height = (unsigned)recipe->height;
    jpeg.input_components = channels;
    jpeg.in_color_space = recipe->given;
    jpeg_set_defaults(&jpeg);
    if (recipe->stored != JCS_UNKNOWN)
        jpeg_set_colorspace(&jpeg, recipe->stored);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg.restart_interval = (unsigned)recipe->restart;
    if (recipe->progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    uint8_t *row = malloc((size_t)recipe->width * (size_t)channels);
    assert_non_null(row);
    for (int y = 0; y < recipe->height; y++) {
        for (int x = 0; x < recipe->width; x++)
            for (int c = 0; c < channels; c++)
                row[x * channels + c] = recipe->sample(y, x, c);
        JSAMPROW pointer = row;
        jpeg_write_scanlines(&jpeg, &pointer, 1);
    }
    free(row);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    bytes->size = 0;
    bytes_add(bytes, data, size);
    free(data);
}

void one_line(const Error *error, const char *what)
{
    if (!*error->text || strchr(error->text, '\n'))
        fail_msg("%s: message '%s'", what, error->text);
}
