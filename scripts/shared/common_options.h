/* common_options.h - what several programs print in the same way. */

#ifndef CONVZOO_COMMON_OPTIONS_H
#define CONVZOO_COMMON_OPTIONS_H

#include "errors.h"

/* A line about the work, on stderr; broken between words on a terminal. context: not used. */
void note_print(void *context, const char *text);

/* Flushes stdout; a failure is a line in `error`. */
bool output_flush(Error *error);

/* Prints a text as text_printable shows it. */
void print_printable(const char *text);

/* Prints a text as a cell of CSV. A line break in it comes out as \x0A, so that a row stays a line. */
void print_csv_text(const char *text);

/* Prints a text as a JSON string: bytes that are not UTF-8 as '?', characters that text_printable does not show as \uHHHH. */
void print_json_string(const char *text);

#endif
