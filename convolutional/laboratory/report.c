/* report.c - the report's page; see report.h. */

#include "report_parts.h"

#include "files.h"
#include "page.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS = 6 };

void report_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, json_made(value)))
        memory_exhausted("jansson");
}

Report *report_new(void)
{
    Report *report = allocate(1, sizeof *report, "a report");
    report->data = json_made(json_pack("{s:s, s:[]}", "version", CONVZOO_VERSION, "runs"));
    return report;
}

void report_free(Report *report)
{
    if (report)
        json_decref(report->data);
    free(report);
}

/* Once: the same data may be opened twice. */
void report_note(ReportRun *run, const char *text)
{
    json_t *notes = json_object_get(run->data, "notes");
    json_t *note = json_text(text);
    for (size_t i = 0; i < json_array_size(notes); i++)
        if (json_equal(json_array_get(notes, i), note)) {
            json_decref(note);
            return;
        }
    json_append(notes, note);
    run->tell(run->context, text);
}

char *report_page(const Report *report)
{
    return page_text("report.html", report->data, DIGITS);
}

bool report_save(const Report *report, const char *path, Error *error)
{
    char *page = page_check_path(path, error) ? report_page(report) : NULL;
    const bool saved = page && file_replace(path, page, strlen(page), error);
    free(page);
    return saved;
}
