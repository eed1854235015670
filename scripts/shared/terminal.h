/* terminal.h - texts on a screen: how wide it is, how wide they are, and where their lines break. */

#ifndef CONVZOO_TERMINAL_H
#define CONVZOO_TERMINAL_H

#include <stddef.h>
#include <stdio.h>

/* Columns of the terminal behind a descriptor, now; 0: it is no terminal, or does not say. */
int terminal_columns(int descriptor);

/* Columns that UTF-8 text takes: two for a wide letter, none for a mark above one. */
int terminal_width(const char *text);

/* How many bytes of the text, whole letters, fit into `columns`. */
size_t terminal_fit(const char *text, int columns);

/* Prints text and a line's end, broken between words so that no line takes more than `columns`; the further lines are indented.
 * columns 0: one line, as it is. */
void terminal_print(FILE *stream, const char *text, int columns);

#endif
