/* text.h - texts in memory of their own, and what may be asked of a text. */

#ifndef CONVZOO_TEXT_H
#define CONVZOO_TEXT_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>

/* Copies to be freed by the caller; without memory they end the program as allocate does. */
char *text_copy(const char *text);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The next line of a text that ends before `end`, without its newline; NULL where none is left. *at is where it begins, and moves behind it. The
 * text may have NULs in it. */
const char *text_line(const char **at, const char *end, size_t *length);

/* The locale in which numbers have a point, for uselocale; it stays for as long as the process runs. */
locale_t text_locale(void);

/* Numbers with a point, whatever the locale of the program that embeds this: strtof, and the fewest digits that read back as
 * the same float. */
float text_read_float(const char *text, char **end);
void  text_of_float(float value, char *text, size_t size);
/* The same of a double. */
double text_read_double(const char *text, char **end);
void   text_of_double(double value, char *text, size_t size);

/* Copies as much as fits. As \xHH come the bytes of control characters (C0, DEL, C1), of those that turn the direction of
 * writing, of line separators (U+2028, U+2029), and those that are not UTF-8: no file's name moves the cursor, ends the line
 * or looks like another. Every text from outside is shown through this; what it gave it leaves as it is. */
void text_printable(const char *text, char *to, size_t size);

/* True of what JSON can hold. */
bool text_is_utf8(const char *text);

/* True if text_printable leaves it as it is: fit for a class name, and for a terminal. */
bool text_is_printable(const char *text);

#endif
