/* json_made.h - jansson gives NULL where memory runs out: that is refused here, as for all memory (errors.h). */

#ifndef CONVZOO_JSON_MADE_H
#define CONVZOO_JSON_MADE_H

#include <jansson.h>
#include <math.h>

#include "errors.h"
#include "text.h"

static inline json_t *json_made(json_t *json)
{
    if (!json)
        memory_exhausted("jansson");
    return json;
}

/* A number; null where it is not finite, which JSON has no word for. */
static inline json_t *json_finite(double value)
{
    return json_made(isfinite(value) ? json_real(value) : json_null());
}

/* A text from outside, such as a file's name, which need not be UTF-8, as JSON is: then as text_printable shows it. */
static inline json_t *json_text(const char *text)
{
    char shown[1024];
    if (text_is_utf8(text))
        return json_made(json_string(text));
    text_printable(text, shown, sizeof shown);
    return json_made(json_string(shown));
}

/* What a json_load function gave; NULL of a text that is no JSON. Where memory ran out inside a word or number of the text, jansson says
 * the same of it as of one that is no JSON. */
static inline json_t *json_loaded(json_t *json, const json_error_t *reason)
{
    if (!json && (!*reason->text || json_error_code(reason) == json_error_out_of_memory))
        memory_exhausted("jansson");
    return json;
}

/* As text, to be freed. Its texts are UTF-8 and its numbers finite, as json_text and json_finite make them. */
static inline char *json_written(const json_t *json, size_t flags)
{
    char *text = json_dumps(json, flags);
    if (!text)
        memory_exhausted("jansson");
    return text;
}

/* The object takes the value. The key is UTF-8. */
static inline void json_put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, json_made(value)))
        memory_exhausted("jansson");
}

/* The list takes the item. */
static inline void json_append(json_t *list, json_t *item)
{
    if (json_array_append_new(list, json_made(item)))
        memory_exhausted("jansson");
}

#endif
