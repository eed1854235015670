/* details.c - what evaluate tells if asked: confusion, classes, calibration, mistakes, every image. */

#include "measured.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common_options.h"
#include "filters.h"
#include "metrics_shown.h"
#include "mistakes.h"
#include "run_chart.h"
#include "run_folder.h"

/* ---- where it goes ---- */

static bool is_standard(const char *path)
{
    return !strcmp(path, "-");
}

static bool is_csv(const char *path)
{
    const char *ending = strrchr(path, '.');
    return ending && !strcasecmp(ending, ".csv");
}

/* pictures: it can be drawn as well. */
static bool check_place(const char *option, const char *path, bool pictures, ResultsFormat format, Error *error)
{
    if (!path || is_csv(path))
        return true;
    if (is_standard(path) && pictures)
        return format != RESULTS_csv || error_set(error, EXIT_usage, "'-' is one table too many: --%s: with --results-format csv name a file that ends "
                                                  "in .csv", option);
    if (!pictures)
        return error_set(error, EXIT_usage, "no kind of table: '%.200s': --%s: let its name end in .csv", path, option);
    return chart_check_path(path, NULL) ||
           error_set(error, EXIT_usage, "no kind of file: '%.200s': --%s: use - for lines, or a name that ends in .csv, .png, .svg or .pdf", path, option);
}

bool details_check(const Details *details, ResultsFormat format, Error *error)
{
    return check_place("confusion-matrix", details->confusion, true, format, error) &&
           check_place("per-class", details->per_class, true, format, error) &&
           check_place("calibration", details->calibration, true, format, error) &&
           check_place("predictions", details->predictions, false, format, error) &&
           (!details->curves || chart_check_path(details->curves, error)) && (!details->rates || chart_check_path(details->rates, error)) &&
           (!details->sheet || sheet_check_path(details->sheet, error)) && (!details->filters || sheet_check_path(details->filters, error)) &&
           (!details->misclassified || format != RESULTS_csv ||
            error_set(error, EXIT_usage, "two tables at once: --misclassified: with --results-format csv use --predictions FILE.csv, which has every image"));
}

static void print_cell(const Table *table, int row, int column)
{
    const double number = table_number_at(table, row, table_column(table, column));
    const char *text = table_text_at(table, row, table_column(table, column));
    if (*text)
        print_json_string(text);
    else if (isfinite(number))
        printf("%.9g", number);
    else
        fputs("null", stdout);
}

/* A list of objects, keys by column. */
static void print_rows(const char *key, const Table *table, const char *const *keys)
{
    printf(", \"%s\": [", key);
    for (int r = 0; r < table_rows(table); r++) {
        for (int c = 0; c < table_columns(table); c++) {
            printf("%s\"%s\": ", c ? ", " : r ? "}, {" : "{", keys[c]);
            print_cell(table, r, c);
        }
    }
    fputs(table_rows(table) ? "}]" : "]", stdout);
}

/* Takes the table, and the chart. */
static bool tell(const char *path, Table *table, Chart *chart, const char *key, const char *const *keys, ResultsFormat format, Error *error)
{
    bool ok = true;
    if (is_standard(path) && format == RESULTS_json)
        print_rows(key, table, keys);
    else if (is_standard(path)) {
        putchar('\n');
        table_print(table, stdout);
    } else
        ok = is_csv(path) ? table_save(table, path, error) : chart_save(chart, path, error);
    table_free(table);
    chart_free(chart);
    return ok;
}

/* ---- what is told ---- */

static bool tell_classes(const Measured *m, const char *path, ResultsFormat format, Error *error)
{
    static const char *const keys[] = { "class", "images", "called", "precision_percent", "recall_percent", "f1_percent" };
    return tell(path, metrics_class_table(m->metrics, m->info->classes), metrics_class_chart(m->metrics, m->info->classes), "per_class", keys, format,
                error);
}

static bool tell_calibration(const Measured *m, const char *path, ResultsFormat format, Error *error)
{
    static const char *const keys[] = { "above", "up_to", "images", "confidence_percent", "right_percent", "calibrated_images",
                                        "calibrated_confidence_percent", "calibrated_right_percent" };
    const Calibration plain = calibration_measure(&m->outputs, 0), kept = calibration_measure(&m->outputs, m->info->temperature);
    const Calibration *second = m->info->temperature > 0 ? &kept : NULL;
    return tell(path, calibration_table(&plain, second), calibration_chart(&plain, second), "calibration", keys, format, error);
}

static void print_matrix(const Metrics *metrics)
{
    printf(", \"confusion_matrix\": [");
    for (int t = 0; t < metrics->classes; t++)
        for (int p = 0; p < metrics->classes; p++)
            printf("%s%u%s", p ? ", " : t ? ", [" : "[", metrics->confusion[(size_t)t * (size_t)metrics->classes + (size_t)p],
                   p == metrics->classes - 1 ? "]" : "");
    putchar(']');
}

