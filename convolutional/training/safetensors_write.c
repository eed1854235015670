/* safetensors_write.c - writing.
 *
 * The bytes depend on nothing but what was declared: metadata first and in its order, tensors by type and then by name,
 * the header padded with spaces to a multiple of 8. Wide types come first, so that every value lies at a multiple of its
 * size. One tensor at a time is in memory twice. */

#include "safetensors_file.h"

#include "files.h"
#include "json_made.h"
#include "sizes.h"
#include "text.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

typedef struct Declared {
    SafetensorsEntry entry;
    void           (*fill)(const void *context, void *data);
    const void      *context;
} Declared;

struct SafetensorsWriter {
    json_t   *metadata;
    Declared *tensors;                 /* count of room */
    size_t    count, room;
};

/* The format's own order of types, from the last one to the first. */
static const Dtype file_order[] = { DTYPE_I64, DTYPE_F64, DTYPE_F32, DTYPE_I32, DTYPE_BF16, DTYPE_F16, DTYPE_U8 };

static int dtype_rank(Dtype dtype)
{
    int rank = 0;
    while (file_order[rank] != dtype)
        rank++;
    return rank;
}

char *safetensors_header_bytes(json_t *object, size_t *bytes)
{
    char *text = json_written(object, JSON_COMPACT);
    json_decref(object);
    const size_t length = strlen(text), padded = (length + 7) / 8 * 8;
    const uint64_t field = htole64(padded);
    char *header = allocate(8 + padded, 1, "a safetensors header");
    memcpy(header, &field, sizeof field);
    memset(header + 8, ' ', padded);
    memcpy(header + 8, text, length);
    free(text);
    *bytes = 8 + padded;
    return header;
}

SafetensorsWriter *safetensors_writer_new(void)
{
    SafetensorsWriter *writer = allocate(1, sizeof *writer, "a safetensors writer");
    writer->metadata = json_made(json_object());
    return writer;
}

void safetensors_writer_free(SafetensorsWriter *writer)
{
    if (!writer)
        return;
    for (size_t i = 0; i < writer->count; i++)
        free(writer->tensors[i].entry.name);
    json_decref(writer->metadata);
    free(writer->tensors);
    free(writer);
}

void safetensors_writer_metadata(SafetensorsWriter *writer, const char *key, const char *value)
{
    CHECK(text_is_utf8(key) && text_is_utf8(value), "metadata '%s': '%s' is not UTF-8", key, value);
    json_put(writer->metadata, key, json_string(value));
}

void safetensors_writer_add(SafetensorsWriter *writer, const char *name, Dtype dtype, int rank, const int64_t *shape,
                            void (*fill)(const void *context, void *data), const void *context)
{
    CHECK(rank >= 0 && rank <= SAFETENSORS_MAX_RANK, "tensor '%s': rank %d, at most %d", name, rank, SAFETENSORS_MAX_RANK);
    if (writer->count == writer->room) {
        const size_t room = writer->room ? 2 * writer->room : 64;
        Declared *tensors = allocate(room, sizeof *tensors, "safetensors entries");
        if (writer->count)
            memcpy(tensors, writer->tensors, writer->count * sizeof *tensors);
        free(writer->tensors);
        writer->tensors = tensors;
        writer->room = room;
    }
    Declared *tensor = &writer->tensors[writer->count++];
    *tensor = (Declared){ .entry = { .name = text_copy(name), .dtype = dtype, .rank = rank }, .fill = fill, .context = context };
    size_t bytes;
    CHECK(size_of_dims(shape, rank, dtype_size(dtype), &bytes), "tensor '%s': size overflows (rank %d)", name, rank);
    for (int i = 0; i < rank; i++)
        tensor->entry.shape[i] = shape[i];
    tensor->entry.end = bytes;         /* begin is known when all are declared */
}

static int declared_compare(const void *a, const void *b)
{
    const SafetensorsEntry *first = &((const Declared *)a)->entry, *second = &((const Declared *)b)->entry;
    const int rank = dtype_rank(first->dtype) - dtype_rank(second->dtype);
    return rank ? rank : strcmp(first->name, second->name);
}

