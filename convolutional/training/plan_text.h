/* plan_text.h - plans (program.h) as a person types them and as records keep them. */

#ifndef CONVZOO_PLAN_TEXT_H
#define CONVZOO_PLAN_TEXT_H

#include "program.h"

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
