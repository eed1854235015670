/* experiment_selfnorm.c - mean and variance of the signal through 50 layers without normalisation.
 *
 * selu with LeCun's start pulls both back to 0 and 1 wherever they have drifted (Klambauer et al., 2017, arXiv:1706.02515). */

#include "experiment.h"

#include <stdio.h>
#include <stdlib.h>

#include "stack.h"

enum { BATCH = 128, CLASSES = 2, DEEPEST = 400 };

static void measure(const ExperimentOptions *o, Activation act, double *means, double *variances)
{
    Stack *stack = stack_new(&(StackOptions){ .act = act, .start = stack_start_usual(act), .inputs = o->width, .depth = o->depth, .width = o->width,
                                              .classes = CLASSES, .batch = BATCH, .seed = o->seed });
    stack_fill_normal(stack, o->seed);
    stack_forward(stack);
    for (int layer = 0; layer < o->depth; layer++) {
        const Moments m = moments_of(stack_values(stack, layer, STACK_outputs), stack_count(stack));
        means[layer] = m.mean;
        variances[layer] = m.variance;
    }
    stack_free(stack);
}

static bool run(const ExperimentOptions *o, ExperimentResult *result, Error *error)
{
    (void)error;
    static const char *const columns[] = { "activation", "start", "layer", "mean", "variance", NULL };
    double *numbers = allocate(2 * (size_t)o->act_count * DEEPEST, sizeof *numbers, "an experiment");
    double layers[DEEPEST];
    result->table = table_new(columns);
    result->chart = chart_new("The signal through a deep stack without normalisation");
    for (int i = 0; i < DEEPEST; i++)
        layers[i] = i + 1;
    for (int i = 0; i < o->act_count; i++)
        measure(o, o->acts[i], numbers + 2 * i * DEEPEST, numbers + (2 * i + 1) * DEEPEST);
    for (int panel = 0; panel < CHART_PANELS; panel++) {
        chart_panel(result->chart, (ChartPanel){ .title = panel ? "variance of the outputs" : "mean of the outputs", .x_label = "layer",
                                                 .y_label = panel ? "variance" : "mean", .y_log = panel,
                                                 .y_from = panel ? 1e-3 : -0.5, .y_to = panel ? 1e3 : 2 });
        for (int i = 0; i < o->act_count; i++) {
            char name[ACTIVATION_TEXT], label[ACTIVATION_TEXT + 16];
            snprintf(label, sizeof label, "%s, %s", activation_text(o->acts[i], name, sizeof name), stack_start_name(stack_start_usual(o->acts[i])));
            chart_line(result->chart, (ChartSeries){ .name = label, .count = o->depth, .x = layers, .y = numbers + (2 * i + panel) * DEEPEST });
        }
    }
    for (int i = 0; i < o->act_count; i++)
        for (int layer = 0; layer < o->depth; layer++) {
            char name[ACTIVATION_TEXT];
            const bool shown = layer == 0 || (layer + 1) % 10 == 0 || layer == o->depth - 1;
            if (!shown)
                continue;
            table_text(result->table, activation_text(o->acts[i], name, sizeof name));
            table_text(result->table, stack_start_name(stack_start_usual(o->acts[i])));
            table_number(result->table, layer + 1);
            table_number(result->table, numbers[2 * i * DEEPEST + layer]);
            table_number(result->table, numbers[(2 * i + 1) * DEEPEST + layer]);
        }
    free(numbers);
    return true;
}

const Experiment experiment_selfnorm = {
    .name = "selfnorm", .about = "mean and variance through 50 layers without normalisation: selu with LeCun's start keeps them at 0 and 1",
    .acts = "selu,relu,tanh,sigmoid,elu,gelu", .depth = 50, .width = 256, .run = run,
};
