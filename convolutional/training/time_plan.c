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
static const uint64_t EPOCHS_MOST = 1000000;
static const double MEASURED_SHARE = 0.02, MARGIN = 0.03;      /* of the budget; the margin is for saves and for a machine that slows down */

/* A whole run of so many epochs. */
static double run_seconds(const StageSizes *sizes, const EpochTimes *times, uint64_t epochs)
{
    double steps = 0.0;
    uint32_t begin = 0;
    for (int i = 0; i <= sizes->count; i++) {
        const uint32_t end = stage_sizes_end(sizes, i, (uint32_t)epochs);
        steps += times->step[i] * (end - begin);
        begin = end;
    }
    return steps * times->batches + times->validation * (double)epochs;
}

/* One more epoch makes a run longer by an epoch of its smallest images at least, and by one of its largest at most. */
uint64_t time_plan_steps(double seconds, const StageSizes *sizes, const EpochTimes *times)
{
    double slowest = 0.0;
    for (int i = 0; i <= sizes->count; i++)
        slowest = fmax(slowest, times->step[i]);
    uint64_t epochs = 1 + (uint64_t)fmax(0.0, fmin(floor(seconds / (slowest * times->batches + times->validation)), EPOCHS_MOST));
    while (epochs < EPOCHS_MOST && run_seconds(sizes, times, epochs) <= seconds)
        epochs++;
    const double last = times->step[stage_sizes_at(sizes, (uint32_t)epochs - 1, (uint32_t)epochs)];
    const double rest = seconds - run_seconds(sizes, times, epochs) + last * times->batches;      /* a short epoch is validated as well */
    const uint64_t steps = (epochs - 1) * times->batches + (uint64_t)fmax(0.0, fmin(floor(rest / last), times->batches));
    return steps >= 1 ? steps : 1;
}

/* Seconds of a step, from what follows the first few; of no more steps than it takes once a stop is asked for. */
static double measure_step(Trainer *t, double most)
{
    double norm, begin = seconds_now(), measured = begin;
    Error error;
    int steps = 0;
    loader_start(t->loader, 0, 0);
    while (ranks_decide(t->options.ranks, steps < WARM + MOST && (steps < WARM + LEAST || (!trainer_own_stop(t) && seconds_now() - begin < most)))) {
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

/* A step of each size. False if one fails. */
static bool measure_steps(Trainer *t, EpochTimes *times)
{
    const int current = t->stages.current, count = t->stages.count;
    bool ok = true;
    for (int i = 0; i < count && ok; i++) {
        stages_enter(t, i);
        times->step[i] = measure_step(t, MEASURED_SHARE * t->options.max_seconds / count);
        ok = times->step[i] > 0.0;
    }
    stages_enter(t, current);
    return ok;
}

static double mean_step(const Trainer *t, const EpochTimes *times)
{
    const uint32_t epochs = (uint32_t)t->options.epochs;
    const double all = run_seconds(&t->options.train_sizes, times, epochs) - times->validation * epochs;
    return all / ((double)times->batches * epochs);
}

bool time_plan_check(const TrainerOptions *o, Error *error)
{
    return o->resume || o->max_seconds == 0.0 || !o->fine_tune.unfreeze_epoch ||
           error_set(error, EXIT_usage, "a time cannot be planned for steps that become longer: --max-time and --unfreeze-epoch: give --epochs instead of "
                     "--max-time, or leave --unfreeze-epoch out");
}

void time_plan_make(Trainer *t)
{
    const double budget = t->options.max_seconds;
    EpochTimes times = { .batches = t->batches };
    RunCopy *before = run_copy_new(t);
    const bool measured = measure_steps(t, &times);
    const int largest = t->stages.count - 1;
    const double read_back = times.validation = measure_validation(t);
    if (t->options.parts.swa_start)      /* an average with statistics of its own sees an epoch of images forward, a third of a step each */
        times.validation += t->batches * times.step[largest] / 3.0;
    run_copy_put(before, t);
    if (!measured)
        return;
    const double left = budget * (1.0 - MARGIN) - (seconds_now() - t->opened) - read_back;      /* of the best weights, after the last epoch */
    t->state.planned_steps = time_plan_steps(left, &t->options.train_sizes, &times);
    ranks_broadcast(t->options.ranks, &t->state.planned_steps, sizeof t->state.planned_steps);
    time_plan_apply(t);
    trainer_note(t, "planned for %.0f seconds, of which %.0f are left: %.3g ms a step and %.2g s a validation make %llu steps, %.1f epochs",
                 budget, fmax(left, 0.0), 1e3 * mean_step(t, &times), times.validation, (unsigned long long)t->state.planned_steps,
                 (double)t->state.planned_steps / t->batches);
    stages_tell(t);
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
