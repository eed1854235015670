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

/* Gives the option of this name the value that a checkpoint's settings have, or had without it. */
void run_settings_recall(const char *settings, const char *name, TrainerOptions *options);

/* Did the run take photographs as they are stored, EXIF orientation not applied? Programs before the setting did. */
bool run_settings_as_stored(const char *settings);

/* How many epochs the settings ask for; 0 if they do not say. */
int run_settings_epochs(const char *settings);

/* False and the first differences in `error` if `now` does not continue `before`. Epochs may differ: a run may be prolonged. */
bool run_settings_match(const char *before, const char *now, const char *folder, Error *error);

#endif
