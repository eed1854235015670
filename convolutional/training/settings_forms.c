/* settings_forms.c - see settings_forms.h. */

#include "settings_forms.h"

#include "names.h"
#include "plan_text.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what several have ---- */

bool setting_is_none(const char *text)
{
    return names_match("none", text, strlen(text));
}

const char *setting_text_write(const char *value, char *text, size_t size)
{
    snprintf(text, size, "%s", *value ? value : "none");
    return text;
}

bool setting_pair_read(const char *text, double *first, double *second)
{
    char *comma, *end = NULL;
    *first = strtod(text, &comma);
    *second = *comma == ',' ? strtod(comma + 1, &end) : 0.0;
    return comma != text && *comma == ',' && end != comma + 1 && !*end;
}

const char *setting_pair_write(float first, float second, char *text, size_t size)
{
    char one[32], other[32];
    text_of_float(first, one, sizeof one);
    text_of_float(second, other, sizeof other);
    snprintf(text, size, "%s,%s", one, other);
    return text;
}

bool setting_duration_read(const char *option, const char *text, void *field, Error *error)
{
    static const struct { char letter; double seconds; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    double seconds = 0.0;
    bool ok = *text != '\0';
    for (const char *at = text; ok && *at && strcmp(text, "0");) {
        char *end;
        const double number = strtod(at, &end);
        size_t unit = 0;
        while (unit < 4 && units[unit].letter != *end)
            unit++;
        ok = end != at && unit < 4 && number >= 0.0 && number <= 1e6;
        seconds += ok ? number * units[unit].seconds : 0.0;
        at = end + ok;
    }
    *(double *)field = seconds;
    return ok || error_set(error, EXIT_usage, "bad value '%.100s': --%s: use a time such as 30m, 1h30m or 90s", text, option);
}

const char *setting_duration_write(const void *field, char *text, size_t size)
{
    const double seconds = *(const double *)field;
    const bool minutes = fmod(seconds, 60.0) == 0.0;
    snprintf(text, size, "%.15g%s", minutes ? seconds / 60.0 : seconds, seconds == 0.0 ? "" : minutes ? "m" : "s");
    return text;
}

bool setting_word_read(const char *option, const char *words, const char *text, int *place, Error *error)
{
    char word[NAMES_LONGEST];
    for (int i = 0; *names_word(words, i, word, sizeof word); i++)
        if (names_match(word, text, strlen(text))) {
            *place = i;
            return true;
        }
    return error_set(error, EXIT_usage, "unknown value '%.100s': --%s: use one of %s", text, option, words);
}

bool setting_choice_read(const char *option, const char *const *choices, int count, const char *text, void *field, Error *error)
{
    char all[128] = "", name[NAMES_LONGEST];
    for (int i = 0; i < count; i++) {
        const size_t at = strlen(all);
        if (names_match(choices[i], text, strlen(text))) {
            *(int *)field = i;
            return true;
        }
        snprintf(all + at, sizeof all - at, " %s", names_word(choices[i], 0, name, sizeof name));
    }
    return error_set(error, EXIT_usage, "unknown value '%.100s': --%s: use one of%s", text, option, all);
}

const char *setting_choice_write(const char *const *choices, const void *field, char *text, size_t size)
{
    return names_word(choices[*(const int *)field], 0, text, size);
}

/* ---- forms ---- */

static bool arch_read(const char *text, void *field, Error *error)
{
    const Architecture *arch = architecture_find(text, error);
    if (arch)
        *(const Architecture **)field = arch;
    return arch != NULL;
}

static const char *arch_write(const void *field, char *text, size_t size)
{
    const Architecture *arch = *(const Architecture *const *)field;
    snprintf(text, size, "%s", arch ? arch->key : "");
    return text;
}

static bool act_read(const char *text, void *field, Error *error)
{
    return activation_parse(text, field, error);
}

/* Before a network is built, the architecture's own one has no name. */
static const char *act_write(const void *field, char *text, size_t size)
{
    const Activation *act = field;
    text[0] = '\0';
    return !act->info ? text : activation_text(*act, text, size);
}

/* The field is true for what the option denies. */
static bool denied_read(const char *text, void *field, Error *error)
{
    (void)error;
    *(bool *)field = strcmp(text, "true") != 0;
    return true;
}

static const char *denied_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", *(const bool *)field ? "false" : "true");
    return text;
}

static const char *const recipes[] = {
#define X(key) #key,
    RECIPES(X)
#undef X
};

static bool recipe_read(const char *text, void *field, Error *error)
{
    return setting_choice_read("recipe", recipes, RECIPE_COUNT, text, field, error);
}

static const char *recipe_write(const void *field, char *text, size_t size)
{
    return setting_choice_write(recipes, field, text, size);
}

static bool loss_read(const char *text, void *field, Error *error)
{
    return loss_parse(text, field, error);
}

static const char *loss_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", loss_name(*(const LossKind *)field));
    return text;
}

static bool class_weights_read(const char *text, void *field, Error *error)
{
    int place = 0;
    if (!setting_word_read("class-weights", "none auto", text, &place, error))
        return false;
    *(bool *)field = place == 1;
    return true;
}

static const char *class_weights_write(const void *field, char *text, size_t size)
{
    return names_word("none auto", *(const bool *)field, text, size);
}

static bool plan_read(const char *text, void *field, Error *error)
{
    const Precision precision = ((Plan *)field)->precision;      /* --amp's */
    const bool parsed = plan_parse(text, field, error);
    ((Plan *)field)->precision = precision;
    return parsed;
}

static const char *plan_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", plan_text(field));
    return text;
}

static bool max_time_read(const char *text, void *field, Error *error)
{
    return setting_duration_read("max-time", text, field, error);
}

static const char *max_time_write(const void *field, char *text, size_t size)
{
    return setting_duration_write(field, text, size);
}

#define EARLY_METRICS "top1 loss"      /* in the order of EarlyMetric */

static bool early_metric_read(const char *text, void *field, Error *error)
{
    return setting_word_read("early-metric", EARLY_METRICS, text, field, error);
}

static const char *early_metric_write(const void *field, char *text, size_t size)
{
    return names_word(EARLY_METRICS, *(const int *)field, text, size);
}

#define LOG_WORDS "plain tb"      /* PartOptions.tensorboard or not */

static bool logger_read(const char *text, void *field, Error *error)
{
    int place = 0;
    const bool ok = setting_word_read("log", LOG_WORDS, text, &place, error);
    *(bool *)field = place == 1;
    return ok;
}

static const char *logger_write(const void *field, char *text, size_t size)
{
    return names_word(LOG_WORDS, *(const bool *)field, text, size);
}

static bool amp_read(const char *text, void *field, Error *error)
{
    (void)error;
    *(Precision *)field = !strcmp(text, "true") ? PRECISION_mixed : PRECISION_f32;
    return true;
}

static const char *amp_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", *(const Precision *)field == PRECISION_mixed ? "true" : "false");
    return text;
}

#define X(name) const SettingForm form_##name = { name##_read, name##_write };
SETTING_FORMS(X)
#undef X
