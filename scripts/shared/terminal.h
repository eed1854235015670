/* terminal.h - texts on a screen: how wide it is, and where their lines break. */

#ifndef CONVZOO_TERMINAL_H
#define CONVZOO_TERMINAL_H

#include <stdio.h>

/* Columns of the terminal behind a descriptor, now; 0: it is no terminal, or does not say. */
int terminal_columns(int descriptor);

/* Prints text and a line's end, broken between words so that no line takes more than `columns`; the further lines are indented.
 * columns 0: one line, as it is. */
void terminal_print(FILE *stream, const char *text, int columns);

#endif
