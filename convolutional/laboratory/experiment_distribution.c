/* experiment_distribution.c - what an activation makes of a distribution: of standard normal numbers, and of what a layer of a trained
 * lenet really hands to its activation. */

#include "experiment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "architectures.h"
#include "dataset.h"
#include "loss.h"
#include "optimizer.h"
#include "parameters.h"
#include "program.h"
#include "random.h"
#include "stack.h"

enum { NORMAL_COUNT = 100000, IMAGES = 64, BATCHES = 8, CLASSES = 10, SIDE = 32, CHANNELS = 3, BINS = 121, WATCHED = 1 };
#define EDGE  4.0
#define SATURATED 0.05

typedef struct Sample {
    char   title[96];
    float *values;
    int    count;
} Sample;

static Sample sample_normal(uint64_t seed)
{
    Sample s = { .title = "of standard normal numbers", .count = NORMAL_COUNT };
    Random random = random_stream(seed, 0, 0, RANDOM_sample);
    s.values = allocate(NORMAL_COUNT, sizeof *s.values, "an experiment");
    for (int i = 0; i < NORMAL_COUNT; i++)
        s.values[i] = random_normal(&random);
    return s;
}

/* The first activation that reads more than an image: which of the network's modules. */
static const Module *second_activation(const Network *net)
{
    int seen = 0;
    for (int i = 0; i < network_module_count(net); i++)
        if (!strcmp(network_module(net, i)->ops->kind, "activation") && seen++ == WATCHED)
            return network_module(net, i);
    return NULL;
}

static void image_read(const Dataset *data, uint32_t first, float *images, uint16_t *labels)
{
    const size_t size = (size_t)CHANNELS * SIDE * SIDE;
    for (size_t i = 0; i < IMAGES * size; i++)
        images[i] = ((float)data->images[first * size + i] / 255.0f - 0.5f) / 0.25f;
    memcpy(labels, data->labels + first, IMAGES * sizeof *labels);
}

/* lenet with relu, some steps on the built-in images; then what its second activation reads. */
static Sample sample_real(const ExperimentOptions *o)
{
    Error error = { 0 };
    Dataset *data = dataset_open(&(DataOptions){ .path = "shapes", .limit = IMAGES * BATCHES, .seed = o->seed }, SPLIT_train, &error);
    CHECK(data && data->count >= IMAGES * BATCHES, "shapes: %s", error.text);
    Network *net = architecture_network(architecture_find("lenet", &error), (Shape){ CHANNELS, SIDE, SIDE },
                                        &(ArchOptions){ .classes = CLASSES, .act = activation_of(ACT_relu) }, &error);
    CHECK(net, "lenet: %s", error.text);
    const Module *act = second_activation(net);
    const Tensor *const watched[] = { act->in[0] };
    Program *program = program_compile(net, &(Plan){ 0 }, (Purpose){ .statistics = STATISTICS_batch, .gradients = GRADIENTS_parameters, .watched = watched, .watched_count = 1 }, IMAGES);
    Optimizer *optimizer = optimizer_new(net, &(OptimizerOptions){ .kind = OPTIMIZER_sgd, .momentum = 0.9f });
    uint16_t labels[IMAGES];
    LossSum sum = { 0 };
    parameters_init(net, o->seed);
    for (int step = 0; step < o->steps; step++) {
        image_read(data, (uint32_t)(step % BATCHES) * IMAGES, program_image(program), labels);
        program_forward(program);
        loss_cross_entropy(program_logits(program), labels, IMAGES, IMAGES, CLASSES, 0, program_logits_gradient(program), &sum);
        program_backward(program);
        optimizer_step(optimizer, 0.02f);
    }
    Sample s = { .count = (int)(IMAGES * shape_size(act->in[0]->shape)) };
    s.values = allocate((size_t)s.count, sizeof *s.values, "an experiment");
    program_forward(program);
    program_watched_values(program, 0, s.values);
    snprintf(s.title, sizeof s.title, "of what lenet's %s reads after %d steps", act->name, o->steps);
    optimizer_free(optimizer);
    program_free(program);
    network_free(net);
    dataset_free(data);
    return s;
}

/* Density of the numbers in bins from -EDGE to EDGE. */
static void histogram(const float *values, int count, double *density)
{
    const double width = 2 * EDGE / BINS;
    for (int i = 0; i < BINS; i++)
        density[i] = 0;
    for (int i = 0; i < count; i++) {
        const double place = ((double)values[i] + EDGE) / width;
        if (place >= 0 && place < BINS)
            density[(int)place] += 1 / (count * width);
    }
}

static void measure(const Sample *s, Activation act, ExperimentResult *result)
{
    char name[ACTIVATION_TEXT];
    double x[BINS], density[BINS];
    int zeros = 0, saturated = 0;
    float *outputs = allocate((size_t)s->count, sizeof *outputs, "an experiment");
    for (int i = 0; i < s->count; i++) {
        outputs[i] = (float)activation_value(act, (double)s->values[i]);
        zeros += outputs[i] == 0;
        saturated += fabs(activation_slope(act, (double)s->values[i])) < SATURATED;
    }
    for (int i = 0; i < BINS; i++)
        x[i] = -EDGE + (i + 0.5) * 2 * EDGE / BINS;
    histogram(outputs, s->count, density);
    activation_text(act, name, sizeof name);
    chart_line(result->chart, (ChartSeries){ .name = name, .count = BINS, .x = x, .y = density });
    const Moments before = moments_of(s->values, s->count), after = moments_of(outputs, s->count);
    table_text(result->table, name);
    table_text(result->table, s->title);
    table_number(result->table, before.mean);
    table_number(result->table, sqrt(before.variance));
    table_number(result->table, after.mean);
    table_number(result->table, sqrt(after.variance));
    table_number(result->table, 100.0 * zeros / s->count);
    table_number(result->table, 100.0 * saturated / s->count);
    free(outputs);
}

static bool run(const ExperimentOptions *o, ExperimentResult *result, Error *error)
{
    (void)error;
    static const char *const columns[] = { "activation", "inputs", "mean before", "deviation before", "mean", "deviation", "zeros, %", "slope below 0.05, %", NULL };
    result->table = table_new(columns);
    result->chart = chart_new("What comes out of an activation");
    Sample samples[] = { sample_normal(o->seed), sample_real(o) };
    for (int panel = 0; panel < CHART_PANELS; panel++) {
        chart_panel(result->chart, (ChartPanel){ .title = samples[panel].title, .x_label = "output", .y_label = "density", .y_log = true });
        for (int i = 0; i < o->act_count; i++)
            measure(&samples[panel], o->acts[i], result);
        free(samples[panel].values);
    }
    return true;
}

const Experiment experiment_distribution = {
    .name = "distribution", .about = "means, deviations, zeros and saturation of what comes out, for normal numbers and for a trained layer's",
    .acts = "identity,relu,gelu,silu,tanh,sigmoid", .steps = 80, .run = run,
};
