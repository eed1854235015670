/* safetensors_header.c - parsing and checking the header of a file that anybody may have written.
 *
 *   {"__metadata__": {"key": "text", ...}, "name": {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, ...}
 *
 * begin and end count from the header's end. Sorted by begin, the tensors follow one another from 0 to the end of
 * the file. Nothing is allocated by a size that the header names: its own length and counts have bounds. */

#include "safetensors_file.h"

#include "json_made.h"
#include "sizes.h"
#include "text.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAMAGED "the file is damaged or hostile; do not use it"

enum {
    MAX_TENSORS = 100000,
    MAX_DEPTH = 4,
    MAX_VALUES = 12 * MAX_TENSORS,     /* commas: three keys, two offsets and up to eight dimensions a tensor */
    MAX_METADATA = 8 << 20,            /* names of 10,000 classes, 255 quotation marks each, as JSON */
    MAX_NAME = 255,
};
static const int64_t MAX_DIMENSION = (int64_t)1 << 48;

/* ---- the header's text ---- */

static bool bad_header(const Safetensors *file, const char *what, Error *error)
{
    return error_set(error, EXIT_input, "%s: %s: " DAMAGED, what, file->path);
}

/* What a JSON parser does not refuse, and what would make it build more than any real header has. */
static bool scan_header(const Safetensors *file, const char *text, size_t length, Error *error)
{
    int depth = 0;
    size_t opened = 0, commas = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        const char c = text[i];
        if (c == '\0')
            return bad_header(file, "header holds a NUL byte", error);
        if (quoted) {
            if (c == '\\')
                i++;
            else
                quoted = c != '"';
            continue;
        }
        quoted = c == '"';
        commas += c == ',';
        if (c == '{' || c == '[') {
            opened++;
            depth++;
        }
        depth -= c == '}' || c == ']';
        if (depth > MAX_DEPTH)
            return bad_header(file, "header nests more than 4 deep", error);
        if (opened > 3 * MAX_TENSORS + 2 || commas > MAX_VALUES)
            return bad_header(file, "header holds more than 100,000 tensors", error);
        if (c == '-' || c == '+' || c == '.')
            return bad_header(file, "header holds a number that is negative or not whole", error);
    }
    return true;
}

static json_t *parse_header(const Safetensors *file, const char *text, size_t length, Error *error)
{
    if (text[0] != '{') {
        error_set(error, EXIT_input,
                  "not a safetensors file: %s: the header starts with byte 0x%02X, expected '{': use another file",
                  file->path, (unsigned char)text[0]);
        return NULL;
    }
    while (text[length - 1] == ' ')
        length--;
    if (text[length - 1] != '}') {
        bad_header(file, "header does not end in '}' and spaces", error);
        return NULL;
    }
    if (!scan_header(file, text, length, error))
        return NULL;
    json_error_t reason;
    json_t *root = json_loaded(json_loadb(text, length, JSON_REJECT_DUPLICATES, &reason), &reason);
    if (root)
        return root;
    if (json_error_code(&reason) == json_error_duplicate_key)
        error_set(error, EXIT_input,
                  "duplicate name in the header: %s: %s: the file is ambiguous and was not loaded; write it again",
                  file->path, reason.text);
    else
        error_set(error, EXIT_input,
                  "header is not valid JSON: %s: byte %d: %s: " DAMAGED, file->path, reason.position, reason.text);
    return NULL;
}

