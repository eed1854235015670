/* metadata.h - single values in the metadata of a safetensors file, both ways: texts, whole numbers, and what JSON writes.
 *
 * Numbers go through jansson, which writes and reads a decimal point whatever the locale; 17 digits give a double its bits again,
 * 9 a float. `path` is for messages. */

#ifndef CONVZOO_METADATA_H
#define CONVZOO_METADATA_H

#include "safetensors.h"

#include <jansson.h>

enum { METADATA_FLOAT_DIGITS = 9, METADATA_DOUBLE_DIGITS = 17, METADATA_REAL_TEXT = 32 };

/* Writing fails (EXIT_write) only if a text is not UTF-8, or a number not finite. */

bool metadata_put_text(SafetensorsWriter *writer, const char *key, const char *text, const char *path, Error *error);
void metadata_put_number(SafetensorsWriter *writer, const char *key, uint64_t number);
bool metadata_put_real(SafetensorsWriter *writer, const char *key, double number, int digits, const char *path, Error *error);
/* What that writes, "" for a number that is not finite; returns text. */
const char *metadata_real_text(double number, int digits, char text[METADATA_REAL_TEXT]);
/* Releases `json`; NULL stands for what JSON cannot hold. */
bool metadata_put_json(SafetensorsWriter *writer, const char *key, json_t *json, size_t flags, const char *path, Error *error);

/* Reading fails (EXIT_input) if the key is missing or its text is another than expected. */

/* The line of such a failure; false. text NULL: the key is missing. */
bool metadata_refuse(const char *key, const char *text, const char *expected, const char *path, Error *error);
/* A text of 1 to size - 1 bytes. */
bool metadata_get_text(const Safetensors *file, const char *key, char *to, size_t size, const char *path, Error *error);
/* A whole number up to `most` in decimal digits. */
bool metadata_get_number(const Safetensors *file, const char *key, uint64_t most, uint64_t *number, const char *path, Error *error);
/* The same, but not 0. */
bool metadata_get_positive(const Safetensors *file, const char *key, int most, int *number, const char *path, Error *error);
bool metadata_get_real(const Safetensors *file, const char *key, double *number, const char *path, Error *error);
/* NULL if the key is missing or no JSON; the caller releases it. */
json_t *metadata_get_json(const Safetensors *file, const char *key);

#endif
