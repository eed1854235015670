/* safetensors_file.h - what the parts of the reader and the writer share: safetensors.c, safetensors_header.c, safetensors_signature.c,
 * safetensors_write.c, safetensors_metadata.c. */

#ifndef CONVZOO_SAFETENSORS_FILE_H
#define CONVZOO_SAFETENSORS_FILE_H

#include <jansson.h>

#include "safetensors.h"

enum { SAFETENSORS_MAX_HEADER = 16 << 20 };

struct Safetensors {
    char             *path;
    int               descriptor;
    uint64_t          size, data;      /* of the file; where its tensors start */
    SafetensorsEntry *entries;         /* count, sorted by begin */
    size_t            count;
    json_t           *metadata;        /* NULL: none */
};

/* False and what the file is, where it is plainly of another kind; true: parsing tells what is wrong with it, if anything is. */
bool safetensors_recognize(const Safetensors *file, Error *error);

/* Fills data, entries and metadata from the header. What it allocated goes with safetensors_close, also when it fails. */
bool safetensors_parse(Safetensors *file, Error *error);

/* Exactly `count` bytes from `offset`; a file that ends before is an error. */
bool safetensors_read_at(const Safetensors *file, uint64_t offset, void *bytes, size_t count, Error *error);

/* What a file starts with: the object's length and text, padded with spaces. Takes the object; the caller frees the bytes. */
char *safetensors_header_bytes(json_t *object, size_t *bytes);

/* False if there is no such type, or none that is read here. */
bool dtype_parse(const char *name, Dtype *dtype);

/* "46,804,392": sizes in messages are to be compared by eye. Returns text. */
const char *number_grouped(uint64_t number, char text[32]);

#endif