/* The caller releases it. */
static json_t *read_header(Safetensors *file, Error *error)
{
    uint64_t length;
    char says[32], has[32];
    if (!safetensors_read_at(file, 0, &length, sizeof length, error))
        return NULL;
    length = le64toh(length);
    if (length < 2 || length > SAFETENSORS_MAX_HEADER) {
        error_set(error, EXIT_input, "not a safetensors file: %s: header length %s, expected 2 to %s: use another file",
                  file->path, number_grouped(length, says), number_grouped(SAFETENSORS_MAX_HEADER, has));
        return NULL;
    }
    if (length > file->size - 8) {
        error_set(error, EXIT_input,
                  "checkpoint truncated: %s: the header alone has %s bytes, the file %s: use an older copy", file->path,
                  number_grouped(length + 8, says), number_grouped(file->size, has));
        return NULL;
    }
    file->data = 8 + length;
    char *text = allocate((size_t)length, 1, "a safetensors header");
    const bool read = safetensors_read_at(file, 8, text, (size_t)length, error);
    json_t *root = read ? parse_header(file, text, (size_t)length, error) : NULL;
    free(text);
    return root;
}

/* ---- the header's meaning ---- */

static bool bad_entry(const Safetensors *file, const char *name, const char *what, Error *error)
{
    return error_set(error, EXIT_input, "tensor '%.120s' %s: %s: " DAMAGED, name, what, file->path);
}

static bool check_metadata(const Safetensors *file, const json_t *metadata, Error *error)
{
    const char *key;
    json_t *value;
    size_t bytes = 0;
    if (!json_is_object(metadata))
        return bad_header(file, "__metadata__ is not an object", error);
    json_object_foreach((json_t *)metadata, key, value) {
        if (!json_is_string(value))
            return error_set(error, EXIT_input, "metadata '%.120s' is not a text: %s: " DAMAGED, key, file->path);
        bytes += strlen(key) + json_string_length(value);
    }
    return bytes <= MAX_METADATA || bad_header(file, "__metadata__ has more than 8 MiB", error);
}

static bool check_name(const Safetensors *file, const char *name, Error *error)
{
    const size_t length = strlen(name);
    if (length < 1 || length > MAX_NAME)
        return error_set(error, EXIT_input,
                         "tensor name '%.120s' has %zu bytes, expected 1 to %d: %s: " DAMAGED, name, length, MAX_NAME, file->path);
    return text_is_printable(name) ||
           error_set(error, EXIT_input, "tensor name '%.120s' holds a control character: %s: " DAMAGED, name, file->path);
}

static bool parse_dtype(const Safetensors *file, const char *name, const json_t *value, Dtype *dtype, Error *error)
{
    const char *text = json_string_value(value);
    return (text && dtype_parse(text, dtype)) ||
           error_set(error, EXIT_input,
                     "tensor '%.120s' has dtype %.20s: %s: known are F32 F64 BF16 F16 I64 I32 U8; convert it", name,
                     text ? text : "of no text", file->path);
}

static bool parse_shape(const Safetensors *file, SafetensorsEntry *entry, const json_t *shape, Error *error)
{
    if (!json_is_array(shape) || json_array_size(shape) > SAFETENSORS_MAX_RANK)
        return bad_entry(file, entry->name, "has a shape that is not a list of at most 8 numbers", error);
    entry->rank = (int)json_array_size(shape);
    for (int i = 0; i < entry->rank; i++) {
        const json_t *dimension = json_array_get(shape, (size_t)i);
        entry->shape[i] = json_integer_value(dimension);
        if (!json_is_integer(dimension) || entry->shape[i] > MAX_DIMENSION)
            return bad_entry(file, entry->name, "has a dimension that is not a whole number up to 2^48", error);
    }
    return true;
}

