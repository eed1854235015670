/* run_settings.c - what must not change between a run's beginning and its resumption; see run_settings.h. */

#include "run_settings.h"

#include "json_made.h"
#include "plan_text.h"
#include "settings.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char epochs_key[] = "epochs";

/* Settings that came later are left out while they are what they were before. */
static bool is_absent(const Setting *setting, const TrainerOptions *o)
{
    char text[1024];
    return setting->absent && !strcmp(setting_write(setting, o, text, sizeof text), setting->absent);
}

void run_settings_write(const TrainerOptions *o, char *text, size_t size)
{
    json_t *object = json_made(json_object());
    for (int i = 0; i < settings_count(); i++) {
        const Setting *setting = settings_at(i);
        if ((setting->keep == KEEP_result || setting->keep == KEEP_length) && !is_absent(setting, o))
            json_put(object, setting->name, setting_json(setting, o));      /* a row left out would match whatever was before */
    }
    char *written = json_written(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
    CHECK(strlen(written) < size, "settings of %zu bytes for %zu", strlen(written), size);
    strcpy(text, written);
    free(written);
    json_decref(object);
}

/* What a setting is when it is given so; NULL or "": when it is not given. */
static json_t *value_when(const Setting *setting, const char *given)
{
    TrainerOptions options = { 0 };
    Error error;
    setting_reset(setting, &options);
    CHECK(!given || !*given || setting_read(setting, given, &options, &error), "--%s: %s", setting->name, error.text);
    return setting_json(setting, &options);
}

/* To be given back. */
static json_t *value_of(json_t *settings, const Setting *setting)
{
    json_t *value = json_object_get(settings, setting->name);
    return value ? json_incref(value) : value_when(setting, setting->absent);
}

/* As a person reads it in the help: "off" for a time limit of 0, not its number. The caller frees it. */
static char *text_of(const Setting *setting, json_t *value)
{
    Error error;
    json_t *usual = value_when(setting, NULL);
    const bool shown = setting->shown && json_equal(value, usual);
    json_decref(usual);
    if (shown || json_is_null(value))
        return text_copy(shown ? setting->shown : "not given");
    char *text = setting_of_json(setting, value, &error);
    return text ? text : json_written(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
}

/* Appends "--key was old and is new" for every setting whose value differs. */
static bool differences(json_t *before, json_t *now, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < settings_count(); i++) {
        const Setting *setting = settings_at(i);
        if (setting->keep != KEEP_result)
            continue;
        json_t *old = value_of(before, setting), *new = value_of(now, setting);
        if (!json_equal(old, new)) {
            char *was = text_of(setting, old), *is = text_of(setting, new);
            if (at < size)
                at += (size_t)snprintf(text + at, size - at, "%s--%s was %s and is %s", at ? ", " : "", setting->name, was, is);
            free(was);
            free(is);
        }
        json_decref(old);
        json_decref(new);
    }
    return at > 0;
}

bool run_settings_match(const char *before, const char *now, const char *folder, Error *error)
{
    json_error_t reason;
    json_t *new = json_made(json_loads(now, 0, NULL)), *old = json_loaded(json_loads(before, JSON_REJECT_DUPLICATES, &reason), &reason);
    char text[600] = "the settings are damaged";
    const bool same = json_is_object(old) && json_is_object(new) && !differences(old, new, text, sizeof text);
    json_decref(old);
    json_decref(new);
    return same || error_set(error, EXIT_usage, "cannot resume with other options: %s: %s: leave them out, or start a new run",
                             folder, text);
}

int run_settings_epochs(const char *settings)
{
    json_t *object = json_loads(settings, JSON_REJECT_DUPLICATES, NULL);
    const json_int_t epochs = json_integer_value(json_object_get(object, epochs_key));
    json_decref(object);
    return epochs > 0 && epochs <= INT_MAX ? (int)epochs : 0;
}

bool run_settings_as_stored(const char *settings)
{
    json_t *object = json_loads(settings, JSON_REJECT_DUPLICATES, NULL);
    const bool oriented = json_is_true(json_object_get(object, "exif-orientation"));
    json_decref(object);
    return !oriented;
}

void run_settings_recall(const char *settings, const char *name, TrainerOptions *options)
{
    const Setting *setting = settings_at(settings_index(name));
    json_t *object = json_loads(settings, JSON_REJECT_DUPLICATES, NULL), *value = value_of(object, setting);
    Error error;
    char *text = setting_of_json(setting, value, &error);
    if (text)      /* what cannot be read is told when the settings are compared */
        setting_read(setting, text, options, &error);
    free(text);
    json_decref(value);
    json_decref(object);
}

void run_settings_plan(const char *settings, Plan *plan)
{
    json_t *object = json_loads(settings, JSON_REJECT_DUPLICATES, NULL);
    plan_recall(plan, json_string_value(json_object_get(object, "plan")));
    json_decref(object);
}
