/* saves.c - see saves.h. */

#include "saves.h"

#include "text.h"

#include <stdlib.h>

/* The end of the run, and no trouble of the disk's. */
static bool is_diverged(const Error *wrong)
{
    return wrong->text[0] && wrong->code == EXIT_diverged;
}

static void saves_done(Trainer *t, SaveKind kind)
{
    t->unsaved[kind].text[0] = '\0';
    t->told[kind] = false;
}

/* Told for every failure that follows a success, but once for files that fail together. */
static void saves_failed(Trainer *t, SaveKind kind)
{
    bool standing = false;
    for (int other = 0; other < SAVE_KINDS; other++)
        standing = standing || t->told[other];
    if (standing || is_diverged(&t->unsaved[kind]))
        return;
    t->told[kind] = true;
    trainer_note(t, "warning: %s; training goes on, and it is tried again at the next save", t->unsaved[kind].text);
}

/* ---- best.safetensors ---- */

static bool write_best(Trainer *t)
{
    if (!t->folder)      /* another rank writes */
        return true;
    if (!checkpoint_save(t->folder->files[RUN_best], NULL, t->network, &t->info, NULL, NULL, NULL, &t->unsaved[SAVE_best])) {
        saves_failed(t, SAVE_best);
        return false;
    }
    saves_done(t, SAVE_best);
    t->best_here = true;
    return true;
}

bool saves_best(Trainer *t, double top1)
{
    RunState *at = &t->state;
    const bool written = write_best(t);
    if (!written && is_diverged(&t->unsaved[SAVE_best]))
        return false;
    if (!written && !at->best_owed) {
        at->kept_top1 = at->best_top1;
        at->kept_epoch = at->best_epoch;
    }
    at->best_top1 = top1;
    at->best_epoch = at->epoch;
    at->best_owed = !written;
    t->previous_is_best = false;
    if (written)
        weights_copy_free(&t->best_weights);
    else
        weights_copy_take(&t->best_weights, t->network);
    return true;
}

static void settle_best(Trainer *t)
{
    if (!t->state.best_owed || !t->folder)
        return;
    weights_copy_swap(&t->best_weights, t->network);
    t->state.best_owed = !write_best(t);
    weights_copy_swap(&t->best_weights, t->network);
    if (t->state.best_owed)
        return;
    weights_copy_free(&t->best_weights);
    t->last_stale = true;
}

/* ---- the log ---- */

static void settle_log(Trainer *t)
{
    if (!t->log_owed)
        return;
    if (!log_append(&t->folder->log, t->log_owed, &t->unsaved[SAVE_log])) {
        saves_failed(t, SAVE_log);
        return;
    }
    saves_done(t, SAVE_log);
    free(t->log_owed);
    t->log_owed = NULL;
}

void saves_log(Trainer *t, const char *line)
{
    char *before = t->log_owed;
    t->log_owed = before ? text_format("%s\n%s", before, line) : text_copy(line);
    free(before);
    settle_log(t);
}

/* ---- last.safetensors ---- */

static void write_last(Trainer *t)
{
    RunState *at = &t->state;
    if (!t->folder)
        return;
    if (at->data_hash == 0)          /* not before it is needed: the first step need not wait for it */
        at->data_hash = trainer_data_hash(t);
    const Kept parts = parts_keep(t);
    /* A damaged file must not become prev.safetensors, nor replace weights that best.safetensors still lacks. */
    const bool keep = !t->last_damaged && !(at->best_owed && t->previous_is_best);
    if (!checkpoint_save(t->folder->files[RUN_last], keep ? t->folder->files[RUN_previous] : NULL, t->network, &t->info,
                         t->optimizer, at, &parts, &t->unsaved[SAVE_last])) {
        saves_failed(t, SAVE_last);
        return;
    }
    saves_done(t, SAVE_last);
    t->previous_is_best = keep ? t->last_is_best : t->previous_is_best;
    t->last_is_best = run_state_is_best(at);
    t->last_damaged = t->last_stale = false;
    t->saved_step = at->step;
    ranks_advise(t->options.ranks, "step %llu is saved: go on with --resume %s", (unsigned long long)at->step, t->folder->path);
}

void saves_owed(Trainer *t)
{
    settle_best(t);
    settle_log(t);
}

void saves_last(Trainer *t)
{
    saves_owed(t);
    write_last(t);
}

static bool all_saved(const Trainer *t, Error *error)
{
    for (int kind = 0; kind < SAVE_KINDS; kind++)
        if (t->unsaved[kind].text[0]) {
            *error = t->unsaved[kind];
            return false;
        }
    return true;
}

bool saves_settle(Trainer *t, Error *error)
{
    saves_owed(t);
    if (t->saved_step != t->state.step || t->last_damaged || t->last_stale || t->unsaved[SAVE_last].text[0])
        write_last(t);
    return ranks_agree(t->options.ranks, all_saved(t, error), error);
}
