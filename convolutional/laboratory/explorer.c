/* explorer.c - the explorer page from its parts; see explorer.h. */

#include "explorer.h"

#include "explorer_data.h"
#include "explorer_files.h"
#include "files.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const ExplorerFile *file_find(const char *name, size_t length)
{
    for (int i = 0; i < explorer_file_count; i++)
        if (strlen(explorer_files[i].name) == length && !memcmp(explorer_files[i].name, name, length))
            return &explorer_files[i];
    CHECK(false, "no file '%.*s' of %d", (int)length, name, explorer_file_count);
}

/* Inside a script element a '<' could end it. In JSON it stands only within texts, where it may be written by its number. */
static void write_data(const json_t *data, FILE *stream)
{
    char *text = json_dumps(data, JSON_COMPACT);
    if (!text)
        memory_exhausted("jansson");
    for (const char *c = text; *c; c++)
        if (*c == '<')
            fputs("\\u003c", stream);
        else
            fputc(*c, stream);
    free(text);
}

/* The page has {{name}} where a file belongs, {{data}} for what the program knows. */
static void write_page(const json_t *data, FILE *stream)
{
    static const char page_name[] = "page.html", data_name[] = "data";
    const char *at = (const char *)file_find(page_name, sizeof page_name - 1)->bytes;
    for (const char *mark; (mark = strstr(at, "{{"));) {
        const char *name = mark + 2, *close = strstr(name, "}}");
        CHECK(close, "a mark without an end: %.20s", name);
        const size_t length = (size_t)(close - name);
        fwrite(at, 1, (size_t)(mark - at), stream);
        if (length == sizeof data_name - 1 && !memcmp(name, data_name, length))
            write_data(data, stream);
        else
            fputs((const char *)file_find(name, length)->bytes, stream);
        at = close + 2;
    }
    fputs(at, stream);
}

char *explorer_page(const char *experiments, Error *error)
{
    json_t *data = explorer_data(experiments, error);
    if (!data)
        return NULL;
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        memory_exhausted("the explorer page");
    write_page(data, stream);
    if (fclose(stream))
        memory_exhausted("the explorer page");
    json_decref(data);
    return text;
}

/* Told before the experiments are run, not a minute later. */
static bool folder_check(const char *path, Error *error)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? text_format("%.*s", (int)(slash - path + 1), path) : text_copy(".");
    const bool fine = access(folder, W_OK | X_OK) == 0 ||
                      error_set(error, EXIT_write, "%s: %s: make the folder, or choose another", folder, strerror(errno));
    free(folder);
    return fine;
}

bool explorer_save(const char *path, const char *experiments, Error *error)
{
    char *page = folder_check(path, error) ? explorer_page(experiments, error) : NULL;
    const bool saved = page && file_replace(path, page, strlen(page), error);
    free(page);
    return saved;
}
