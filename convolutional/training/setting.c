/* setting.c - see setting.h. */

#include "setting.h"

#include "names.h"
#include "text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REAL_DIGITS = 15, NUMBER_ROOM = 32 };

/* The value as args.json will have it: a run that goes on has the very number that it began with. */
static double as_written(double value)
{
    char digits[NUMBER_ROOM];
    snprintf(digits, sizeof digits, "%.*g", REAL_DIGITS, value);
    return strtod(digits, NULL);
}

static bool read_switch(const Setting *setting, const char *text, bool *value, Error *error)
{
    static const char on[] = "true on yes 1", off[] = "false off no 0";
    *value = names_match(on, text, strlen(text));
    return *value || names_match(off, text, strlen(text)) ||
           error_set(error, EXIT_usage, "bad value '%.100s': --%s: use true or false", text, setting->name);
}

static bool read_text(const Setting *setting, const char *text, const char **value, Error *error)
{
    if (!*text)
        return error_set(error, EXIT_usage, "bad value '': --%s: it is empty: give one, or leave the option out", setting->name);
    if (setting->choices && !names_match(setting->choices, text, strlen(text)))
        return error_set(error, EXIT_usage, "unknown value '%.100s': --%s: use one of %s", text, setting->name, setting->choices);
    *value = text;
    return true;
}

/* The default may lie outside the bounds. */
static bool is_in_bounds(const Setting *setting, double value)
{
    return (value >= setting->least && value <= setting->most) || (setting->fallback && value == strtod(setting->fallback, NULL));
}

static bool read_real(const Setting *setting, const char *text, double *value, Error *error)
{
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    return (end != text && !*end && !errno && is_in_bounds(setting, *value)) ||
           error_set(error, EXIT_usage, "bad value '%.100s': --%s: use a number from %g to %g", text, setting->name, setting->least,
                     setting->most);
}

static bool read_whole(const Setting *setting, const char *text, int64_t *value, Error *error)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return (end != text && !*end && !errno && is_in_bounds(setting, (double)*value)) ||
           error_set(error, EXIT_usage, "bad value '%.100s': --%s: use a whole number from %.0f to %.0f", text, setting->name,
                     setting->least, setting->most);
}

bool setting_read(const Setting *setting, const char *text, void *values, Error *error)
{
    void *field = (char *)values + setting->field;
    double real;
    int64_t whole;
    bool on;
    if (setting->form && setting->type == SETTING_switch)
        return read_switch(setting, text, &on, error) && setting->form->read(on ? "true" : "false", field, error);
    if (setting->form)
        return (*text || error_set(error, EXIT_usage, "bad value '': --%s: it is empty: give one, or leave the option out", setting->name)) &&
               setting->form->read(text, field, error);
    switch (setting->type) {
    case SETTING_switch:
        return read_switch(setting, text, field, error);
    case SETTING_text:
        return read_text(setting, text, field, error);
    case SETTING_real:
    case SETTING_float:
        if (!read_real(setting, text, &real, error))
            return false;
        if (setting->type == SETTING_float && real != 0.0 && (float)real == 0.0f)
            return error_set(error, EXIT_usage, "bad value '%.100s': --%s: it is too small: use 0, or a number well above 0", text,
                             setting->name);
        if (setting->type == SETTING_real)
            *(double *)field = as_written(real);
        else
            *(float *)field = (float)real;
        return true;
    case SETTING_whole:
    case SETTING_int:
        if (!read_whole(setting, text, &whole, error))
            return false;
        if (setting->type == SETTING_whole)
            *(int64_t *)field = whole;
        else
            *(int *)field = (int)whole;
        return true;
    }
    return false;
}

void setting_reset(const Setting *setting, void *values)
{
    void *field = (char *)values + setting->field;
    if (setting->fallback) {
        Error error;
        CHECK(setting_read(setting, setting->fallback, values, &error), "default of --%s: %s", setting->name, error.text);
        return;
    }
    if (setting->form)
        return;
    switch (setting->type) {
    case SETTING_switch: *(bool *)field = false; break;
    case SETTING_text:   *(const char **)field = NULL; break;
    case SETTING_real:   *(double *)field = (double)NAN; break;
    case SETTING_float:  *(float *)field = NAN; break;
    case SETTING_whole:  *(int64_t *)field = -1; break;
    case SETTING_int:    *(int *)field = -1; break;
    }
}

