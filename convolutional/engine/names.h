/* names.h - what a person meant by a name: exactly that one, or the nearest ones.
 *
 * Names are compared without case, '-' and '_': ResNet-18 is resnet18. `words` are the space-separated names of one thing.
 *
 *   NameSearch search = { .wrong = "resnet99" };
 *   for (each row) names_consider(&search, row->key, row->aliases);
 *   names_unknown(&search, "unknown architecture", "", "train --list-archs", error); */

#ifndef CONVZOO_NAMES_H
#define CONVZOO_NAMES_H

#include "errors.h"

enum { NAMES_NEAREST = 3, NAMES_LONGEST = 48 };

typedef struct NameSearch {
    const char *wrong;                                       /* up to its ':' */
    int         count;
    char        names[NAMES_NEAREST][NAMES_LONGEST];         /* nearest first */
    int         distances[NAMES_NEAREST];
} NameSearch;

/* Whether the first `length` bytes of `name` are one of the words. */
bool names_match(const char *words, const char *name, size_t length);

/* The same for all of `name`; what is written there becomes the word as it stands in `words`, if that is as long. */
bool names_settle(const char *words, char *name);

/* The word at that place of the words, from 0; returns text. */
const char *names_word(const char *words, int place, char *text, size_t size);

/* Keeps the nearest name of one thing, where about two thirds of it are right or `wrong` is how it begins. aliases: may be NULL. */
void names_consider(NameSearch *search, const char *key, const char *aliases);

/* "did you mean a, b or c? ", in the order of nearness; "" if nothing is near. prefix: put before each, such as "--". */
const char *names_meant(const NameSearch *search, const char *prefix, char *text, size_t size);

/* Fills the error, a user's: "what 'wrong': where: did you mean a? 'train --list-archs' shows all"; where: may be "". `lister` is
 * the command that shows all; started as `convzoo train`, the program says "'convzoo train --list-archs'". Returns false. */
bool names_unknown(const NameSearch *search, const char *what, const char *where, const char *lister, Error *error);

/* The same with all names, where they are few: "did you mean a? choose one of a b c". */
bool names_unknown_of(const NameSearch *search, const char *what, const char *where, const char *all, Error *error);

#endif
