/* record.h - what a part of a run writes into its folder beside the checkpoints: lines, each of an epoch.
 *
 * A record never stops a training: what cannot be written is told once, owed, and tried again with the next line. */

#ifndef CONVZOO_RECORD_H
#define CONVZOO_RECORD_H

#include "log_lines.h"
#include "trainer.h"

typedef struct Record {
    const char *path;            /* the run folder's */
    LineEpoch  *epoch_of;
    LogFile     log;
    bool        open, told;
    char       *owed;            /* lines; NULL: none */
} Record;

/* Of that file in the trainer's folder; nothing is opened yet. */
Record record_of(const Trainer *trainer, RunFile file, LineEpoch *epoch_of);
void   record_close(Record *record);

/* Opens it without lines of epochs that are not done. */
void record_cut_back(Record *record, const Trainer *trainer);
/* Appends a line. */
void record_write(Record *record, const Trainer *trainer, const char *line);

#endif
