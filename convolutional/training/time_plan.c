/* time_plan.c - see time_plan.h. */

#include "time_plan.h"

#include "clock.h"
#include "files.h"
#include "run_copy.h"
#include "text.h"
#include "trainer_step.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    WARM = 3,                  /* steps before the clock counts: caches, clock rate, the loader's first images */
    LEAST = 5, MOST = 200,     /* steps that are measured */
};
static const uint64_t EPOCHS_MOST = 1000000;
static const double MEASURED_SHARE = 0.02, MARGIN = 0.03;      /* of the budget; the margin is for the log and for a machine that slows down */

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
    const uint64_t averaged = times->average_from && epochs >= times->average_from ? epochs - times->average_from + 1 : 0;
    return steps * times->batches + times->validation * (double)epochs + times->average * (double)averaged;
}

/* One more epoch makes a run longer by an epoch of its smallest images at least, and by one of its largest at most. */
uint64_t time_plan_steps(double seconds, const StageSizes *sizes, const EpochTimes *times)
{
    double slowest = 0.0;
    for (int i = 0; i <= sizes->count; i++)
        slowest = fmax(slowest, times->step[i]);
    uint64_t epochs = 1 + (uint64_t)fmax(0.0, fmin(floor(seconds / (slowest * times->batches + times->validation + times->average)), EPOCHS_MOST));
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

static bool write_zeros(FileWriter *writer, const void *context, Error *error)
{
    static const char zeros[1 << 16];
    for (uint64_t left = *(const uint64_t *)context, count; left; left -= count) {
        count = left < sizeof zeros ? left : sizeof zeros;
        if (!file_writer_write(writer, zeros, count, error))
            return false;
    }
    return true;
}

/* Seconds of writing so many bytes as a checkpoint is written: a disk may take longer to keep an epoch than the epoch took. */
static double measure_save(const Trainer *t, uint64_t bytes)
{
    Error error;
    char *path = text_format("%s/measured.tmp", t->folder->path);      /* removed as an orphan if this is killed */
    const double begin = seconds_now();
    if (file_write(path, bytes, NULL, write_zeros, &bytes, &error))      /* the run's own save will tell why not */
        (void)unlink(path);
    free(path);
    return seconds_now() - begin;
}

/* last, and best as in an epoch that is the best so far. */
static double measure_saves(Trainer *t)
{
    if (!t->folder)
        return 0.0;
    const Kept parts = parts_keep(t), kept = kept_all(t->optimizer, &parts);
    return measure_save(t, kept_bytes(&kept, t->network)) + measure_save(t, kept_bytes(&kept_network, t->network));
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
    EpochTimes steps = *times;
    steps.validation = steps.average = 0;
    const double all = run_seconds(&t->options.train_sizes, &steps, epochs);
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
    const double read_back = measure_validation(t);
    times.validation = read_back + measure_saves(t);
    times.average_from = (uint64_t)t->options.parts.swa_start;
    if (times.average_from)      /* an average with statistics of its own sees an epoch of images forward, a third of a step each */
        times.average = t->batches * times.step[largest] / 3.0;
    run_copy_put(before, t);
    if (!measured)
        return;
    const double left = budget * (1.0 - MARGIN) - (seconds_now() - t->opened) - read_back;      /* of the best weights, after the last epoch */
    t->state.planned_steps = time_plan_steps(left, &t->options.train_sizes, &times);
    ranks_broadcast(t->options.ranks, &t->state.planned_steps, sizeof t->state.planned_steps);
    time_plan_apply(t);
    trainer_note(t, "planned for %.0f seconds, of which %.0f are left: %.3g ms a step and %.2g s a validation make %llu steps, %.1f epochs%s",
                 budget, fmax(left, 0.0), 1e3 * mean_step(t, &times), times.validation, (unsigned long long)t->state.planned_steps,
                 (double)t->state.planned_steps / t->batches, t->folder ? "" : "; saves, which are not tried here, take their own time");
    if (t->options.parts.swa_start > t->options.epochs)
        trainer_note(t, "warning: nothing is averaged: --swa-start %d: there is time for %d epochs", t->options.parts.swa_start, t->options.epochs);
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
    if (t->options.decay_epochs == 0.0)
        t->schedule.decay_steps = t->schedule.decay_steps * steps > t->schedule.steps ? t->schedule.decay_steps * steps / t->schedule.steps : 1;
    t->schedule.steps = steps;
}
