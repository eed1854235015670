/* safetensors_metadata.c - other texts in the metadata of a file that is there. */

#include "safetensors_file.h"

#include "files.h"
#include "json_made.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 20 };      /* bytes copied at once */

/* The file's header with the texts, as the new file starts; the caller frees it. */
static char *header_with(const Safetensors *file, const SafetensorsText *texts, size_t count, size_t *bytes, Error *error)
{
    const size_t before = (size_t)file->data - 8;
    char *old = allocate(before + 1, 1, "a safetensors header");
    json_error_t reason;
    json_t *root = safetensors_read_at(file, 8, old, before, error) ? json_loaded(json_loads(old, JSON_REJECT_DUPLICATES, &reason), &reason) : NULL;
    free(old);
    if (!root)
        return NULL;
    json_t *metadata = json_object_get(root, "__metadata__");
    if (!metadata) {
        metadata = json_made(json_object());
        json_put(root, "__metadata__", metadata);
    }
    for (size_t i = 0; i < count; i++)
        if (texts[i].value)
            json_put(metadata, texts[i].key, json_string(texts[i].value));
        else
            json_object_del(metadata, texts[i].key);
    return safetensors_header_bytes(root, bytes);
}

/* The file as it is, behind another header. */
typedef struct Edited {
    const Safetensors *file;
    const char        *header;
    size_t             header_size;
} Edited;

static bool write_edited(FileWriter *to, const void *context, Error *error)
{
    const Edited *edited = context;
    const Safetensors *file = edited->file;
    char *chunk = allocate(CHUNK, 1, "a part of a file");
    bool ok = file_writer_write(to, edited->header, edited->header_size, error);
    for (uint64_t at = file->data; ok && at < file->size;) {
        const size_t count = file->size - at < CHUNK ? (size_t)(file->size - at) : CHUNK;
        ok = safetensors_read_at(file, at, chunk, count, error) && file_writer_write(to, chunk, count, error);
        at += count;
    }
    free(chunk);
    return ok;
}

bool safetensors_set_metadata(const char *path, const SafetensorsText *texts, size_t count, Error *error)
{
    char *real = realpath(path, NULL);
    if (!real)
        return error_set(error, EXIT_input, "cannot read: %s: %s: correct the path or its permissions", path, strerror(errno));
    size_t size = 0;
    Safetensors *file = safetensors_open(real, error);
    char *header = file && safetensors_check(file, error) ? header_with(file, texts, count, &size, error) : NULL;
    const bool ok = header && file_write(real, size + file->size - file->data, NULL, write_edited, &(Edited){ file, header, size }, error);
    safetensors_close(file);
    free(header);
    free(real);
    return ok;
}
