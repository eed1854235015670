/* settings_notes.c - what a person is told about the settings: what still holds of a recipe, and what changes nothing; see settings.h. */

#include "settings.h"

#include "names.h"

#include <stdio.h>
#include <string.h>

/* ---- what of a recipe holds ---- */

const char *settings_recipe_note(const TrainerOptions *o, char *text, size_t size)
{
    SettingTexts recipe = { 0 };
    Error error;
    char replaced[512] = "", held[512] = "", value[256];
    settings_recipe_texts(o, &recipe);
    for (int i = 0; i < settings_count(); i++) {
        const Setting *setting = settings_at(i);
        if (!recipe.of[i])
            continue;
        TrainerOptions own = *o;
        char now[256];
        setting_write(setting, o, now, sizeof now);
        CHECK(setting_read(setting, recipe.of[i], &own, &error), "%s", error.text);
        const bool same = !strcmp(setting_write(setting, &own, value, sizeof value), now);
        char *list = same ? held : replaced;
        const size_t at = strlen(list);
        if (same)
            snprintf(list + at, sizeof held - at, "%s%.40s %.60s", at ? ", " : "", setting->name, value);
        else
            snprintf(list + at, sizeof replaced - at, "%s%.40s %.60s for %.60s", at ? ", " : "", setting->name, now, value);
    }
    settings_texts_clear(&recipe);
    text[0] = '\0';
    if (*replaced && *held)
        snprintf(text, size, "recipe of %s: %s; still in force: %s", o->arch->key, replaced, held);
    return text;
}

/* ---- what changes nothing ---- */

static const char *value_of(const char *name, const TrainerOptions *o, char *text, size_t size)
{
    const int index = settings_index(name);
    CHECK(index >= 0, "a setting needs --%s, which there is not", name);
    return setting_write(settings_at(index), o, text, size);
}

static bool need_is_met(const SettingNeed *need, const TrainerOptions *o)
{
    char word[NAMES_LONGEST], value[ACTIVATION_TEXT];
    if (*need->row) {
        value_of(need->row, o, value, sizeof value);
        return names_match(need->words, value, strlen(value)) != need->another;
    }
    for (int i = 0; *names_word(need->words, i, word, sizeof word); i++)
        if (*value_of(word, o, value, sizeof value) && !names_match("0 false off none", value, strlen(value)))
            return true;
    return false;
}

const char *settings_idle(const TrainerOptions *o, char *text, size_t size)
{
    char condition[128];
    text[0] = '\0';
    for (int i = 0; i < settings_count(); i++) {
        const Setting *setting = settings_at(i);
        const SettingNeed need = setting_need(setting);
        const size_t at = strlen(text);
        if (*need.words && !need_is_met(&need, o) && !settings_is_usual(setting->name, o))
            snprintf(text + at, size - at, "%s--%s (%s)", at ? ", " : "", setting->name, setting_condition(setting, condition, sizeof condition));
    }
    return text;
}
