/* experiment_linear_collapse.c - a deep stack without activations is one matrix: W_n (... (W_1 x + b_1) ...) + b_n = W x + b.
 *
 * The matrix is read off the network by sending unit vectors through it, the bias by sending 0; then both answer to random inputs. */

#include "experiment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack.h"

enum { OUTPUTS = 8, INPUTS_MOST = 256, DEPTHS = 4, INPUTS = 32, TESTS = 95 };

static const int depths[DEPTHS] = { 1, 2, 10, 30 };

/* The largest |network(x) - (W x + b)| over random inputs, relative to the largest |network(x)|. */
static double distance_to_matrix(const ExperimentOptions *o, Activation act, int depth)
{
    /* 0, the unit vectors, then the inputs to compare on: one batch. */
    const int batch = 1 + INPUTS + TESTS;
    Stack *stack = stack_new(&(StackOptions){ .act = act, .start = STACK_fitted, .inputs = INPUTS, .depth = depth, .width = o->width,
                                              .classes = OUTPUTS, .batch = batch, .bias = 0.1f, .seed = o->seed });
    stack_fill_normal(stack, o->seed);
    float *x = stack_inputs(stack);
    memset(x, 0, (size_t)(1 + INPUTS) * INPUTS * sizeof *x);
    for (int i = 0; i < INPUTS; i++)
        x[(1 + i) * INPUTS + i] = 1;
    stack_forward(stack);
    const float *y = stack_logits(stack);
    double most = 0, size = 0;
    for (int t = 1 + INPUTS; t < batch; t++)
        for (int k = 0; k < OUTPUTS; k++) {
            double matrix = (double)y[k];
            for (int i = 0; i < INPUTS; i++)
                matrix += ((double)y[(1 + i) * OUTPUTS + k] - (double)y[k]) * (double)x[t * INPUTS + i];
            most = fmax(most, fabs((double)y[t * OUTPUTS + k] - matrix));
            size = fmax(size, fabs((double)y[t * OUTPUTS + k]));
        }
    stack_free(stack);
    return most / size;
}

static bool run(const ExperimentOptions *o, ExperimentResult *result, Error *error)
{
    (void)error;
    static const char *const columns[] = { "activation", "depth", "largest difference / largest output", NULL };
    static const char *const names[DEPTHS] = { "1", "2", "10", "30" };
    result->table = table_new(columns);
    result->chart = chart_new("How far a network is from the one matrix that fits it at 0 and the unit vectors");
    chart_panel(result->chart, (ChartPanel){ .x_label = "hidden layers", .y_label = "largest difference / largest output", .y_log = true,
                                             .y_from = 1e-8, .y_to = 100, .x_names = names, .x_name_count = DEPTHS });
    for (int i = 0; i < o->act_count; i++) {
        char name[ACTIVATION_TEXT];
        double distances[DEPTHS];
        activation_text(o->acts[i], name, sizeof name);
        for (int d = 0; d < DEPTHS; d++) {
            distances[d] = distance_to_matrix(o, o->acts[i], depths[d]);
            table_text(result->table, name);
            table_number(result->table, depths[d]);
            table_number(result->table, distances[d]);
        }
        chart_bars(result->chart, (ChartSeries){ .name = name, .count = DEPTHS, .y = distances });
    }
    return true;
}

const Experiment experiment_linear_collapse = {
    .name = "linear-collapse", .about = "without activations a network of any depth is one matrix, to the last digits; with them it is none",
    .acts = "identity,relu,tanh,gelu", .width = 64, .run = run,
};
