/* record.h - what a part of a run writes into its folder beside the checkpoints: a file that grows by the epoch.
 *
 * A record never stops a training: what cannot be written is told once, owed, and tried again at the next epoch. */

#ifndef CONVZOO_RECORD_H
#define CONVZOO_RECORD_H

#include "log_lines.h"
#include "trainer.h"

/* Opens the file, or makes it, without what it holds of epochs that are not done. */
typedef bool RecordOpen(LogFile *log, const char *path, const Trainer *trainer, Error *error);

typedef struct Record {
    const char *path;            /* the run folder's */
    RecordOpen *opener;
    LogFile     log;
    bool        open, told;
    char       *owed;            /* bytes; NULL: none */
    size_t      owed_size;
} Record;

/* Of that file in the trainer's folder; nothing is opened yet. */
Record record_of(const Trainer *trainer, RunFile file, RecordOpen *opener);
void   record_close(Record *record);

/* For files of objects with "epoch", an object a line. */
RecordOpen record_open_lines;

void record_cut_back(Record *record, const Trainer *trainer);
/* Appends. */
void record_write(Record *record, const Trainer *trainer, const void *bytes, size_t size);
void record_line(Record *record, const Trainer *trainer, const char *line);

#endif
