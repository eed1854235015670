/* json_made.h - jansson gives NULL where memory runs out; the program then ends with a line, as it does for all memory. */

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
    json_t *json = json_string(text);
    if (json)
        return json;
    text_printable(text, shown, sizeof shown);
    return json_made(json_string(shown));
}

/* The list takes the item. */
static inline void json_append(json_t *list, json_t *item)
{
    if (json_array_append_new(list, json_made(item)))
        memory_exhausted("jansson");
}

#endif
