/* record.h - what a part of a run writes into its folder beside the checkpoints: a file that grows by the epoch.
 *
 * A record never stops a training: what cannot be written is told once, owed, and tried again at the next epoch. */

#ifndef CONVZOO_RECORD_H
#define CONVZOO_RECORD_H

#include "log_lines.h"
#include "trainer.h"

typedef struct Record Record;

/* Opens the file, or makes it, without what it holds of later epochs than the record's: those are owed, or still to come. */
typedef bool RecordOpen(Record *record, const Trainer *trainer, Error *error);

struct Record {
    const char *path;            /* the run folder's */
    RecordOpen *opener;
    LogFile     log;
    bool        open, told;
    uint32_t    epochs;          /* that were done when this call of the program began */
    uint64_t    step;            /* the last of them */
    char       *owed;            /* bytes; NULL: none */
    size_t      owed_size;
};

/* Of that file in the trainer's folder; nothing is opened yet. */
Record record_of(const Trainer *trainer, RunFile file, RecordOpen *opener);
void   record_close(Record *record);

/* For files of objects with "epoch", an object a line. */
RecordOpen record_open_lines;

/* Where the trainer is now is where the record goes on. */
void record_cut_back(Record *record, const Trainer *trainer);
/* Appends. */
void record_write(Record *record, const Trainer *trainer, const void *bytes, size_t size);
void record_line(Record *record, const Trainer *trainer, const char *line);

#endif
