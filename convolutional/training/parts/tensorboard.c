/* tensorboard.c - --log tb: an event file for TensorBoard (events.h): after each epoch losses, accuracies, rate and speed; how far a step
 * moves each layer and the norm of its gradient; a histogram of each layer's weights; and the first convolution's filters as a picture.
 * The file begins with a picture of training images as the network sees them. */

#include "events.h"
#include "files.h"
#include "filter_tiles.h"
#include "preview.h"
#include "record.h"
#include "text.h"
#include "trainer_images.h"

#include <stdlib.h>
#include <time.h>

enum { SAMPLES = 16 };

typedef struct TensorBoard {
    Record record;
    float *plain;            /* the values of one parameter */
} TensorBoard;

/* Time is not the run's: it is when the event was written. */
static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void add_tiles(Events *events, const char *tag, Tiles *tiles)
{
    events_picture(events, tag, tiles->pixels, tiles->channels, tiles->h, tiles->w);
    tiles_free(tiles);
}

/* What a file begins with, of step 0. */
static void add_beginning(Events *events, const Trainer *t)
{
    const LoaderOptions loader = trainer_loader_options(&t->options, t->train_set, true, t->info.mean, t->info.std);
    Tiles samples = preview_tiles(t->train_set, &loader, SAMPLES);
    events_version(events);
    add_tiles(events, "training images", &samples);
}

static bool open_events(Record *record, const Trainer *t, Error *error)
{
    size_t size;
    uint8_t *bytes = (uint8_t *)log_read(record->path, &size, error);
    if (!bytes)
        return false;
    const size_t known = events_known(bytes, size, (int64_t)record->step);
    Events start = { .wall_time = now() };
    if (known == 0)
        add_beginning(&start, t);
    const bool ok = (known > 0 && known == size) || file_replace(record->path, known ? bytes : start.bytes, known ? known : start.size, error);
    events_free(&start);
    free(bytes);
    return ok && log_open_bytes(&record->log, record->path, error);
}

static void *tensorboard_open(Trainer *t)
{
    if (!t->options.parts.tensorboard || !t->folder)
        return NULL;
    TensorBoard *b = allocate(1, sizeof *b, "events");
    size_t most = 1;
    for (int i = 0; i < network_param_count(t->network); i++)
        most = network_param(t->network, i)->count > most ? network_param(t->network, i)->count : most;
    b->plain = allocate(most, sizeof *b->plain, "a parameter");
    b->record = record_of(t, RUN_events, open_events);
    return b;
}

static bool tensorboard_cut_back(Trainer *t, void *state, Error *error)
{
    (void)error;
    record_cut_back(&((TensorBoard *)state)->record, t);
    return true;
}

static void add_figures(Events *events, const TrainerEpoch *e)
{
    events_number(events, "loss/train", e->train_loss);
    events_number(events, "loss/validation", e->val_loss);
    events_number(events, "top1/train", e->train_top1);
    events_number(events, "top1/validation", e->val_top1);
    events_number(events, "top5/validation", e->val_top5);
    events_number(events, "lr", (double)e->lr);
    events_number(events, "images_per_second", e->images_per_second);
}

static void add_layers(Events *events, const Vitals *vitals)
{
    for (int i = 0; vitals && i < vitals->layer_count; i++) {
        const LayerVitals *layer = &vitals->layers[i];
        char *update = text_format("update/%s", layer->param->name), *gradient = text_format("gradient/%s", layer->param->name);
        events_number(events, update, layer->update);
        events_number(events, gradient, layer->gradient);
        free(update);
        free(gradient);
    }
}

static void add_weights(Events *events, const Trainer *t, float *plain)
{
    const Network *net = t->network;
    for (int i = 0; i < network_param_count(net); i++) {
        const Param *param = network_param((Network *)net, i);
        if (param->role != PARAM_weight)
            continue;
        parameters_export(net, network_parameters(t->network)->values, param, plain);
        events_histogram(events, param->name, plain, param->count);
    }
}

static void add_filters(Events *events, const Trainer *t, float *plain)
{
    const Param *filters = filter_first(t->network);
    if (!filters)
        return;
    parameters_export(t->network, network_parameters(t->network)->values, filters, plain);
    Tiles tiles = filter_tiles(filters, plain);
    char *tag = text_format("filters/%s", filters->name);
    add_tiles(events, tag, &tiles);
    free(tag);
}

static void tensorboard_after_epoch(Trainer *t, void *state, const TrainerEpoch *epoch)
{
    TensorBoard *b = state;
    Events events = { .wall_time = now(), .step = (int64_t)epoch->step };
    add_figures(&events, epoch);
    add_layers(&events, t->vitals);
    add_weights(&events, t, b->plain);
    add_filters(&events, t, b->plain);
    record_write(&b->record, t, events.bytes, events.size);
    events_free(&events);
}

static void tensorboard_close(void *state)
{
    TensorBoard *b = state;
    record_close(&b->record);
    free(b->plain);
    free(b);
}

const RunPart part_tensorboard = {
    .key = "tensorboard", .open = tensorboard_open, .cut_back = tensorboard_cut_back, .after_epoch = tensorboard_after_epoch,
    .close = tensorboard_close,
};
