/* report_suspects.c - the training images whose labels may be wrong (parts/suspects.c), for a run's report. */

#include "report_parts.h"

#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 48 };

static const char header[] = "index,label,predicted,loss,probability\n";

/* ---- the list ---- */

/* A quoted cell and the comma behind it, where quotes are doubled; moves on. NULL: it is none. The caller frees it. */
static char *read_name(const char **at)
{
    char *name = allocate(strlen(*at) + 1, 1, "a name");
    size_t length = 0;
    const char *c = *at + 1;
    if (**at == '"')
        for (; *c && (*c != '"' || c[1] == '"'); c += 1 + (*c == '"'))
            name[length++] = *c;
    if (**at != '"' || c[0] != '"' || c[1] != ',') {
        free(name);
        return NULL;
    }
    *at = c + 2;
    return name;
}

/* The object of a line; NULL if it is none. */
static json_t *read_suspect(const char *line)
{
    unsigned long image;
    int read = 0, end = 0;
    double loss, probability;
    json_t *suspect = NULL;
    if (sscanf(line, "%9lu,%n", &image, &read) != 1 || !read)
        return NULL;
    const char *at = line + read;
    char *label = read_name(&at), *called = label ? read_name(&at) : NULL;
    if (called && sscanf(at, "%lf,%lf%n", &loss, &probability, &end) == 2 && !at[end])
        suspect = json_pack("{s:I, s:s, s:s, s:o, s:o}", "image", (json_int_t)image, "label", label, "called", called, "loss", json_finite(loss),
                            "sure", json_finite(probability));      /* NULL for names that are not UTF-8 */
    free(label);
    free(called);
    return suspect;
}

static void tell_damage(ReportRun *run, const char *path, int line)
{
    char *text = text_format("damaged: %s: line %d is no image with its loss: what follows is left out", path, line);
    report_note(run, text);
    free(text);
}

json_t *report_suspect_list(ReportRun *run, const char *path)
{
    size_t size;
    char *text = report_read(run, path, &size);
    if (!text)
        return json_made(json_null());
    json_t *list = json_made(json_array());
    bool whole = !strncmp(text, header, sizeof header - 1);
    const char *at = whole ? text + sizeof header - 1 : text, *end = text + size;
    size_t length;
    int line = 1, count = 0;
    for (const char *next; whole && (next = text_line(&at, end, &length)) != NULL; line++) {
        char *cells = text_format("%.*s", (int)length, next);
        json_t *suspect = read_suspect(cells);
        free(cells);
        whole = suspect != NULL;
        count += whole;
        if (count <= SHOWN && suspect)
            json_append(list, suspect);
        else
            json_decref(suspect);
    }
    if (!whole)
        tell_damage(run, path, line);
    free(text);
    return json_made(json_pack("{s:i, s:o}", "count", count, "list", list));
}

/* ---- their pictures ---- */

static json_t *list_of(const ReportRun *run)
{
    return json_object_get(json_object_get(run->data, "suspects"), "list");
}

int report_suspect_count(const ReportRun *run)
{
    return (int)json_array_size(list_of(run));
}

uint32_t report_limit(const ReportRun *run)
{
    return (uint32_t)json_integer_value(json_object_get(json_object_get(run->data, "settings"), "limit"));
}

/* Whether the data has that image, with that label. */
static bool is_there(const json_t *suspect, const Dataset *data)
{
    const json_int_t image = json_integer_value(json_object_get(suspect, "image"));
    return image >= 0 && image < data->count && !strcmp(data->class_names[data->labels[image]], json_string_value(json_object_get(suspect, "label")));
}

void report_suspects(ReportRun *run, const Dataset *data)
{
    json_t *list = list_of(run);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!is_there(json_array_get(list, i), data)) {
            report_note(run, "other training images: suspects.csv: its labels are not theirs: they are listed without pictures; name the run's own data, --data PATH");
            return;
        }
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *suspect = json_array_get(list, i);
        const uint32_t image = (uint32_t)json_integer_value(json_object_get(suspect, "image"));
        json_t *picture = report_picture(run, data, image);
        report_set(suspect, "name", json_text(report_image_name(data, image)));
        if (picture)
            report_set(suspect, "picture", picture);
    }
}
