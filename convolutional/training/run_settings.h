/* run_settings.h - the options that shape a run's result, as text in its checkpoint.
 *
 * Resume compares them, so that a run goes on as it began or not at all. Named as train's flags are. */

#ifndef CONVZOO_RUN_SETTINGS_H
#define CONVZOO_RUN_SETTINGS_H

#include "trainer.h"

/* One line of JSON. */
void run_settings_write(const TrainerOptions *options, char *text, size_t size);

/* False and the first differences in `error` if `now` does not continue `before`. */
bool run_settings_match(const char *before, const char *now, const char *folder, Error *error);

/* The shortest decimal that reads back as this float: 0.1 for 0.1f, not 0.10000000149. */
double shortest_decimal(float value);

/* What plan_parse takes, for messages and help. */
#define PLAN_WORDS "default, blocked, channels-last or batch-last; ,direct; ,no-fusion"

/* A layout, then after commas what to do without: "default", "blocked,direct". plan_text gives it back; valid until the next call. */
bool        plan_parse(const char *text, Plan *plan, Error *error);
const char *plan_text(const Plan *plan);

/* Has the plan multiply in bf16 where that is faster; false, with `flag` in the message, if this processor cannot. */
bool        plan_mix_precision(Plan *plan, const char *flag, Error *error);

#endif
