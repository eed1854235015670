/* log_lines.h - a log whose lines are each of an epoch, cut back to what a checkpoint knows.
 *
 * By their epochs and not by a length kept in the checkpoint: lines hold times, and equal runs leave equal checkpoints. */

#ifndef CONVZOO_LOG_LINES_H
#define CONVZOO_LOG_LINES_H

#include <stddef.h>

#include "folder.h"

/* The epoch, from 1, that a line is of; 0: of none, and it stays. False: it is the first part of a line. */
typedef bool LineEpoch(const char *line, size_t length, uint64_t *epoch);

/* Of an object with "epoch". */
bool log_object_epoch(const char *line, size_t length, uint64_t *epoch);

/* The log's text with a NUL, and its length; empty if there is no log. The caller frees it; NULL and an error if it cannot be read. */
char *log_read(const char *path, size_t *length, Error *error);

/* Takes the lines of epochs after the first `epochs` out, and a torn last line, and opens the log. One that cannot be read is left
 * alone: EXIT_input. */
bool log_open_cut(LogFile *log, const char *path, uint32_t epochs, LineEpoch *epoch_of, Error *error);

#endif
