/* text_width.h - how wide UTF-8 text is on a screen, in columns: two for a wide letter, none for a mark above one. */

#ifndef CONVZOO_TEXT_WIDTH_H
#define CONVZOO_TEXT_WIDTH_H

#include <stddef.h>

/* A byte that is no UTF-8 takes one column. */
int text_width(const char *text);

/* How many bytes of the text, whole letters, fit into `columns`. */
size_t text_fit(const char *text, int columns);

#endif
