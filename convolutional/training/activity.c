/* activity.c - see activity.h.
 *
 * Sums are kept a channel and added up in order, so that any number of threads gives the same figures. */

#include "activity.h"

#include "loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double NO_SLOPE = 1e-6, FLAT = 0.05, DEVIATIONS = 3.0;

/* Of one channel of z, over the batches. */
typedef struct ChannelSums {
    double sum, squares, slopes, flat, met, gradients;      /* met: numbers whose slope is known */
    double bins[ACTIVITY_BINS];
    bool   moves, asked;                                    /* some slope was not 0; some slope is known */
} ChannelSums;

struct ActivitySums {
    const Tensor *z, *y;             /* y NULL: the function says the slopes */
    int           z_index, y_index;  /* among the watched tensors */
    double        from, to;          /* of the histogram */
    ChannelSums  *channels;
};

static const Module *next_layer(const Network *network, int *at)
{
    while (*at < network_module_count(network)) {
        const Module *module = network_module(network, (*at)++);
        if (module->ops->function && activation_key(module->ops->function(module)) != ACT_identity)
            return module;
    }
    return NULL;
}

bool activity_has_layers(const Network *network)
{
    int at = 0;
    return next_layer(network, &at) != NULL;
}

static bool function_is_fixed(const Module *module)
{
    const Activation act = module->ops->function(module);
    return !act.info->learned && !activation_is_gated(act);
}

static size_t largest(size_t size, const Tensor *tensor)
{
    return shape_size(tensor->shape) > size ? shape_size(tensor->shape) : size;
}

Activity *activity_new(Network *network, const Plan *plan, int batch)
{
    Activity *a = allocate(1, sizeof *a, "activity of layers");
    const size_t modules = (size_t)network_module_count(network);
    a->layers = allocate(modules + 1, sizeof *a->layers, "activity of layers");
    a->sums = allocate(modules + 1, sizeof *a->sums, "activity of layers");
    a->watched = allocate(2 * modules + 1, sizeof *a->watched, "watched tensors");
    size_t most = 1;
    int at = 0, watched = 0;
    for (const Module *module; (module = next_layer(network, &at)) != NULL; a->count++) {
        ActivitySums *s = &a->sums[a->count];
        a->layers[a->count].module = module;
        *s = (ActivitySums){ .z = module->in[0], .y = function_is_fixed(module) ? NULL : module->out, .z_index = watched };
        a->watched[watched++] = s->z;
        if (s->y) {
            s->y_index = watched;
            a->watched[watched++] = s->y;
        }
        s->channels = allocate((size_t)s->z->shape.c, sizeof *s->channels, "sums of channels");
        most = largest(most, s->z);      /* y is never larger */
    }
    a->values = allocate(most * (size_t)batch, sizeof *a->values, "a layer's numbers");
    a->inner = allocate(most * (size_t)batch, sizeof *a->inner, "a layer's gradient");
    a->outer = allocate(most * (size_t)batch, sizeof *a->outer, "a layer's gradient");
    const Purpose purpose = { .statistics = STATISTICS_running, .gradients = GRADIENTS_tensors, .watched = a->watched, .watched_count = watched };
    a->program = program_compile(network, plan, purpose, batch);
    return a;
}

void activity_free(Activity *a)
{
    if (!a)
        return;
    for (int i = 0; i < a->count; i++)
        free(a->sums[i].channels);
    program_free(a->program);
    free(a->layers);
    free(a->sums);
    free(a->watched);
    free(a->values);
    free(a->inner);
    free(a->outer);
    free(a);
}

/* ---- sums ---- */

/* The histogram's ends, from the first batch. */
static void take_range(ActivitySums *s, const float *values, size_t count)
{
    double sum = 0, around = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i];
    const double mean = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        around += ((double)values[i] - mean) * ((double)values[i] - mean);
    const double room = DEVIATIONS * sqrt(around / (double)count) + 1e-12;
    s->from = mean - room;
    s->to = mean + room;
}

static void add_slope(ChannelSums *sums, double slope)
{
    sums->asked = true;
    sums->met++;
    sums->slopes += slope;
    sums->flat += slope < FLAT;
    sums->moves = sums->moves || slope > NO_SLOPE;
}

/* The channel's numbers of one image; dy: of the channel that it goes to, NULL: the function says the slopes. dz is of the mean over
 * the batch: the image's own is `images` times as large. */
