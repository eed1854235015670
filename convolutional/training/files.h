/* files.h - files that are replaced whole or not at all.
 *
 *   path.tmp is created, reserved, written and synced, read again and compared by checksum, then renamed over path.
 *   Until the rename path is as it was; whatever fails before removes path.tmp. Where the folder cannot be synced after it, the new file
 *   is in place, and that is told as a failure: a power cut may bring the old one back.
 *
 * The temporary name is fixed: two writers of one path cannot both get it, and what a killed process leaves is known
 * by its name (folder_remove_orphans). Every failure is EXIT_write and one line. */

#ifndef CONVZOO_FILES_H
#define CONVZOO_FILES_H

#include <stdint.h>

#include "errors.h"

typedef struct FileWriter FileWriter;

/* Starts a replacement of exactly `bytes` bytes, with the permissions of the file that is there: checks for space and reserves it. NULL if
 * that fails. */
FileWriter *file_writer_open(const char *path, uint64_t bytes, Error *error);
/* Appends. After false only file_writer_abandon is left to do. */
bool file_writer_write(FileWriter *writer, const void *data, size_t count, Error *error);
/* Syncs, checks, renames. keep_previous: where the old file goes (NULL: it is replaced); on file systems
 * without hard links it is replaced too. Frees the writer, also when it fails. */
bool file_writer_commit(FileWriter *writer, const char *keep_previous, Error *error);
/* Removes the temporary file and frees the writer. NULL is fine. */
void file_writer_abandon(FileWriter *writer);

/* Open, write and commit in one call: `content` writes the file's bytes. Where memory runs out in it, the temporary file is removed before that goes on
 * (errors.h, memory_guard), so that a later save finds none. */
typedef bool FileContent(FileWriter *writer, const void *context, Error *error);
bool file_write(const char *path, uint64_t bytes, const char *keep_previous, FileContent *content, const void *context, Error *error);
/* The same for a small file that is in memory: args.json, pictures. */
bool file_replace(const char *path, const void *data, size_t count, Error *error);

/* Whether a file may take this path: not where a device, a pipe or a socket is, nor a link to one, whose name it would take. False: EXIT_write. */
bool file_check_place(const char *path, Error *error);

/* Whether there is such a file. False: that cannot be told now, which is not the same as no; EXIT_input. */
bool file_there(const char *path, bool *there, Error *error);

/* Whether files of so many bytes more fit into a folder. A file system that does not tell has room. */
bool files_have_room(const char *folder, uint64_t bytes, Error *error);

#endif
