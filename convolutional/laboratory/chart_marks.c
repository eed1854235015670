/* chart_marks.c - dots with labels, each label where it covers least; see chart_parts.h. */

#include "chart_parts.h"

#include <math.h>
#include <stdlib.h>

/* How much of the data it covers: points, and places on the lines between them. */
static double data_cost(const ChartView *p, const ChartData *data, const ChartBox *label)
{
    enum { PLACES = 32 };
    double cost = 0, before_x = NAN, before_y = NAN;
    for (int j = 0; j < data->count; j++) {
        const double x = chart_panel_x(p, chart_scale_at(p->x.log, data->x[j])), y = chart_panel_y(p, chart_scale_at(p->y.log, data->y[j]));
        for (int k = data->kind == CHART_SERIES_line ? 1 : PLACES; k <= PLACES; k++) {
            const double share = (double)k / PLACES, at_x = k < PLACES ? before_x + share * (x - before_x) : x, at_y = k < PLACES ? before_y + share * (y - before_y) : y;
            cost += at_x >= label->x && at_x <= label->x + label->w && at_y >= label->y && at_y <= label->y + label->h;
        }
        before_x = x;
        before_y = y;
    }
    return cost;
}

/* Where the label of a mark stands: the number of places of data, marks and labels that it would cover. */
static double mark_cost(const ChartView *p, const ChartBox *label, const ChartBox *placed, int placed_count)
{
    double cost = 0;
    if (!chart_panel_has(p, label->x, label->y) || !chart_panel_has(p, label->x + label->w, label->y + label->h))
        cost += 1e6;
    for (int i = 0; i < placed_count; i++)
        if (label->x < placed[i].x + placed[i].w && placed[i].x < label->x + label->w && label->y < placed[i].y + placed[i].h &&
            placed[i].y < label->y + label->h)
            cost += 1e4;
    for (int i = 0; i < p->plot->data_count; i++)
        cost += data_cost(p, &p->plot->data[i], label);
    return cost;
}

static ChartBox mark_place(const ChartView *p, double x, double y, double width, const ChartBox *placed, int placed_count)
{
    enum { ANGLES = 12, WAYS = 10 * ANGLES };
    ChartBox best = { 0 };
    double least = INFINITY;
    for (int i = 0; i < WAYS; i++) {
        const double far = 14 + 12 * (i / ANGLES), angle = 2 * M_PI / ANGLES * (i % ANGLES), dx = cos(angle), dy = sin(angle), high = CHART_TICK_SIZE + 4;
        const ChartBox box = { x + dx * far + (dx - 1) / 2 * width, y + dy * far + (dy - 1) / 2 * high, width, high };
        const double cost = mark_cost(p, &box, placed, placed_count) + 0.01 * i;
        if (cost < least) {
            least = cost;
            best = box;
        }
    }
    return best;
}

void chart_panel_marks(const ChartView *p)
{
    const ChartPlot *plot = p->plot;
    ChartBox *placed = allocate(2 * (size_t)plot->mark_count + 1, sizeof *placed, "a chart");
    int count = 0;
    for (int i = 0; i < plot->mark_count; i++) {
        const double x = chart_panel_x(p, chart_scale_at(p->x.log, plot->marks[i].x)), y = chart_panel_y(p, chart_scale_at(p->y.log, plot->marks[i].y));
        placed[count++] = (ChartBox){ x - 5, y - 5, 10, 10 };
    }
    for (int i = 0; i < plot->mark_count; i++) {
        const double x = placed[i].x + 5, y = placed[i].y + 5;
        if (!chart_panel_has(p, x, y))
            continue;
        chart_draw_grey(1);
        chart_draw_dot(x, y, 5.5);
        chart_draw_grey(0);
        chart_draw_dot(x, y, 4);
        const ChartBox label = mark_place(p, x, y, chart_text_width(plot->marks[i].label, CHART_TICK_SIZE) + 6, placed, count);
        const bool before = label.x + label.w / 2 < x;
        chart_text(before ? label.x + label.w - 3 : label.x + 3, label.y + label.h / 2, CHART_TICK_SIZE, before ? CHART_RIGHT : CHART_LEFT, plot->marks[i].label);
        placed[count++] = label;
    }
    free(placed);
}
