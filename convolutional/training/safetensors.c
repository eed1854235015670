/* safetensors.c - reading.
 *
 *   bytes 0..7      N, little-endian       length of the header, its padding included
 *   bytes 8..8+N    the header, JSON       safetensors_header.c
 *   bytes 8+N..     the tensors, packed
 *
 * Nothing is mapped: a mapped file that somebody shortens kills the process with SIGBUS; a read just comes up short. */

#include "safetensors_file.h"

#include "bf16.h"
#include "text.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { LEAST_SIZE = 10 };      /* a length and {} */

static const struct { const char *name; size_t size; bool real; } dtypes[] = {
    [DTYPE_F32]  = { "F32",  4, true },
    [DTYPE_F64]  = { "F64",  8, true },
    [DTYPE_BF16] = { "BF16", 2, true },
    [DTYPE_F16]  = { "F16",  2, true },
    [DTYPE_I64]  = { "I64",  8, false },
    [DTYPE_I32]  = { "I32",  4, false },
    [DTYPE_U8]   = { "U8",   1, false },
};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

const char *dtype_name(Dtype dtype)     { return dtypes[dtype].name; }
size_t      dtype_size(Dtype dtype)     { return dtypes[dtype].size; }
bool        dtype_is_float(Dtype dtype) { return dtypes[dtype].real; }

bool dtype_parse(const char *name, Dtype *dtype)
{
    for (int i = 0; i < DTYPES; i++)
        if (!strcmp(name, dtypes[i].name)) {
            *dtype = (Dtype)i;
            return true;
        }
    return false;
}

const char *shape_text(int rank, const int64_t *shape, char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < rank && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, i ? ",%lld" : "%lld", (long long)shape[i]);
    if (at < size)
        snprintf(text + at, size - at, "]");
    return text;
}

