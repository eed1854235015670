/* inspection.c - see inspection.h. */

#include "inspection.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Activity *inspection_new(const Model *model, const Dataset *data, int batch)
{
    Activity *activity = activity_new(model->network, &(Plan){ 0 }, batch);
    Loader *loader = model_loader(model, data, batch);
    loader_start(loader, 0, 0);
    activity_measure(activity, loader, UINT32_MAX, model->info.class_count);
    loader_free(loader);
    return activity;
}

/* Eighths of a block, the tallest bin full. */
static void draw_histogram(const double *shares, char *text)
{
    static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    double most = 0;
    for (int b = 0; b < ACTIVITY_BINS; b++)
        most = fmax(most, shares[b]);
    *text = '\0';
    for (int b = 0; b < ACTIVITY_BINS; b++)
        strcat(text, blocks[most > 0 ? (int)ceil(8 * shares[b] / most) : 0]);
}

Table *inspection_table(const Activity *inspection)
{
    static const char *const columns[] = { "layer", "mean", "deviation", "dead channels, %", "flat, %", "gradient", "sums, +- 3 deviations", NULL };
    Table *table = table_new(columns);
    for (int i = 0; i < inspection->count; i++) {
        const ActivityLayer *layer = &inspection->layers[i];
        char blocks[4 * ACTIVITY_BINS + 1];
        table_text(table, layer->module->name);
        table_number(table, layer->mean);
        table_number(table, layer->deviation);
        table_number(table, 100 * layer->dead);
        table_number(table, 100 * layer->saturated);
        table_number(table, layer->gradient);
        draw_histogram(layer->histogram, blocks);
        table_text(table, blocks);
    }
    return table;
}

Chart *inspection_chart(const Activity *inspection)
{
    const size_t count = (size_t)inspection->count + 1;
    const char **names = allocate(count, sizeof *names, "an inspection");
    double *dead = allocate(count, sizeof *dead, "an inspection"), *flat = allocate(count, sizeof *flat, "an inspection"),
           *gradients = allocate(count, sizeof *gradients, "an inspection");
    for (int i = 0; i < inspection->count; i++) {
        names[i] = inspection->layers[i].module->name;
        dead[i] = 100 * inspection->layers[i].dead;
        flat[i] = 100 * inspection->layers[i].saturated;
        gradients[i] = inspection->layers[i].gradient;
    }
    Chart *chart = chart_new("Inside the network, activation by activation");
    const ChartPanel panel = { .x_names = names, .x_name_count = inspection->count };
    ChartPanel left = panel, right = panel;
    left.y_label = "share, %";
    left.y_to = 100;
    chart_panel(chart, left);
    chart_bars(chart, (ChartSeries){ .name = "dead channels", .count = inspection->count, .y = dead });
    chart_bars(chart, (ChartSeries){ .name = "flat: slope below 0.05", .count = inspection->count, .y = flat });
    right.y_label = "norm of the gradient of an image";
    right.y_log = true;
    chart_panel(chart, right);
    chart_bars(chart, (ChartSeries){ .name = "gradient", .count = inspection->count, .y = gradients, .colour = 3 });
    free(names);
    free(dead);
    free(flat);
    free(gradients);
    return chart;
}
