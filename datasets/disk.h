/* disk.h - how a data set's files are opened and read.
 *
 * Only regular files, opened without blocking (a FIFO would hang) and read with read(): a mapped file
 * that is cut short meanwhile would raise SIGBUS. What a folder of images holds is never
 * followed out of that folder. */

#ifndef CONVZOO_DISK_H
#define CONVZOO_DISK_H

#include <stddef.h>
#include <stdint.h>

#include "errors.h"

enum { NAME_SHOWN = 120 };      /* messages show so many bytes of a name: its end */

/* A name as messages show it. */
const char *name_tail(const char *name);

/* Upper and lower case count as the same. */
bool name_ends_with(const char *name, const char *ending);

/* folder/name, or name alone if folder is empty; release with free(). */
char *path_join(const char *folder, const char *name);

/* The data folder as a descriptor, or -1. */
int disk_folder(const char *path, Error *error);

bool disk_has(int folder, const char *name);
/* Whether there is nothing of this name, not even a link to nothing; what cannot be told is no. */
bool disk_lacks(int folder, const char *name);
bool disk_has_folder(int folder, const char *name);

/* A regular file of at most `limit` bytes; -1 if it is not. `shown` is its name in messages. */
int disk_open(int folder, const char *name, const char *shown, size_t limit, size_t *size, Error *error);

/* The same, refusing a path that a symbolic link takes out of `folder`. */
int disk_open_beneath(int folder, const char *name, const char *shown, size_t limit, size_t *size, Error *error);

/* Reads exactly `size` bytes at `offset`. */
bool disk_read(int file, void *bytes, size_t size, size_t offset, const char *shown, Error *error);

/* A whole file, one byte more than its size allocated; release with free(). */
uint8_t *disk_read_all(int folder, const char *name, const char *shown, size_t limit, size_t *size, Error *error);

/* The bytes of what a person names: a file; or "-" or /dev/stdin, standard input, or a pipe that a shell passes as /dev/fd/N,
 * which are read to their end. A FIFO with a name of its own is refused as ever. Release with free(). */
bool     disk_is_standard_input(const char *path);
uint8_t *disk_read_named(const char *path, size_t limit, size_t *size, Error *error);

/* ENTRY_link is one that cannot be followed, or not within the folder. */
typedef enum { ENTRY_file, ENTRY_folder, ENTRY_other, ENTRY_link } EntryType;

typedef struct Entry {
    char     *name;
    EntryType type;
    int       reason;           /* errno, why a link is not followed */
} Entry;

typedef struct Listing {
    Entry *entries;             /* sorted by the bytes of their names */
    size_t count;
} Listing;

/* What a folder beneath `folder` ("." for itself) holds, but for litter (file_names.h). Links count as what they lead to. */
bool listing_read(int folder, const char *name, const char *shown, Listing *listing, Error *error);
void listing_free(Listing *listing);

/* The line for an ENTRY_link, which is shown so; or which lies in a folder that is. Always false. */
bool entry_refuse(const Entry *entry, const char *shown, Error *error);
bool entry_refuse_in(const char *folder, const Entry *entry, Error *error);

#endif
