/* experiment_xor.c - the four points of exclusive or, which no linear map tells apart (Minsky and Papert, 1969), learned by a 2-4-2
 * network with plain gradient descent: how many starts succeed, and how long they take. */

#include "experiment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack.h"

enum { POINTS = 4, SEEDS = 20 };
#define LEARNED 0.01
#define RATE    1.0f

static const float    inputs[2 * POINTS] = { 0, 0, 0, 1, 1, 0, 1, 1 };
static const uint16_t labels[POINTS] = { 0, 1, 1, 0 };

/* Losses of all steps. Returns the first step whose loss is small; -1: none. */
static int learn(const ExperimentOptions *o, Activation act, uint64_t seed, double *losses)
{
    Stack *stack = stack_new(&(StackOptions){ .act = act, .start = STACK_fitted, .inputs = 2, .depth = 1, .width = o->width, .classes = 2,
                                              .batch = POINTS, .seed = seed });
    int learned = -1;
    memcpy(stack_inputs(stack), inputs, sizeof inputs);
    for (int step = 0; step < o->steps; step++) {
        losses[step] = stack_train(stack, labels, RATE).loss;
        if (learned < 0 && losses[step] < LEARNED)
            learned = step;
    }
    stack_free(stack);
    return learned;
}

static int by_number(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *numbers, int count)
{
    qsort(numbers, (size_t)count, sizeof *numbers, by_number);
    return count % 2 ? numbers[count / 2] : (numbers[count / 2 - 1] + numbers[count / 2]) / 2;
}

static bool run(const ExperimentOptions *o, ExperimentResult *result, Error *error)
{
    (void)error;
    static const char *const columns[] = { "activation", "starts", "learned", "median steps", "median loss at the end", NULL };
    const int steps = o->steps;
    double *losses = allocate((size_t)SEEDS * (size_t)steps, sizeof *losses, "an experiment"), *line = allocate((size_t)steps, sizeof *line, "an experiment");
    result->table = table_new(columns);
    result->chart = chart_new("Exclusive or");
    chart_panel(result->chart, (ChartPanel){ .x_label = "step of gradient descent", .y_label = "loss, median of 20 starts, nats", .y_log = true });
    for (int i = 0; i < o->act_count; i++) {
        char name[ACTIVATION_TEXT];
        double taken[SEEDS], column[SEEDS];
        int count = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            const int learned = learn(o, o->acts[i], o->seed + (uint64_t)seed, losses + (size_t)seed * (size_t)steps);
            if (learned >= 0)
                taken[count++] = learned;
        }
        for (int step = 0; step < steps; step++) {
            for (int seed = 0; seed < SEEDS; seed++)
                column[seed] = losses[(size_t)seed * (size_t)steps + (size_t)step];
            line[step] = median(column, SEEDS);
        }
        activation_text(o->acts[i], name, sizeof name);
        table_text(result->table, name);
        table_number(result->table, SEEDS);
        table_number(result->table, count);
        table_number(result->table, count ? median(taken, count) : NAN);
        table_number(result->table, line[steps - 1]);
        chart_line(result->chart, (ChartSeries){ .name = name, .count = steps, .y = line });
    }
    chart_level(result->chart, log(2), "guessing: log 2");
    free(losses);
    free(line);
    return true;
}

const Experiment experiment_xor = {
    .name = "xor", .about = "the smallest task that no linear network learns: how many starts learn it, and in how many steps",
    .acts = "identity,sigmoid,tanh,relu,leaky_relu,gelu,silu", .width = 4, .steps = 1000, .run = run,
};
