/* metrics_shown.c - see metrics_shown.h. */

#define _GNU_SOURCE      /* open_memstream */

#include "metrics_shown.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "text.h"
#include "text_width.h"

enum { LEGIBLE = 40, NUMBERS = 20, PAIRS = 20 };      /* classes of a chart with names, with numbers in its cells, of a printed matrix */

/* ---- classes ---- */

Table *metrics_class_table(const Metrics *m, char *const *names)
{
    static const char *const columns[] = { "class", "images", "called so", "precision, %", "recall, %", "f1, %", NULL };
    Table *table = table_new(columns);
    for (int k = 0; k < m->classes; k++) {
        const ClassMetrics *each = &m->each[k];
        table_text(table, names[k]);
        table_number(table, each->images);
        table_number(table, each->called);
        table_number(table, 100 * each->precision);
        table_number(table, 100 * each->recall);
        table_number(table, 100 * each->f1);
    }
    return table;
}

typedef struct Ranked {
    int    class;
    double value;
} Ranked;

static int lower_first(const void *a, const void *b)
{
    const Ranked *first = a, *second = b;
    return first->value < second->value ? -1 : first->value > second->value ? 1 : first->class - second->class;
}

Chart *metrics_class_chart(const Metrics *m, char *const *names)
{
    const size_t room = (size_t)m->classes;
    const int count = m->classes < LEGIBLE ? m->classes : LEGIBLE;
    Ranked *ranked = allocate(room, sizeof *ranked, "a chart");
    const char **shown = allocate(room, sizeof *shown, "a chart");
    double *values = allocate(3 * room, sizeof *values, "a chart");
    for (int k = 0; k < m->classes; k++)
        ranked[k] = (Ranked){ k, m->each[k].f1 };
    qsort(ranked, room, sizeof *ranked, lower_first);
    for (int i = 0; i < count; i++) {
        const ClassMetrics *each = &m->each[ranked[i].class];
        shown[i] = names[ranked[i].class];
        values[i] = 100 * each->precision;
        values[count + i] = 100 * each->recall;
        values[2 * count + i] = 100 * each->f1;
    }
    char title[96];
    snprintf(title, sizeof title, count < m->classes ? "The %d classes of %d with the lowest F1" : "Class by class, the lowest F1 first", count,
             m->classes);
    Chart *chart = chart_new(title);
    chart_panel(chart, (ChartPanel){ .y_label = "%", .y_from = 0, .y_to = 100, .x_names = shown, .x_name_count = count });
    static const char *const series[] = { "precision", "recall", "F1" };
    for (int s = 0; s < 3; s++)
        chart_bars(chart, (ChartSeries){ .name = series[s], .count = count, .y = values + s * count });
    free(ranked);
    free(shown);
    free(values);
    return chart;
}

/* ---- confusion ---- */

static uint32_t count_at(const Metrics *m, int label, int called)
{
    return m->confusion[(size_t)label * (size_t)m->classes + (size_t)called];
}

Chart *metrics_confusion_chart(const Metrics *m, char *const *names)
{
    const int n = m->classes;
    double *shares = allocate((size_t)n * (size_t)n, sizeof *shares, "a chart");
    for (int t = 0; t < n; t++)
        for (int p = 0; p < n; p++)
            shares[t * n + p] = m->each[t].images ? round(1000.0 * count_at(m, t, p) / m->each[t].images) / 10 : NAN;
    char title[96];
    snprintf(title, sizeof title, "Confusion matrix: %.2f%% of %u images right", m->count ? 100.0 * m->hits / m->count : 0, m->count);
    Chart *chart = chart_new(title);
    ChartPanel panel = { .x_label = "called", .y_label = "true class" };
    if (n > LEGIBLE) {
        panel.x_label = "called, number of the class";
        panel.y_label = "true class, number 0 at the top";
    } else {
        panel.x_names = panel.y_names = (const char *const *)names;
        panel.x_name_count = panel.y_name_count = n;
    }
    chart_panel(chart, panel);
    chart_heat(chart, (ChartHeat){ .columns = n, .rows = n, .values = shares, .label = "% of the class", .from = 0, .to = 100, .written = n <= NUMBERS });
    free(shares);
    return chart;
}

typedef struct Pair {
    int      label, called;
    uint32_t images;
} Pair;

static int more_first(const void *a, const void *b)
{
    const Pair *first = a, *second = b;
    if (first->images != second->images)
        return first->images > second->images ? -1 : 1;
    return first->label != second->label ? first->label - second->label : first->called - second->called;
}

static void print_pairs(const Metrics *m, char *const *names, FILE *stream)
{
    static const char *const columns[] = { "true class", "called", "images", "of the class, %", NULL };
    const size_t cells = (size_t)m->classes * (size_t)m->classes, most = m->count < cells ? m->count + (size_t)1 : cells;
    Pair *pairs = allocate(most, sizeof *pairs, "a confusion matrix");
    size_t count = 0;
    for (int t = 0; t < m->classes; t++)
        for (int p = 0; p < m->classes; p++)
            if (t != p && count_at(m, t, p))
                pairs[count++] = (Pair){ t, p, count_at(m, t, p) };
    qsort(pairs, count, sizeof *pairs, more_first);
    Table *table = table_new(columns);
    for (size_t i = 0; i < count && i < PAIRS; i++) {
        table_text(table, names[pairs[i].label]);
        table_text(table, names[pairs[i].called]);
        table_number(table, pairs[i].images);
        table_number(table, 100.0 * pairs[i].images / m->each[pairs[i].label].images);
    }
    table_print(table, stream);
    table_free(table);
    free(pairs);
}

