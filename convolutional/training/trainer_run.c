/* trainer_run.c - the training loop: steps, epochs, checkpoints, and the ways in which a run ends. */

#include "trainer_step.h"

#include "clock.h"
#include "rank_agreement.h"
#include "saves.h"
#include "time_plan.h"

#include <math.h>

/* Of the running epoch; where a time was given, the last one may be short. */
static uint32_t epoch_steps(const Trainer *t)
{
    const uint64_t before = (uint64_t)t->state.epoch * t->batches;
    return t->schedule.steps - before < t->batches ? (uint32_t)(t->schedule.steps - before) : t->batches;
}

static void report_step(const Trainer *t, double gradient_norm)
{
    const RunState *at = &t->state;
    if (!t->options.report.step)
        return;
    const double rate = t->epoch_seconds > 0.0 ? (double)t->epoch_images / t->epoch_seconds : 0.0;
    const double batch_seconds = rate > 0.0 ? (double)t->turns * t->options.batch / rate : 0.0;
    const TrainerStep step = {
        .epoch = at->epoch, .epochs = (uint32_t)t->options.epochs, .batch = at->batch, .batches = epoch_steps(t),
        .step = at->step, .steps = t->schedule.steps,
        .loss = at->loss_sum / (double)at->seen, .top1 = (double)at->hits / (double)at->seen,
        .step_loss = t->step_loss, .gradient_norm = gradient_norm, .lr = t->step_lr, .images_per_second = rate,
        .gflops = 6e-9 * network_macs(t->stages.of[t->stages.current].network) * rate,
        .seconds_left = batch_seconds * stages_steps_left(t), .epoch_seconds_left = batch_seconds * (epoch_steps(t) - at->batch),
    };
    t->options.report.step(t->options.report.context, &step);
}

/* The signal to stop for; -1 if most_steps are done, 0 to go on. */
static int stop_wanted(const Trainer *t)
{
    if (trainer_stop(t))
        return trainer_stop(t);
    return t->options.most_steps && t->state.step >= t->options.most_steps ? -1 : 0;
}

/* After a step, or after its epoch. */
static int spoilt(const Trainer *t, Error *error)
{
    return trainer_diverged(t, t->state.step, t->state.epoch + (t->state.batch > 0), "a weight, statistic or state of the optimizer", 0.0, error);
}

/* What it means that the newest state could not be saved; `error` says why. */
static int unsaved_code(const Trainer *t, Error *error)
{
    if (error->code == EXIT_diverged)
        return spoilt(t, error);
    return EXIT_write;
}

static int stopped(Trainer *t, Error *error)
{
    const int signal_number = trainer_stop(t);
    if (!saves_settle(t, error))
        return unsaved_code(t, error);
    if (t->folder)
        error_set(error, (ExitCode)(128 + signal_number), "stopped at step %llu of %llu (epoch %u): saved %s: go on with --resume %s",
                  (unsigned long long)t->state.step, (unsigned long long)t->schedule.steps, t->state.epoch + (t->state.batch > 0),
                  t->folder->files[RUN_last], t->folder->path);
    if (signal_number)
        return 128 + signal_number;
    trainer_note(t, "%s", error->text);
    return EXIT_ok;
}

/* ---- an epoch ---- */

/* The rest of the running epoch's steps. EXIT_ok, also when a stop is wanted. */
static int train_steps(Trainer *t, Error *error)
{
    double gradient_norm = 0.0, before = seconds_now();
    t->epoch_seconds = 0.0;
    t->epoch_images = 0;
    const uint32_t steps = epoch_steps(t);
    stages_epoch(t, t->state.epoch);
    fine_tune_epoch(t);      /* also where only the validation is left */
    if (t->state.batch < steps)
        loader_start(t->loader, t->state.epoch, t->state.batch * t->turns);
    while (t->state.batch < steps) {
        const int code = trainer_step(t, &gradient_norm, error);
        if (code != EXIT_ok)
            return code;
        const double now = seconds_now();
        t->epoch_seconds += now - before;
        report_step(t, gradient_norm);
        if (t->state.batch < steps && stop_wanted(t))
            break;
        if (t->state.batch < steps && t->options.save_steps && t->state.step % t->options.save_steps == 0) {
            ranks_turn_to(t->options.ranks, RANK_is_busy);
            saves_last(t);
            ranks_turn_to(t->options.ranks, RANK_computes);
        }
        before = seconds_now();
    }
    return EXIT_ok;
}