/* The tensors in file order, with their offsets. The caller frees the array; names stay the writer's. */
static Declared *arrange(const SafetensorsWriter *writer, uint64_t *data_bytes, size_t *largest)
{
    Declared *tensors = allocate(writer->count, sizeof *tensors, "safetensors entries");
    if (writer->count)
        memcpy(tensors, writer->tensors, writer->count * sizeof *tensors);
    qsort(tensors, writer->count, sizeof *tensors, declared_compare);
    size_t at = 0;
    *largest = 0;
    for (size_t i = 0; i < writer->count; i++) {
        SafetensorsEntry *entry = &tensors[i].entry;
        const size_t bytes = (size_t)entry->end;
        *largest = bytes > *largest ? bytes : *largest;
        entry->begin = at;
        CHECK(size_add(at, bytes, &at) && at <= INT64_MAX / 2,
              "tensor '%s': the file would have more than %zu bytes", entry->name, bytes);
        entry->end = at;
    }
    *data_bytes = at;
    return tensors;
}

static json_t *json_of_entry(const SafetensorsEntry *entry)
{
    json_t *shape = json_made(json_array());
    for (int i = 0; i < entry->rank; i++)
        json_append(shape, json_integer(entry->shape[i]));
    return json_made(json_pack("{s:s, s:o, s:[I,I]}", "dtype", dtype_name(entry->dtype), "shape", shape, "data_offsets",
                               (json_int_t)entry->begin, (json_int_t)entry->end));
}

/* Of all tensors, as the file will have them. */
static uint32_t data_checksum(const Declared *tensors, size_t count, size_t largest)
{
    unsigned char *data = allocate(largest, 1, "a tensor to be written");
    uLong checksum = crc32(0, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        tensors[i].fill(tensors[i].context, data);
        checksum = crc32_z(checksum, data, (size_t)(tensors[i].entry.end - tensors[i].entry.begin));
    }
    free(data);
    return (uint32_t)checksum;
}

/* As the file starts. The caller frees it. */
static char *header_of(const SafetensorsWriter *writer, const Declared *tensors, uint32_t checksum, size_t *bytes)
{
    char digits[16];
    const char *key;
    json_t *value, *root = json_made(json_object()), *metadata = json_made(json_object());
    json_object_foreach(writer->metadata, key, value)
        json_put(metadata, key, json_incref(value));
    snprintf(digits, sizeof digits, "%08x", (unsigned)checksum);
    json_put(metadata, SAFETENSORS_CHECKSUM, json_string(digits));
    json_put(root, "__metadata__", metadata);
    for (size_t i = 0; i < writer->count; i++) {
        const SafetensorsEntry *entry = &tensors[i].entry;
        CHECK(!json_object_get(root, entry->name), "tensor '%s' was declared twice (%zu tensors)", entry->name, writer->count);
        CHECK(text_is_utf8(entry->name), "tensor name %zu, '%s', is not UTF-8", i, entry->name);
        json_put(root, entry->name, json_of_entry(entry));
    }
    return safetensors_header_bytes(root, bytes);
}

/* A file that is ready to be written. */
typedef struct Ready {
    const Declared *tensors;
    size_t          count, largest;
    const char     *header;
    size_t          header_size;
} Ready;

static bool write_ready(FileWriter *file, const void *context, Error *error)
{
    const Ready *ready = context;
    unsigned char *data = allocate(ready->largest, 1, "a tensor to be written");
    bool ok = file_writer_write(file, ready->header, ready->header_size, error);
    for (size_t i = 0; ok && i < ready->count; i++) {
        const Declared *tensor = &ready->tensors[i];
        tensor->fill(tensor->context, data);
        ok = file_writer_write(file, data, (size_t)(tensor->entry.end - tensor->entry.begin), error);
    }
    free(data);
    return ok;
}

bool safetensors_write(const SafetensorsWriter *writer, const char *path, const char *keep_previous, Error *error)
{
    uint64_t data_bytes;
    Ready ready = { .count = writer->count };
    Declared *tensors = arrange(writer, &data_bytes, &ready.largest);
    char *header = header_of(writer, tensors, data_checksum(tensors, writer->count, ready.largest), &ready.header_size);
    ready.tensors = tensors;
    ready.header = header;
    const bool ok = file_write(path, ready.header_size + data_bytes, keep_previous, write_ready, &ready, error);
    free(header);
    free(tensors);
    return ok;
}
