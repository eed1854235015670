/* curves.c - see curves.h. */

#include "curves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "properties.h"

enum { POINTS = 1001, NAME_ROOM = 648, DIFFERENCE_STEPS = 20000 };

typedef struct Curve {
    int    count;
    double x[2 * POINTS], y[2 * POINTS];
} Curve;

static double curve_at(Activation act, bool slope, double x)
{
    return slope ? activation_slope(act, x) : activation_value(act, x);
}

static void curve_add(Curve *curve, double x, double y)
{
    curve->x[curve->count] = x;
    curve->y[curve->count++] = y;
}

/* Points from one end to the other; at a jump both of its sides, and a gap between. */
static void curve_fill(Curve *curve, Activation act, bool slope, const CurvesOptions *options, const Properties *p)
{
    const double step = (options->to - options->from) / (POINTS - 1);
    const bool jumps = slope || p->smooth == SMOOTH_jumps;
    curve->count = 0;
    for (int i = 0; i < POINTS; i++) {
        const double x = options->from + i * step;
        bool is_kink = false;
        for (int k = 0; k < p->kinks && jumps; k++) {
            const double kink = p->kink_at[k], aside = 1e-9 * fmax(1, fabs(kink));
            is_kink = is_kink || fabs(x - kink) <= aside;
            if (kink <= x - step + aside || kink > x + aside || i == 0)
                continue;
            curve_add(curve, kink - aside, curve_at(act, slope, kink - aside));
            curve_add(curve, kink, NAN);
            curve_add(curve, kink + aside, curve_at(act, slope, kink + aside));
        }
        if (!is_kink)
            curve_add(curve, x, curve_at(act, slope, x));
    }
}

static void add_curves(Chart *chart, const Activation *acts, int count, const CurvesOptions *options, bool slope)
{
    Curve *curve = allocate(1, sizeof *curve, "a curve");
    for (int i = 0; i < count; i++) {
        const Properties p = properties_of(acts[i]);
        char name[NAME_ROOM], label[NAME_ROOM + 64];
        activation_text(acts[i], name, sizeof name);
        if (slope && options->one_panel)
            strcat(name, "'");
        curve_fill(curve, acts[i], slope, options, &p);
        chart_line(chart, (ChartSeries){ .name = name, .count = curve->count, .x = curve->x, .y = curve->y,
                                         .colour = i % CHART_COLOURS + 1, .dashed = i >= CHART_COLOURS || (slope && options->one_panel) });
        if (slope || options->no_marks || isnan(p.least) || p.least_at < options->from || p.least_at > options->to)
            continue;
        snprintf(label, sizeof label, "%s: %.4f at %.4f", name, p.least, p.least_at);
        chart_mark(chart, p.least_at, p.least, label);
    }
    free(curve);
}

double curves_difference(const Activation acts[2], bool slopes, double from, double to, double *at)
{
    double most = 0;
    *at = from;
    for (int i = 0; i <= DIFFERENCE_STEPS; i++) {
        const double x = from + (to - from) * i / DIFFERENCE_STEPS;
        const double difference = fabs(curve_at(acts[1], slopes, x) - curve_at(acts[0], slopes, x));
        if (difference > most) {
            most = difference;
            *at = x;
        }
    }
    return most;
}

static void add_difference(Chart *chart, const Activation acts[2], const CurvesOptions *options, bool slope)
{
    double x[POINTS], y[POINTS], at;
    for (int i = 0; i < POINTS; i++) {
        x[i] = options->from + (options->to - options->from) * i / (POINTS - 1);
        y[i] = curve_at(acts[1], slope, x[i]) - curve_at(acts[0], slope, x[i]);
    }
    chart_line(chart, (ChartSeries){ .count = POINTS, .x = x, .y = y });
    const double most = curves_difference(acts, slope, options->from, options->to, &at);
    char label[64];
    snprintf(label, sizeof label, "%.3g at %.4f", most, at);
    if (!options->no_marks)
        chart_mark(chart, at, curve_at(acts[1], slope, at) - curve_at(acts[0], slope, at), label);
}

static void add_panel(Chart *chart, const Activation *acts, int count, const CurvesOptions *options, bool slope)
{
    const char *what = slope ? "f'(x)" : "f(x)", *difference = slope ? "difference of f'" : "difference of f";
    const bool both = !slope && options->derivative && options->one_panel;
    chart_panel(chart, (ChartPanel){ .title = options->difference ? difference : options->derivative && !both ? what : NULL, .x_label = "x",
                                     .y_label = options->difference ? difference : both ? "f(x), and dashed f'(x)" : what });
    if (options->difference)
        add_difference(chart, acts, options, slope);
    else
        add_curves(chart, acts, count, options, slope);
    if (both)
        add_curves(chart, acts, count, options, true);
}

Chart *curves_chart(const Activation *acts, int count, const CurvesOptions *options)
{
    CHECK(count > 0 && (!options->difference || count == 2) && options->from < options->to, "%d curves from %g to %g", count, options->from, options->to);
    char title[2 * NAME_ROOM + 16] = "", first[NAME_ROOM], second[NAME_ROOM];
    if (options->difference)
        snprintf(title, sizeof title, "%s - %s", activation_text(acts[1], second, sizeof second), activation_text(acts[0], first, sizeof first));
    else if (count == 1)
        activation_text(acts[0], title, sizeof title);
    Chart *chart = chart_new(*title ? title : NULL);
    add_panel(chart, acts, count, options, false);
    if (options->derivative && !(options->one_panel && !options->difference))
        add_panel(chart, acts, count, options, true);
    return chart;
}
