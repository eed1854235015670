/* record.c - see record.h. */

#include "record.h"

#include "text.h"

#include <stdlib.h>

Record record_of(const Trainer *t, RunFile file, LineEpoch *epoch_of)
{
    return (Record){ .path = t->folder->files[file], .epoch_of = epoch_of, .log = { .descriptor = -1 } };
}

void record_close(Record *record)
{
    log_close(&record->log);
    free(record->owed);
    record->owed = NULL;
    record->open = false;
}

static void tell(Record *record, const Trainer *t, const Error *error)
{
    bool standing = record->told;
    for (int kind = 0; kind < SAVE_KINDS; kind++)      /* files fail together: the first one is told */
        standing = standing || t->told[kind];
    if (!standing)
        trainer_note(t, "warning: %s; training goes on without this record, and it is tried again at the next epoch", error->text);
    record->told = true;
}

static bool is_open(Record *record, const Trainer *t)
{
    Error error = { 0 };
    if (!record->open) {
        log_close(&record->log);
        record->open = log_open_cut(&record->log, record->path, t->state.epoch, record->epoch_of, &error);
    }
    if (!record->open)
        tell(record, t, &error);
    return record->open;
}

void record_cut_back(Record *record, const Trainer *t)
{
    is_open(record, t);
}

void record_write(Record *record, const Trainer *t, const char *line)
{
    Error error = { 0 };
    char *before = record->owed;
    record->owed = before ? text_format("%s\n%s", before, line) : text_copy(line);
    free(before);
    if (!is_open(record, t))
        return;
    if (!log_append(&record->log, record->owed, &error)) {
        tell(record, t, &error);
        return;
    }
    free(record->owed);
    record->owed = NULL;
    record->told = false;
}
