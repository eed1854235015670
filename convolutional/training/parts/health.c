/* health.c - warnings while a run goes wrong, each once, with what to do; and health.jsonl, an object an epoch: dead units, norms and
 * steps of layers, and all that is wrong (vitals.h, diagnosis.h). */

#include "diagnosis.h"
#include "json_made.h"
#include "record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RATE_STEPS = 100 };     /* a loss that has risen after fewer may come down again */

typedef struct Health {
    uint64_t steps;            /* seen by this call, of the run */
    uint64_t last;             /* the last one's number; it goes back where steps were only tried */
    double   first, recent;    /* losses: of the first step; of the last twenty or so */
    bool     told_rate, told[DIAGNOSES_MOST];
    Vitals  *vitals;
    Facts    facts;
    Record   record;
} Health;

static void *health_open(Trainer *t)
{
    if (!t->folder)      /* trials go too far on purpose; other ranks have the same weights */
        return NULL;
    Health *h = allocate(1, sizeof *h, "what is watched in a run");
    h->vitals = vitals_new(t->network);
    h->record = record_of(t, RUN_health, record_open_lines);
    h->facts = (Facts){
        .vitals = h->vitals, .best_val_loss = INFINITY, .val_chance = diagnosis_chance(t->val_set, false, t->val_set->count),
        .train_chance = diagnosis_chance(t->train_set, t->options.balanced, (double)t->batches * t->turns * t->options.batch),
    };
    if (t->options.class_weights)
        h->facts.train_chance = -1;      /* the loss rewards no guess of the largest class: an accuracy like that guess's was learnt */
    return h;
}

static bool health_cut_back(Trainer *t, void *state, Error *error)
{
    (void)error;
    Health *h = state;
    h->facts.partial = t->state.batch > 0;
    record_cut_back(&h->record, t);
    return true;
}

static bool health_after_gradients(Trainer *t, void *state, const Batch *batch, Error *error)
{
    (void)batch;
    (void)error;
    Health *h = state;
    if (t->turn == t->turns - 1) {
        vitals_see(h->vitals);
        if (trainer_ends_epoch(t, t->state.step + 1))
            vitals_before_step(h->vitals);
    }
    return true;
}

/* A loss that has risen, and is worse than that of guessing all classes alike. */
static bool rises(const Trainer *t, const Health *h)
{
    return h->recent >= fmax(1.5 * h->first, 1.2 * log(t->info.class_count));
}

/* What a step moves is the optimiser's doing, not lookahead's. */
static void health_after_optimizer(Trainer *t, void *state)
{
    Health *h = state;
    if (trainer_ends_epoch(t, t->state.step))
        vitals_after_step(h->vitals);
}

static void health_after_step(Trainer *t, void *state)
{
    Health *h = state;
    if (t->state.step <= h->last)
        h->steps = 0;
    h->last = t->state.step;
    if (h->steps++ == 0)
        h->first = h->recent = t->step_loss;
    h->recent += 0.05 * (t->step_loss - h->recent);
    if (h->told_rate || h->steps < RATE_STEPS || !rises(t, h))
        return;
    h->told_rate = true;
    trainer_note(t, "warning: the loss rises: it was %.3g and is %.3g after %llu steps: the learning rate, %g, is too high: start again "
                 "with a tenth of it (--lr %g), or with --clip-grad 1; --find-lr shows which rates this network takes", h->first,
                 h->recent, (unsigned long long)t->state.step, (double)t->options.lr, (double)t->options.lr / 10.0);
}

/* ---- the record ---- */

static json_t *units_object(const Vitals *v)
{
    json_t *units = json_made(json_array());
    for (int i = 0; i < v->unit_count; i++)
        json_append(units, json_pack("{s:s, s:i, s:o}", "name", v->units[i].activation->name, "channels", v->units[i].channels,
                                     "dead", json_finite(v->units[i].dead)));
    return units;
}

static json_t *layers_object(const Vitals *v)
{
    json_t *layers = json_made(json_array());
    for (int i = 0; i < v->layer_count; i++)
        json_append(layers, json_pack("{s:s, s:o, s:o, s:o}", "name", v->layers[i].param->name, "weight", json_finite(v->layers[i].weight),
                                      "gradient", json_finite(v->layers[i].gradient), "update", json_finite(v->layers[i].update)));
    return layers;
}

/* Takes the list of what is wrong. */
static void write_line(const Trainer *t, Health *h, json_t *wrong)
{
    const TrainerEpoch *e = h->facts.epoch;
    json_t *object = json_pack("{s:i, s:I, s:o, s:o, s:o, s:o}", "epoch", (int)e->epoch + 1, "step", (json_int_t)e->step,
                               "gap", json_finite(e->train_top1 - e->val_top1), "units", units_object(h->vitals), "layers", layers_object(h->vitals),
                               "wrong", wrong);
    char *line = json_written(json_made(object), JSON_REAL_PRECISION(7));
    json_decref(object);
    record_line(&h->record, t, line);
    free(line);
}

/* ---- an epoch ---- */

static void take_figures(Trainer *t, Health *h, const TrainerEpoch *epoch)
{
    Facts *f = &h->facts;
    f->epoch = epoch;
    f->activity = t->activity;
    f->epochs++;
    memmove(f->val_losses + 1, f->val_losses, sizeof f->val_losses - sizeof *f->val_losses);
    f->val_losses[0] = epoch->val_loss;
    vitals_settle(h->vitals);
    t->vitals = h->vitals;
}

static void health_after_epoch(Trainer *t, void *state, const TrainerEpoch *epoch)
{
    Health *h = state;
    json_t *wrong = json_made(json_array());
    take_figures(t, h, epoch);
    for (int i = 0; i < diagnosis_count(); i++) {
        char text[DIAGNOSIS_TEXT];
        if (!diagnosis_find(i, &h->facts, text))
            continue;
        json_append(wrong, json_pack("{s:s, s:s}", "what", diagnosis_key(i), "text", text));
        /* That a network guesses, or that its units die, is no news where its loss has risen, or will soon be said to. */
        if (!h->told[i] && !h->told_rate && !rises(t, h)) {
            trainer_note(t, "warning: %s", text);
            h->told[i] = true;
        }
    }
    write_line(t, h, wrong);
    h->facts.best_val_loss = fmin(h->facts.best_val_loss, epoch->val_loss);
    h->facts.partial = false;
}

static void health_close(void *state)
{
    Health *h = state;
    record_close(&h->record);
    vitals_free(h->vitals);
    free(h);
}

const RunPart part_health = {
    .key = "health", .open = health_open, .cut_back = health_cut_back, .after_gradients = health_after_gradients,
    .after_optimizer = health_after_optimizer, .after_step = health_after_step, .after_epoch = health_after_epoch, .close = health_close,
};
