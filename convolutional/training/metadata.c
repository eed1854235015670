/* metadata.c - see metadata.h. */

#include "metadata.h"

#include "json_made.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

bool metadata_put_json(SafetensorsWriter *writer, const char *key, json_t *json, size_t flags, const char *path, Error *error)
{
    if (!json)
        return error_set(error, EXIT_write,
                         "cannot write: %s: '%s' is not UTF-8 or not finite: nothing was written; rename it", path, key);
    char *text = json_written(json, flags | JSON_ENCODE_ANY);
    json_decref(json);
    safetensors_writer_metadata(writer, key, text);
    free(text);
    return true;
}

bool metadata_put_text(SafetensorsWriter *writer, const char *key, const char *text, const char *path, Error *error)
{
    if (!text_is_utf8(text))
        return metadata_put_json(writer, key, NULL, 0, path, error);
    safetensors_writer_metadata(writer, key, text);
    return true;
}

void metadata_put_number(SafetensorsWriter *writer, const char *key, uint64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    safetensors_writer_metadata(writer, key, text);
}

bool metadata_put_real(SafetensorsWriter *writer, const char *key, double number, int digits, const char *path, Error *error)
{
    char text[METADATA_REAL_TEXT];
    if (!*metadata_real_text(number, digits, text))
        return metadata_put_json(writer, key, NULL, 0, path, error);
    safetensors_writer_metadata(writer, key, text);
    return true;
}

const char *metadata_real_text(double number, int digits, char text[METADATA_REAL_TEXT])
{
    *text = '\0';
    if (!isfinite(number))
        return text;
    json_t *json = json_made(json_real(number));
    char *written = json_written(json, JSON_ENCODE_ANY | JSON_REAL_PRECISION((size_t)digits));
    json_decref(json);
    snprintf(text, METADATA_REAL_TEXT, "%s", written);
    free(written);
    return text;
}

/* ---- reading ---- */

bool metadata_refuse(const char *key, const char *text, const char *expected, const char *path, Error *error)
{
    if (!text)
        return error_set(error, EXIT_input,
                         "metadata '%s' is missing: %s: expected %s; this is no checkpoint of an image classifier, "
                         "or it was written by another program: add the key", key, path, expected);
    return error_set(error, EXIT_input, "metadata '%s' is '%.120s': %s: expected %s", key, text, path, expected);
}

bool metadata_get_text(const Safetensors *file, const char *key, char *to, size_t size, const char *path, Error *error)
{
    char expected[64];
    const char *text = safetensors_metadata(file, key);
    snprintf(expected, sizeof expected, "a text of 1 to %zu bytes", size - 1);
    if (!text || !*text || strlen(text) >= size)
        return metadata_refuse(key, text, expected, path, error);
    strcpy(to, text);
    return true;
}

bool metadata_get_number(const Safetensors *file, const char *key, uint64_t most, uint64_t *number, const char *path, Error *error)
{
    const char *text = safetensors_metadata(file, key);
    char expected[64];
    uint64_t value = 0;
    bool ok = text && *text;
    for (const char *c = text; ok && *c; c++)
        ok = *c >= '0' && *c <= '9' && !__builtin_mul_overflow(value, (uint64_t)10, &value) &&
             !__builtin_add_overflow(value, (uint64_t)(*c - '0'), &value);
    snprintf(expected, sizeof expected, "a whole number up to %llu", (unsigned long long)most);
    if (!ok || value > most)
        return metadata_refuse(key, text, expected, path, error);
    *number = value;
    return true;
}

bool metadata_get_positive(const Safetensors *file, const char *key, int most, int *number, const char *path, Error *error)
{
    uint64_t value;
    if (!metadata_get_number(file, key, (uint64_t)most, &value, path, error))
        return false;
    *number = (int)value;
    return *number > 0 || metadata_refuse(key, "0", "at least 1", path, error);
}

json_t *metadata_get_json(const Safetensors *file, const char *key)
{
    const char *text = safetensors_metadata(file, key);
    json_error_t reason;
    return text ? json_loaded(json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &reason), &reason) : NULL;
}

bool metadata_get_real(const Safetensors *file, const char *key, double *number, const char *path, Error *error)
{
    json_t *json = metadata_get_json(file, key);
    const bool ok = json_is_number(json);      /* JSON has no infinities */
    *number = json_number_value(json);
    json_decref(json);
    return ok || metadata_refuse(key, safetensors_metadata(file, key), "a number", path, error);
}
