/* settings.c - see settings.h. */

#include "settings.h"

#include "names.h"
#include "plan_text.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

int settings_index(const char *name)
{
    for (int i = 0; i < settings_count(); i++) {
        const Setting *setting = settings_at(i);
        if (names_match(setting->name, name, strlen(name)) || (setting->aliases && names_match(setting->aliases, name, strlen(name))))
            return i;
    }
    return -1;
}

void settings_texts_clear(SettingTexts *texts)
{
    for (int i = 0; i < SETTINGS_MOST; i++)
        free(texts->of[i]);
    *texts = (SettingTexts){ 0 };
}

/* ---- texts ---- */

static bool unknown(const char *name, Error *error)
{
    NameSearch search = { .wrong = name };
    for (int i = 0; i < settings_count(); i++)
        names_consider(&search, settings_at(i)->name, settings_at(i)->aliases);
    return names_unknown(&search, "unknown setting", "", "train --help=all", error);
}

/* Takes the value, which is tried on options that are thrown away. */
static bool give(SettingTexts *texts, const char *name, char *value, Error *error)
{
    const int index = settings_index(name);
    TrainerOptions tried = { 0 };
    if (index >= 0 && settings_at(index)->choices)
        names_settle(settings_at(index)->choices, value);
    if (index < 0 ? !unknown(name, error) : !setting_read(settings_at(index), value, &tried, error)) {
        free(value);
        return false;
    }
    free(texts->of[index]);
    texts->of[index] = value;
    return true;
}

static char *copy_of(const char *from, size_t length)
{
    return text_format("%.*s", (int)length, from);
}

/* The value that begins at *at, which moves behind it. */
static char *take_value(const char **at, bool rest_of_line)
{
    const char *from = *at;
    if (*from == '"' || *from == '\'') {
        const size_t length = strcspn(from + 1, (char[]){ *from, '\n', '\0' });
        *at = from + 1 + length + (from[1 + length] == *from);
        return copy_of(from + 1, length);
    }
    size_t length = strcspn(from, rest_of_line ? "\r\n" : " \t\r\n");
    *at = from + length;
    if (rest_of_line) {
        const char *comment = strstr(from, " #");
        length = comment && comment < from + length ? (size_t)(comment - from) : length;
        while (length && (from[length - 1] == ' ' || from[length - 1] == '\t'))
            length--;
    }
    return copy_of(from, length);
}

/* One item at *at. */
static bool take_item(const char **at, SettingTexts *texts, Error *error)
{
    const size_t length = strcspn(*at, "=: \t\r\n");
    char *name = copy_of(*at, length);
    *at += length;
    const char sign = **at;
    const bool valued = sign == '=' || sign == ':';
    if (valued)
        *at += 1 + strspn(*at + 1, sign == ':' ? " \t" : "");
    const int index = settings_index(name);
    const Setting *setting = index >= 0 ? settings_at(index) : NULL;
    const bool alone = setting && !valued && setting->type != SETTING_switch && !setting->deniable;
    const bool given = alone ? error_set(error, EXIT_usage, "no value: '%.100s': write one behind a colon, such as 'lr: 0.1'", name)
                             : give(texts, name, valued ? take_value(at, sign == ':') : text_copy("true"), error);
    free(name);
    return given;
}

bool settings_parse(const char *text, const char *where, SettingTexts *texts, Error *error)
{
    int line = 1;
    for (const char *at = text; *at;) {
        Error wrong;
        if (*at == '#')
            at += strcspn(at, "\n");
        else if (strchr(" \t\r\n", *at))
            line += *at++ == '\n';
        else if (!take_item(&at, texts, &wrong))
            return where ? error_set(error, EXIT_usage, "%s: line %d: %s", where, line, wrong.text)
                         : error_set(error, EXIT_usage, "%s", wrong.text);
    }
    return true;
}

/* ---- layers ---- */

static const char *last_given(const SettingLayer *layers, int count, const char *name)
{
    const int index = settings_index(name);
    const char *text = NULL;
    for (int i = 0; i < count; i++)
        text = layers[i].texts[index] ? layers[i].texts[index] : text;
    return text;
}

static bool apply(char *const *texts, TrainerOptions *o, Error *error)
{
    for (int i = 0; i < settings_count(); i++)
        if (texts[i] && !setting_read(settings_at(i), texts[i], o, error))
            return false;
    return true;
}

/* A recipe's or a rule's text, from the program itself. */
static void apply_own(const char *text, const char *whose, TrainerOptions *o)
{
    SettingTexts texts = { 0 };
    Error error;
    CHECK(settings_parse(text, NULL, &texts, &error) && apply(texts.of, o, &error), "settings of %s: %s", whose, error.text);
    settings_texts_clear(&texts);
}

void settings_recipe_texts(const TrainerOptions *o, SettingTexts *texts)
{
    Error error;
    const char *const *recipes = o->arch->recipes, *changed = o->recipe == RECIPE_default ? "" : recipes[o->recipe];
    CHECK(settings_parse(recipes[RECIPE_default], NULL, texts, &error) && settings_parse(changed, NULL, texts, &error), "recipe of %s: %s",
          o->arch->key, error.text);
}

