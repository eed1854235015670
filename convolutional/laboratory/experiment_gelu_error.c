/* experiment_gelu_error.c - gelu against its approximations: how far off, and how long they take here.
 *
 * tanh form: Hendrycks and Gimpel, 2016, arXiv:1606.08415, section 2. */

#include "experiment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cost.h"
#include "curves.h"

enum { POINTS = 801 };

static void add_lines(Chart *chart, const ExperimentOptions *o, bool slopes)
{
    double x[POINTS], y[POINTS];
    chart_panel(chart, (ChartPanel){ .title = slopes ? "of f'" : "of f", .x_label = "x", .y_label = "|difference from gelu|", .y_log = true,
                                     .y_from = 1e-9, .y_to = 1 });
    for (int i = 0; i < o->act_count; i++) {
        char name[ACTIVATION_TEXT];
        for (int j = 0; j < POINTS; j++) {
            const Activation gelu = activation_of(ACT_gelu);
            x[j] = -6 + 12.0 * j / (POINTS - 1);
            y[j] = fabs(slopes ? activation_slope(o->acts[i], x[j]) - activation_slope(gelu, x[j])
                               : activation_value(o->acts[i], x[j]) - activation_value(gelu, x[j]));
        }
        chart_line(chart, (ChartSeries){ .name = activation_text(o->acts[i], name, sizeof name), .count = POINTS, .x = x, .y = y });
    }
}

static bool run(const ExperimentOptions *o, ExperimentResult *result, Error *error)
{
    (void)error;
    static const char *const columns[] = { "activation", "largest error", "at x", "largest error of f'", "at", "forward, ns", "backward, ns", NULL };
    const Activation gelu = activation_of(ACT_gelu);
    result->table = table_new(columns);
    result->chart = chart_new("Approximations of gelu");
    add_lines(result->chart, o, false);
    add_lines(result->chart, o, true);
    for (int i = -1; i < o->act_count; i++) {
        char name[ACTIVATION_TEXT];
        const Activation both[] = { gelu, i < 0 ? gelu : o->acts[i] };
        double at, slope_at;
        const double most = curves_difference(both, false, -8, 8, &at), slope_most = curves_difference(both, true, -8, 8, &slope_at);
        const Cost cost = cost_measure(both[1]);
        table_text(result->table, activation_text(both[1], name, sizeof name));
        table_number(result->table, most);
        table_number(result->table, i < 0 ? NAN : at);
        table_number(result->table, slope_most);
        table_number(result->table, i < 0 ? NAN : slope_at);
        table_number(result->table, cost.forward);
        table_number(result->table, cost.backward);
    }
    return true;
}

const Experiment experiment_gelu_error = {
    .name = "gelu-error", .about = "gelu's approximations: the largest error of each, and nanoseconds an element here",
    .acts = "gelu_tanh,silu", .run = run,
};