/* What the epoch has come to, and the best weights kept, as long as the average stands for the weights. False if a signal came. */
static bool validate(Trainer *t, TrainerEpoch *epoch)
{
    const RunState *at = &t->state;
    LossSum val;
    const double begin = seconds_now();
    if (!trainer_evaluate(t, true, &val))
        return false;
    *epoch = (TrainerEpoch){
        .epoch = at->epoch, .epochs = (uint32_t)t->options.epochs, .step = at->step, .lr = parts_lr(t, &t->schedule, at->step - 1),
        .train_loss = at->loss_sum / (double)at->seen, .train_top1 = (double)at->hits / (double)at->seen,
        .val_loss = val.loss / val.count, .val_top1 = (double)val.top1 / val.count, .val_top5 = (double)val.top5 / val.count,
        .images_per_second = t->epoch_seconds > 0.0 ? (double)t->epoch_images / t->epoch_seconds : 0.0,
        .seconds = t->epoch_seconds, .val_seconds = seconds_now() - begin,
    };
    epoch->best = isfinite(epoch->val_loss) && epoch->val_top1 > at->best_top1 && saves_best(t, epoch->val_top1);
    return true;
}

/* Validates, logs, and moves on to the next epoch. False if a signal came meanwhile. */
static bool finish_epoch(Trainer *t)
{
    RunState *at = &t->state;
    TrainerEpoch epoch;
    parts_before_validation(t);
    parts_swap_average(t);
    const bool validated = validate(t, &epoch);
    parts_swap_average(t);
    if (!validated)
        return false;
    ranks_turn_to(t->options.ranks, RANK_is_busy);
    parts_after_epoch(t, &epoch);
    if (t->options.report.epoch)
        t->options.report.epoch(t->options.report.context, &epoch);

    at->epoch++;
    at->batch = 0;
    at->loss_sum = 0.0;
    at->hits = at->seen = 0;
    saves_last(t);
    ranks_turn_to(t->options.ranks, RANK_computes);
    return true;
}

/* ---- the run ---- */

/* The file is what counts: read back, it must score as its weights did in memory. */
static int best_differs(Trainer *t, Error *error)
{
    LossSum val;
    const bool loaded = !t->folder || checkpoint_load(t->folder->files[RUN_best], t->network, NULL, NULL, NULL, error);
    if (!ranks_agree(t->options.ranks, loaded, error))
        return EXIT_write;
    rank_agreement_weights(t);
    trainer_evaluate(t, false, &val);
    if ((double)val.top1 / val.count == t->state.best_top1)
        return EXIT_ok;
    error_set(error, EXIT_write, "checkpoint read back differs: %s: %u of %u right, %.0f when it was saved: do not use it",
              t->folder ? t->folder->files[RUN_best] : "best", val.top1, val.count, t->state.best_top1 * val.count);
    return EXIT_write;
}

/* The network keeps the last weights. */
static int check_best(Trainer *t, Error *error)
{
    WeightsCopy last = { 0 };
    if (!ranks_decide(t->options.ranks, t->best_here))
        return EXIT_ok;
    weights_copy_take(&last, t->network);
    const int code = best_differs(t, error);
    weights_copy_swap(&last, t->network);
    weights_copy_free(&last);
    return code;
}

/* Whether weights that are no numbers keep rank 0 from saving. */
static bool is_spoilt(const Trainer *t)
{
    const Error *wrong = &t->unsaved[SAVE_last];
    return ranks_decide(t->options.ranks, wrong->text[0] && wrong->code == EXIT_diverged);
}

int trainer_run(Trainer *t, Error *error)
{
    if (t->saved_step && !trainer_finished(t) && stop_wanted(t))
        return stopped(t, error);
    ranks_turn_to(t->options.ranks, RANK_computes);
    if (t->options.max_seconds > 0.0 && t->state.step == 0)
        time_plan_make(t);
    bool stopping = false;
    while (!stopping && !trainer_finished(t)) {
        const int code = train_steps(t, error);
        if (code != EXIT_ok) {
            saves_owed(t);
            return code;
        }
        stopping = t->state.batch < epoch_steps(t) || !finish_epoch(t);
        if (!rank_agreement_same_weights(t, error))
            return EXIT_peer;
        if (is_spoilt(t))
            return spoilt(t, error);
        stopping = stopping || (stop_wanted(t) && !trainer_finished(t));
    }
    ranks_turn_to(t->options.ranks, RANK_is_busy);
    if (stopping)
        return stopped(t, error);
    return saves_settle(t, error) ? check_best(t, error) : unsaved_code(t, error);
}