static bool tell_confusion(const Measured *m, const char *path, ResultsFormat format, Error *error)
{
    if (is_standard(path) && format == RESULTS_json)
        print_matrix(m->metrics);
    else if (is_standard(path)) {
        putchar('\n');
        metrics_confusion_print(m->metrics, m->info->classes, stdout);
    } else if (is_csv(path))
        return metrics_confusion_save(m->metrics, m->info->classes, path, error);
    else {
        Chart *chart = metrics_confusion_chart(m->metrics, m->info->classes);
        const bool saved = chart_save(chart, path, error);
        chart_free(chart);
        return saved;
    }
    return true;
}

static bool tell_mistakes(const Measured *m, int most, ResultsFormat format, Error *error)
{
    static const char *const columns[] = { "image", "true class", "called", "probability, %", "of the true class, %", NULL };
    static const char *const keys[] = { "image", "label", "called", "probability_percent", "label_probability_percent" };
    uint32_t *images = allocate((size_t)most, sizeof *images, "a list of mistakes");
    const uint32_t count = metrics_mistakes(&m->outputs, m->info->temperature, images, (uint32_t)most);
    Table *table = table_new(columns);
    for (uint32_t i = 0; i < count; i++) {
        const int label = m->outputs.labels[images[i]], called = outputs_called(&m->outputs, images[i]);
        table_text(table, m->data->names[images[i]]);
        table_text(table, m->info->classes[label]);
        table_text(table, m->info->classes[called]);
        table_number(table, 100 * outputs_probability(&m->outputs, images[i], called, m->info->temperature));
        table_number(table, 100 * outputs_probability(&m->outputs, images[i], label, m->info->temperature));
    }
    free(images);
    return tell("-", table, NULL, "misclassified", keys, format, error);
}

/* A row an image, in the order of the data. */
static bool save_predictions(const Measured *m, const char *path, Error *error)
{
    static const char *const columns[] = { "image", "label", "called", "right", "probability", "label_probability", "loss", NULL };
    const double temperature = m->info->temperature;
    Table *table = table_new(columns);
    for (uint32_t i = 0; i < m->outputs.count; i++) {
        const int label = m->outputs.labels[i], called = outputs_called(&m->outputs, i);
        table_text(table, m->data->names[i]);
        table_text(table, m->info->classes[label]);
        table_text(table, m->info->classes[called]);
        table_number(table, called == label);
        table_number(table, outputs_probability(&m->outputs, i, called, temperature));
        table_number(table, outputs_probability(&m->outputs, i, label, temperature));
        table_number(table, outputs_loss(&m->outputs, i, label, temperature));
    }
    const bool saved = table_save(table, path, error);
    table_free(table);
    return saved;
}

/* Takes the sheet. */
static bool save_sheet(Sheet *sheet, const char *path, Error *error)
{
    const bool saved = sheet_save(sheet, path, error);
    sheet_free(sheet);
    return saved;
}

static bool save_mistakes(const Measured *m, const Details *details, Error *error)
{
    Sheet *sheet = mistakes_sheet(m->data, &m->outputs, m->info->classes, m->info->temperature,
                                  details->misclassified ? details->misclassified : MISTAKES_SHOWN);
    if (!sheet)
        note_print(NULL, "no mistake at all: no picture of them was drawn");
    return !sheet || save_sheet(sheet, details->sheet, error);
}

static bool save_filters(Network *network, const char *path, Error *error)
{
    Sheet *sheet = filters_sheet(network, error);
    return sheet && save_sheet(sheet, path, error);
}

/* The log beside the checkpoint. */
static bool save_curves(const Measured *m, RunChartKind kind, const char *path, Error *error)
{
    char *folder = run_folder_of(m->path), *log = run_folder_file(folder, RUN_log);
    Chart *chart = run_chart(log, kind, error);
    const bool saved = chart && chart_save(chart, path, error);
    chart_free(chart);
    free(log);
    free(folder);
    return saved;
}

bool details_tell(const Measured *m, const Details *details, ResultsFormat format, Network *network, Error *error)
{
    return (!details->per_class || tell_classes(m, details->per_class, format, error)) &&
           (!details->confusion || tell_confusion(m, details->confusion, format, error)) &&
           (!details->calibration || tell_calibration(m, details->calibration, format, error)) &&
           (!details->misclassified || tell_mistakes(m, details->misclassified, format, error)) &&
           (!details->predictions || save_predictions(m, details->predictions, error)) &&
           (!details->curves || save_curves(m, RUN_CHART_learning, details->curves, error)) &&
           (!details->rates || save_curves(m, RUN_CHART_speed, details->rates, error)) &&
           (!details->sheet || save_mistakes(m, details, error)) && (!details->filters || save_filters(network, details->filters, error));
}
