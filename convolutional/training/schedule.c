/* schedule.c - see schedule.h. */

#include "schedule.h"

#include "names.h"

#include <math.h>
#include <string.h>

#define SCHEDULES(X) X(cosine) X(step) X(constant)

static const char *const names[] = {
#define X(key) [SCHEDULE_##key] = #key,
    SCHEDULES(X)
#undef X
};
_Static_assert(sizeof names / sizeof *names == SCHEDULE_COUNT, "every schedule has a name");

/* From 1 at the end of warm-up to 0 at the last step. */
static double cosine(const Schedule *schedule, uint64_t step)
{
    if (step >= schedule->steps)
        return 0;
    const double done = (double)(step - schedule->warmup) / (double)(schedule->steps - schedule->warmup);
    return 0.5 * (1 + cos(3.14159265358979323846 * done));
}

float schedule_lr(const Schedule *schedule, uint64_t step)
{
    const double lr = schedule->lr, min = schedule->min_lr;
    if (step < schedule->warmup)
        return (float)(lr * (double)(step + 1) / (double)schedule->warmup);
    switch (schedule->kind) {
    case SCHEDULE_cosine:
        return (float)(min + (lr - min) * cosine(schedule, step));
    case SCHEDULE_step:
        CHECK(schedule->decay_steps > 0, "step schedule: %llu decay steps", (unsigned long long)schedule->decay_steps);
        return (float)(lr * pow(schedule->decay_rate, (double)(step / schedule->decay_steps)));
    case SCHEDULE_constant:
        return (float)lr;
    case SCHEDULE_COUNT:
        break;
    }
    CHECK(false, "schedule %d of %d", (int)schedule->kind, SCHEDULE_COUNT);
    return 0.0f;
}

const char *schedule_names(void)
{
#define X(key) " " #key
    return &(SCHEDULES(X))[1];      /* without the first space */
#undef X
}

const char *schedule_name(ScheduleKind kind)
{
    CHECK((unsigned)kind < SCHEDULE_COUNT, "schedule %d of %d", (int)kind, SCHEDULE_COUNT);
    return names[kind];
}

bool schedule_parse(const char *name, ScheduleKind *kind, Error *error)
{
    for (int i = 0; i < SCHEDULE_COUNT; i++)
        if (names_match(names[i], name, strlen(name))) {
            *kind = (ScheduleKind)i;
            return true;
        }
    NameSearch search = { .wrong = name };
    for (int i = 0; i < SCHEDULE_COUNT; i++)
        names_consider(&search, names[i], NULL);
    return names_unknown_of(&search, "unknown schedule", "--sched", schedule_names(), error);
}
