/* timed_step.c - see timed_step.h. */

#include "timed_step.h"

#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "errors.h"
#include "loss.h"
#include "parameters.h"
#include "random.h"

enum { LEAST_STEPS = 3, MOST_STEPS = 100000 };

static void draw_data(TimedStep *t)
{
    const size_t batch = (size_t)program_batch(t->program), count = batch * shape_size(network_image(t->network)->shape);
    const int classes = network_logits(t->network)->shape.c;
    Random random = random_stream(0, 0, 0, RANDOM_init);
    t->images = allocate(count, sizeof *t->images, "images");
    t->labels = allocate(batch, sizeof *t->labels, "labels");
    for (size_t i = 0; i < count; i++)
        t->images[i] = random_normal(&random);
    for (size_t i = 0; i < batch; i++)
        t->labels[i] = (uint16_t)random_below(&random, (uint32_t)classes);
    program_set_image(t->program, t->images);
}

TimedStep timed_step_new(Network *network, const Plan *plan, Purpose purpose, int batch)
{
    TimedStep t = { .network = network };
    parameters_init(network, 0);
    t.program = program_compile(network, plan, purpose, batch);
    if (purpose.gradients != GRADIENTS_none)
        t.optimizer = optimizer_new(network, &(OptimizerOptions){ .kind = OPTIMIZER_sgd, .momentum = 0.9f, .weight_decay = 5e-4f });
    draw_data(&t);
    return t;
}

void timed_step_free(TimedStep *t)
{
    optimizer_free(t->optimizer);
    program_free(t->program);
    free(t->images);
    free(t->labels);
    *t = (TimedStep){ 0 };
}

static void run_backward(TimedStep *t)
{
    const int batch = program_batch(t->program), classes = network_logits(t->network)->shape.c;
    LossSum sum = { 0 };
    loss_cross_entropy(program_logits(t->program), t->labels, batch, batch, classes, 0.0f, program_logits_gradient(t->program), &sum);
    t->backward_began = seconds_now();
    if (t->exchange)
        exchange_begin(t->exchange, t->words, sizeof *t->words);
    program_backward(t->program);
    if (t->exchange)
        exchange_end(t->exchange);
    t->backward_ended = seconds_now();
    optimizer_step(t->optimizer, 0.01f);
}

void timed_step_run(TimedStep *t)
{
    t->began = seconds_now();
    program_set_step(t->program, 0, t->step++);
    program_forward(t->program);
    if (t->optimizer)
        run_backward(t);
    t->ended = seconds_now();
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double timed_step_median(TimedStep *t, double seconds, bool profile)
{
    double *times = allocate(MOST_STEPS, sizeof *times, "times");
    int count = 0;
    for (int i = 0; i < TIMED_WARM_UP; i++)
        timed_step_run(t);
    program_profile(t->program, profile);
    const double end = seconds_now() + seconds;
    while ((seconds_now() < end || count < LEAST_STEPS) && count < MOST_STEPS) {
        const double begin = seconds_now();
        timed_step_run(t);
        times[count] = seconds_now() - begin;
        t->measured += times[count++];
    }
    qsort(times, (size_t)count, sizeof *times, by_size);
    const double median = times[count / 2];
    free(times);
    return median;
}

void timed_step_layers(const TimedStep *t, double *seconds)
{
    const int modules = network_module_count(t->network), count = program_profile_rows(t->program, NULL, 0);
    const double steps = (double)(t->step - TIMED_WARM_UP);
    KernelProfile *rows = allocate((size_t)count, sizeof *rows, "a profile");
    program_profile_rows(t->program, rows, count);
    for (int i = 0; i < modules; i++)
        seconds[i] = 0;
    double kernels = 0;
    for (int i = 0; i < count; i++) {
        seconds[rows[i].layer] += rows[i].seconds / steps;
        kernels += rows[i].seconds;
    }
    seconds[modules] = fmax(0, t->measured - kernels) / steps;
    free(rows);
}
