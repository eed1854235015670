/* chart_draw.c - a chart on a page: title, panels side by side, the legend to their right; see chart_parts.h. */

#include "chart_parts.h"

#include <plplot.h>

#include <math.h>
#include <string.h>

/* Okabe and Ito, 2008, the ones that show best on white first; grey instead of their yellow, which is hardly seen on it. */
static const struct { int r, g, b; } palette[CHART_COLOURS] = {
    { 0, 114, 178 },  { 213, 94, 0 },    { 0, 158, 115 }, { 204, 121, 167 },
    { 230, 159, 0 },  { 86, 180, 233 },  { 0, 0, 0 },     { 128, 128, 128 },
};

/* Viridis (Smith and van der Walt, 2015): light and dark in grey too. */
static const struct { int r, g, b; } scale[] = {
    { 68, 1, 84 },    { 71, 45, 123 },  { 59, 82, 139 },  { 44, 114, 142 },  { 33, 145, 140 },
    { 40, 174, 128 }, { 94, 201, 98 },  { 173, 220, 48 }, { 253, 231, 37 },
};

enum {
    SCALE_STEPS = sizeof scale / sizeof *scale, COLOUR_INDEX = 15,
    EDGE = 14, TITLE_ROOM = 40, ROW = 22, SAMPLE = 28, HEAT_BAR = 16,
    LEGEND_MOST = 64,
};

static void colour_set(int r, int g, int b)
{
    plscol0(COLOUR_INDEX, r, g, b);
    plcol0(COLOUR_INDEX);
}

void chart_draw_colour(int colour)
{
    const int i = colour % CHART_COLOURS;
    colour_set(palette[i].r, palette[i].g, palette[i].b);
}

void chart_draw_grey(double share)
{
    const int grey = (int)lround(255 * share);
    colour_set(grey, grey, grey);
}

void chart_heat_colour(double share, uint8_t rgb[3])
{
    const double at = fmin(fmax(share, 0), 1) * (SCALE_STEPS - 1);
    const int i = (int)fmin(at, SCALE_STEPS - 2);
    const double part = at - i;
    rgb[0] = (uint8_t)lround(scale[i].r + part * (scale[i + 1].r - scale[i].r));
    rgb[1] = (uint8_t)lround(scale[i].g + part * (scale[i + 1].g - scale[i].g));
    rgb[2] = (uint8_t)lround(scale[i].b + part * (scale[i + 1].b - scale[i].b));
}

void chart_draw_heat(double share)
{
    uint8_t rgb[3];
    chart_heat_colour(share, rgb);
    colour_set(rgb[0], rgb[1], rgb[2]);
}

void chart_draw_page(const ChartBox *page)
{
    plvpor(0, 1, 0, 1);
    plwind(0, page->w, 0, page->h);
}

void chart_draw_box(const ChartBox *box)
{
    const double x[] = { box->x, box->x + box->w, box->x + box->w, box->x }, y[] = { box->y, box->y, box->y + box->h, box->y + box->h };
    plwidth(1);
    plfill(4, x, y);
}

void chart_draw_dot(double x, double y, double radius)
{
    enum { CORNERS = 24 };
    double xs[CORNERS], ys[CORNERS];
    for (int i = 0; i < CORNERS; i++) {
        xs[i] = x + radius * cos(2 * M_PI * i / CORNERS);
        ys[i] = y + radius * sin(2 * M_PI * i / CORNERS);
    }
    plwidth(1);
    plfill(CORNERS, xs, ys);
}

void chart_draw_sample(const ChartData *data, double x, double y)
{
    const double xs[] = { x, x + SAMPLE - 6 }, ys[] = { y, y };
    if (data->kind == CHART_SERIES_level)
        chart_draw_grey(0.35);
    else
        chart_draw_colour(data->colour);
    if (data->kind == CHART_SERIES_bars) {
        chart_draw_box(&(ChartBox){ x + 4, y - 6, 12, 12 });
    } else if (data->kind == CHART_SERIES_points) {
        chart_draw_dot(x + 11, y, 4);
    } else {
        plwidth(data->kind == CHART_SERIES_level ? 1 : 2.2);
        pllsty(data->kind == CHART_SERIES_level || data->dashed ? 2 : 1);
        plline(2, xs, ys);
        pllsty(1);
    }
}

/* The named series of all panels, each name once. Returns how many. */
static int legend_rows(const Chart *chart, const ChartData *rows[LEGEND_MOST])
{
    int count = 0;
    for (int i = 0; i < chart->count; i++)
        for (int j = 0; j < chart->plots[i].data_count; j++) {
            const ChartData *data = &chart->plots[i].data[j];
            bool known = !data->name || count == LEGEND_MOST;
            for (int k = 0; k < count && !known; k++)
                known = !strcmp(rows[k]->name, data->name);
            if (!known)
                rows[count++] = data;
        }
    return count;
}

static double legend_width(const ChartData *const *rows, int count)
{
    double width = 0;
    for (int i = 0; i < count; i++)
        width = fmax(width, chart_text_width(rows[i]->name, CHART_TICK_SIZE));
    return count ? width + SAMPLE + EDGE : 0;
}

static void legend_draw(const ChartData *const *rows, int count, double x, double top)
{
    for (int i = 0; i < count; i++) {
        const double y = top - ROW * (i + 0.5);
        chart_draw_sample(rows[i], x, y);
        chart_draw_grey(0.1);
        chart_text(x + SAMPLE, y, CHART_TICK_SIZE, CHART_LEFT, rows[i]->name);
    }
}

void chart_draw(const Chart *chart, double w, double h)
{
    const ChartBox page = { 0, 0, w, h };
    const ChartData *rows[LEGEND_MOST];
    const int count = legend_rows(chart, rows);
    const double legend = legend_width(rows, count), top = h - (chart->title ? TITLE_ROOM : EDGE);
    const double part = (w - legend) / chart->count;

    chart_draw_page(&page);
    chart_draw_grey(0);
    chart_text(w / 2, h - TITLE_ROOM / 2.0, CHART_TITLE_SIZE, CHART_MIDDLE, chart->title);
    legend_draw(rows, count, w - legend, top - EDGE);
    for (int i = 0; i < chart->count; i++) {
        const ChartPlot *plot = &chart->plots[i];
        const double scaled = plot->heat.values ? CHART_HEAT_ROOM : 0;
        const ChartBox box = { i * part, 0, part - scaled, top };
        chart_panel_draw(plot, &page, &box);
        if (plot->heat.values)
            chart_panel_heat_scale(&plot->heat, &page, &(ChartBox){ box.x + box.w, 70, HEAT_BAR, top - 70 - EDGE - (plot->title ? ROW : 0) });
    }
}
