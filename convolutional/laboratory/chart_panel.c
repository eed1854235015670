/* chart_panel.c - one panel: grid, data, axes; see chart_parts.h. */

#include "chart_parts.h"

#include <plplot.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { EDGE = 14, ROW = 22, TICK = 6, X_APART = 70, Y_APART = 45, CELL_TEXT = 12 };

double chart_panel_x(const ChartView *p, double at)
{
    return p->box.x + (at - p->x.from) / (p->x.to - p->x.from) * p->box.w;
}

double chart_panel_y(const ChartView *p, double at)
{
    return p->box.y + (at - p->y.from) / (p->y.to - p->y.from) * p->box.h;
}

bool chart_panel_has(const ChartView *p, double x, double y)
{
    return x >= p->box.x - 1 && x <= p->box.x + p->box.w + 1 && y >= p->box.y - 1 && y <= p->box.y + p->box.h + 1;
}

/* What is drawn from now on is cut off at the axes; numbers are pixels of the page. */
static void panel_clip(const ChartView *p)
{
    const ChartBox *b = &p->box;
    plvpor(b->x / p->page->w, (b->x + b->w) / p->page->w, b->y / p->page->h, (b->y + b->h) / p->page->h);
    plwind(b->x, b->x + b->w, b->y, b->y + b->h);
}

static double widest(char **names, int count)
{
    double width = 0;
    for (int i = 0; i < count; i++)
        width = fmax(width, chart_text_width(names[i], CHART_TICK_SIZE));
    return width;
}

/* Names may be empty: then the others have more room. */
static int named(char **names, int count)
{
    int found = 0;
    for (int i = 0; i < count; i++)
        found += names[i][0] != '\0';
    return found;
}

static double widest_label(const ChartScale *scale)
{
    double width = 0;
    for (int i = 0; i < scale->count; i++)
        width = fmax(width, chart_text_width(scale->labels[i], CHART_TICK_SIZE));
    return width;
}

/* Room for what stands around the axes, then the axes. */
static ChartView panel_of(const ChartPlot *plot, const ChartBox *page, const ChartBox *box)
{
    ChartView p = { .plot = plot, .page = page };
    const double labels = plot->y.names ? widest(plot->y.names, plot->y.name_count)
                                        : widest_label(&(ChartScale[]){ chart_scale_y(plot, box->h, Y_APART) }[0]);
    const double left = EDGE + (plot->y.label ? ROW : 0) + labels + TICK + 10, right = EDGE + 8;
    const double names = widest(plot->x.names, plot->x.name_count);
    p.turned = plot->x.names && names + 8 > (box->w - left - right) / named(plot->x.names, plot->x.name_count);
    const double bottom = EDGE + (plot->x.label ? ROW : 0) + (p.turned ? names + 4 : 18) + TICK;
    p.box = (ChartBox){ box->x + left, box->y + bottom, box->w - left - right, box->h - bottom - EDGE - (plot->title ? ROW : 0) };
    p.x = chart_scale_x(plot, p.box.w, X_APART);
    p.y = chart_scale_y(plot, p.box.h, Y_APART);
    return p;
}

static void line_between(double x1, double y1, double x2, double y2)
{
    plline(2, (double[]){ x1, x2 }, (double[]){ y1, y2 });
}

static void draw_grid(const ChartView *p)
{
    const ChartBox *b = &p->box;
    chart_draw_grey(0.88);
    plwidth(1);
    for (int i = 0; i < p->x.count; i++)
        line_between(chart_panel_x(p, p->x.ticks[i]), b->y, chart_panel_x(p, p->x.ticks[i]), b->y + b->h);
    for (int i = 0; i < p->y.count; i++)
        line_between(b->x, chart_panel_y(p, p->y.ticks[i]), b->x + b->w, chart_panel_y(p, p->y.ticks[i]));
}

static void draw_frame(const ChartView *p)
{
    const ChartBox *b = &p->box;
    chart_draw_grey(0.25);
    plwidth(1);
    plline(5, (double[]){ b->x, b->x + b->w, b->x + b->w, b->x, b->x }, (double[]){ b->y, b->y, b->y + b->h, b->y + b->h, b->y });
    for (int i = 0; i < p->x.count; i++)
        line_between(chart_panel_x(p, p->x.ticks[i]), b->y, chart_panel_x(p, p->x.ticks[i]), b->y - TICK);
    for (int i = 0; i < p->y.count; i++)
        line_between(b->x, chart_panel_y(p, p->y.ticks[i]), b->x - TICK, chart_panel_y(p, p->y.ticks[i]));
}

