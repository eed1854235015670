/* page.c - see page.h. */

#define _GNU_SOURCE      /* open_memstream */

#include "page.h"

#include "files.h"
#include "json_made.h"
#include "page_files.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *part_find(const char *name, size_t length)
{
    for (int i = 0; i < page_file_count; i++)
        if (strlen(page_files[i].name) == length && !memcmp(page_files[i].name, name, length))
            return (const char *)page_files[i].bytes;
    CHECK(false, "no part '%.*s' of %d", (int)length, name, page_file_count);
}

/* Inside a script element a '<' could end it. In JSON it stands only within texts, where it may be written by its number. */
static void write_data(const json_t *data, int digits, FILE *stream)
{
    char *text = json_written(data, JSON_COMPACT | (digits ? JSON_REAL_PRECISION((size_t)digits) : 0));
    for (const char *c = text; *c; c++)
        if (*c == '<')
            fputs("\\u003c", stream);
        else
            fputc(*c, stream);
    free(text);
}

static void write_part(const char *at, const json_t *data, int digits, FILE *stream)
{
    static const char data_name[] = "data";
    for (const char *mark; (mark = strstr(at, "{{"));) {
        const char *name = mark + 2, *close = strstr(name, "}}");
        CHECK(close, "a mark without an end: %.20s", name);
        const size_t length = (size_t)(close - name);
        fwrite(at, 1, (size_t)(mark - at), stream);
        if (length == sizeof data_name - 1 && !memcmp(name, data_name, length))
            write_data(data, digits, stream);
        else
            write_part(part_find(name, length), data, digits, stream);
        at = close + 2;
    }
    fputs(at, stream);
}

char *page_text(const char *part, const json_t *data, int digits)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        memory_exhausted("a page");
    write_part(part_find(part, strlen(part)), data, digits, stream);
    if (fclose(stream))
        memory_exhausted("a page");
    return text;
}

bool page_check_path(const char *path, Error *error)
{
    if (!strcmp(path, "-"))
        return error_set(error, EXIT_usage, "a page is a file: -: name it, such as page.html");
    const char *slash = strrchr(path, '/');
    char *folder = slash ? text_format("%.*s", (int)(slash - path + 1), path) : text_copy(".");
    const bool fine = (access(folder, W_OK | X_OK) == 0 ||
                       error_set(error, EXIT_write, "cannot write: %s: %s: make the folder, or choose another", path, strerror(errno))) &&
                      file_check_place(path, error);
    free(folder);
    return fine;
}
