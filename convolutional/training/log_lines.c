/* log_lines.c - see log_lines.h. */

#include "log_lines.h"

#include "files.h"
#include "json_made.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool log_unread(const char *path, Error *error)
{
    return error_set(error, EXIT_input, "cannot read the log: %s: %s: nothing was changed; try again when it can be read", path,
                     strerror(errno));
}

char *log_read(const char *path, size_t *length, Error *error)
{
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat status = { 0 };
    *length = 0;
    if (descriptor < 0 && errno == ENOENT)
        return text_copy("");
    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        log_unread(path, error);
        if (descriptor >= 0)
            close(descriptor);
        return NULL;
    }
    char *text = allocate((size_t)status.st_size + 2, 1, "the log");      /* 2: a NUL, and a newline that may be lacking */
    ssize_t got = 1;
    while (*length < (size_t)status.st_size && got > 0) {
        got = read(descriptor, text + *length, (size_t)status.st_size - *length);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            *length += (size_t)got;
    }
    if (got < 0) {
        log_unread(path, error);
        free(text);
        text = NULL;
    }
    close(descriptor);
    return text;
}

bool log_object_epoch(const char *line, size_t length, uint64_t *epoch)
{
    json_error_t reason;
    json_t *object = json_loaded(json_loadb(line, length, 0, &reason), &reason);
    const bool whole = object || *line != '{';
    const json_int_t number = json_integer_value(json_object_get(object, "epoch"));
    json_decref(object);
    *epoch = number > 0 ? (uint64_t)number : 0;
    return whole;
}

/* Takes the lines that are ahead, or torn, out of the text; its new length. The process was killed while it wrote a torn one. */
static size_t log_keep(char *text, size_t length, uint32_t epochs, LineEpoch *epoch_of)
{
    const char *at = text, *end = text + length;
    size_t kept = 0, size;
    for (const char *line; (line = text_line(&at, end, &size)) != NULL;) {
        uint64_t epoch;
        const bool whole = epoch_of(line, size, &epoch), has_end = at > line + size;
        if ((!whole && !has_end) || epoch > epochs)
            continue;
        memmove(text + kept, line, size);
        kept += size;
        text[kept++] = '\n';
    }
    return kept;
}

bool log_open_cut(LogFile *log, const char *path, uint32_t epochs, LineEpoch *epoch_of, Error *error)
{
    size_t length;
    char *text = log_read(path, &length, error);
    if (!text)
        return false;
    const size_t kept = log_keep(text, length, epochs, epoch_of);
    const bool ok = kept == length || file_replace(path, text, kept, error);
    free(text);
    return ok && log_open(log, path, UINT64_MAX, error);
}
