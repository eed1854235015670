/* block.c - see block.h. */

#include "block.h"

#include "bar.h"
#include "text_width.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HEIGHTS = 8, CELLS_MOST = 40, ITEMS = 5 };

/* ---- the curve ---- */

static void curve_halve(LossCurve *c)
{
    for (int i = 0; i < CURVE_CELLS / 2; i++)
        c->cells[i] = (c->cells[2 * i] + c->cells[2 * i + 1]) / 2;
    c->count = CURVE_CELLS / 2;
    c->span *= 2;
}

void curve_add(LossCurve *c, double loss)
{
    if (c->span == 0)
        c->span = 1;
    c->sum += loss;
    if (++c->steps < c->span)
        return;
    c->cells[c->count++] = c->sum / (double)c->steps;
    c->sum = 0;
    c->steps = 0;
    if (c->count == CURVE_CELLS)
        curve_halve(c);
}

int curve_write(const LossCurve *c, int cells, bool unicode, char *text)
{
    static const char *const blocks[HEIGHTS] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    static const char *const letters[HEIGHTS] = { "_", ".", ",", "-", "~", "=", "+", "#" };
    const int count = cells < c->count ? cells < 0 ? 0 : cells : c->count;
    const double *from = c->cells + c->count - count;
    double least = INFINITY, most = -INFINITY;
    text[0] = '\0';
    for (int i = 0; i < count; i++) {
        least = fmin(least, from[i]);
        most = fmax(most, from[i]);
    }
    for (int i = 0; i < count; i++) {
        const double share = most > least ? (from[i] - least) / (most - least) : 0.5;
        const int height = share >= 0 && share < 1 ? (int)(HEIGHTS * share) : HEIGHTS - 1;
        strcat(text, (unicode ? blocks : letters)[height]);
    }
    return count;
}

/* ---- the lines ---- */

/* A bar in the middle, as long as there is room for it. */
static void write_place(const TrainerStep *step, int columns, char *line)
{
    char before[64], after[64], bar[CELLS_MOST + 1] = "";
    snprintf(before, sizeof before, "epoch %u/%u ", step->epoch + 1, step->epochs);
    snprintf(after, sizeof after, "%u/%u", step->batch, step->batches);
    int cells = columns - 1 - (int)strlen(before) - (int)strlen(after) - 3;
    cells = cells > CELLS_MOST ? CELLS_MOST : cells;
    const int filled = step->batches ? (int)((uint64_t)(cells > 0 ? cells : 0) * step->batch / step->batches) : 0;
    for (int i = 0; i < cells; i++)
        bar[i] = i < filled ? '#' : '.';
    if (cells >= 4)
        snprintf(line, BLOCK_LINE, "%s[%s] %s", before, bar, after);
    else
        snprintf(line, BLOCK_LINE, "%s%s", before, after);
}

/* From left to right as long as they fit; the loss always. */
static void write_figures(const TrainerStep *step, int columns, char *line)
{
    char items[ITEMS][48];
    snprintf(items[0], sizeof *items, "loss %.4f", step->loss);
    snprintf(items[1], sizeof *items, "top1 %.2f%%", 100.0 * step->top1);
    snprintf(items[2], sizeof *items, "%.0f img/s", step->images_per_second);
    snprintf(items[3], sizeof *items, "lr %.3g", (double)step->lr);
    snprintf(items[4], sizeof *items, "%.3g GFLOP/s", step->gflops);
    line[0] = '\0';
    size_t at = 0;
    for (int i = 0; i < ITEMS; i++)
        if (at + (at ? 2 : 0) + strlen(items[i]) < (size_t)columns)
            at += (size_t)snprintf(line + at, BLOCK_LINE - at, "%s%s", at ? "  " : "", items[i]);
}

/* The time left for the run stays to the last. */
static void write_rest(const TrainerStep *step, const LossCurve *curve, int columns, bool unicode, char *line)
{
    char run[32], epoch[32], left[96], drawn[3 * CELLS_MOST + 1];
    bar_duration(step->seconds_left, run, sizeof run);
    bar_duration(step->epoch_seconds_left, epoch, sizeof epoch);
    if (snprintf(left, sizeof left, "epoch %s, run %s left", epoch, run) >= columns)
        snprintf(left, sizeof left, "run %s left", run);
    const int room = columns - 3 - (int)strlen(left), cells = room > CELLS_MOST ? CELLS_MOST : room;
    if (cells >= 4 && curve_write(curve, cells, unicode, drawn) > 1)
        snprintf(line, BLOCK_LINE, "%s  %s", drawn, left);
    else
        snprintf(line, BLOCK_LINE, "%s", left);
}

void block_write(const TrainerStep *step, const LossCurve *curve, int columns, bool unicode, char lines[BLOCK_LINES][BLOCK_LINE])
{
    write_place(step, columns, lines[0]);
    write_figures(step, columns, lines[1]);
    write_rest(step, curve, columns, unicode, lines[2]);
    for (int i = 0; i < BLOCK_LINES; i++)
        lines[i][text_fit(lines[i], columns - 1)] = '\0';
}
