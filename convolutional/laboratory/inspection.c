/* inspection.c - see inspection.h. */

#include "inspection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loss.h"

#define NO_SLOPE   1e-6
#define SATURATED  0.05
#define DEVIATIONS 3.0

/* What is summed up over the batches of one layer. */
typedef struct Sums {
    double  count, sum, squares, flat, gradients;
    double  from, to;                  /* of the histogram */
    double  bins[INSPECTION_BINS];
    bool   *moves;                     /* a channel: some slope was not 0 */
} Sums;

typedef struct Work {
    Inspection    *result;
    Program       *program;
    Sums          *sums;
    const Tensor **watched;
    float         *numbers;            /* room for the largest watched tensor of a batch */
} Work;

static int find_layers(const Network *net, InspectionLayer *layers)
{
    int count = 0;
    for (int i = 0; i < network_module_count(net); i++) {
        const Module *module = network_module(net, i);
        if (!module->ops->function || activation_key(module->ops->function(module)) == ACT_identity)
            continue;
        if (layers)
            layers[count].module = module;
        count++;
    }
    return count;
}

static Work work_open(const Model *model, int batch)
{
    Work w = { .result = allocate(1, sizeof *w.result, "an inspection") };
    size_t most = 1;
    w.result->count = find_layers(model->network, NULL);
    w.result->layers = allocate((size_t)w.result->count + 1, sizeof *w.result->layers, "an inspection");
    w.sums = allocate((size_t)w.result->count + 1, sizeof *w.sums, "an inspection");
    w.watched = allocate((size_t)w.result->count + 1, sizeof *w.watched, "an inspection");
    find_layers(model->network, w.result->layers);
    for (int i = 0; i < w.result->count; i++) {
        w.watched[i] = w.result->layers[i].module->in[0];
        w.sums[i].moves = allocate((size_t)w.watched[i]->shape.c, sizeof *w.sums[i].moves, "an inspection");
        most = shape_size(w.watched[i]->shape) > most ? shape_size(w.watched[i]->shape) : most;
    }
    w.numbers = allocate(most * (size_t)batch, sizeof *w.numbers, "an inspection");
    w.program = program_compile(model->network, &(Plan){ 0 },
                                (Purpose){ .statistics = STATISTICS_running, .gradients = GRADIENTS_tensors, .watched = w.watched,
                                           .watched_count = w.result->count }, batch);
    return w;
}

static void work_close(Work *w)
{
    for (int i = 0; i < w->result->count; i++)
        free(w->sums[i].moves);
    free(w->sums);
    free(w->watched);
    free(w->numbers);
    program_free(w->program);
}

/* The histogram's ends, from the first batch. */
static void sums_range(Sums *s, const float *values, size_t count)
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

static void sums_add(Sums *s, Activation act, Shape shape, const float *values, int images)
{
    const size_t pixels = (size_t)shape.h * (size_t)shape.w, count = (size_t)images * shape_size(shape);
    if (s->count == 0)
        sums_range(s, values, count);
    for (size_t i = 0; i < count; i++) {
        const double value = (double)values[i], slope = fabs(activation_slope(act, value));
        const double place = (value - s->from) / (s->to - s->from) * INSPECTION_BINS;
        s->sum += value;
        s->squares += value * value;
        s->flat += slope < SATURATED;
        s->moves[i / pixels % (size_t)shape.c] |= slope > NO_SLOPE;
        if (place >= 0 && place < INSPECTION_BINS)
            s->bins[(int)place]++;
    }
    s->count += (double)count;
}

static void work_batch(Work *w, const Batch *batch, int classes)
{
    const int rows = program_batch(w->program);
    LossSum sum = { 0 };
    program_set_image(w->program, batch->images);
    program_forward(w->program);
    loss_cross_entropy(program_logits(w->program), batch->labels, rows, batch->count, classes, 0, program_logits_gradient(w->program), &sum);
    for (int i = 0; i < w->result->count; i++) {
        program_watched_values(w->program, i, w->numbers);
        sums_add(&w->sums[i], w->result->layers[i].module->ops->function(w->result->layers[i].module), w->watched[i]->shape, w->numbers, batch->count);
    }
    program_backward(w->program);
    for (int i = 0; i < w->result->count; i++) {
        program_watched_gradient(w->program, i, w->numbers);
        /* The gradient is of the mean over the batch: each image's own is `count` times as large. */
        for (size_t k = 0; k < (size_t)batch->count * shape_size(w->watched[i]->shape); k++)
            w->sums[i].gradients += pow((double)w->numbers[k] * batch->count, 2);
    }
    w->result->images += (uint32_t)batch->count;
    w->result->loss += sum.loss;
}

