/* safetensors.h - the file format of checkpoints: a JSON header and packed little-endian tensors.
 *
 * Reading is strict: every rule of the format is checked before anything is allocated by a size that the
 * file names. Writing replaces the old file only by a whole, synced new one. */

#ifndef CONVZOO_SAFETENSORS_H
#define CONVZOO_SAFETENSORS_H

#include <stdint.h>

#include "errors.h"

enum { SAFETENSORS_MAX_RANK = 8 };

typedef enum { DTYPE_F32, DTYPE_F64, DTYPE_BF16, DTYPE_F16, DTYPE_I64, DTYPE_I32, DTYPE_U8 } Dtype;

/* "F32", and the bytes of one value. */
const char *dtype_name(Dtype dtype);
size_t      dtype_size(Dtype dtype);
bool        dtype_is_float(Dtype dtype);

/* "[64,3,7,7]", for messages; returns text. */
const char *shape_text(int rank, const int64_t *shape, char *text, size_t size);

typedef struct SafetensorsEntry {
    char    *name;
    Dtype    dtype;
    int      rank;
    int64_t  shape[SAFETENSORS_MAX_RANK];
    uint64_t begin, end;               /* bytes in the data part */
} SafetensorsEntry;

/* ---- reading ---- */

typedef struct Safetensors Safetensors;

/* Opens and checks the header. NULL and one line if anything is wrong. */
Safetensors *safetensors_open(const char *path, Error *error);
void         safetensors_close(Safetensors *file);
size_t       safetensors_count(const Safetensors *file);
const SafetensorsEntry *safetensors_entry(const Safetensors *file, size_t index);          /* in file order */
const SafetensorsEntry *safetensors_find(const Safetensors *file, const char *name);       /* NULL if absent */
/* A metadata text, or NULL. */
const char  *safetensors_metadata(const Safetensors *file, const char *key);
/* The metadata key under which files written here keep the CRC-32 of their data part, 8 hexadecimal digits. */
#define SAFETENSORS_CHECKSUM "data_crc32"
/* Reads the data part and compares; a file without the key passes. */
bool         safetensors_check(const Safetensors *file, Error *error);
/* Reads a floating-point tensor as f32 (any float dtype; count = product of its shape), or an integer one as i64. */
bool safetensors_read_f32(const Safetensors *file, const SafetensorsEntry *entry, float *values, Error *error);
bool safetensors_read_i64(const Safetensors *file, const SafetensorsEntry *entry, int64_t *values, Error *error);

/* ---- writing ---- */

typedef struct SafetensorsWriter SafetensorsWriter;

SafetensorsWriter *safetensors_writer_new(void);
void safetensors_writer_free(SafetensorsWriter *writer);
void safetensors_writer_metadata(SafetensorsWriter *writer, const char *key, const char *value);   /* copied */
/* Declares a tensor whose bytes `fill(context, data)` writes, plain row-major, when it is the tensor's turn. */
void safetensors_writer_add(SafetensorsWriter *writer, const char *name, Dtype dtype, int rank, const int64_t *shape,
                            void (*fill)(const void *context, void *data), const void *context);
/* Writes <path>.tmp, syncs, checks by reading its hash again, and renames it over path; the old file, if any, stays
 * until then. keep_previous names where the old file goes instead of being replaced (NULL: replaced).
 * The byte order of tensors is I64, F32, ..., then by name. False and one line (EXIT_write) if anything
 * fails; then path is as it was, but for the case that files.h names. */
bool safetensors_write(const SafetensorsWriter *writer, const char *path, const char *keep_previous, Error *error);

typedef struct SafetensorsText {
    const char *key, *value;           /* NULL: the key is taken out */
} SafetensorsText;

/* Replaces a file by one with other texts in its metadata, whole or not at all, as above; the tensors' bytes are copied as they lie, in
 * whatever order. A link is followed: the file it leads to is replaced. A file whose checksum is wrong is refused. */
bool safetensors_set_metadata(const char *path, const SafetensorsText *texts, size_t count, Error *error);

#endif
