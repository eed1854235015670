/* schedule.c - see schedule.h. */

#include "schedule.h"

#include "names.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
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

static double multistep_lr(const Schedule *s, uint64_t step)
{
    int over = 0;
    while (over < SCHEDULE_MILESTONES && s->options.milestones[over] > 0 &&
           step >= (uint64_t)llround(s->options.milestones[over] * (double)s->epoch_steps))
        over++;
    return s->lr * pow(s->decay_rate, over);
}

static double poly_lr(const Schedule *s, uint64_t step)
{
    return between(s, pow(1 - done(s, step), s->options.power));
}

static double exp_lr(const Schedule *s, uint64_t step)
{
    CHECK(s->decay_steps > 0, "exp schedule: %llu decay steps", (unsigned long long)s->decay_steps);
    return s->lr * pow(s->decay_rate, (double)(step - s->warmup) / (double)s->decay_steps);
}

static double plateau_lr(const Schedule *s, uint64_t step)
{
    (void)step;
    return fmax(s->lr * pow(s->decay_rate, (double)s->plateau.drops), s->min_lr);
}

static double share_or(float share, double usual)
{
    return share < 0 ? usual : share;
}

static double cosine_between(double from, double to, double share)
{
    return to + (from - to) * 0.5 * (1 + cos(PI * share));
}

static double onecycle_lr(const Schedule *s, uint64_t step)
{
    const double start = share_or(s->options.start, 0.04), end = share_or(s->options.end, 4e-6);
    const double last = (double)s->steps - 1, peak = share_or(s->options.peak, 0.3) * (double)s->steps - 1;
    const double at = fmin((double)step, last);
    if (at < peak)
        return s->lr * cosine_between(start, 1, at / peak);
    const double top = fmax(peak, 0);      /* of a run of one step it is the last as well */
    return s->lr * (last > top ? cosine_between(1, end, (at - top) / (last - top)) : 1);
}

static double triangle_lr(const Schedule *s, uint64_t step)
{
    const double start = share_or(s->options.start, 0.2), end = share_or(s->options.end, 0.07);
    const double rounding = 1e-7;      /* of a share in float: 0.9 of 20 steps are 18 */
    const double last = (double)s->steps, peak = floor((share_or(s->options.peak, 0.23) + rounding) * last);
    const double at = fmin((double)step, last);
    if (at < peak)
        return s->lr * (start + (1 - start) * at / peak);
    return s->lr * (last > peak ? 1 + (end - 1) * (at - peak) / (last - peak) : 1);
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

/* ---- what some of them are told ---- */

PlateauState plateau_after(PlateauState state, double loss, int patience)
{
    const bool better = isfinite(loss) && (!state.begun || loss < state.best * (1 - 1e-4));
    state.waited = better ? 0 : state.waited + 1;
    if (better) {
        state.begun = true;
        state.best = loss;
    }
    if (state.waited > (uint64_t)patience) {
        state.waited = 0;
        state.drops++;
    }
    return state;
}

bool milestones_parse(const char *text, double *milestones, Error *error)
{
    double read[SCHEDULE_MILESTONES] = { 0 };
    int count = 0;
    for (const char *at = text; *at; count++) {
        char *end;
        const float epoch = text_read_float(at, &end);
        if (count == SCHEDULE_MILESTONES || end == at || (*end && (*end != ',' || !end[1])) || !isfinite(epoch) ||
            !(epoch > (count ? (float)read[count - 1] : 0)))
            return error_set(error, EXIT_usage, "bad value '%.100s': --decay-milestones: use up to %d epochs, each later than the one before, "
                             "such as 30,60,80", text, SCHEDULE_MILESTONES);
        read[count] = epoch;
        at = end + (*end == ',');
    }
    memcpy(milestones, read, sizeof read);
    return true;
}

const char *milestones_text(const double *milestones, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < SCHEDULE_MILESTONES && milestones[i] > 0 && at < size; i++) {
        char number[32];
        if (milestones[i] == floor(milestones[i]))
            snprintf(number, sizeof number, "%.0f", milestones[i]);
        else
            text_of_float((float)milestones[i], number, sizeof number);
        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? "," : "", number);
    }
    return text;
}