static void work_finish(Work *w)
{
    Inspection *r = w->result;
    r->loss /= r->images;
    for (int i = 0; i < r->count; i++) {
        const Sums *s = &w->sums[i];
        InspectionLayer *layer = &r->layers[i];
        const int channels = w->watched[i]->shape.c;
        int dead = 0;
        for (int c = 0; c < channels; c++)
            dead += !s->moves[c];
        layer->mean = s->sum / s->count;
        layer->deviation = sqrt(fmax(s->squares / s->count - layer->mean * layer->mean, 0));
        layer->dead = (double)dead / channels;
        layer->saturated = s->flat / s->count;
        layer->gradient = sqrt(s->gradients / r->images);
        for (int b = 0; b < INSPECTION_BINS; b++)
            layer->histogram[b] = s->bins[b] / s->count;
    }
}

Inspection *inspection_new(const Model *model, const Dataset *data, int batch)
{
    Work w = work_open(model, batch);
    Loader *loader = model_loader(model, data, batch);
    Batch images;
    loader_start(loader, 0, 0);
    while (loader_next(loader, &images))
        work_batch(&w, &images, model->info.class_count);
    loader_free(loader);
    work_finish(&w);
    work_close(&w);
    return w.result;
}

void inspection_free(Inspection *inspection)
{
    if (inspection)
        free(inspection->layers);
    free(inspection);
}

/* Eighths of a block, the tallest bin full. */
static void draw_histogram(const double *shares, char *text)
{
    static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    double most = 0;
    for (int b = 0; b < INSPECTION_BINS; b++)
        most = fmax(most, shares[b]);
    *text = '\0';
    for (int b = 0; b < INSPECTION_BINS; b++)
        strcat(text, blocks[most > 0 ? (int)ceil(8 * shares[b] / most) : 0]);
}

Table *inspection_table(const Inspection *inspection)
{
    static const char *const columns[] = { "layer", "mean", "deviation", "dead channels, %", "flat, %", "gradient", "sums, +- 3 deviations", NULL };
    Table *table = table_new(columns);
    for (int i = 0; i < inspection->count; i++) {
        const InspectionLayer *layer = &inspection->layers[i];
        char blocks[4 * INSPECTION_BINS + 1];
        table_text(table, layer->module->name);
        table_number(table, layer->mean);
        table_number(table, layer->deviation);
        table_number(table, 100 * layer->dead);
        table_number(table, 100 * layer->saturated);
        table_number(table, layer->gradient);
        draw_histogram(layer->histogram, blocks);
        table_text(table, blocks);
    }
    return table;
}

Chart *inspection_chart(const Inspection *inspection)
{
    const size_t count = (size_t)inspection->count + 1;
    const char **names = allocate(count, sizeof *names, "an inspection");
    double *dead = allocate(count, sizeof *dead, "an inspection"), *flat = allocate(count, sizeof *flat, "an inspection"),
           *gradients = allocate(count, sizeof *gradients, "an inspection");
    for (int i = 0; i < inspection->count; i++) {
        names[i] = inspection->layers[i].module->name;
        dead[i] = 100 * inspection->layers[i].dead;
        flat[i] = 100 * inspection->layers[i].saturated;
        gradients[i] = inspection->layers[i].gradient;
    }
    Chart *chart = chart_new("Inside the network, activation by activation");
    const ChartPanel panel = { .x_names = names, .x_name_count = inspection->count };
    ChartPanel left = panel, right = panel;
    left.y_label = "share, %";
    left.y_to = 100;
    chart_panel(chart, left);
    chart_bars(chart, (ChartSeries){ .name = "dead channels", .count = inspection->count, .y = dead });
    chart_bars(chart, (ChartSeries){ .name = "flat: slope below 0.05", .count = inspection->count, .y = flat });
    right.y_label = "norm of the gradient of an image";
    right.y_log = true;
    chart_panel(chart, right);
    chart_bars(chart, (ChartSeries){ .name = "gradient", .count = inspection->count, .y = gradients, .colour = 3 });
    free(names);
    free(dead);
    free(flat);
    free(gradients);
    return chart;
}
