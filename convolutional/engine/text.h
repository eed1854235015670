/* text.h - texts in memory of their own, and what may be asked of a text. */

#ifndef CONVZOO_TEXT_H
#define CONVZOO_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Copies to be freed by the caller; without memory they end the program as allocate does. */
char *text_copy(const char *text);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Numbers with a point, whatever the locale of the program that embeds this: strtof, and the fewest digits that read back as
 * the same float. */
float text_read_float(const char *text, char **end);
void  text_of_float(float value, char *text, size_t size);

/* Copies as much as fits, control characters as \xHH: no file's name moves the cursor or ends the line. */
void text_printable(const char *text, char *to, size_t size);

/* UTF-8 without control characters: fit for a class name, and for a terminal. */
bool text_is_printable(const char *text);

#endif