static void add_pixels(const ActivitySums *s, Activation act, ChannelSums *sums, int images, size_t pixels, const float *z, const float *dz,
                       const float *dy)
{
    for (size_t i = 0; i < pixels; i++) {
        const double value = (double)z[i], gradient = (double)dz[i], place = (value - s->from) / (s->to - s->from) * ACTIVITY_BINS;
        sums->sum += value;
        sums->squares += value * value;
        sums->gradients += gradient * images * gradient * images;
        if (place >= 0 && place < ACTIVITY_BINS)
            sums->bins[(int)place]++;
        if (!dy)
            add_slope(sums, fabs(activation_slope(act, value)));
        else if (dy[i] != 0.0f)
            add_slope(sums, fabs(gradient / (double)dy[i]));
    }
}

static void add_layer(const Activity *a, int layer, int images)
{
    ActivitySums *s = &a->sums[layer];
    const Module *module = a->layers[layer].module;
    const Activation act = module->ops->function(module);
    const int channels = s->z->shape.c, outputs = module->out->shape.c;
    const size_t pixels = (size_t)s->z->shape.h * (size_t)s->z->shape.w;
    #pragma omp parallel for schedule(static)
    for (int c = 0; c < channels; c++)
        for (int n = 0; n < images; n++) {
            const size_t at = ((size_t)n * (size_t)channels + (size_t)c) * pixels;
            const size_t out = ((size_t)n * (size_t)outputs + (size_t)(c % outputs)) * pixels;      /* both halves of a gated unit go there */
            add_pixels(s, act, &s->channels[c], images, pixels, a->values + at, a->inner + at, s->y ? a->outer + out : NULL);
        }
}

static void add_batch(Activity *a, const Batch *batch, int classes)
{
    LossSum sum = { 0 };
    program_set_image(a->program, batch->images);
    program_forward(a->program);
    loss_cross_entropy(program_logits(a->program), batch->labels, program_batch(a->program), batch->count, classes, 0,
                       program_logits_gradient(a->program), &sum);
    program_backward(a->program);
    for (int i = 0; i < a->count; i++) {
        const ActivitySums *s = &a->sums[i];
        program_watched_values(a->program, s->z_index, a->values);
        program_watched_gradient(a->program, s->z_index, a->inner);
        if (s->y)
            program_watched_gradient(a->program, s->y_index, a->outer);
        if (a->images == 0)
            take_range(&a->sums[i], a->values, (size_t)batch->count * shape_size(s->z->shape));
        add_layer(a, i, batch->count);
    }
    a->images += (uint32_t)batch->count;
    a->loss += sum.loss;
}

/* ---- a measurement ---- */

static void finish_layer(ActivityLayer *layer, const ActivitySums *s, uint32_t images)
{
    const double count = (double)images * (double)shape_size(s->z->shape);
    ChannelSums all = { 0 };
    int dead = 0;
    for (int c = 0; c < s->z->shape.c; c++) {
        const ChannelSums *one = &s->channels[c];
        all.sum += one->sum;
        all.squares += one->squares;
        all.slopes += one->slopes;
        all.flat += one->flat;
        all.met += one->met;
        all.gradients += one->gradients;
        dead += one->asked && !one->moves;
        for (int b = 0; b < ACTIVITY_BINS; b++)
            all.bins[b] += one->bins[b];
    }
    layer->mean = all.sum / count;
    layer->deviation = sqrt(fmax(all.squares / count - layer->mean * layer->mean, 0));
    layer->dead = (double)dead / s->z->shape.c;
    layer->saturated = all.met > 0 ? all.flat / all.met : 0;
    layer->slope = all.met > 0 ? all.slopes / all.met : 0;
    layer->gradient = sqrt(all.gradients / images);
    for (int b = 0; b < ACTIVITY_BINS; b++)
        layer->histogram[b] = all.bins[b] / count;
}

void activity_measure(Activity *a, Loader *loader, uint32_t batches, int classes)
{
    Batch batch;
    a->images = 0;
    a->loss = 0;
    for (int i = 0; i < a->count; i++)
        memset(a->sums[i].channels, 0, (size_t)a->sums[i].z->shape.c * sizeof *a->sums[i].channels);
    for (uint32_t b = 0; b < batches && loader_next(loader, &batch); b++)
        add_batch(a, &batch, classes);
    CHECK(a->images > 0, "activity of %d layers, of no image", a->count);
    a->loss /= a->images;
    for (int i = 0; i < a->count; i++)
        finish_layer(&a->layers[i], &a->sums[i], a->images);
}
