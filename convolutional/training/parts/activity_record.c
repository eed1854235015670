/* activity_record.c - --act-stats: what the activations do to numbers and gradients, an object every few epochs in activity.jsonl.
 *
 * Always of the same training images, unaugmented, with the weights as the epoch leaves them and running statistics, as inspect has it. */

#include "activity.h"

#include "json_made.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, BATCHES = 8 };

typedef struct ActivityRecord {
    Activity *activity;
    Loader   *loader;
    Record    record;
} ActivityRecord;

static int batch_of(const Trainer *t)
{
    return t->train_set->count < BATCH ? (int)t->train_set->count : BATCH;
}

static Loader *open_loader(const Trainer *t)
{
    LoaderOptions options = {
        .batch = batch_of(t), .training = true, .threads = 1, .seed = t->options.seed,
    };
    memcpy(options.mean, t->info.mean, sizeof options.mean);
    memcpy(options.std, t->info.std, sizeof options.std);
    return loader_new(t->train_set, &options);
}

static void *activity_record_open(Trainer *t)
{
    if (t->options.parts.act_stats == 0 || !t->folder)
        return NULL;
    if (!activity_has_layers(t->network)) {
        trainer_note(t, "warning: --act-stats records nothing: this network has no activation but identity");
        return NULL;
    }
    ActivityRecord *p = allocate(1, sizeof *p, "activity of layers");
    Plan exact = t->options.plan;
    exact.precision = PRECISION_f32;
    p->loader = open_loader(t);
    p->activity = activity_new(t->network, &exact, batch_of(t));
    p->record = record_of(t, RUN_activity, record_open_lines);
    const int batches = (int)t->train_set->count / batch_of(t);      /* the loader leaves out what fills none */
    trainer_note(t, "activity.jsonl: every %d epoch%s, of %d layers on %d training images, %.0f MiB", t->options.parts.act_stats,
                 t->options.parts.act_stats == 1 ? "" : "s", p->activity->count, batch_of(t) * (batches < BATCHES ? batches : BATCHES),
                 (double)program_arena_bytes(p->activity->program) / (1 << 20));
    return p;
}

static bool activity_record_cut_back(Trainer *t, void *state, Error *error)
{
    (void)error;
    record_cut_back(&((ActivityRecord *)state)->record, t);
    return true;
}

static json_t *layer_object(const ActivityLayer *layer)
{
    char act[ACTIVATION_TEXT];
    json_t *bins = json_made(json_array());
    for (int b = 0; b < ACTIVITY_BINS; b++)
        json_append(bins, json_finite(layer->histogram[b]));
    return json_pack("{s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", layer->module->name,
                     "act", activation_text(layer->module->ops->function(layer->module), act, sizeof act), "channels", layer->module->in[0]->shape.c,
                     "mean", json_finite(layer->mean), "deviation", json_finite(layer->deviation), "dead", json_finite(layer->dead),
                     "saturated", json_finite(layer->saturated), "slope", json_finite(layer->slope), "gradient", json_finite(layer->gradient), "histogram", bins);
}

static void write_line(const Trainer *t, ActivityRecord *p, const TrainerEpoch *epoch)
{
    json_t *layers = json_made(json_array());
    for (int i = 0; i < p->activity->count; i++)
        json_append(layers, layer_object(&p->activity->layers[i]));
    json_t *object = json_pack("{s:i, s:I, s:I, s:o, s:o}", "epoch", (int)epoch->epoch + 1, "step", (json_int_t)epoch->step, "images",
                               (json_int_t)p->activity->images, "loss", json_finite(p->activity->loss), "layers", layers);
    char *line = json_written(json_made(object), JSON_REAL_PRECISION(7));
    json_decref(object);
    record_line(&p->record, t, line);
    free(line);
}

/* Also after the last epoch, whatever its number. */
static void activity_record_after_epoch(Trainer *t, void *state, const TrainerEpoch *epoch)
{
    ActivityRecord *p = state;
    if ((epoch->epoch + 1) % (uint32_t)t->options.parts.act_stats != 0 && epoch->epoch + 1 < epoch->epochs && !parts_finished(t))
        return;
    loader_start(p->loader, 0, 0);
    activity_measure(p->activity, p->loader, BATCHES, t->info.class_count);
    t->activity = p->activity;
    write_line(t, p, epoch);
}

static void activity_record_close(void *state)
{
    ActivityRecord *p = state;
    record_close(&p->record);
    activity_free(p->activity);
    loader_free(p->loader);
    free(p);
}

const RunPart part_activity_record = {
    .key = "activity_record", .open = activity_record_open, .cut_back = activity_record_cut_back, .after_epoch = activity_record_after_epoch, .close = activity_record_close,
};
