/* record.c - see record.h. */

#include "record.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

Record record_of(const Trainer *t, RunFile file, RecordOpen *opener)
{
    return (Record){ .path = t->folder->files[file], .opener = opener, .log = { .descriptor = -1 } };
}

bool record_open_lines(Record *record, const Trainer *t, Error *error)
{
    (void)t;
    return log_open_cut(&record->log, record->path, record->epochs, log_object_epoch, error);
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
        record->open = record->opener(record, t, &error);
    }
    if (!record->open)
        tell(record, t, &error);
    return record->open;
}

void record_cut_back(Record *record, const Trainer *t)
{
    record->epochs = t->state.epoch;
    record->step = t->state.step - t->state.batch;
    is_open(record, t);
}

static void owe(Record *record, const void *bytes, size_t size)
{
    char *all = allocate(record->owed_size + size, 1, "a record");
    if (record->owed)
        memcpy(all, record->owed, record->owed_size);
    memcpy(all + record->owed_size, bytes, size);
    free(record->owed);
    record->owed = all;
    record->owed_size += size;
}

void record_write(Record *record, const Trainer *t, const void *bytes, size_t size)
{
    Error error = { 0 };
    owe(record, bytes, size);
    if (!is_open(record, t))
        return;
    if (!log_append_bytes(&record->log, record->owed, record->owed_size, &error)) {
        tell(record, t, &error);
        return;
    }
    free(record->owed);
    record->owed = NULL;
    record->owed_size = 0;
    record->told = false;
}

void record_line(Record *record, const Trainer *t, const char *line)
{
    char *text = text_format("%s\n", line);
    record_write(record, t, text, strlen(text));
    free(text);
}
