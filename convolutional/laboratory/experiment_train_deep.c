/* experiment_train_deep.c - 20 plain layers trained on three spiral arms by plain gradient descent, gradients held to a norm of 1: the loss as
 * it falls, or does not, and the gradient that reaches each layer before the first step. */

#include "experiment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "stack.h"

enum { POINTS = 300, CLASSES = 3, DEEPEST = 400, WINDOW = 9 };
#define RATE 0.05f

typedef struct Course {
    double    *losses;             /* of each step */
    double     norms[DEEPEST];     /* of the gradient by each layer's sums, before the first step */
    StackScore end;
} Course;

static Course train(const ExperimentOptions *o, Activation act)
{
    Course course = { .losses = allocate((size_t)o->steps, sizeof *course.losses, "an experiment") };
    Stack *stack = stack_new(&(StackOptions){ .act = act, .start = stack_start_usual(act), .inputs = 2, .depth = o->depth, .width = o->width, .classes = CLASSES,
                                              .batch = POINTS, .clip_norm = 1, .seed = o->seed });
    uint16_t labels[POINTS];
    spirals_fill(stack_inputs(stack), labels, POINTS, CLASSES, o->seed);
    for (int step = 0; step < o->steps; step++) {
        course.losses[step] = stack_train(stack, labels, RATE).loss;
        for (int layer = 0; layer < o->depth && step == 0; layer++)
            course.norms[layer] = moments_of(stack_gradient(stack, layer, STACK_sums), stack_count(stack)).norm;
    }
    course.end = stack_measure(stack, labels);
    stack_free(stack);
    return course;
}

static int by_number(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Each step's median of it and its neighbours: full steps jump out of narrow valleys now and then. */
static void smooth(const double *losses, int count, double *to)
{
    for (int i = 0; i < count; i++) {
        double window[WINDOW];
        int taken = 0;
        for (int j = i - WINDOW / 2; j <= i + WINDOW / 2; j++)
            if (j >= 0 && j < count)
                window[taken++] = losses[j];
        qsort(window, (size_t)taken, sizeof *window, by_number);
        to[i] = window[taken / 2];
    }
}

static void add_panel(Chart *chart, const ExperimentOptions *o, const Course *courses, bool gradients)
{
    double layers[DEEPEST], *line = allocate((size_t)o->steps, sizeof *line, "an experiment");
    for (int i = 0; i < DEEPEST; i++)
        layers[i] = i + 1;
    chart_panel(chart, gradients ? (ChartPanel){ .title = "before the first step", .x_label = "layer", .y_label = "norm of the gradient", .y_log = true }
                                 : (ChartPanel){ .title = "training", .x_label = "step", .y_label = "loss, nats, median of 9 steps", .y_from = 0, .y_to = 1.5 });
    for (int i = 0; i < o->act_count; i++) {
        char name[ACTIVATION_TEXT];
        activation_text(o->acts[i], name, sizeof name);
        smooth(courses[i].losses, o->steps, line);
        chart_line(chart, gradients ? (ChartSeries){ .name = name, .count = o->depth, .x = layers, .y = courses[i].norms }
                                    : (ChartSeries){ .name = name, .count = o->steps, .y = line });
    }
    free(line);
}

static bool run(const ExperimentOptions *o, ExperimentResult *result, Error *error)
{
    (void)error;
    static const char *const columns[] = { "activation", "start", "gradient, first layer", "gradient, last layer", "loss at first", "loss at the end", "right, %", NULL };
    char title[64];
    Course *courses = allocate((size_t)o->act_count, sizeof *courses, "an experiment");
    snprintf(title, sizeof title, "%d layers trained", o->depth);
    result->table = table_new(columns);
    result->chart = chart_new(title);
    for (int i = 0; i < o->act_count; i++) {
        char name[ACTIVATION_TEXT];
        const Course *c = &courses[i];
        courses[i] = train(o, o->acts[i]);
        table_text(result->table, activation_text(o->acts[i], name, sizeof name));
        table_text(result->table, stack_start_name(stack_start_usual(o->acts[i])));
        table_number(result->table, c->norms[0]);
        table_number(result->table, c->norms[o->depth - 1]);
        table_number(result->table, c->losses[0]);
        if (isfinite(c->end.loss))
            table_number(result->table, c->end.loss);
        else
            table_text(result->table, "diverged");
        table_number(result->table, 100 * c->end.right);
    }
    add_panel(result->chart, o, courses, false);
    chart_level(result->chart, log(CLASSES), "guessing");
    add_panel(result->chart, o, courses, true);
    for (int i = 0; i < o->act_count; i++)
        free(courses[i].losses);
    free(courses);
    return true;
}

const Experiment experiment_train_deep = {
    .name = "train-deep", .about = "20 plain layers trained with each activation: the loss, and the gradient that reaches each layer",
    .acts = "sigmoid,tanh,relu,leaky_relu,selu,gelu,silu", .depth = 20, .width = 64, .steps = 300, .run = run,
};
