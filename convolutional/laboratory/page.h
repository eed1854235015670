/* page.h - a page for a browser that holds all that it needs, from the parts in laboratory/explorer/ and laboratory/report/.
 *
 * A part may have {{name}} where another belongs, which may have such marks too, and {{data}} for what the program knows. All pages begin
 * with head.html; what else they share is in shared.html. */

#ifndef CONVZOO_PAGE_H
#define CONVZOO_PAGE_H

#include <jansson.h>

#include "errors.h"

/* The page's text, from the part of this name; to be freed by the caller. digits: of the data's numbers; 0: all of them. */
char *page_text(const char *part, const json_t *data, int digits);

/* Before long work: whether a file could be made there. False: EXIT_write, and EXIT_usage for "-", which is no file. */
bool page_check_path(const char *path, Error *error);

#endif