SettingNeed setting_need(const Setting *setting)
{
    const char *with = setting->with ? setting->with : "", *sign = strpbrk(with, "!=");
    SettingNeed need = { .words = with };
    if (sign) {
        snprintf(need.row, sizeof need.row, "%.*s", (int)(sign - with), with);
        need.another = *sign == '!';
        need.words = strchr(sign, '=') + 1;
    }
    return need;
}

const char *setting_condition(const Setting *setting, char *text, size_t size)
{
    const SettingNeed need = setting_need(setting);
    char word[NAMES_LONGEST];
    text[0] = '\0';
    if (*need.row)
        snprintf(text, size, "%swith --%s", need.another ? "not " : "", need.row);
    for (int i = 0; *names_word(need.words, i, word, sizeof word); i++) {
        const size_t at = strlen(text);
        snprintf(text + at, size - at, "%s%s", *need.row ? i ? ", " : " " : i ? " or --" : "with --", word);
    }
    return text;
}

/* The fewest digits that read back as the same number. */
static void write_real(double value, char *text, size_t size)
{
    char number[NUMBER_ROOM];
    for (int digits = 1; digits <= REAL_DIGITS; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, value);
        if (strtod(number, NULL) == value)
            break;
    }
    snprintf(text, size, "%s", number);
}

const char *setting_write(const Setting *setting, const void *values, char *text, size_t size)
{
    const void *field = (const char *)values + setting->field;
    text[0] = '\0';
    if (setting->form)
        return setting->form->write(field, text, size);
    switch (setting->type) {
    case SETTING_switch: snprintf(text, size, "%s", *(const bool *)field ? "true" : "false"); break;
    case SETTING_whole:  snprintf(text, size, "%lld", (long long)*(const int64_t *)field); break;
    case SETTING_int:    snprintf(text, size, "%d", *(const int *)field); break;
    case SETTING_text:   snprintf(text, size, "%s", *(const char *const *)field ? *(const char *const *)field : ""); break;
    case SETTING_real:
        if (!isnan(*(const double *)field))
            write_real(*(const double *)field, text, size);
        break;
    case SETTING_float:
        if (!isnan(*(const float *)field))
            text_of_float(*(const float *)field, text, size);
        break;
    }
    return text;
}

/* ---- JSON ---- */

/* A text that is a number is one in JSON. */
static json_t *json_of_text(const char *text)
{
    char *end;
    const double number = strtod(text, &end);
    return end != text && !*end && isfinite(number) ? json_real(number) : json_string(text);
}

json_t *setting_json(const Setting *setting, const void *values)
{
    const void *field = (const char *)values + setting->field;
    char text[1024];
    setting_write(setting, values, text, sizeof text);
    switch (setting->type) {
    case SETTING_switch: return json_boolean(!strcmp(text, "true"));
    case SETTING_whole:  return json_integer(*(const int64_t *)field);
    case SETTING_int:    return json_integer(*(const int *)field);
    case SETTING_real:
    case SETTING_float:  return *text ? json_real(strtod(text, NULL)) : json_null();
    case SETTING_text:   break;
    }
    if (setting->deniable && (!strcmp(text, "true") || !strcmp(text, "false")))
        return json_boolean(!strcmp(text, "true"));
    if (setting->form)
        return *text ? json_of_text(text) : json_null();
    const char *own = *(const char *const *)field;      /* of any length */
    return own ? json_string(own) : json_null();
}

char *setting_of_json(const Setting *setting, const json_t *value, Error *error)
{
    const bool is_whole = setting->type == SETTING_whole || setting->type == SETTING_int;
    const bool is_real = setting->type == SETTING_real || setting->type == SETTING_float;
    *error = (Error){ 0 };
    if (json_is_null(value))
        return NULL;
    if (setting->type == SETTING_text && json_is_string(value))
        return text_copy(json_string_value(value));
    if ((setting->type == SETTING_switch || setting->deniable) && json_is_boolean(value))
        return text_copy(json_is_true(value) ? "true" : "false");
    if (is_whole && json_is_integer(value) && json_integer_value(value) == -1 && !setting->fallback)      /* not given */
        return NULL;
    if (setting->type == SETTING_text && json_is_number(value) && json_number_value(value) == 0.0)      /* how "none" is written */
        return NULL;
    if (is_whole && json_is_integer(value))
        return text_format("%lld", (long long)json_integer_value(value));
    if ((is_real || setting->type == SETTING_text) && json_is_number(value))
        return text_format("%.*g", REAL_DIGITS, json_number_value(value));
    error_set(error, EXIT_input, "a value of another type: --%s: expected what the program wrote", setting->name);
    return NULL;
}