static void draw_texts(const ChartView *p, const ChartBox *outer)
{
    const ChartPlot *plot = p->plot;
    const ChartBox *b = &p->box;
    chart_draw_grey(0.1);
    for (int i = 0; i < p->x.count; i++)
        chart_text(chart_panel_x(p, p->x.ticks[i]), b->y - TICK - 10, CHART_TICK_SIZE, CHART_MIDDLE, p->x.labels[i]);
    for (int i = 0; i < plot->x.name_count; i++)
        if (p->turned)
            chart_text_turned(chart_panel_x(p, i), b->y - TICK, CHART_TICK_SIZE, CHART_RIGHT, plot->x.names[i]);
        else
            chart_text(chart_panel_x(p, i), b->y - TICK - 10, CHART_TICK_SIZE, CHART_MIDDLE, plot->x.names[i]);
    for (int i = 0; i < p->y.count; i++)
        chart_text(b->x - TICK - 4, chart_panel_y(p, p->y.ticks[i]), CHART_TICK_SIZE, CHART_RIGHT, p->y.labels[i]);
    for (int i = 0; i < plot->y.name_count; i++)
        chart_text(b->x - TICK - 2, chart_panel_y(p, i), CHART_TICK_SIZE, CHART_RIGHT, plot->y.names[i]);
    chart_text(b->x + b->w / 2, outer->y + EDGE + 6, CHART_LABEL_SIZE, CHART_MIDDLE, plot->x.label);
    chart_text_turned(outer->x + EDGE + 8, b->y + b->h / 2, CHART_LABEL_SIZE, CHART_MIDDLE, plot->y.label);
    chart_text(b->x + b->w / 2, b->y + b->h + ROW / 2.0 + 2, CHART_LABEL_SIZE, CHART_MIDDLE, plot->title);
}

/* PLplot counts in integers: what lies far outside is brought nearer. */
static double near_to(double value, double from, double size)
{
    return fmin(fmax(value, from - 20 * size), from + 21 * size);
}

static void draw_line(const ChartView *p, const ChartData *data)
{
    double *x = allocate((size_t)data->count + 1, sizeof *x, "a chart"), *y = allocate((size_t)data->count + 1, sizeof *y, "a chart");
    int run = 0;
    plwidth(2.2);
    pllsty(data->dashed || data->colour >= CHART_COLOURS ? 2 : 1);
    for (int i = 0; i <= data->count; i++) {
        const double px = i < data->count ? chart_panel_x(p, chart_scale_at(p->x.log, data->x[i])) : NAN;
        const double py = i < data->count ? chart_panel_y(p, chart_scale_at(p->y.log, data->y[i])) : NAN;
        if (!isnan(px) && !isnan(py)) {
            x[run] = near_to(px, p->box.x, p->box.w);
            y[run++] = near_to(py, p->box.y, p->box.h);
            continue;
        }
        if (run == 1)
            chart_draw_dot(x[0], y[0], 1.5);
        if (run > 1)
            plline(run, x, y);
        run = 0;
    }
    pllsty(1);
    free(x);
    free(y);
}

static void draw_points(const ChartView *p, const ChartData *data)
{
    for (int i = 0; i < data->count; i++) {
        const double x = chart_panel_x(p, chart_scale_at(p->x.log, data->x[i])), y = chart_panel_y(p, chart_scale_at(p->y.log, data->y[i]));
        if (chart_panel_has(p, x, y))
            chart_draw_dot(x, y, 4);
    }
}

/* place: which of `of` series side by side. */
static void draw_bars(const ChartView *p, const ChartData *data, int place, int of)
{
    const double width = 0.8 / of;
    const double foot = p->y.log ? p->box.y : fmin(fmax(chart_panel_y(p, 0), p->box.y), p->box.y + p->box.h);
    for (int i = 0; i < data->count; i++) {
        const double left = chart_panel_x(p, data->x[i] - 0.4 + width * place), right = chart_panel_x(p, data->x[i] - 0.4 + width * (place + 1));
        const double y = chart_panel_y(p, chart_scale_at(p->y.log, data->y[i]));
        if (!isnan(y))
            chart_draw_box(&(ChartBox){ left, foot, fmax(right - left - 1, 1), near_to(y, p->box.y, p->box.h) - foot });
    }
}