/* What a person asks for in another way is none of the recipe's business any more. */
static void yield(const SettingLayer *layers, int count, TrainerOptions *o)
{
    static const struct { const char *given, *yields[5]; } rows[] = {
        { "aug",                { "crop-pad", "pad-mode", "hflip", "cutout-size" } },
        { "scale",              { "crop-pad", "pad-mode" } },
        { "initial-checkpoint", { "whiten" } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (const char *const *name = rows[i].yields; last_given(layers, count, rows[i].given) && *name; name++)
            setting_reset(settings_at(settings_index(*name)), o);
}

static bool apply_recipe(const SettingLayer *layers, int count, TrainerOptions *o, Error *error)
{
    const char *name = last_given(layers, count, "opt");
    SettingTexts recipe = { 0 };
    settings_recipe_texts(o, &recipe);
    CHECK(apply(recipe.of, o, error), "recipe of %s: %s", o->arch->key, error->text);
    settings_texts_clear(&recipe);
    OptimizerKind kind = o->optimizer.kind;
    if (name && !optimizer_parse(name, "--opt", &kind, error))
        return false;
    if (kind != o->optimizer.kind)
        apply_own(optimizer_defaults(kind), optimizer_name(kind), o);
    yield(layers, count, o);
    return true;
}

enum { FREEZE_MOST = 400 };      /* bytes: a checkpoint has room for all settings */

bool settings_is_usual(const char *name, const TrainerOptions *o)
{
    const int index = settings_index(name);
    const Setting *setting = settings_at(index);
    SettingTexts recipe = { 0 };
    TrainerOptions reset = { 0 };
    char text[ACTIVATION_TEXT], usual[ACTIVATION_TEXT];
    setting_write(setting, o, text, sizeof text);
    setting_reset(setting, &reset);
    setting_write(setting, &reset, usual, sizeof usual);
    if (o->arch)
        settings_recipe_texts(o, &recipe);
    const bool own = recipe.of[index] && !strcmp(text, recipe.of[index]);
    settings_texts_clear(&recipe);
    return own || !strcmp(text, usual);
}

static bool crops_twice(const TrainerOptions *o)
{
    return o->augment.resized.most > 0.0f && (o->augment.written || !settings_is_usual("crop-pad", o) || !settings_is_usual("pad-mode", o));
}

/* What one row cannot see. */
static bool settle(TrainerOptions *o, Error *error)
{
    if (o->data.channels == 2)
        return error_set(error, EXIT_usage, "bad value '2': --in-chans: use 1 for grey or 3 for colour");
    if (!(o->optimizer.eps > 0.0f))
        return error_set(error, EXIT_usage, "bad value '%g': --opt-eps: use a number above 0, such as 1e-8", (double)o->optimizer.eps);
    if (!optimizer_is_elementwise(o->optimizer.other))
        return error_set(error, EXIT_usage, "bad value '%s': --muon-other: use one that steps each number alone, such as adamw or sgd",
                         optimizer_name(o->optimizer.other));
    Pipeline pipeline;
    if (o->augment.written && !(settings_is_usual("crop-pad", o) && settings_is_usual("hflip", o) && settings_is_usual("pad-mode", o)))
        return error_set(error, EXIT_usage, "two ways to shift and mirror: --aug: write crop and hflip there, and leave --crop-pad, --pad-mode and --hflip out");
    if (crops_twice(o))
        return error_set(error, EXIT_usage, "two ways to crop: --scale: leave --crop-pad, --pad-mode and --aug out, or --scale; resizedcrop may stand in --aug");
    if (o->max_seconds > 0.0 && !stage_sizes_are_shares(&o->train_sizes))
        return error_set(error, EXIT_usage, "a time cannot be planned over epochs of smaller images: --max-time and --train-img-size: give shares of the run, such as "
                         "16:40%%, or --epochs instead of --max-time");
    if (!augment_compose(&o->augment, o->crop_pad, "hflip", &pipeline, error))
        return false;
    if (o->fine_tune.freeze && strlen(o->fine_tune.freeze) > FREEZE_MOST)
        return error_set(error, EXIT_usage, "a text of %zu bytes: --freeze: use at most %d, with patterns such as layer*", strlen(o->fine_tune.freeze),
                         FREEZE_MOST);
    if (o->fine_tune.unfreeze_epoch && !o->fine_tune.freeze)
        return error_set(error, EXIT_usage, "nothing is frozen: --unfreeze-epoch %d: give --freeze as well", o->fine_tune.unfreeze_epoch);
    return o->plan.precision == PRECISION_f32 || plan_mix_precision(&o->plan, "--amp", error);
}

bool settings_resolve(const SettingLayer *layers, int count, TrainerOptions *o, Error *error)
{
    bool whole = false;
    *o = (TrainerOptions){ 0 };
    for (int i = 0; i < settings_count(); i++)
        setting_reset(settings_at(i), o);
    for (int i = 0; i < count; i++)
        whole = whole || layers[i].whole;
    static const char *const recipe[] = { "arch", "recipe" };      /* which one it is must be known first */
    for (size_t i = 0; i < sizeof recipe / sizeof *recipe; i++) {
        const char *text = last_given(layers, count, recipe[i]);
        if (text && !setting_read(settings_at(settings_index(recipe[i])), text, o, error))
            return false;
    }
    if (!whole && !apply_recipe(layers, count, o, error))
        return false;
    for (int i = 0; i < count; i++)
        if (!apply(layers[i].texts, o, error))
            return false;
    return settle(o, error);
}
