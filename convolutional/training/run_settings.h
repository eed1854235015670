/* run_settings.h - the options that shape a run's result, as text in its checkpoint.
 *
 * Resume compares them, so that a run goes on as it began or not at all. Named as train's flags are. */

#ifndef CONVZOO_RUN_SETTINGS_H
#define CONVZOO_RUN_SETTINGS_H

#include "trainer.h"

/* One line of JSON. */
void run_settings_write(const TrainerOptions *options, char *text, size_t size);

/* The plan that a checkpoint's settings name, to go on with what was measured; left alone if they name none. */
void run_settings_plan(const char *settings, Plan *plan);

/* Did the run take photographs as they are stored, EXIF orientation not applied? Programs before the setting did. */
bool run_settings_as_stored(const char *settings);

/* How many epochs the settings ask for; 0 if they do not say. */
int run_settings_epochs(const char *settings);

/* False and the first differences in `error` if `now` does not continue `before`. Epochs may differ: a run may be prolonged. */
bool run_settings_match(const char *before, const char *now, const char *folder, Error *error);

/* The shortest decimal that reads back as this float: 0.1 for 0.1f, not 0.10000000149. */
double shortest_decimal(float value);

/* What plan_parse takes, for messages and help. */
#define PLAN_WORDS "default, measured, blocked, channels-last or batch-last; ,direct; ,no-fusion"

/* A layout, then after commas what to do without: "default", "blocked,direct"; "measured" leaves the rest to plan_settle, which
 * makes "blocked,layers:dwwd" of it (program.h). plan_text gives the text back; valid until the next call. */
bool        plan_parse(const char *text, Plan *plan, Error *error);
const char *plan_text(const Plan *plan);

/* Replaces the plan by the one that a record names, all but its precision; false, and left alone, if it names none that could be run. */
bool        plan_recall(Plan *plan, const char *text);

/* Has the plan multiply 16-bit numbers where that is faster; false, with `flag` in the message, if this processor cannot. */
bool        plan_mix_precision(Plan *plan, const char *flag, Error *error);

#endif
