/* plan_cache.h - measured plans, remembered from run to run in $XDG_CACHE_HOME/convzoo/plans.json (or under ~/.cache).
 *
 * A plan holds for a processor, a oneDNN, a number of threads, a batch and a network; they are the key. A cache that cannot
 * be read or written costs the time to measure again, nothing else. */

#ifndef CONVZOO_PLAN_CACHE_H
#define CONVZOO_PLAN_CACHE_H

#include "architectures.h"
#include "program.h"

/* What is to be planned. */
typedef struct PlanSubject {
    const Architecture *arch;
    Shape       image;
    ArchOptions options;
    Purpose     purpose;
    int         batch;
} PlanSubject;

/* Replaces a plan that is to be measured by the remembered one, or by one measured now, which is then remembered; leaves others
 * alone. tell, if not NULL, gets a line before measuring and one on where the plan is from. */
void plan_settle(Plan *plan, const PlanSubject *subject, void (*tell)(void *context, const char *text), void *context);

#endif
