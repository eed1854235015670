/* experiment_dead.c - units that no point of the training set moves: after a step that was too long, or from the start.
 *
 * A unit is dead if its slope is 0 (below 1e-6) for all points: then no gradient reaches its weights, and it stays so (Maas, Hannun and
 * Ng, 2013, ICML workshop: leaky_relu). */

#include "experiment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "stack.h"

enum { POINTS = 300, CLASSES = 3, RATES = 4 };
#define NO_SLOPE 1e-6

static const float rates[RATES] = { 0.01f, 0.1f, 1, 3 };

static const struct { const char *name; float bias; StackStart start; } starts[] = {
    { "he, biases 0", 0, STACK_he }, { "he, biases -1", -1, STACK_he }, { "large, biases 0", 0, STACK_large },
};

enum { STARTS = sizeof starts / sizeof *starts };

/* The share of units, of all layers. */
static double dead_share(Stack *stack, const ExperimentOptions *o, Activation act)
{
    int dead = 0;
    for (int layer = 0; layer < o->depth; layer++) {
        const float *sums = stack_values(stack, layer, STACK_sums);
        for (int unit = 0; unit < o->width; unit++) {
            bool moves = false;
            for (int point = 0; point < POINTS && !moves; point++)
                moves = fabs(activation_slope(act, (double)sums[point * o->width + unit])) > NO_SLOPE;
            dead += !moves;
        }
    }
    return (double)dead / (o->depth * o->width);
}

typedef struct Outcome {
    double before, after;      /* shares of dead units */
    StackScore score;
} Outcome;

static Outcome train(const ExperimentOptions *o, Activation act, int start, float rate)
{
    Stack *stack = stack_new(&(StackOptions){ .act = act, .start = starts[start].start, .bias = starts[start].bias, .inputs = 2, .depth = o->depth,
                                              .width = o->width, .classes = CLASSES, .batch = POINTS, .seed = o->seed });
    Outcome outcome;
    uint16_t labels[POINTS];
    spirals_fill(stack_inputs(stack), labels, POINTS, CLASSES, o->seed);
    stack_forward(stack);
    outcome.before = dead_share(stack, o, act);
    for (int step = 0; step < o->steps; step++)
        stack_train(stack, labels, rate);
    outcome.score = stack_measure(stack, labels);
    outcome.after = dead_share(stack, o, act);
    stack_free(stack);
    return outcome;
}

static bool run(const ExperimentOptions *o, ExperimentResult *result, Error *error)
{
    (void)error;
    static const char *const columns[] = { "activation", "start", "learning rate", "dead before, %", "dead after, %", "loss", "right, %", NULL };
    static const char *const rate_names[RATES] = { "0.01", "0.1", "1", "3" };
    result->table = table_new(columns);
    result->chart = chart_new("Units that no training point moves");
    double *after = allocate((size_t)(o->act_count * STARTS * RATES), sizeof *after, "an experiment");
    for (int i = 0; i < o->act_count * STARTS * RATES; i++) {
        char name[ACTIVATION_TEXT];
        const Activation act = o->acts[i / (STARTS * RATES)];
        const int start = i / RATES % STARTS;
        const Outcome outcome = train(o, act, start, rates[i % RATES]);
        after[i] = isfinite(outcome.score.loss) ? 100 * outcome.after : NAN;
        table_text(result->table, activation_text(act, name, sizeof name));
        table_text(result->table, starts[start].name);
        table_number(result->table, strtod(rate_names[i % RATES], NULL));
        table_number(result->table, 100 * outcome.before);
        table_number(result->table, after[i]);
        if (isfinite(outcome.score.loss))
            table_number(result->table, outcome.score.loss);
        else
            table_text(result->table, "diverged");
        table_number(result->table, 100 * outcome.score.right);
    }
    for (int panel = 0; panel < CHART_PANELS; panel++) {
        chart_panel(result->chart, (ChartPanel){ .title = starts[panel].name, .x_label = "learning rate", .y_label = "dead units after training, %", .y_from = 0,
                                                 .y_to = 100, .x_names = rate_names, .x_name_count = RATES });
        for (int i = 0; i < o->act_count; i++) {
            char name[ACTIVATION_TEXT];
            chart_bars(result->chart, (ChartSeries){ .name = activation_text(o->acts[i], name, sizeof name), .count = RATES,
                                                     .y = after + (i * STARTS + panel) * RATES });
        }
    }
    free(after);
    return true;
}

const Experiment experiment_dead = {
    .name = "dead", .about = "units that training kills: by learning rate and start; relu's die, leaky_relu's do not",
    .acts = "relu,leaky_relu,elu,gelu", .depth = 3, .width = 64, .steps = 200, .run = run,
};