void metrics_confusion_print(const Metrics *m, char *const *names, FILE *stream)
{
    enum { COLUMNS = 10 };      /* for a name above a column, and for a number */
    int widest = table_cell_width("true class");
    if (m->classes > NUMBERS) {
        print_pairs(m, names, stream);
        return;
    }
    for (int k = 0; k < m->classes; k++)
        widest = table_cell_width(names[k]) > widest ? table_cell_width(names[k]) : widest;
    table_print_cell(stream, "true class", widest, false);
    for (int k = 0; k < m->classes; k++) {
        char name[256];
        text_printable(names[k], name, sizeof name);
        name[text_fit(name, COLUMNS)] = '\0';
        fputs("  ", stream);
        table_print_cell(stream, name, COLUMNS, true);
    }
    fputc('\n', stream);
    for (int t = 0; t < m->classes; t++) {
        table_print_cell(stream, names[t], widest, false);
        for (int p = 0; p < m->classes; p++)
            fprintf(stream, "  %*u", COLUMNS, count_at(m, t, p));
        fputc('\n', stream);
    }
}

bool metrics_confusion_save(const Metrics *m, char *const *names, const char *path, Error *error)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&bytes, &size);
    if (!stream)
        return error_set(error, EXIT_memory, "out of memory: a confusion matrix: close other programs");
    fputs("true class", stream);
    for (int k = 0; k < m->classes; k++) {
        fputc(',', stream);
        table_csv_text(stream, names[k]);
    }
    fputc('\n', stream);
    for (int t = 0; t < m->classes; t++) {
        table_csv_text(stream, names[t]);
        for (int p = 0; p < m->classes; p++)
            fprintf(stream, ",%u", count_at(m, t, p));
        fputc('\n', stream);
    }
    const bool saved = fclose(stream) == 0 && file_replace(path, bytes, size, error);
    free(bytes);
    return saved;
}

/* ---- calibration ---- */

Table *calibration_table(const Calibration *plain, const Calibration *kept)
{
    static const char *const columns[] = { "surer than", "up to", "images", "confidence, %", "right, %", NULL };
    static const char *const both[] = { "surer than", "up to", "images", "confidence, %", "right, %", "images, with temperature",
                                        "its confidence, %", "its right, %", NULL };
    Table *table = table_new(kept ? both : columns);
    for (int b = 0; b < CALIBRATION_BINS; b++) {
        table_number(table, (double)b / CALIBRATION_BINS);
        table_number(table, (double)(b + 1) / CALIBRATION_BINS);
        for (int which = 0; which < (kept ? 2 : 1); which++) {
            const CalibrationBin *bin = &(which ? kept : plain)->bins[b];
            table_number(table, bin->images);
            table_number(table, bin->images ? 100 * bin->confidence : NAN);
            table_number(table, bin->images ? 100 * bin->accuracy : NAN);
        }
    }
    return table;
}

/* One state's points, and how its images spread over the bins, as shares. */
static void bins_of(const Calibration *c, double *x, double *y, double *spread)
{
    double images = 0;
    for (int b = 0; b < CALIBRATION_BINS; b++)
        images += c->bins[b].images;
    for (int b = 0; b < CALIBRATION_BINS; b++) {
        x[b] = 100 * c->bins[b].confidence;
        y[b] = c->bins[b].images ? 100 * c->bins[b].accuracy : NAN;
        spread[b] = images > 0 ? 100 * c->bins[b].images / images : 0;
    }
}

Chart *calibration_chart(const Calibration *plain, const Calibration *kept)
{
    enum { STATES = 2, EDGE = 3 };      /* EDGE: percent beyond 0 and 100, so that points there are whole */
    static const char *const words[STATES] = { "as it is", "with temperature" };
    const Calibration *states[STATES] = { plain, kept };
    double x[STATES][CALIBRATION_BINS], y[STATES][CALIBRATION_BINS], spread[STATES][CALIBRATION_BINS];
    char labels[CALIBRATION_BINS][16], title[96];
    const char *bins[CALIBRATION_BINS];
    for (int b = 0; b < CALIBRATION_BINS; b++) {
        snprintf(labels[b], sizeof labels[b], "%.0f", 100.0 * (b + 1) / CALIBRATION_BINS);
        bins[b] = labels[b];
    }
    snprintf(title, sizeof title, kept ? "Expected calibration error %.2f%%, with temperature %.2f%%" : "Expected calibration error %.2f%%", 100 * plain->error,
             kept ? 100 * kept->error : 0);
    Chart *chart = chart_new(title);
    chart_panel(chart, (ChartPanel){ .x_label = "confidence, %", .y_label = "right, %", .x_from = -EDGE, .x_to = 100 + EDGE, .y_from = -EDGE, .y_to = 100 + EDGE });
    chart_line(chart, (ChartSeries){ .name = "as sure as right", .count = 2, .x = (double[]){ 0, 100 }, .y = (double[]){ 0, 100 }, .colour = 8, .dashed = true });
    for (int s = 0; s < STATES && states[s]; s++) {
        bins_of(states[s], x[s], y[s], spread[s]);
        chart_line(chart, (ChartSeries){ .name = words[s], .count = CALIBRATION_BINS, .x = x[s], .y = y[s], .colour = s + 1 });
        chart_points(chart, (ChartSeries){ .count = CALIBRATION_BINS, .x = x[s], .y = y[s], .colour = s + 1 });
    }
    chart_panel(chart, (ChartPanel){ .x_label = "confidence up to, %", .y_label = "images, %", .x_names = bins, .x_name_count = CALIBRATION_BINS });
    for (int s = 0; s < STATES && states[s]; s++)
        chart_bars(chart, (ChartSeries){ .name = words[s], .count = CALIBRATION_BINS, .y = spread[s], .colour = s + 1 });
    return chart;
}
