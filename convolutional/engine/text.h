/* text.h - texts in memory of their own. */

#ifndef CONVZOO_TEXT_H
#define CONVZOO_TEXT_H

#include <stdbool.h>

/* Copies to be freed by the caller; without memory they end the program as allocate does. */
char *text_copy(const char *text);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* UTF-8 without control characters: fit for a class name, and for a terminal. */
bool text_is_printable(const char *text);

#endif
