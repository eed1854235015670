/* explorer_experiments.c - runs experiments, for the page's figures; see explorer_data.h. */

#include "explorer_data.h"

#include "chart_json.h"
#include "experiment.h"
#include "json_made.h"
#include "names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As in CSV: nine digits are enough for people, and shorter. */
static json_t *cell(const Table *table, int row, const char *column)
{
    const double number = table_number_at(table, row, column);
    char text[32];
    if (isnan(number))
        return json_string(table_text_at(table, row, column));
    snprintf(text, sizeof text, "%.9g", number);
    return isfinite(number) ? json_real(strtod(text, NULL)) : json_string(text);
}

static json_t *rows(const Table *table)
{
    json_t *list = json_made(json_array());
    for (int r = 0; r < table_rows(table); r++) {
        json_t *row = json_made(json_array());
        for (int c = 0; c < table_columns(table); c++)
            json_append(row, cell(table, r, table_column(table, c)));
        json_append(list, row);
    }
    return list;
}

static json_t *columns(const Table *table)
{
    json_t *list = json_made(json_array());
    for (int c = 0; c < table_columns(table); c++)
        json_append(list, json_string(table_column(table, c)));
    return list;
}

/* With its own activations and sizes: that cannot be refused. */
static json_t *run(const Experiment *experiment)
{
    ExperimentResult result = { 0 };
    Error error;
    const bool ran = experiment_run(experiment, &(ExperimentOptions){ 0 }, &result, &error);
    CHECK(ran, "%s: %s", experiment->name, error.text);
    char command[128];
    snprintf(command, sizeof command, "activations experiment %s", experiment->name);
    json_t *json = json_made(json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "key", experiment->name, "about", experiment->about, "command", command,
                                  "columns", columns(result.table), "rows", rows(result.table), "chart", chart_json(result.chart)));
    table_free(result.table);
    chart_free(result.chart);
    return json;
}

json_t *explorer_experiments(const char *names, Error *error)
{
    json_t *list = json_made(json_array());
    char name[64];
    bool ok = true;
    for (int i = 0; i < experiment_count() && !strcmp(names, EXPLORER_all); i++)
        json_append(list, run(experiment_at(i)));
    for (const char *at = names; *at && ok && strcmp(names, EXPLORER_all) && strcmp(names, EXPLORER_none); at += strspn(at, ", ")) {
        const size_t length = strcspn(at, ", ");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        const Experiment *experiment = experiment_find(name, error);
        ok = experiment;
        if (ok)
            json_append(list, run(experiment));
        at += length;
    }
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}
