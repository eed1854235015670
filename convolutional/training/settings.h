/* settings.h - the settings of a run: one table (settings_table.c) over TrainerOptions.
 *
 * Adding one: a field in TrainerOptions and a row. Command line, --help, --config, args.json, what a checkpoint keeps and compares,
 * recipes, manual pages and completion follow.
 *
 * A setting's value comes from the last of these that gives one: its default, the architecture's recipe, what the optimiser's rule
 * brings if it is not the recipe's, and then layers of texts, such as a file and a command line. */

#ifndef CONVZOO_SETTINGS_H
#define CONVZOO_SETTINGS_H

#include "setting.h"
#include "trainer.h"

enum { SETTINGS_MOST = 192 };

int            settings_count(void);
const Setting *settings_at(int index);
/* The row of this name or alias; -1. */
int            settings_index(const char *name);

/* Texts for settings, from one place. Each is owned: settings_texts_clear. */
typedef struct SettingTexts {
    char *of[SETTINGS_MOST];      /* by row; NULL: not given */
} SettingTexts;

void settings_texts_clear(SettingTexts *texts);

/* Reads "name=value name=value ...", as recipes are written, or lines of "name: value". A value with spaces stands in quotes, or
 * is the rest of such a line; # begins a comment; a switch may stand alone. where: the file's name, for the message, or NULL.
 * False and one line for an unknown name or a bad value. */
bool settings_parse(const char *text, const char *where, SettingTexts *texts, Error *error);

typedef struct SettingLayer {
    char *const *texts;           /* settings_count of them, by row; what they hold outlives the options */
    bool         whole;           /* a run's own settings: no recipe stands below them */
} SettingLayer;

/* Fills the options' settings; what is no setting (folder, report, ...) is cleared. False and one line for a value that does not go. */
bool settings_resolve(const SettingLayer *layers, int count, TrainerOptions *options, Error *error);

/* Whether the row of this name has its default, or what the recipe says: nobody asked for another value. */
bool settings_is_usual(const char *name, const TrainerOptions *options);

/* The texts of the recipe that the options name: the default one's, and over them what it changes. The caller clears them. */
void settings_recipe_texts(const TrainerOptions *options, SettingTexts *texts);

/* Where the options depart from the architecture's recipe: which of its ingredients were replaced, and which still hold. "" if all
 * hold, or none; returns text. */
const char *settings_recipe_note(const TrainerOptions *options, char *text, size_t size);

/* What somebody asked for that changes nothing, as what it needs is not there: "--min-lr (with --sched cosine), --ratio (with --scale)".
 * "" if there is no such setting; returns text. */
const char *settings_idle(const TrainerOptions *options, char *text, size_t size);

#endif
