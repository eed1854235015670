/* chart.c - what is in a chart; see chart.h. */

#include "chart_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Chart *chart_new(const char *title)
{
    Chart *chart = allocate(1, sizeof *chart, "a chart");
    chart->title = chart_text_escape(title);
    return chart;
}

static void axis_free(ChartAxis *axis)
{
    for (int i = 0; i < axis->name_count; i++)
        free(axis->names[i]);
    free(axis->names);
    free(axis->label);
}

static void plot_free(ChartPlot *plot)
{
    for (int i = 0; i < plot->data_count; i++) {
        free(plot->data[i].name);
        free(plot->data[i].x);
        free(plot->data[i].y);
    }
    for (int i = 0; i < plot->mark_count; i++)
        free(plot->marks[i].label);
    free(plot->data);
    free(plot->marks);
    free((double *)plot->heat.values);
    free((char *)plot->heat.label);
    free(plot->title);
    axis_free(&plot->x);
    axis_free(&plot->y);
}

void chart_free(Chart *chart)
{
    if (!chart)
        return;
    for (int i = 0; i < chart->count; i++)
        plot_free(&chart->plots[i]);
    free(chart->title);
    free(chart);
}

static ChartAxis axis_of(const char *label, bool log, double from, double to, const char *const *names, int count)
{
    ChartAxis axis = { .label = chart_text_escape(label), .log = log, .from = from, .to = to, .name_count = count };
    if (count)
        axis.names = allocate((size_t)count, sizeof *axis.names, "a chart");
    for (int i = 0; i < count; i++)
        axis.names[i] = chart_text_escape(names[i]);
    return axis;
}

void chart_panel(Chart *chart, ChartPanel panel)
{
    CHECK(chart->count < CHART_PANELS, "%d panels of a chart", chart->count + 1);
    chart->plots[chart->count++] = (ChartPlot){
        .title = chart_text_escape(panel.title),
        .x = axis_of(panel.x_label, panel.x_log, panel.x_from, panel.x_to, panel.x_names, panel.x_name_count),
        .y = axis_of(panel.y_label, panel.y_log, panel.y_from, panel.y_to, panel.y_names, panel.y_name_count),
    };
    chart->plots[chart->count - 1].x.whole = panel.x_whole;
}

static ChartPlot *chart_plot(Chart *chart)
{
    CHECK(chart->count > 0, "%d panels: chart_panel comes first", chart->count);
    return &chart->plots[chart->count - 1];
}

/* One more of `size` bytes at the end of an array of `count`. */
static void *array_grow(void *array, int count, size_t size)
{
    void *longer = allocate((size_t)count + 1, size, "a chart");
    if (count)
        memcpy(longer, array, (size_t)count * size);
    free(array);
    return longer;
}

static double *numbers_copy(const double *from, int count)
{
    double *copy = allocate((size_t)count + 1, sizeof *copy, "a chart");
    for (int i = 0; i < count; i++)
        copy[i] = from ? from[i] : i;
    return copy;
}

static ChartData *chart_add(Chart *chart, ChartSeriesKind kind, ChartSeries series)
{
    ChartPlot *plot = chart_plot(chart);
    CHECK(series.count >= 0 && series.y, "a series of %d numbers", series.count);
    plot->data = array_grow(plot->data, plot->data_count, sizeof *plot->data);
    ChartData *data = &plot->data[plot->data_count++];
    *data = (ChartData){
        .kind = kind, .name = chart_text_escape(series.name), .count = series.count, .dashed = series.dashed,
        .x = numbers_copy(series.x, series.count), .y = numbers_copy(series.y, series.count),
    };
    data->colour = series.colour ? series.colour - 1 : kind == CHART_SERIES_level ? 0 : plot->colours++;
    return data;
}

void chart_line(Chart *chart, ChartSeries series)
{
    chart_add(chart, CHART_SERIES_line, series);
}

void chart_points(Chart *chart, ChartSeries series)
{
    chart_add(chart, CHART_SERIES_points, series);
}

void chart_bars(Chart *chart, ChartSeries series)
{
    chart_add(chart, CHART_SERIES_bars, series);
}

void chart_level(Chart *chart, double y, const char *name)
{
    chart_add(chart, CHART_SERIES_level, (ChartSeries){ .name = name, .count = 1, .y = &y });
}

void chart_heat(Chart *chart, ChartHeat heat)
{
    ChartPlot *plot = chart_plot(chart);
    CHECK(heat.columns > 0 && heat.rows > 0 && heat.values && !plot->heat.values, "a heat map of %d x %d", heat.rows, heat.columns);
    plot->heat = heat;
    plot->heat.values = numbers_copy(heat.values, heat.columns * heat.rows);
    plot->heat.label = chart_text_escape(heat.label);
}

void chart_mark(Chart *chart, double x, double y, const char *label)
{
    ChartPlot *plot = chart_plot(chart);
    plot->marks = array_grow(plot->marks, plot->mark_count, sizeof *plot->marks);
    plot->marks[plot->mark_count++] = (ChartMark){ x, y, chart_text_escape(label) };
}