const char *number_grouped(uint64_t number, char text[32])
{
    char digits[32];
    const int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    char *to = text;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

/* ---- bytes ---- */

/* A file that could not be read is not a damaged one: for callers that would use another instead. */
static bool unread(Error *error)
{
    if (error)
        error->unread = true;
    return false;
}

static bool too_short(const Safetensors *file, uint64_t has, Error *error)
{
    char old[32], now[32];
    return error_set(error, EXIT_input,
                     "file became shorter while it was read: %s: it had %s bytes, now %s: read it when nobody writes it",
                     file->path, number_grouped(file->size, old), number_grouped(has, now)) || unread(error);
}

bool safetensors_read_at(const Safetensors *file, uint64_t offset, void *bytes, size_t count, Error *error)
{
    unsigned char *to = bytes;
    while (count > 0) {
        const ssize_t got = pread(file->descriptor, to, count, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(error, EXIT_input, "cannot read: %s: %s: check the disk", file->path, strerror(errno)) ||
                   unread(error);
        if (got == 0)
            return too_short(file, offset, error);
        to += got;
        offset += (uint64_t)got;
        count -= (size_t)got;
    }
    return true;
}

static bool open_regular(Safetensors *file, Error *error)
{
    /* O_NONBLOCK: a FIFO must not hang the program before fstat can refuse it. */
    file->descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    if (file->descriptor < 0 || fstat(file->descriptor, &status) != 0)
        return error_set(error, EXIT_input, "cannot open: %s: %s: name a .safetensors file", file->path, strerror(errno)) ||
               unread(error);
    if (!S_ISREG(status.st_mode))
        return error_set(error, EXIT_input, "not a regular file: %s%s: name a .safetensors file", file->path,
                         S_ISDIR(status.st_mode) ? ": it is a folder" : "");
    file->size = (uint64_t)status.st_size;
    return true;
}

static bool check_size(const Safetensors *file, Error *error)
{
    return file->size >= LEAST_SIZE ||
           error_set(error, EXIT_input, "not a safetensors file: %s: %sit has %llu bytes, at least %d are needed: use another copy",
                     file->path, file->size == 0 ? "it is empty: " : "", (unsigned long long)file->size, LEAST_SIZE);
}

Safetensors *safetensors_open(const char *path, Error *error)
{
    Safetensors *file = allocate(1, sizeof *file, "a safetensors file");
    file->descriptor = -1;
    file->path = text_copy(path);
    if (open_regular(file, error) && safetensors_recognize(file, error) && check_size(file, error) && safetensors_parse(file, error))
        return file;
    safetensors_close(file);
    return NULL;
}

void safetensors_close(Safetensors *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->count; i++)
        free(file->entries[i].name);
    if (file->descriptor >= 0)
        (void)close(file->descriptor);
    json_decref(file->metadata);
    free(file->entries);
    free(file->path);
    free(file);
}

size_t                  safetensors_count(const Safetensors *file)               { return file->count; }
const SafetensorsEntry *safetensors_entry(const Safetensors *file, size_t index) { return &file->entries[index]; }

const SafetensorsEntry *safetensors_find(const Safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (!strcmp(file->entries[i].name, name))
            return &file->entries[i];
    return NULL;
}

const char *safetensors_metadata(const Safetensors *file, const char *key)
{
    return json_string_value(json_object_get(file->metadata, key));
}

/* ---- tensors ---- */

static float from_f16(uint16_t bits)
{
    const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    const float size = exponent == 31 ? (mantissa ? NAN : INFINITY)
                     : exponent == 0  ? ldexpf((float)mantissa, -24) : ldexpf((float)(1024 + mantissa), exponent - 25);
    return bits >> 15 ? -size : size;
}

/* One value at any address: the file may leave it unaligned. dtype: one of dtype_is_float. */
static float take_f32(Dtype dtype, const unsigned char *bytes)
{
    double wide;
    float value;
    uint16_t half;
    if (dtype == DTYPE_F64) {
        memcpy(&wide, bytes, sizeof wide);
        return (float)wide;
    }
    if (dtype == DTYPE_BF16 || dtype == DTYPE_F16) {
        memcpy(&half, bytes, sizeof half);
        return dtype == DTYPE_F16 ? from_f16(half) : bf16_to_float(half);
    }
    memcpy(&value, bytes, sizeof value);
    return value;
}

static int64_t take_i64(Dtype dtype, const unsigned char *bytes)
{
    int64_t value;
    int32_t narrow;
    if (dtype == DTYPE_U8)
        return *bytes;
    if (dtype == DTYPE_I32) {
        memcpy(&narrow, bytes, sizeof narrow);
        return narrow;
    }
    memcpy(&value, bytes, sizeof value);
    return value;
}

/* Reads a tensor piece by piece and converts it into whichever of the two is not NULL. */
static bool read_converted(const Safetensors *file, const SafetensorsEntry *entry, float *reals, int64_t *integers, Error *error)
{
    unsigned char piece[8192];
    const size_t unit = dtype_size(entry->dtype);
    for (uint64_t at = entry->begin; at < entry->end; ) {
        const uint64_t rest = entry->end - at;
        const size_t bytes = rest < sizeof piece ? (size_t)rest : sizeof piece;
        if (!safetensors_read_at(file, file->data + at, piece, bytes, error))
            return false;
        for (size_t i = 0; i < bytes / unit; i++) {
            if (reals)
                *reals++ = take_f32(entry->dtype, piece + i * unit);
            else
                *integers++ = take_i64(entry->dtype, piece + i * unit);
        }
        at += bytes;
    }
    return true;
}

static bool same_size(const Safetensors *file, Error *error)
{
    struct stat status;
    if (fstat(file->descriptor, &status) != 0)
        return error_set(error, EXIT_input, "cannot read: %s: %s: check the disk", file->path, strerror(errno)) || unread(error);
    return (uint64_t)status.st_size == file->size ||
           error_set(error, EXIT_input, "file changed while it was read: %s: read it when nobody writes it", file->path) ||
           unread(error);
}

bool safetensors_check(const Safetensors *file, Error *error)
{
    enum { PIECE = 1 << 18 };
    const char *wanted = safetensors_metadata(file, SAFETENSORS_CHECKSUM);
    if (!wanted)
        return true;
    char digits[16];
    unsigned char *piece = allocate(PIECE, 1, "a buffer");
    uLong checksum = crc32(0, NULL, 0);
    bool read = true;
    for (uint64_t at = file->data; read && at < file->size;) {
        const size_t bytes = file->size - at < PIECE ? (size_t)(file->size - at) : PIECE;
        read = safetensors_read_at(file, at, piece, bytes, error);
        if (read)
            checksum = crc32_z(checksum, piece, bytes);
        at += bytes;
    }
    free(piece);
    snprintf(digits, sizeof digits, "%08lx", (unsigned long)checksum);
    return read && (!strcmp(digits, wanted) ||
                    error_set(error, EXIT_input,
                              "file is damaged: %s: its tensors have the checksum %s, they were written with %.16s: "
                              "use an older copy; or, if they were changed on purpose, write the file without the metadata "
                              "key '" SAFETENSORS_CHECKSUM "'", file->path, digits, wanted));
}

static bool wrong_type(const Safetensors *file, const SafetensorsEntry *entry, const char *expected, Error *error)
{
    return error_set(error, EXIT_input, "tensor '%.120s' has dtype %s, expected %s: %s: use a file of this network", entry->name,
                     dtype_name(entry->dtype), expected, file->path);
}

bool safetensors_read_f32(const Safetensors *file, const SafetensorsEntry *entry, float *values, Error *error)
{
    _Static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "the file's values are little-endian and copied as they are");
    if (!dtype_is_float(entry->dtype))
        return wrong_type(file, entry, "a floating-point one", error);
    const bool read = entry->dtype == DTYPE_F32
        ? safetensors_read_at(file, file->data + entry->begin, values, (size_t)(entry->end - entry->begin), error)
        : read_converted(file, entry, values, NULL, error);
    return read && same_size(file, error);
}

bool safetensors_read_i64(const Safetensors *file, const SafetensorsEntry *entry, int64_t *values, Error *error)
{
    if (dtype_is_float(entry->dtype))
        return wrong_type(file, entry, "an integer one", error);
    return read_converted(file, entry, NULL, values, error) && same_size(file, error);
}
