/* experiment_vanishing.c - how the gradient shrinks or grows on its way back through plain stacks of depth 5 to 50.
 *
 * A layer multiplies a gradient's mean square by gain^2 E f'(z)^2: 1/2 * 2 for relu with He's start, at most 1/16 for sigmoid with
 * variance 1 / fan-in (Glorot and Bengio, 2010, AISTATS; He et al., 2015, arXiv:1502.01852). */

#include "experiment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "stack.h"

enum { BATCH = 64, CLASSES = 10, DEPTHS = 4, SHOWN = 20, DEEPEST = 400 };

static const int depths[DEPTHS] = { 5, 10, 20, 50 };

/* Norms of the gradient by each layer's sums, first layer first. */
static void measure(const ExperimentOptions *o, Activation act, StackStart start, int depth, double *norms)
{
    Stack *stack = stack_new(&(StackOptions){ .act = act, .start = start, .inputs = o->width, .depth = depth, .width = o->width,
                                              .classes = CLASSES, .batch = BATCH, .seed = o->seed });
    stack_fill_normal(stack, o->seed);
    stack_forward(stack);
    stack_backward_normal(stack, o->seed);
    for (int layer = 0; layer < depth; layer++)
        norms[layer] = moments_of(stack_gradient(stack, layer, STACK_sums), stack_count(stack)).norm;
    stack_free(stack);
}

static void add_line(Chart *chart, const char *name, const double *norms, int depth)
{
    double x[DEEPEST], y[DEEPEST];
    for (int i = 0; i < depth; i++) {
        x[i] = i + 1;
        y[i] = norms[i] / norms[depth - 1];
    }
    chart_line(chart, (ChartSeries){ .name = name, .count = depth, .x = x, .y = y });
}

/* The first layer's gradient, relative to the last one's, for each depth; the factor is the deepest stack's that has any left. */
static void add_row(Table *table, const ExperimentOptions *o, Activation act, StackStart start)
{
    char name[ACTIVATION_TEXT];
    double norms[DEEPEST], factor = NAN;
    table_text(table, activation_text(act, name, sizeof name));
    table_text(table, stack_start_name(start));
    for (int d = 0; d < DEPTHS; d++) {
        measure(o, act, start, depths[d], norms);
        const double ratio = norms[0] / norms[depths[d] - 1];
        table_number(table, ratio);
        if (ratio > 0 && isfinite(ratio))
            factor = pow(ratio, 1.0 / (depths[d] - 1));
    }
    table_number(table, factor);
}

static bool run(const ExperimentOptions *o, ExperimentResult *result, Error *error)
{
    (void)error;
    static const StackStart starts[] = { STACK_he, STACK_xavier, STACK_fitted, STACK_small };
    static const char *const columns[] = { "activation", "start", "first / last of 5", "of 10", "of 20", "of 50", "factor a layer", NULL };
    double norms[DEEPEST];
    result->table = table_new(columns);
    result->chart = chart_new("How a gradient fares on its way back");
    for (int panel = 0; panel < CHART_PANELS; panel++) {
        char title[64];
        const StackStart shown = panel ? STACK_fitted : STACK_xavier;
        snprintf(title, sizeof title, "%d layers, weights started %s", o->depth, panel ? "to fit each activation" : "with variance 1 / fan-in");
        chart_panel(result->chart, (ChartPanel){ .title = title, .x_label = "layer", .y_label = "norm of the gradient / last layer's", .y_log = true });
        for (int i = 0; i < o->act_count; i++) {
            char name[ACTIVATION_TEXT];
            measure(o, o->acts[i], shown, o->depth, norms);
            add_line(result->chart, activation_text(o->acts[i], name, sizeof name), norms, o->depth);
        }
    }
    for (int i = 0; i < o->act_count; i++)
        for (size_t start = 0; start < sizeof starts / sizeof *starts; start++)
            add_row(result->table, o, o->acts[i], starts[start]);
    return true;
}

const Experiment experiment_vanishing = {
    .name = "vanishing", .about = "gradients through plain stacks 5 to 50 deep: which activations and starts let them vanish",
    .acts = "sigmoid,tanh,relu,leaky_relu,elu,selu,gelu,silu", .depth = 20, .width = 64, .run = run,
};
