/* trials.c - see trials.h. */

#include "trials.h"

#include "clock.h"
#include "evaluation.h"
#include "fine_tune.h"
#include "run_copy.h"
#include "trainer_step.h"

#include <math.h>

static const double LOWEST = 1e-6, HIGHEST = 10.0;      /* learning rates */
static const double SMOOTHING = 0.9, RUNAWAY = 4.0;     /* of the lowest loss: what comes after tells nothing */
enum { SLOPE = 3 };                                     /* points to each side, over which a slope is taken */

/* What says a run's rate, and is put back after a trial. */
typedef struct Rates {
    Schedule schedule;
    float    swa_lr;
} Rates;

static Rates rates_of(const Trainer *t)
{
    return (Rates){ t->schedule, t->options.parts.swa_lr };
}

static void rates_put(Trainer *t, Rates rates)
{
    t->schedule = rates.schedule;
    t->options.parts.swa_lr = rates.swa_lr;
}

static void set_rate(Trainer *t, float lr)
{
    t->options.parts.swa_lr = 0;
    t->schedule = (Schedule){ .kind = SCHEDULE_constant, .lr = lr, .steps = t->schedule.steps, .epoch_steps = t->batches };
}

static int stopped(const Trainer *t)
{
    return trainer_stop(t) ? 128 + trainer_stop(t) : EXIT_ok;
}

/* ---- the learning rate ---- */

/* Where the smoothed loss falls fastest, before it is lowest. */
static float steepest(const RatePoint *points, int count)
{
    int lowest = 0, best = -1;
    double fall = 0.0;
    for (int i = 1; i < count; i++)
        lowest = points[i].smooth < points[lowest].smooth ? i : lowest;
    for (int i = SLOPE; i + SLOPE <= lowest; i++) {
        const double here = points[i - SLOPE].smooth - points[i + SLOPE].smooth;
        best = here > fall ? i : best;
        fall = here > fall ? here : fall;
    }
    return best < 0 ? 0.0f : points[best].lr;
}

int trials_rates(Trainer *t, RatePoint points[RATE_POINTS], float *suggested)
{
    RunCopy *before = run_copy_new(t);
    const Rates rates = rates_of(t);
    double norm, average = 0.0, lowest = INFINITY;
    Error error;
    int count = 0;
    loader_start(t->loader, 0, 0);
    while (count < RATE_POINTS) {
        const float lr = (float)(LOWEST * pow(HIGHEST / LOWEST, (double)count / (RATE_POINTS - 1)));
        set_rate(t, lr);
        if (trainer_step_around(t, &norm, &error) != EXIT_ok || trainer_stop(t))
            break;
        average = SMOOTHING * average + (1.0 - SMOOTHING) * t->step_loss;
        const double smooth = average / (1.0 - pow(SMOOTHING, count + 1));
        points[count++] = (RatePoint){ .lr = lr, .loss = t->step_loss, .smooth = smooth };
        lowest = fmin(lowest, smooth);
        if (smooth > RUNAWAY * lowest)
            break;
    }
    rates_put(t, rates);
    run_copy_put(before, t);
    *suggested = trainer_stop(t) ? 0.0f : steepest(points, count);
    return count;
}

/* ---- one batch ---- */

static void report(const Trainer *t, int step, int most, double norm)
{
    const RunState *at = &t->state;
    if (t->options.report.step)
        t->options.report.step(t->options.report.context, &(TrainerStep){
            .epochs = 1, .batch = (uint32_t)step, .batches = (uint32_t)most, .step = (uint64_t)step, .steps = (uint64_t)most,
            .loss = t->step_loss, .top1 = (double)at->hits / (double)at->seen, .gradient_norm = norm, .lr = t->step_lr,
        });
}

int trials_overfit(Trainer *t, int most, Overfit *result, Error *error)
{
    RunCopy *before = run_copy_new(t);
    const Rates rates = rates_of(t);
    double norm;
    int code = EXIT_ok;
    *result = (Overfit){ 0 };
    set_rate(t, t->options.lr);
    while (code == EXIT_ok && result->steps < most && result->top1 < 1.0 && !trainer_stop(t)) {
        t->state.batch = 0;
        t->state.hits = t->state.seen = 0;
        loader_start(t->loader, 0, 0);      /* the same images, augmented in the same way */
        code = trainer_step(t, &norm, error);
        if (code != EXIT_ok)
            break;
        result->loss = t->step_loss;
        result->top1 = (double)t->state.hits / (double)t->state.seen;
        result->first_loss = result->steps ? result->first_loss : result->loss;
        report(t, ++result->steps, most, norm);
    }
    result->falls = result->loss < 0.5 * result->first_loss || result->top1 > 0.9;
    rates_put(t, rates);
    run_copy_put(before, t);
    return code == EXIT_ok ? stopped(t) : code;
}

/* ---- everything once ---- */

int trials_dry(Trainer *t, DryRun *result, Error *error)
{
    RunCopy *before = run_copy_new(t);
    double norm;
    int code = EXIT_ok;
    *result = (DryRun){ 0 };
    loader_start(t->loader, 0, 0);
    for (int i = 0; i < 2 && code == EXIT_ok && !trainer_stop(t); i++) {
        const double begin = seconds_now();
        code = trainer_step_around(t, &norm, error);
        result->step_seconds = seconds_now() - begin;
        result->loss = i == 0 ? t->step_loss : result->loss;
    }
    if (code == EXIT_ok && !trainer_stop(t)) {
        LossSum sum = { 0 };
        result->val_seconds = trainer_try_validation(t, &sum);
        result->val_loss = sum.loss / sum.count;
    }
    run_copy_put(before, t);
    return code == EXIT_ok ? stopped(t) : code;
}

/* ---- a whole run ---- */

int trials_train(Trainer *t, LossSum *val, Error *error)
{
    RunState *at = &t->state;
    double norm;
    for (; at->epoch < (uint32_t)t->options.epochs; at->epoch++) {
        at->batch = 0;
        at->hits = at->seen = 0;
        stages_epoch(t, at->epoch);
        fine_tune_epoch(t);
        loader_start(t->loader, at->epoch, 0);
        while (at->batch < t->batches) {
            const int code = trainer_step(t, &norm, error);
            if (code != EXIT_ok)
                return code;
            if (trainer_stop(t))
                return 128 + trainer_stop(t);
        }
    }
    return trainer_evaluate(t, true, val) ? EXIT_ok : 128 + trainer_stop(t);
}