static void draw_data(const ChartView *p)
{
    const ChartPlot *plot = p->plot;
    int bars = 0, bar = 0;
    for (int i = 0; i < plot->data_count; i++)
        bars += plot->data[i].kind == CHART_SERIES_bars;
    for (int i = 0; i < plot->data_count; i++) {
        const ChartData *data = &plot->data[i];
        chart_draw_colour(data->colour);
        if (data->kind == CHART_SERIES_line) {
            draw_line(p, data);
        } else if (data->kind == CHART_SERIES_points) {
            draw_points(p, data);
        } else if (data->kind == CHART_SERIES_bars) {
            draw_bars(p, data, bar++, bars);
        } else {
            const double y = chart_panel_y(p, chart_scale_at(p->y.log, data->y[0]));
            chart_draw_grey(0.35);
            plwidth(1);
            pllsty(2);
            line_between(p->box.x, y, p->box.x + p->box.w, y);
            pllsty(1);
        }
    }
}

static double heat_share(const ChartHeat *heat, const ChartScale *scale, double value)
{
    return (chart_scale_at(heat->log, value) - scale->from) / (scale->to - scale->from);
}

static void draw_heat(const ChartView *p)
{
    const ChartHeat *heat = &p->plot->heat;
    const ChartScale scale = chart_scale_heat(heat, p->box.h, Y_APART);
    for (int row = 0; row < heat->rows; row++)
        for (int column = 0; column < heat->columns; column++) {
            const double value = heat->values[row * heat->columns + column], share = heat_share(heat, &scale, value);
            if (isnan(share))
                continue;
            const double x = chart_panel_x(p, column - 0.5), y = chart_panel_y(p, row + 0.5);
            chart_draw_heat(share);
            chart_draw_box(&(ChartBox){ x, y, chart_panel_x(p, column + 0.5) - x + 0.5, chart_panel_y(p, row - 0.5) - y + 0.5 });
            if (heat->written) {
                char text[32];
                snprintf(text, sizeof text, "%.3g", value);
                chart_draw_grey(share > 0.6 ? 0 : 1);
                chart_text(chart_panel_x(p, column), chart_panel_y(p, row), CELL_TEXT, CHART_MIDDLE, text);
            }
        }
}

void chart_panel_draw(const ChartPlot *plot, const ChartBox *page, const ChartBox *box)
{
    const ChartView p = panel_of(plot, page, box);
    chart_draw_page(page);
    draw_grid(&p);
    panel_clip(&p);
    if (plot->heat.values)
        draw_heat(&p);
    draw_data(&p);
    chart_draw_page(page);
    draw_frame(&p);
    draw_texts(&p, box);
    chart_panel_marks(&p);
}

void chart_panel_heat_scale(const ChartHeat *heat, const ChartBox *page, const ChartBox *box)
{
    enum { STEPS = 128 };
    const ChartScale scale = chart_scale_heat(heat, box->h, Y_APART);
    chart_draw_page(page);
    for (int i = 0; i < STEPS; i++) {
        chart_draw_heat((double)i / (STEPS - 1));
        chart_draw_box(&(ChartBox){ box->x, box->y + box->h * i / STEPS, box->w, box->h / STEPS + 0.5 });
    }
    chart_draw_grey(0.1);
    for (int i = 0; i < scale.count; i++) {
        const double y = box->y + (scale.ticks[i] - scale.from) / (scale.to - scale.from) * box->h;
        line_between(box->x + box->w, y, box->x + box->w + 4, y);
        chart_text(box->x + box->w + 8, y, CHART_TICK_SIZE, CHART_LEFT, scale.labels[i]);
    }
    /* To the right, since the panel's frame may end below. */
    chart_text(box->x + CHART_HEAT_ROOM - 6, box->y - 16, CHART_TICK_SIZE, CHART_RIGHT, heat->label);
}
