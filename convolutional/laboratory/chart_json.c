/* chart_json.c - see chart_json.h. */

#include "chart_json.h"

#include "chart_parts.h"
#include "json_made.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS_MOST = 320 };      /* of a line: what a screen shows */

/* A text of the chart without PLplot's escapes; null stays null. */
static json_t *plain(const char *escaped)
{
    if (!escaped)
        return json_null();
    char *copy = text_copy(escaped), *to = copy;
    for (const char *from = copy; *from; from++) {
        from += from[0] == '#' && from[1] == '#';
        *to++ = *from;
    }
    *to = '\0';
    json_t *text = json_made(json_string(copy));
    free(copy);
    return text;
}

static json_t *numbers(const double *values, int count, int step)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        memory_exhausted("a chart");
    for (int i = 0; i < count; i += step)
        fprintf(stream, "%s%.5g", i ? " " : "", values[i] + 0.0);
    if (fclose(stream))
        memory_exhausted("a chart");
    json_t *json = json_made(json_string(text));
    free(text);
    return json;
}

static json_t *axis(const ChartAxis *a)
{
    json_t *names = json_made(json_array());
    for (int i = 0; i < a->name_count; i++)
        json_append(names, plain(a->names[i]));
    return json_made(json_pack("{s:o, s:b, s:f, s:f, s:o}", "label", plain(a->label), "log", a->log, "from", a->from, "to", a->to, "names", names));
}

static json_t *series(const ChartData *data, const ChartData *before)
{
    static const char *const kinds[] = {
        [CHART_SERIES_line] = "line", [CHART_SERIES_points] = "points", [CHART_SERIES_bars] = "bars", [CHART_SERIES_level] = "level",
    };
    const int step = data->kind == CHART_SERIES_line ? (data->count + POINTS_MOST - 1) / POINTS_MOST : 1;
    const bool same = before && before->kind == data->kind && before->count == data->count && !memcmp(before->x, data->x, (size_t)data->count * sizeof *data->x);
    json_t *row = json_made(json_pack("{s:o, s:s, s:b, s:o}", "name", plain(data->name), "kind", kinds[data->kind], "dashed", data->dashed,
                                 "y", numbers(data->y, data->count, step > 0 ? step : 1)));
    if (!same && json_object_set_new(row, "x", numbers(data->x, data->count, step > 0 ? step : 1)))
        memory_exhausted("jansson");
    return row;
}

static json_t *panel(const ChartPlot *plot)
{
    json_t *list = json_made(json_array());
    for (int i = 0; i < plot->data_count; i++)
        json_append(list, series(&plot->data[i], i ? &plot->data[i - 1] : NULL));
    return json_made(json_pack("{s:o, s:o, s:o, s:o}", "title", plain(plot->title), "x", axis(&plot->x), "y", axis(&plot->y), "series", list));
}

json_t *chart_json(const Chart *chart)
{
    json_t *panels = json_made(json_array());
    for (int i = 0; i < chart->count; i++)
        json_append(panels, panel(&chart->plots[i]));
    return json_made(json_pack("{s:o, s:o}", "title", plain(chart->title), "panels", panels));
}
