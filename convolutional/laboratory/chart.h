/* chart.h - charts to look at, drawn by PLplot without a display: lines, points, bars and heat maps in one or two panels.
 *
 *   Chart *chart = chart_new("Gradients");
 *   chart_panel(chart, (ChartPanel){ .x_label = "layer", .y_label = "norm of the gradient", .y_log = true });
 *   chart_line(chart, (ChartSeries){ .name = "relu", .count = n, .x = layers, .y = norms });
 *   chart_save(chart, "gradients.svg", &error);
 *   chart_free(chart);
 *
 * All that is given is copied. Labels of axes name their units. Colours are those of Okabe and Ito (2008), which people tell apart
 * whatever colours they see, in the order in which a panel's series come; equal names in two panels share a row of the legend.
 * One thread at a time: PLplot keeps its state in one place. */

#ifndef CONVZOO_CHART_H
#define CONVZOO_CHART_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"

typedef struct Chart Chart;

enum { CHART_PANELS = 2, CHART_COLOURS = 8 };

/* title: above all; NULL: none. The caller frees it with chart_free. */
Chart *chart_new(const char *title);
void   chart_free(Chart *chart);

typedef struct ChartPanel {
    const char *title;                   /* above this panel; NULL: none */
    const char *x_label, *y_label;
    bool        x_log, y_log;            /* what is not positive is then a gap */
    bool        x_whole;                 /* epochs: none has a half */
    double      x_from, x_to;            /* equal: as the data need */
    double      y_from, y_to;
    const char *const *x_names;          /* instead of numbers, at 0, 1, ...: bars, columns of a heat map */
    int         x_name_count;
    const char *const *y_names;          /* rows of a heat map, from the top */
    int         y_name_count;
} ChartPanel;

/* Begins a panel, to the right of the one before: what follows stands in it. */
void chart_panel(Chart *chart, ChartPanel panel);

typedef struct ChartSeries {
    const char   *name;                  /* in the legend; NULL: not there */
    int           count;
    const double *x, *y;                 /* x NULL: 0, 1, ...   y NAN: a gap */
    int           colour;                /* from 1; 0: the next one */
    bool          dashed;
} ChartSeries;

void chart_line(Chart *chart, ChartSeries series);
void chart_points(Chart *chart, ChartSeries series);
/* Series of bars stand side by side at 0, 1, ...; they rise from 0, or from the foot of a logarithmic axis. */
void chart_bars(Chart *chart, ChartSeries series);

typedef struct ChartHeat {
    int           columns, rows;
    const double *values;                /* rows x columns, the first row at the top; NAN: left blank */
    const char   *label;                 /* of the scale of colours */
    bool          log;
    double        from, to;              /* of the scale; equal: as the values are */
    bool          written;               /* every cell's value as a number too */
} ChartHeat;

void chart_heat(Chart *chart, ChartHeat heat);
/* The scale's colour from 0 to 1. */
void chart_heat_colour(double share, uint8_t rgb[3]);

/* A dot with a label, which is put where it covers least. */
void chart_mark(Chart *chart, double x, double y, const char *label);
/* A thin line across the panel at y, with a name in the legend (NULL: none). */
void chart_level(Chart *chart, double y, const char *name);

/* Replaces the file as a whole. The name's end says how: .png .svg .pdf. EXIT_usage: another end; EXIT_input: PLplot's driver is
 * not installed, or PLplot gave up; EXIT_write: it cannot be written. */
bool chart_save(const Chart *chart, const char *path, Error *error);

/* Whether chart_save could take this name: to ask before long work. */
bool chart_check_path(const char *path, Error *error);

#endif
