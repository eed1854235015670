/* folder.h - a run's folder: made, locked, cleared of what a killed run left; and its log of lines. */

#ifndef CONVZOO_FOLDER_H
#define CONVZOO_FOLDER_H

#include <stdint.h>

#include "errors.h"

/* Makes the folder and those above it, each synced into the one above; one that is there already is fine. False: EXIT_folder. */
bool folder_create(const char *path, Error *error);

/* One level of it. False, with errno, if it could not be made, or is there already. */
bool folder_make(const char *path);

/* Locks the folder for this process, until folder_unlock or its end, by an open file description lock on
 * <path>/run.lock; the file holds "pid N on host NAME since DATE TIME". Returns a descriptor, or -1 and
 * EXIT_folder with the holder's text if another process has the lock. */
int  folder_lock(const char *path, Error *error);
void folder_unlock(int lock);

/* Removes regular files that are called <name>.tmp. Only under the lock: a running save has one. */
bool folder_remove_orphans(const char *path, Error *error);

/* A file of lines that only grows. */
typedef struct LogFile {
    int      descriptor;
    uint64_t bytes;            /* whole lines written so far */
    char    *path;
} LogFile;

/* Opens, or makes, the log and cuts it to the whole lines within its first `keep` bytes (0: starts afresh; UINT64_MAX:
 * all of them), so that a resumed run repeats no line. False: EXIT_write, and log_close is still fine. */
bool log_open(LogFile *log, const char *path, uint64_t keep, Error *error);
/* Opens a file that is not of lines; it stays as it is. */
bool log_open_bytes(LogFile *log, const char *path, Error *error);
/* Appends line and '\n' and syncs. If that fails, the file is cut back to whole lines: EXIT_write. */
bool log_append(LogFile *log, const char *line, Error *error);
/* The same for bytes that are no line. */
bool log_append_bytes(LogFile *log, const void *bytes, size_t length, Error *error);
void log_close(LogFile *log);

#endif
