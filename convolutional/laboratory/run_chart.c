/* run_chart.c - see run_chart.h. */

#include "run_chart.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "list.h"

/* The columns that are drawn: key, factor. */
#define COLUMNS(X)                                                                                                    \
    X(epoch, 1) X(train_loss, 1) X(val_loss, 1) X(train_top1, 100) X(val_top1, 100) X(lr, 1) X(images_per_second, 1)

#define X(key, factor) COLUMN_##key,
enum { COLUMNS(X) COLUMN_COUNT };
#undef X

#define X(key, factor) { #key, factor },
static const struct { const char *key; double factor; } columns[COLUMN_COUNT] = { COLUMNS(X) };
#undef X

/* An epoch's numbers, by column. */
typedef struct Epoch {
    double numbers[COLUMN_COUNT];
} Epoch;

static void add_line(List *epochs, const char *line)
{
    json_t *object = json_loads(line, 0, NULL);
    if (json_is_integer(json_object_get(object, columns[COLUMN_epoch].key))) {
        Epoch *epoch = list_add(epochs, allocate(1, sizeof *epoch, "a log"));
        for (int c = 0; c < COLUMN_COUNT; c++) {
            const json_t *number = json_object_get(object, columns[c].key);
            epoch->numbers[c] = json_is_number(number) ? columns[c].factor * json_number_value(number) : NAN;
        }
    }
    json_decref(object);
}

static bool read_log(const char *path, List *epochs, Error *error)
{
    FILE *stream = fopen(path, "re");
    if (!stream)
        return error_set(error, EXIT_input, "no log: %s: %s: name a checkpoint in its run's folder", path, strerror(errno));
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stream) >= 0)
        add_line(epochs, line);
    const bool failed = ferror(stream) != 0;
    free(line);
    fclose(stream);
    if (failed)
        return error_set(error, EXIT_input, "cannot read: %s: %s: check the disk", path, strerror(errno));
    return epochs->count > 0 || error_set(error, EXIT_input, "no epoch: %s: the run has done none yet: wait for its first", path);
}

/* A column of all epochs, in `values`. */
static const double *take(const List *epochs, int column, double *values)
{
    for (int i = 0; i < epochs->count; i++)
        values[i] = ((const Epoch *)epochs->items[i])->numbers[column];
    return values;
}

static double largest(const List *epochs, int column)
{
    double most = 1;
    for (int i = 0; i < epochs->count; i++)
        most = fmax(most, ((const Epoch *)epochs->items[i])->numbers[column]);
    return most;
}

static void add_curve(Chart *chart, const List *epochs, int column, const char *name, int colour, double *x, double *y)
{
    const ChartSeries series = { .name = name, .count = epochs->count, .x = take(epochs, COLUMN_epoch, x), .y = take(epochs, column, y), .colour = colour };
    if (epochs->count > 1)
        chart_line(chart, series);
    else
        chart_points(chart, series);
}

/* The first epoch with the best validation. */
static void mark_best(Chart *chart, const List *epochs)
{
    const double *best = NULL;
    char label[64];
    for (int i = 0; i < epochs->count; i++) {
        const double *numbers = ((const Epoch *)epochs->items[i])->numbers;
        if (!isnan(numbers[COLUMN_val_top1]) && (!best || numbers[COLUMN_val_top1] > best[COLUMN_val_top1]))
            best = numbers;
    }
    if (!best)
        return;
    snprintf(label, sizeof label, "%.2f%%, epoch %.0f", best[COLUMN_val_top1], best[COLUMN_epoch]);
    chart_mark(chart, best[COLUMN_epoch], best[COLUMN_val_top1], label);
}

Chart *run_chart(const char *log, RunChartKind kind, Error *error)
{
    List epochs = { 0 };
    Chart *chart = NULL;
    if (read_log(log, &epochs, error)) {
        double *x = allocate(2 * (size_t)epochs.count, sizeof *x, "a chart"), *y = x + epochs.count;
        chart = chart_new(NULL);
        if (kind == RUN_CHART_learning) {
            chart_panel(chart, (ChartPanel){ .x_label = "epoch", .x_whole = true, .y_label = "loss" });
            add_curve(chart, &epochs, COLUMN_train_loss, "training", 1, x, y);
            add_curve(chart, &epochs, COLUMN_val_loss, "validation", 2, x, y);
            chart_panel(chart, (ChartPanel){ .x_label = "epoch", .x_whole = true, .y_label = "top1, %" });
            add_curve(chart, &epochs, COLUMN_train_top1, "training", 1, x, y);
            add_curve(chart, &epochs, COLUMN_val_top1, "validation", 2, x, y);
            mark_best(chart, &epochs);
        } else {
            chart_panel(chart, (ChartPanel){ .x_label = "epoch", .x_whole = true, .y_label = "learning rate" });
            add_curve(chart, &epochs, COLUMN_lr, NULL, 3, x, y);
            chart_panel(chart, (ChartPanel){ .x_label = "epoch", .x_whole = true, .y_label = "training, images a second", .y_to = 1.1 * largest(&epochs, COLUMN_images_per_second) });
            add_curve(chart, &epochs, COLUMN_images_per_second, NULL, 4, x, y);
        }
        free(x);
    }
    list_clear(&epochs, free);
    return chart;
}
