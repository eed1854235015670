/* history.c - see history.h. */

#include "history.h"

#include "disk.h"
#include "files.h"
#include "text.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MOST = 1 << 28, NAMES_MOST = 40, COLUMNS_NAMED = 14 };

static const struct { const char *key, *label; double factor; bool log; } quantities_known[QUANTITY_COUNT] = {
#define X(key, label, factor, log) [QUANTITY_##key] = { #key, label, factor, log },
    QUANTITIES(X)
#undef X
};

/* ---- reading ---- */

static bool line_refused(const char *path, int line, const char *what, Error *error)
{
    return error_set(error, EXIT_input, "not a record of activations: %s: line %d %s: name a run that was trained with --act-stats", path, line, what);
}

/* The first line says which layers there are. */
static bool take_layers(History *h, const json_t *layers, const char *path, Error *error)
{
    h->layers = (int)json_array_size(layers);
    h->names = allocate((size_t)h->layers + 1, sizeof *h->names, "layers' names");
    for (int i = 0; i < h->layers; i++) {
        const char *name = json_string_value(json_object_get(json_array_get(layers, (size_t)i), "name"));
        if (!name)
            return line_refused(path, 1, "has a layer without a name", error);
        h->names[i] = text_copy(name);
    }
    return h->layers > 0 || line_refused(path, 1, "has no layers", error);
}

static void *enlarged(void *old, size_t count, size_t more, size_t size)
{
    void *new = allocate(more, size, "a record");
    if (count)
        memcpy(new, old, count * size);
    free(old);
    return new;
}

/* For one more epoch: twice as much whenever their number is a power of two. */
static void make_room(History *h)
{
    const size_t epochs = (size_t)h->epochs, layers = (size_t)h->layers, most = epochs ? 2 * epochs : 1;
    if (epochs & (epochs - 1))
        return;
    h->epoch_names = enlarged(h->epoch_names, epochs, most, sizeof *h->epoch_names);
    for (int q = 0; q < QUANTITY_COUNT; q++)
        h->values[q] = enlarged(h->values[q], epochs * layers, most * layers, sizeof *h->values[q]);
}

/* Each epoch's values behind one another; history_open turns them round. */
static bool take_epoch(History *h, const json_t *line, const char *path, int number, Error *error)
{
    const json_t *layers = json_object_get(line, "layers"), *epoch = json_object_get(line, "epoch");
    if (!json_is_array(layers) || !json_is_integer(epoch))
        return line_refused(path, number, "has no epoch, or no layers", error);
    if (!h->names && !take_layers(h, layers, path, error))
        return false;
    if (json_array_size(layers) != (size_t)h->layers)
        return line_refused(path, number, "has other layers than those before", error);
    make_room(h);
    h->epoch_names[h->epochs] = text_format("%lld", (long long)json_integer_value(epoch));
    for (int q = 0; q < QUANTITY_COUNT; q++)
        for (int i = 0; i < h->layers; i++) {
            const json_t *value = json_object_get(json_array_get(layers, (size_t)i), quantities_known[q].key);
            h->values[q][h->epochs * h->layers + i] = json_is_number(value) ? json_number_value(value) : NAN;
        }
    h->epochs++;
    return true;
}

static void turn_round(History *h)
{
    double *turned = allocate((size_t)h->layers * (size_t)h->epochs + 1, sizeof *turned, "a record");
    for (int q = 0; q < QUANTITY_COUNT; q++) {
        for (int i = 0; i < h->layers; i++)
            for (int e = 0; e < h->epochs; e++)
                turned[i * h->epochs + e] = h->values[q][e * h->layers + i];
        memcpy(h->values[q], turned, (size_t)h->layers * (size_t)h->epochs * sizeof *turned);
    }
    free(turned);
}

static bool take_lines(History *h, const char *path, const char *text, size_t size, Error *error)
{
    const char *at = text;
    size_t length;
    int number = 0;
    for (const char *line; (line = text_line(&at, text + size, &length)) != NULL;) {
        number++;
        if (length == 0)
            continue;
        json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
        if (!object && line + length == text + size)      /* without its end: the run was cut off in it, or writes it now */
            break;
        const bool ok = object ? take_epoch(h, object, path, number, error) : line_refused(path, number, "is no JSON", error);
        json_decref(object);
        if (!ok)
            return false;
    }
    return h->epochs > 0 || error_set(error, EXIT_input, "no epoch is recorded yet: %s: wait for the first epoch's end", path);
}

History *history_open(const char *path, Error *error)
{
    size_t size;
    bool there;
    if (!file_there(path, &there, error))
        return NULL;
    if (!there) {
        error_set(error, EXIT_input, "no record of activations: %s: there is none: name a run that was trained with --act-stats N", path);
        return NULL;
    }
    char *text = (char *)disk_read_all(AT_FDCWD, path, path, BYTES_MOST, &size, error);
    if (!text)
        return NULL;
    History *h = allocate(1, sizeof *h, "a record");
    const bool ok = take_lines(h, path, text, size, error);
    free(text);
    if (ok) {
        turn_round(h);
        return h;
    }
    history_free(h);
    return NULL;
}

