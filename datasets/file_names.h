/* file_names.h - what the names of files and folders say: which to leave alone, which are a data set's parts, which look the same. */

#ifndef CONVZOO_FILE_NAMES_H
#define CONVZOO_FILE_NAMES_H

#include "dataset.h"

/* Hidden entries, and what operating systems and tools leave beside a person's files: __MACOSX, @eaDir, Thumbs.db, ... */
bool name_is_litter(const char *name);

/* "train", "Training", "valid", "dev", ...: upper and lower case count as the same. */
bool name_is_part(const char *name, Split *split);

/* Where `word` stands in the name, in capitals or not; NULL: nowhere. */
const char *name_find(const char *name, const char *word);

/* The name with composed letters taken apart and capitals made small: two names that look the same have the same one.
 * Latin, Greek and Cyrillic letters are known. Release with free(). */
char *name_folded(const char *name);

/* A name for messages, every byte that is not ASCII as \xHH. */
void name_bytes(const char *name, char *text, size_t size);

/* Counts names, and keeps the first few for a message. */
typedef struct NameList {
    size_t count;
    char   first[200];
} NameList;

void name_list_add(NameList *list, const char *name);
/* What follows the first ones: ", ..." if there are more. */
const char *name_list_more(const NameList *list);

#endif
