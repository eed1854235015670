/* chart_parts.h - what a Chart holds, for the files chart*.c. */

#ifndef CONVZOO_CHART_PARTS_H
#define CONVZOO_CHART_PARTS_H

#include "chart.h"

typedef enum { CHART_SERIES_line, CHART_SERIES_points, CHART_SERIES_bars, CHART_SERIES_level } ChartSeriesKind;

typedef struct ChartData {
    ChartSeriesKind kind;
    char           *name;              /* NULL: not in the legend */
    int             count;
    double         *x, *y;
    int             colour;            /* from 0 */
    bool            dashed;
} ChartData;

typedef struct ChartMark {
    double x, y;
    char  *label;
} ChartMark;

/* From one number to another along x or y. */
typedef struct ChartAxis {
    char  *label;
    bool   log, whole;
    double from, to;                   /* equal: as the data need; of a log axis the numbers themselves */
    char **names;                      /* NULL: numbers */
    int    name_count;
} ChartAxis;

typedef struct ChartPlot {
    char      *title;
    ChartAxis  x, y;
    ChartData *data;
    int        data_count;
    ChartMark *marks;
    int        mark_count;
    int        colours;                /* given out */
    ChartHeat  heat;                   /* values NULL: none; owned */
} ChartPlot;

struct Chart {
    char     *title;
    ChartPlot plots[CHART_PANELS];
    int       count;
};

/* ---- axes (chart_axis.c) ---- */

enum { CHART_TICKS = 32 };

/* An axis as it is drawn: numbers along it, of a log axis their logarithms to base 10. */
typedef struct ChartScale {
    bool   log;
    double from, to;
    int    count;
    double ticks[CHART_TICKS];
    char   labels[CHART_TICKS][64];    /* in PLplot's escapes */
} ChartScale;

/* Where a number stands along the axis; NAN: nowhere. */
double chart_scale_at(bool log, double value);
/* The range of the plot's data, a little wider unless the axis says what it is, and its ticks, at least `apart` pixels from one
 * another on a length of `pixels`. */
ChartScale chart_scale_x(const ChartPlot *plot, double pixels, double apart);
ChartScale chart_scale_y(const ChartPlot *plot, double pixels, double apart);
ChartScale chart_scale_heat(const ChartHeat *heat, double pixels, double apart);

/* ---- drawing on the page that is open (chart_draw.c, chart_panel.c, chart_text.c) ---- */

typedef struct ChartBox {
    double x, y, w, h;                 /* pixels of the page, from its lower left corner */
} ChartBox;

/* Runs `draw` with one of PLplot's devices, which draw opens by plinit, and comes back whatever PLplot does: it ends the process where
 * something goes wrong, and asks at the terminal where a device is unknown. */
bool chart_on_device(const char *device, void (*draw)(void *context), void *context, Error *error);

/* All of it, on a page of so many pixels. */
void chart_draw(const Chart *chart, double w, double h);
/* Colours of what is drawn next: one of the palette, a grey from black to white (0 to 1), the scale of a heat map (0 to 1). */
void chart_draw_colour(int colour);
void chart_draw_grey(double share);
void chart_draw_heat(double share);
/* Numbers from now on are pixels of the page, and what is drawn is not cut off. */
void chart_draw_page(const ChartBox *page);
void chart_draw_box(const ChartBox *box);                /* filled */
void chart_draw_dot(double x, double y, double radius);
void chart_draw_sample(const ChartData *data, double x, double y);      /* what stands for a series in the legend */

/* A panel with its axes, in a part of the page; its marks; the scale of its heat map. */
typedef struct ChartView {
    const ChartPlot *plot;
    const ChartBox  *page;
    ChartBox         box;              /* inside the axes */
    ChartScale       x, y;
    bool             turned;           /* the names below are */
} ChartView;

double chart_panel_x(const ChartView *p, double at);      /* a place on the axis, of a log axis the logarithm, in pixels */
double chart_panel_y(const ChartView *p, double at);
bool   chart_panel_has(const ChartView *p, double x, double y);
void   chart_panel_marks(const ChartView *p);
void chart_panel_draw(const ChartPlot *plot, const ChartBox *page, const ChartBox *box);
void chart_panel_heat_scale(const ChartHeat *heat, const ChartBox *page, const ChartBox *box);

enum { CHART_HEAT_ROOM = 96 };      /* to the right of a heat map, for its scale */
enum { CHART_TITLE_SIZE = 18, CHART_LABEL_SIZE = 14, CHART_TICK_SIZE = 13 };
typedef enum { CHART_LEFT, CHART_MIDDLE, CHART_RIGHT } ChartAlign;

/* A text in PLplot's escapes, its middle at height y, or turned to the left, its middle at x. */
void   chart_text(double x, double y, double size, ChartAlign align, const char *text);
void   chart_text_turned(double x, double y, double size, ChartAlign align, const char *text);
/* How many pixels wide it will be, about. */
double chart_text_width(const char *text, double size);
/* A copy with PLplot's escapes of what a person wrote, to be freed; NULL stays NULL. */
char  *chart_text_escape(const char *text);

#endif
