/* grid.c - see grid.h. */

#include "grid.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "text.h"

enum { WORD_MOST = 40, WORD_SIZE = WORD_MOST + sizeof "+01234567", NAME_MOST = 199 };      /* bytes of a value, and of a whole name */

/* ---- reading ---- */

static bool can_vary(const Setting *setting, Error *error)
{
    if (!strcmp(setting->name, "seed"))
        return error_set(error, EXIT_usage, "not to be varied: --set seed: use --seeds N");
    const bool beside = setting->keep == KEEP_call || (setting->keep == KEEP_run && !strcmp(setting->group, "Run"));
    return !beside || error_set(error, EXIT_usage, "not to be varied: --set %s: it does not shape the result: give it as an option", setting->name);
}

/* The value as it is written; tried on options that are thrown away. */
static bool add_value(Axis *axis, char *text, Error *error)
{
    const Setting *setting = settings_at(axis->setting);
    TrainerOptions tried = { 0 };
    char written[ACTIVATION_TEXT];
    if (setting->choices)
        names_settle(setting->choices, text);
    if (!setting_read(setting, text, &tried, error))
        return false;
    setting_write(setting, &tried, written, sizeof written);
    for (int i = 0; i < axis->count; i++)
        if (!strcmp(axis->values[i], written))
            return error_set(error, EXIT_usage, "the same value twice: --set %s: '%s'", setting->name, text);
    if (!grid_text_check(setting, written, error))
        return false;
    if (axis->count == GRID_VALUES)
        return error_set(error, EXIT_usage, "more than %d values: --set %s", GRID_VALUES, setting->name);
    axis->values[axis->count++] = text_copy(written);
    return true;
}

bool grid_text_check(const Setting *setting, const char *text, Error *error)
{
    json_t *json = json_string(text);
    const bool fits = json != NULL;
    json_decref(json);
    return fits || error_set(error, EXIT_usage, "value is not UTF-8: --%s: the runs could not be resumed with it: rename what it names", setting->name);
}

/* Where the value that begins here ends. */
static size_t value_length(const char *text, bool semicolons)
{
    size_t at = 0;
    for (int depth = 0; text[at] && (depth > 0 || text[at] != (semicolons ? ';' : ',')); at++)
        depth += text[at] == '(' ? 1 : text[at] == ')' && depth > 0 ? -1 : 0;
    return at;
}

bool grid_add(Grid *grid, const char *text, Error *error)
{
    const char *values = strchr(text, '=');
    if (!values || values == text)
        return error_set(error, EXIT_usage, "bad value '%.100s': --set: use NAME=VALUE,VALUE, such as act=relu,silu", text);
    char *name = text_format("%.*s", (int)(values++ - text), text);
    const int setting = settings_index(name);
    NameSearch search = { .wrong = name };
    for (int i = 0; i < settings_count(); i++)
        names_consider(&search, settings_at(i)->name, settings_at(i)->aliases);
    bool ok = setting >= 0 ? can_vary(settings_at(setting), error) : names_unknown(&search, "unknown option", "--set", "train --help=all", error);
    free(name);
    for (int i = 0; ok && i < grid->count; i++)
        ok = grid->axes[i].setting != setting || error_set(error, EXIT_usage, "given twice: --set %s: write all its values in one", settings_at(setting)->name);
    if (ok && grid->count == GRID_AXES)
        ok = error_set(error, EXIT_usage, "more than %d settings are varied: --set %.100s", GRID_AXES, text);
    if (!ok)
        return false;
    Axis *axis = &grid->axes[grid->count++];
    *axis = (Axis){ .setting = setting };
    const bool semicolons = strchr(values, ';') != NULL;
    for (bool more = true; ok && more;) {
        const size_t length = value_length(values, semicolons);
        char *value = text_format("%.*s", (int)length, values);
        ok = add_value(axis, value, error);
        free(value);
        more = values[length] != '\0';
        values += length + more;
    }
    return ok && (grid_choices(grid) <= GRID_CHOICES || error_set(error, EXIT_usage, "more than %d choices: --set: vary less at once", GRID_CHOICES));
}

void grid_clear(Grid *grid)
{
    for (int i = 0; i < grid->count; i++)
        for (int k = 0; k < grid->axes[i].count; k++)
            free(grid->axes[i].values[k]);
    *grid = (Grid){ 0 };
}

/* ---- choices ---- */

int grid_choices(const Grid *grid)
{
    int choices = 1;
    for (int i = 0; i < grid->count; i++)
        choices = choices > GRID_CHOICES ? choices : choices * grid->axes[i].count;
    return choices;
}

const char *grid_value(const Grid *grid, int choice, int axis)
{
    for (int i = grid->count - 1; i > axis; i--)
        choice /= grid->axes[i].count;
    return grid->axes[axis].values[choice % grid->axes[axis].count];
}

static unsigned hash_of(const char *text)      /* FNV-1a */
{
    unsigned hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

/* The value as a part of a name. What has signs of a shell in it, or is long, is followed by its hash, so that two do not become the same. */
static void write_word(const char *value, char word[WORD_SIZE])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
    bool changed = strlen(value) > WORD_MOST;
    int at = 0;
    for (; value[at] && at < WORD_MOST; at++) {
        changed = changed || !strchr(plain, value[at]);
        word[at] = strchr(plain, value[at]) ? value[at] : '_';
    }
    word[at] = '\0';
    if (changed)
        snprintf(word + at, WORD_SIZE - (size_t)at, "+%08x", hash_of(value));
}

/* The whole name, however long. */
static char *whole_name(const Grid *grid, int choice)
{
    char *name = text_copy("");
    for (int i = 0; i < grid->count; i++) {
        char word[WORD_SIZE], *before = name;
        const char *setting = settings_at(grid->axes[i].setting)->name;
        write_word(grid_value(grid, choice, i), word);
        name = strcmp(setting, "arch") ? text_format("%s%s%s=%s", before, i ? "-" : "", setting, word) : text_format("%s%s%s", before, i ? "-" : "", word);
        free(before);
    }
    return name;
}

char *grid_name(const Grid *grid, int choice)
{
    char *name = whole_name(grid, choice);
    if (strlen(name) <= NAME_MOST)
        return name;
    char *cut = text_format("%.*s+%08x", NAME_MOST - 9, name, hash_of(name));
    free(name);
    return cut;
}

bool grid_check(const Grid *grid, int choice, char *const *common, Error *error)
{
    char *own[SETTINGS_MOST] = { NULL };
    TrainerOptions o;
    for (int i = 0; i < grid->count; i++)
        own[grid->axes[i].setting] = (char *)grid_value(grid, choice, i);
    Error wrong;
    if (settings_resolve((SettingLayer[]){ { .texts = common }, { .texts = own } }, 2, &o, &wrong))
        return true;
    char *name = grid_name(grid, choice);
    error_set(error, wrong.code, "%s: %s", name, wrong.text);
    free(name);
    return false;
}
