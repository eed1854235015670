/* report_run.c - the files of a run for its report; see report.h. */

#include "report_parts.h"

#include "disk.h"
#include "files.h"
#include "run_folder.h"
#include "text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MOST = 1 << 28 };

char *report_read(ReportRun *run, const char *path, size_t *size)
{
    Error error;
    bool there;
    if (!file_there(path, &there, &error)) {
        report_note(run, error.text);
        return NULL;
    }
    char *text = there ? (char *)disk_read_all(AT_FDCWD, path, path, BYTES_MOST, size, &error) : NULL;
    if (text)
        text[*size] = '\0';
    else if (there)
        report_note(run, error.text);
    run->found = run->found || text;
    return text;
}

static void tell_damage(ReportRun *run, const char *path, int lines, int first)
{
    char *text = lines == 1 ? text_format("damaged: %s: line %d is no JSON object: left out", path, first)
                            : text_format("damaged: %s: %d lines are no JSON objects, the first is line %d: left out", path, lines, first);
    report_note(run, text);
    free(text);
}

/* A list of the objects, one a line; lines that are none are left out. */
static json_t *read_lines(ReportRun *run, const char *path)
{
    json_t *list = json_made(json_array());
    size_t size, length;
    char *text = report_read(run, path, &size);
    const char *at = text;
    int number = 0, damaged = 0, first = 0;
    for (const char *line; text && (line = text_line(&at, text + size, &length)) != NULL;) {
        number++;
        json_t *object = length ? json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL) : NULL;
        if (json_is_object(object)) {
            json_append(list, object);
            continue;
        }
        json_decref(object);
        damaged += length > 0;
        first = damaged == 1 && length ? number : first;
    }
    if (damaged)
        tell_damage(run, path, damaged, first);
    free(text);
    return list;
}

static json_t *read_settings(ReportRun *run, const char *path)
{
    json_error_t where;
    size_t size;
    char *text = report_read(run, path, &size);
    if (!text)
        return json_made(json_null());
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    free(text);
    if (json_is_object(object))
        return object;
    json_decref(object);
    char *note = text_format("damaged: %s: %s: the settings are left out", path, object ? "no JSON object" : where.text);
    report_note(run, note);
    free(note);
    return json_made(json_null());
}

bool report_run_found(const ReportRun *run)
{
    return run->found;
}

ReportRun *report_run(Report *report, const char *name, const char *folder, ReportTell *tell, void *context)
{
    static const struct { const char *key; RunFile file; } records[] = {
        { "log", RUN_log }, { "health", RUN_health }, { "activity", RUN_activity },
    };
    CHECK(report->count < REPORT_RUNS, "%d runs in a report", report->count);
    char shown[256];
    text_printable(name, shown, sizeof shown);
    ReportRun *run = &report->runs[report->count++];
    *run = (ReportRun){ .report = report, .data = json_made(json_pack("{s:s, s:[]}", "name", shown, "notes")), .tell = tell, .context = context };
    json_append(json_object_get(report->data, "runs"), run->data);
    char *arguments = run_folder_file(folder, RUN_arguments);
    report_set(run->data, "settings", read_settings(run, arguments));
    free(arguments);
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        char *path = run_folder_file(folder, records[i].file);
        report_set(run->data, records[i].key, read_lines(run, path));
        free(path);
    }
    char *suspects = run_folder_file(folder, RUN_suspects);
    report_set(run->data, "suspects", report_suspect_list(run, suspects));
    free(suspects);
    return run;
}
