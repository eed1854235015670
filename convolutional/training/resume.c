/* resume.c - see resume.h. */

#include "resume.h"

#include "checkpoint_text.h"
#include "files.h"
#include "log_lines.h"
#include "run_settings.h"
#include "time_plan.h"

#include <stdlib.h>
#include <string.h>

/* The state that a file holds, without its weights; `known` is false if there is no such file, or a damaged one. */
static bool saved_state(const char *path, RunState *saved, bool *known, Error *error)
{
    bool there;
    Error wrong;
    *known = false;
    if (!file_there(path, &there, error))
        return false;
    if (!there)
        return true;
    Safetensors *file = safetensors_open(path, &wrong);
    *known = file && run_from_text(file, saved, path, &wrong);
    safetensors_close(file);
    if (*known || !wrong.unread)
        return true;
    *error = wrong;
    return false;
}

/* Of the file that the run will go on from. */
static bool newest_state(const char *folder, RunState *saved, bool *known, Error *error)
{
    char *last = run_folder_file(folder, RUN_last), *previous = run_folder_file(folder, RUN_previous);
    const bool ok = saved_state(last, saved, known, error) && (*known || saved_state(previous, saved, known, error));
    free(last);
    free(previous);
    return ok;
}

static int epochs_begun(const RunState *state)
{
    return (int)state->epoch + (state->batch > 0);
}

bool resume_settings(TrainerOptions *options, Error *error)
{
    RunState saved;
    bool known;
    char settings[sizeof saved.settings];
    if (!newest_state(options->folder, &saved, &known, error))
        return false;
    if (!known)      /* resume_state says why */
        return true;
    if (options->plan.measured)
        run_settings_plan(saved.settings, &options->plan);
    if (options->augment.resized.automatic)
        run_settings_recall(saved.settings, "scale", options);
    options->data.as_stored = run_settings_as_stored(saved.settings);
    run_settings_write(options, settings, sizeof settings);
    if (!run_settings_match(saved.settings, settings, options->folder, error))
        return false;
    if (saved.planned_steps && options->epochs != run_settings_epochs(saved.settings))
        return error_set(error, EXIT_usage, "a run that was planned for a time has its end: --epochs %d: %s: leave --epochs out, or start a new run "
                         "with --initial-checkpoint", options->epochs, options->folder);
    return saved.planned_steps || options->epochs >= epochs_begun(&saved) ||
           error_set(error, EXIT_usage, "cannot end before what is done: --epochs %d: %s is in epoch %d: use --epochs %d or more",
                     options->epochs, options->folder, epochs_begun(&saved), epochs_begun(&saved));
}

/* A run is killed before its first checkpoint with an epoch in its log at most; with more, its checkpoints were taken away, and to begin
 * anew would empty the log and replace the best weights. */
static bool never_saved(const RunFolder *folder, Error *error)
{
    size_t length;
    char *log = log_read(folder->files[RUN_log], &length, error);
    if (!log)
        return false;
    int epochs = 0;
    for (size_t i = 0; i < length; i++)
        epochs += log[i] == '\n';
    free(log);
    return epochs <= 1 ||
           error_set(error, EXIT_input, "no checkpoint to go on from: %s: its log has %d epochs, last.safetensors and prev.safetensors are gone: put one back, or start "
                     "a new run, with --initial-checkpoint from the best weights", folder->path, epochs);
}

static bool load_state(Trainer *t, Error *error)
{
    const char *last = t->folder->files[RUN_last], *previous = t->folder->files[RUN_previous];
    const Kept parts = parts_keep(t);
    bool has_last, has_previous;
    if (!file_there(last, &has_last, error) || !file_there(previous, &has_previous, error))
        return false;
    if (!has_last && !has_previous) {
        if (!never_saved(t->folder, error))
            return false;
        trainer_note(t, "no checkpoint yet: %s: starting from the beginning", t->folder->path);
        return true;
    }
    Error damage;
    error_set(&damage, EXIT_input, "it is missing");
    if (!has_last || !checkpoint_load(last, t->network, t->optimizer, &t->state, &parts, &damage)) {
        Error other = damage;
        if (damage.unread || !has_previous || !checkpoint_load(previous, t->network, t->optimizer, &t->state, &parts, &other)) {
            *error = has_last && !other.unread ? damage : other;
            return false;
        }
        t->last_damaged = true;
        t->previous_is_best = run_state_is_best(&t->state);
        trainer_note(t, "going on from %s (step %llu), because of %s: %s", previous, (unsigned long long)t->state.step, last,
                     damage.text);
    }
    t->saved_step = t->state.step;
    t->last_is_best = run_state_is_best(&t->state);
    return true;
}

