/* time_plan.c - see time_plan.h. */

#include "time_plan.h"

#include "clock.h"
#include "run_copy.h"
#include "trainer_step.h"

#include <math.h>

enum {
    WARM = 3,                  /* steps before the clock counts: caches, clock rate, the loader's first images */
    LEAST = 5, MOST = 200,     /* steps that are measured */
};
static const double MEASURED_SHARE = 0.02, MARGIN = 0.03;      /* of the budget; the margin is for saves and for a machine that slows down */

uint64_t time_plan_steps(double seconds, double step, double validation, uint32_t batches)
{
    const double epoch = batches * step + validation, epochs = floor(seconds / epoch);
    const double rest = seconds - epochs * epoch - validation;      /* a short epoch is validated as well */
    const double steps = epochs * batches + (rest > 0.0 ? floor(rest / step) : 0.0);
    return steps >= 1.0 ? (uint64_t)steps : 1;
}

/* Seconds of a step, from what follows the first few. */
static double measure_step(Trainer *t, double most)
{
    double norm, begin = seconds_now(), measured = begin;
    Error error;
    int steps = 0;
    loader_start(t->loader, 0, 0);
    while (ranks_decide(t->options.ranks, steps < WARM + MOST && (steps < WARM + LEAST || seconds_now() - begin < most))) {
        if (trainer_step_around(t, &norm, &error) != EXIT_ok)      /* the run will come to it, and tell */
            break;
        if (++steps == WARM)
            measured = seconds_now();
    }
    return steps > WARM ? (seconds_now() - measured) / (steps - WARM) : 0.0;
}

static double measure_validation(Trainer *t)
{
    LossSum sum;
    return trainer_try_validation(t, &sum) * loader_batches(t->val_loader);
}

/* Averages that have statistics of their own see an epoch of images forward, about a third of a step each. */
static double measure_epoch_end(Trainer *t, double step)
{
    return measure_validation(t) + (t->options.parts.swa_start ? t->batches * step / 3.0 : 0.0);
}

void time_plan_make(Trainer *t)
{
    const double budget = t->options.max_seconds;
    RunCopy *before = run_copy_new(t);
    const double step = measure_step(t, MEASURED_SHARE * budget), validation = measure_epoch_end(t, step);
    run_copy_put(before, t);
    if (step <= 0.0)
        return;
    const double left = budget * (1.0 - MARGIN) - (seconds_now() - t->opened);
    t->state.planned_steps = time_plan_steps(left, step, validation, t->batches);
    ranks_broadcast(t->options.ranks, &t->state.planned_steps, sizeof t->state.planned_steps);
    time_plan_apply(t);
    trainer_note(t, "planned for %.0f seconds, of which %.0f are left: %.3g ms a step and %.2g s a validation make %llu steps, %.1f epochs",
                 budget, fmax(left, 0.0), 1e3 * step, validation, (unsigned long long)t->state.planned_steps,
                 (double)t->state.planned_steps / t->batches);
}

void time_plan_apply(Trainer *t)
{
    const uint64_t steps = t->state.planned_steps, batches = t->batches;
    if (steps == 0)
        return;
    t->options.epochs = (int)((steps + batches - 1) / batches);
    const PlateauState plateau = t->schedule.plateau;      /* what has happened stays */
    t->schedule = trainer_schedule(&t->options, t->batches);
    t->schedule.plateau = plateau;
    t->schedule.warmup = t->schedule.warmup * steps / t->schedule.steps;      /* of epochs that are all whole */
    t->schedule.steps = steps;
}
