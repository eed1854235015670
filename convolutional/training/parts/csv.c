/* csv.c - log.csv: log.jsonl for spreadsheets, a line an epoch. */

#include "files.h"
#include "log_object.h"
#include "record.h"
#include "json_made.h"
#include "text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const columns[] = { "epoch", "step", "lr", "train_loss", "train_top1", "val_loss", "val_top1", "val_top5", "best",
                                       "images_per_second", "seconds", "val_seconds" };

enum { COLUMNS = sizeof columns / sizeof *columns, LINE = 512 };

/* A line of the log as one of the table, without its end: "" if it is no object of an epoch. What is no number is an empty cell. */
static void line_of(const json_t *object, char line[LINE])
{
    size_t at = 0;
    line[0] = '\0';
    if (!json_is_integer(json_object_get(object, "epoch")))
        return;
    for (int i = 0; i < COLUMNS; i++) {
        const json_t *value = json_object_get(object, columns[i]);
        const char *comma = i ? "," : "";
        if (json_is_real(value))
            at += (size_t)snprintf(line + at, LINE - at, "%s%.7g", comma, json_real_value(value));
        else if (json_is_integer(value) || json_is_boolean(value))
            at += (size_t)snprintf(line + at, LINE - at, "%s%lld", comma, json_is_boolean(value) ? (long long)json_is_true(value) : (long long)json_integer_value(value));
        else
            at += (size_t)snprintf(line + at, LINE - at, "%s", comma);
    }
}

static size_t add_header(char *text)
{
    size_t at = 0;
    for (int i = 0; i < COLUMNS; i++)
        at += (size_t)sprintf(text + at, "%s%s", i ? "," : "", columns[i]);
    text[at++] = '\n';
    return at;
}

/* The table of the log's epochs: the log is what counts, whatever became of the table. The caller frees it. */
static char *table_of(const char *log, size_t log_size, uint32_t epochs, size_t *size)
{
    const char *at = log, *end = log + log_size;
    size_t lines = 1, length;
    while (text_line(&at, end, &length))
        lines++;
    char *table = allocate(lines, LINE, "log.csv");
    *size = add_header(table);
    at = log;
    for (const char *line; (line = text_line(&at, end, &length)) != NULL;) {
        json_error_t reason;
        json_t *object = json_loaded(json_loadb(line, length, 0, &reason), &reason);
        char cells[LINE];
        line_of(object, cells);
        if (*cells && json_integer_value(json_object_get(object, "epoch")) <= (json_int_t)epochs)
            *size += (size_t)sprintf(table + *size, "%s\n", cells);
        json_decref(object);
    }
    return table;
}

static bool csv_open_table(Record *record, const Trainer *t, Error *error)
{
    size_t size;
    char *text = log_read(t->folder->files[RUN_log], &size, error);
    if (!text)
        return false;
    char *table = table_of(text, size, record->epochs, &size);
    const bool ok = file_replace(record->path, table, size, error) && log_open(&record->log, record->path, UINT64_MAX, error);
    free(table);
    free(text);
    return ok;
}

static void *csv_open(Trainer *t)
{
    if (!t->folder)
        return NULL;
    Record *record = allocate(1, sizeof *record, "log.csv");
    *record = record_of(t, RUN_csv, csv_open_table);
    return record;
}

static bool csv_cut_back(Trainer *t, void *state, Error *error)
{
    (void)error;
    record_cut_back(state, t);
    return true;
}

static void csv_after_epoch(Trainer *t, void *state, const TrainerEpoch *epoch)
{
    char line[LINE];
    json_t *object = log_object(epoch);
    line_of(object, line);
    json_decref(object);
    record_line(state, t, line);
}

static void csv_close(void *state)
{
    record_close(state);
    free(state);
}

const RunPart part_csv = { .key = "csv", .open = csv_open, .cut_back = csv_cut_back, .after_epoch = csv_after_epoch, .close = csv_close };