void history_free(History *h)
{
    if (!h)
        return;
    for (int i = 0; h->names && i < h->layers; i++)
        free(h->names[i]);
    for (int e = 0; e < h->epochs; e++)
        free(h->epoch_names[e]);
    for (int q = 0; q < QUANTITY_COUNT; q++)
        free(h->values[q]);
    free(h->names);
    free(h->epoch_names);
    free(h);
}

/* ---- showing ---- */

static double value_at(const History *h, int quantity, int layer, int epoch)
{
    return quantities_known[quantity].factor * h->values[quantity][layer * h->epochs + epoch];
}

Table *history_table(const History *h)
{
    static const char *const columns[] = { "layer", "dead, %: first", "dead, %: last", "flat, %: first", "flat, %: last", "slope: first", "slope: last",
                                           "gradient: first", "gradient: last", NULL };
    static const Quantity shown[] = { QUANTITY_dead, QUANTITY_saturated, QUANTITY_slope, QUANTITY_gradient };
    Table *table = table_new(columns);
    for (int i = 0; i < h->layers; i++) {
        table_text(table, h->names[i]);
        for (size_t q = 0; q < sizeof shown / sizeof *shown; q++) {
            table_number(table, value_at(h, shown[q], i, 0));
            table_number(table, value_at(h, shown[q], i, h->epochs - 1));
        }
    }
    return table;
}

Table *history_numbers(const History *h)
{
    const char *columns[QUANTITY_COUNT + 3] = { "epoch", "layer" };
    for (int q = 0; q < QUANTITY_COUNT; q++)
        columns[q + 2] = quantities_known[q].key;
    Table *table = table_new(columns);
    for (int e = 0; e < h->epochs; e++)
        for (int i = 0; i < h->layers; i++) {
            table_number(table, atof(h->epoch_names[e]));
            table_text(table, h->names[i]);
            for (int q = 0; q < QUANTITY_COUNT; q++)
                table_number(table, h->values[q][i * h->epochs + e]);
        }
    return table;
}

/* Every so many of the names, so that they do not stand in one another; the rest empty. The last is shown. */
static const char **thin_out(char **names, int count, int most)
{
    const char **thin = allocate((size_t)count + 1, sizeof *thin, "names");
    const int step = (count + most - 1) / most;
    for (int i = 0; i < count; i++)
        thin[i] = (count - 1 - i) % step == 0 ? names[i] : "";
    return thin;
}

Chart *history_chart(const History *h, const Quantity *quantities, int count)
{
    Chart *chart = chart_new("Inside the network, over its training");
    const char **rows = thin_out(h->names, h->layers, NAMES_MOST), **columns = thin_out(h->epoch_names, h->epochs, COLUMNS_NAMED);
    double *values = allocate((size_t)h->layers * (size_t)h->epochs, sizeof *values, "a record");
    for (int panel = 0; panel < count && panel < CHART_PANELS; panel++) {
        const Quantity q = quantities[panel];
        const bool share = q == QUANTITY_dead || q == QUANTITY_saturated;
        for (int i = 0; i < h->layers * h->epochs; i++)
            values[i] = quantities_known[q].factor * h->values[q][i];
        chart_panel(chart, (ChartPanel){ .title = quantities_known[q].label, .x_label = "epoch", .x_names = columns, .x_name_count = h->epochs,
                                         .y_names = rows, .y_name_count = h->layers });
        chart_heat(chart, (ChartHeat){ .columns = h->epochs, .rows = h->layers, .values = values, .log = quantities_known[q].log, .to = share ? 100 : 0 });
    }
    free(values);
    free(rows);
    free(columns);
    return chart;
}

int quantities_parse(const char *text, Quantity quantities[CHART_PANELS], Error *error)
{
    int count = 0;
    while (*text) {
        const size_t length = strcspn(text, ",");
        int q = 0;
        while (q < QUANTITY_COUNT && (strlen(quantities_known[q].key) != length || strncmp(quantities_known[q].key, text, length)))
            q++;
        if (q == QUANTITY_COUNT || count == CHART_PANELS) {
            error_set(error, EXIT_usage, "%s: --show: '%.*s': name one or two of:" QUANTITY_NAMES,
                      q == QUANTITY_COUNT ? "no such quantity" : "too many", (int)length, text);
            return 0;
        }
        quantities[count++] = (Quantity)q;
        text += length + (text[length] == ',');
    }
    if (count == 0)
        error_set(error, EXIT_usage, "nothing to show: --show: name one or two of:" QUANTITY_NAMES);
    return count;
}
