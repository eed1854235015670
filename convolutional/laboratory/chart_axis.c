/* chart_axis.c - from where to where an axis goes, and at which round numbers it has ticks; see chart_parts.h. */

#include "chart_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct Range {
    double low, high;
} Range;

static void range_take(Range *range, double value)
{
    if (isfinite(value)) {
        range->low = fmin(range->low, value);
        range->high = fmax(range->high, value);
    }
}

double chart_scale_at(bool log, double value)
{
    return !log ? value : value > 0 ? log10(value) : NAN;
}

static bool plot_has(const ChartPlot *plot, ChartSeriesKind kind)
{
    for (int i = 0; i < plot->data_count; i++)
        if (plot->data[i].kind == kind)
            return true;
    return false;
}

static Range range_of(const ChartPlot *plot, bool vertical)
{
    Range range = { INFINITY, -INFINITY };
    const bool log = vertical ? plot->y.log : plot->x.log;
    for (int i = 0; i < plot->data_count; i++) {
        const ChartData *data = &plot->data[i];
        if (vertical && data->kind == CHART_SERIES_bars && !log)
            range_take(&range, 0);
        if (!vertical && data->kind == CHART_SERIES_level)
            continue;
        for (int j = 0; j < data->count; j++)
            range_take(&range, chart_scale_at(log, vertical ? data->y[j] : data->x[j]));
    }
    for (int i = 0; i < plot->mark_count; i++)
        range_take(&range, chart_scale_at(log, vertical ? plot->marks[i].y : plot->marks[i].x));
    return range;
}

/* Not empty, whatever the data are. */
static Range range_settle(Range range)
{
    if (!(range.low <= range.high))
        range = (Range){ 0, 1 };
    if (range.high - range.low <= 1e-12 * fmax(fabs(range.low), fabs(range.high)) || range.high == range.low) {
        const double room = range.low == 0 ? 1 : fabs(range.low) / 2;
        range = (Range){ range.low - room, range.high + room };
    }
    return range;
}

/* 1.5, 0.001, 2 10^-7. */
static void label_write(double value, int decimals, char *label, size_t size)
{
    char text[40], *exponent;
    if (value == 0 || (fabs(value) >= 1e-4 && fabs(value) < 1e5 && decimals <= 6))
        snprintf(text, sizeof text, "%.*f", decimals, value);
    else
        snprintf(text, sizeof text, "%.3g", value);
    exponent = strchr(text, 'e');
    if (!exponent) {
        snprintf(label, size, "%s", text);
        return;
    }
    int power = 0;
    sscanf(exponent + 1, "%d", &power);
    *exponent = '\0';
    if (!strcmp(text, "1"))
        snprintf(label, size, "10#u%d#d", power);
    else
        snprintf(label, size, "%s·10#u%d#d", text, power);
}

static void tick_add(ChartScale *scale, double at, double value, int decimals)
{
    const double slack = 1e-9 * (scale->to - scale->from);
    if (scale->count == CHART_TICKS || at < scale->from - slack || at > scale->to + slack)
        return;
    scale->ticks[scale->count] = at;
    label_write(value, decimals, scale->labels[scale->count++], sizeof *scale->labels);
}

static void ticks_linear(ChartScale *scale, int most, bool whole)
{
    const double rough = (scale->to - scale->from) / (most > 1 ? most : 1), power = pow(10, floor(log10(rough)));
    const double fit = rough <= power ? power : rough <= 2 * power ? 2 * power : rough <= 5 * power ? 5 * power : 10 * power, step = whole ? fmax(fit, 1) : fit;
    const int decimals = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
    for (double i = ceil(scale->from / step - 1e-9); i * step <= scale->to + 1e-9 * step && scale->count < CHART_TICKS; i++)
        tick_add(scale, i * step, i == 0 ? 0 : i * step, decimals);
}

/* Powers of ten; where there are but a few, 2 and 5 times such a power too. */
static void ticks_log(ChartScale *scale, int most)
{
    const double decades = scale->to - scale->from;
    const int step = decades > most ? (int)ceil(decades / most) : 1;
    const bool fine = decades < 2.5 && most > 3 * decades, small = scale->from > -4 && scale->to < 4 && decades < 5;
    for (double power = floor(scale->from / step) * step; power <= scale->to + 1e-9; power += step)
        for (int factor = 1; factor <= (fine ? 5 : 1); factor += factor == 1 ? 1 : 3) {
            const int before = scale->count;
            tick_add(scale, power + log10(factor), factor * pow(10, power), power < 0 ? (int)-power : 0);
            if (!small && !fine && scale->count > before)
                snprintf(scale->labels[before], sizeof *scale->labels, "10#u%.0f#d", power);
        }
}

static ChartScale scale_of(const ChartAxis *axis, Range range, double margin, double pixels, double apart)
{
    ChartScale scale = { .log = axis->log };
    const bool given = axis->from != axis->to;
    if (given)
        range = (Range){ chart_scale_at(axis->log, axis->from), chart_scale_at(axis->log, axis->to) };
    range = range_settle(range);
    const double room = given ? 0 : margin * (range.high - range.low);
    scale.from = range.low - room;
    scale.to = range.high + room;
    if (axis->names)
        return scale;
    const int most = (int)(pixels / apart);
    if (axis->log)
        ticks_log(&scale, most);
    else
        ticks_linear(&scale, most, axis->whole);
    return scale;
}

ChartScale chart_scale_x(const ChartPlot *plot, double pixels, double apart)
{
    if (plot->heat.values || plot->x.names || plot_has(plot, CHART_SERIES_bars)) {
        const int count = plot->heat.values ? plot->heat.columns : plot->x.name_count;
        ChartAxis axis = plot->x;
        const Range range = count ? (Range){ 0, count - 1 } : range_of(plot, false);
        if (axis.from == axis.to) {
            axis.from = range.low - 0.5;
            axis.to = range.high + 0.5;
        }
        return scale_of(&axis, range, 0, pixels, apart);
    }
    return scale_of(&plot->x, range_of(plot, false), 0.02, pixels, apart);
}

ChartScale chart_scale_y(const ChartPlot *plot, double pixels, double apart)
{
    ChartAxis axis = plot->y;
    if (plot->heat.values) {
        axis.from = plot->heat.rows - 0.5;      /* the first row at the top */
        axis.to = -0.5;
        ChartScale scale = { .from = axis.from, .to = axis.to };
        return scale;
    }
    ChartScale scale = scale_of(&axis, range_of(plot, true), 0.05, pixels, apart);
    /* Bars stand on the axis. */
    if (axis.from == axis.to && !axis.log && plot_has(plot, CHART_SERIES_bars)) {
        const Range range = range_settle(range_of(plot, true));
        axis.from = range.low < 0 ? scale.from : 0;
        axis.to = scale.to;
        scale = scale_of(&axis, range, 0, pixels, apart);
    }
    return scale;
}

ChartScale chart_scale_heat(const ChartHeat *heat, double pixels, double apart)
{
    Range range = { INFINITY, -INFINITY };
    for (int i = 0; i < heat->columns * heat->rows; i++)
        range_take(&range, chart_scale_at(heat->log, heat->values[i]));
    const ChartAxis axis = { .log = heat->log, .from = heat->from, .to = heat->to };
    return scale_of(&axis, range, 0, pixels, apart);
}