/* The hash of the data does not know the names of its classes. */
static bool classes_match(const Trainer *t, Error *error)
{
    ModelInfo saved;
    if (!checkpoint_info(t->folder->files[t->last_damaged ? RUN_previous : RUN_last], &saved, error))
        return false;
    int same = 0;
    bool match = saved.class_count == t->info.class_count ||
        error_set(error, EXIT_input, "damaged: %s: it names %d classes, and its network has %d: start a new run", t->folder->path, saved.class_count,
                  t->info.class_count);
    while (match && same < saved.class_count && !strcmp(saved.classes[same], t->info.classes[same]))
        same++;
    match = match && (same == saved.class_count ||
        error_set(error, EXIT_input, "the classes are not what the run began with: %s: class %d was %s and is %s: "
                  "give --data as before, or start a new run", t->folder->path, same, saved.classes[same], t->info.classes[same]));
    model_info_clear(&saved);
    return match;
}

/* Weights that best.safetensors lacks: they are the ones just loaded, or those of prev.safetensors, or lost. */
static bool find_best(Trainer *t, Error *error)
{
    RunState *at = &t->state, before;
    const char *previous = t->folder->files[RUN_previous];
    bool known;
    if (!at->best_owed)
        return true;
    if (t->last_is_best) {
        parts_swap_average(t);
        weights_copy_take(&t->best_weights, t->network);
        parts_swap_average(t);
        return true;
    }
    if (!saved_state(previous, &before, &known, error))
        return false;
    if (known && run_state_is_best(&before) && before.best_epoch == at->best_epoch) {
        weights_copy_take(&t->best_weights, t->network);
        const bool loaded = checkpoint_load_average(previous, parts_average_key(t), t->network, error);
        weights_copy_swap(&t->best_weights, t->network);
        t->previous_is_best = loaded;
        return loaded;
    }
    trainer_note(t, "warning: the weights of epoch %u (val top1 %.2f%%) could not be saved and are lost: best.safetensors is that "
                 "of an earlier epoch", at->best_epoch + 1, 100.0 * at->best_top1);
    at->best_top1 = at->kept_top1;
    at->best_epoch = at->kept_epoch;
    at->best_owed = 0;
    t->last_stale = true;
    return true;
}

/* Tells what another number of epochs does to a run that has begun. */
static void tell_prolonged(const Trainer *t, int before)
{
    TrainerOptions old = t->options;
    old.epochs = before;
    const Schedule was = trainer_schedule(&old, t->batches);
    if (parts_finished(t))      /* which is told by itself */
        return;
    if (trainer_finished(t)) {
        trainer_note(t, "--epochs was %d and is %d, which are done", before, t->options.epochs);
        return;
    }
    char last[48] = "";
    if (t->options.schedule != SCHEDULE_plateau)      /* whose last drop may be of after that step */
        snprintf(last, sizeof last, ", %g in the last one", (double)parts_lr(t, &was, t->state.step - 1));
    trainer_note(t, "--epochs was %d and is %d: from here the learning rate is that of a run of %d epochs: %g in the next step%s", before,
                 t->options.epochs, t->options.epochs, (double)parts_lr(t, &t->schedule, t->state.step), last);
}

bool resume_state(Trainer *t, const char *settings, Error *error)
{
    char machine[sizeof t->state.machine];
    memcpy(machine, t->state.machine, sizeof machine);
    if (!load_state(t, error))
        return false;
    if (t->saved_step == 0)
        return true;
    if (!run_settings_match(t->state.settings, settings, t->folder->path, error))
        return false;
    if (t->state.data_hash != trainer_data_hash(t))
        return error_set(error, EXIT_input, "the data is not what the run began with: %s: labels or pixels differ: "
                         "give --data as before, or start a new run", *t->train_set->path ? t->train_set->path : t->train_set->kind);
    if (!classes_match(t, error) || !find_best(t, error))
        return false;
    if (strcmp(t->state.machine, machine))
        trainer_note(t, "warning: the run was saved by %s, this is %s: last bits of the results may differ", t->state.machine,
                     machine);
    memcpy(t->state.machine, machine, sizeof t->state.machine);
    const int epochs = run_settings_epochs(t->state.settings);
    t->prolonged = epochs != t->options.epochs && !t->state.planned_steps;
    time_plan_apply(t);
    t->last_stale = t->last_stale || t->prolonged;
    memcpy(t->state.settings, settings, strlen(settings) + 1);
    if (t->prolonged)
        tell_prolonged(t, epochs);
    if (parts_finished(t))
        trainer_note(t, "finished already: %s: it stopped early, after epoch %u", t->folder->path, t->state.epoch);
    else if (trainer_finished(t))
        trainer_note(t, "finished already: %s: nothing left of %llu steps", t->folder->path,
                     (unsigned long long)t->schedule.steps);
    else
        trainer_note(t, "going on at step %llu of %llu, epoch %u", (unsigned long long)t->state.step,
                     (unsigned long long)t->schedule.steps, t->state.epoch + 1);
    return true;
}
