/* schedule.c - see schedule.h. */

#include "schedule.h"

#include "names.h"

#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

/* ---- the functions: after warm-up ---- */

/* How much of what follows warm-up is done: 0 to 1. */
static double done(const Schedule *s, uint64_t step)
{
    return step < s->steps ? (double)(step - s->warmup) / (double)(s->steps - s->warmup) : 1;
}

/* From lr down to min_lr. */
static double between(const Schedule *s, double share)
{
    return (double)s->min_lr + ((double)s->lr - (double)s->min_lr) * share;
}

static double cosine_lr(const Schedule *s, uint64_t step)
{
    return between(s, step < s->steps ? 0.5 * (1 + cos(PI * done(s, step))) : 0);
}

static double step_lr(const Schedule *s, uint64_t step)
{
    CHECK(s->decay_steps > 0, "step schedule: %llu decay steps", (unsigned long long)s->decay_steps);
    return s->lr * pow(s->decay_rate, (double)(step / s->decay_steps));
}

static double constant_lr(const Schedule *s, uint64_t step)
{
    (void)step;
    return s->lr;
}

static double linear_lr(const Schedule *s, uint64_t step)
{
    return between(s, 1 - done(s, step));
}

/* ---- the table ---- */

static const struct {
    const char *name;
    bool        rises;
    double    (*lr)(const Schedule *schedule, uint64_t step);
} schedules[] = {
#define X(key, rises) [SCHEDULE_##key] = { #key, rises, key##_lr },
#include "schedules.def"
#undef X
};

float schedule_lr(const Schedule *schedule, uint64_t step)
{
    CHECK((unsigned)schedule->kind < SCHEDULE_COUNT, "schedule %d of %d", (int)schedule->kind, SCHEDULE_COUNT);
    if (step >= schedule->warmup)
        return (float)schedules[schedule->kind].lr(schedule, step);
    const double from = schedule->options.warmup_lr;
    return (float)(from + (schedule->lr - from) * (double)(step + 1) / (double)schedule->warmup);
}

bool schedule_rises(ScheduleKind kind)
{
    return schedules[kind].rises;
}

const char *schedule_names(void)
{
#define X(key, ...) " " #key
    return &(
#include "schedules.def"
        )[1];      /* without the first space */
#undef X
}

const char *schedule_name(ScheduleKind kind)
{
    CHECK((unsigned)kind < SCHEDULE_COUNT, "schedule %d of %d", (int)kind, SCHEDULE_COUNT);
    return schedules[kind].name;
}

bool schedule_parse(const char *name, ScheduleKind *kind, Error *error)
{
    for (int i = 0; i < SCHEDULE_COUNT; i++)
        if (names_match(schedules[i].name, name, strlen(name))) {
            *kind = (ScheduleKind)i;
            return true;
        }
    NameSearch search = { .wrong = name };
    for (int i = 0; i < SCHEDULE_COUNT; i++)
        names_consider(&search, schedules[i].name, NULL);
    return names_unknown_of(&search, "unknown schedule", "--sched", schedule_names(), error);
}
