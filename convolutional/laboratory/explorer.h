/* explorer.h - the catalogue as one page for a browser: curves, a formula box, experiments, a quiz. It holds all that it needs: it loads
 * nothing and sends nothing. Its parts are in laboratory/explorer/. */

#ifndef CONVZOO_EXPLORER_H
#define CONVZOO_EXPLORER_H

#include "errors.h"

/* Instead of the experiments' names. */
#define EXPLORER_all  "all"
#define EXPLORER_none "none"

/* The page's text, to be freed by the caller. experiments: the names of those to run for it, comma-separated; NULL and a line if one is unknown. All
 * of them take a minute. */
char *explorer_page(const char *experiments, Error *error);

/* Replaces the file as a whole. EXIT_write: it cannot be written. */
bool explorer_save(const char *path, const char *experiments, Error *error);

#endif