static bool parse_offsets(const Safetensors *file, SafetensorsEntry *entry, const json_t *offsets, Error *error)
{
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return bad_entry(file, entry->name, "has data_offsets that are not two whole numbers", error);
    entry->begin = (uint64_t)json_integer_value(begin);
    entry->end = (uint64_t)json_integer_value(end);
    if (entry->begin > entry->end)
        return bad_entry(file, entry->name, "ends before it begins", error);
    size_t bytes;
    char shape[160], needs[32], has[32];
    shape_text(entry->rank, entry->shape, shape, sizeof shape);
    if (!size_of_dims(entry->shape, entry->rank, dtype_size(entry->dtype), &bytes))
        return error_set(error, EXIT_input,
                         "tensor size overflows: '%.120s' shape %s in %s: " DAMAGED, entry->name, shape, file->path);
    if (entry->end - entry->begin != bytes)
        return error_set(error, EXIT_input,
                         "tensor '%.120s' of dtype %s and shape %s needs %s bytes, its data_offsets hold %s: %s: " DAMAGED,
                         entry->name, dtype_name(entry->dtype), shape, number_grouped(bytes, needs),
                         number_grouped(entry->end - entry->begin, has), file->path);
    return true;
}

static bool parse_entry(const Safetensors *file, SafetensorsEntry *entry, const char *name, const json_t *value, Error *error)
{
    if (!check_name(file, name, error))
        return false;
    entry->name = text_copy(name);
    const json_t *dtype = json_object_get(value, "dtype"), *shape = json_object_get(value, "shape");
    const json_t *offsets = json_object_get(value, "data_offsets");
    if (json_object_size(value) != 3 || !dtype || !shape || !offsets)
        return bad_entry(file, name, "does not have exactly the keys dtype, shape and data_offsets", error);
    return parse_dtype(file, name, dtype, &entry->dtype, error) && parse_shape(file, entry, shape, error) &&
           parse_offsets(file, entry, offsets, error);
}

static int entry_compare(const void *a, const void *b)
{
    const SafetensorsEntry *first = a, *second = b;
    if (first->begin != second->begin)
        return first->begin < second->begin ? -1 : 1;
    return (first->end > second->end) - (first->end < second->end);
}

/* No holes, no overlap, nothing before the first or after the last tensor. */
static bool check_layout(const Safetensors *file, Error *error)
{
    uint64_t at = 0;
    for (size_t i = 0; i < file->count; i++) {
        const SafetensorsEntry *entry = &file->entries[i];
        if (entry->begin != at)
            return error_set(error, EXIT_input,
                             "tensor '%.120s' begins at %llu, expected %llu: %s: tensors may not overlap or leave holes: " DAMAGED,
                             entry->name, (unsigned long long)entry->begin, (unsigned long long)at, file->path);
        at = entry->end;
    }
    const uint64_t has = file->size - file->data;
    char says[32], size[32];
    if (at > has)             /* at is at most 2^63 - 1, data at most 16 MiB: their sum fits */
        return error_set(error, EXIT_input,
                         "checkpoint truncated: %s: header says %s bytes, file has %s: use an older copy (prev.safetensors)",
                         file->path, number_grouped(at + file->data, says), number_grouped(file->size, size));
    if (at < has)
        return error_set(error, EXIT_input, "bytes after the last tensor: %s: header says %s bytes, file has %s: " DAMAGED,
                         file->path, number_grouped(at + file->data, says), number_grouped(file->size, size));
    return true;
}

static bool parse_entries(Safetensors *file, json_t *root, Error *error)
{
    json_t *metadata = json_object_get(root, "__metadata__"), *value;
    if (metadata && !check_metadata(file, metadata, error))
        return false;
    file->metadata = json_incref(metadata);
    const size_t count = json_object_size(root) - (metadata != NULL);
    if (count > MAX_TENSORS)
        return bad_header(file, "header holds more than 100,000 tensors", error);
    file->entries = allocate(count, sizeof *file->entries, "safetensors entries");
    const char *name;
    json_object_foreach(root, name, value) {
        if (value == metadata)
            continue;
        if (!parse_entry(file, &file->entries[file->count++], name, value, error))
            return false;
    }
    qsort(file->entries, file->count, sizeof *file->entries, entry_compare);
    return check_layout(file, error);
}

bool safetensors_parse(Safetensors *file, Error *error)
{
    json_t *root = read_header(file, error);
    const bool ok = root && parse_entries(file, root, error);
    json_decref(root);
    return ok;
}
