/* chart_json.h - what a chart shows, as JSON, for pages that draw it themselves:
 *
 *   { title, panels: [{ title, x: {label, log, from, to, names}, y: {...}, series: [{ name, kind, dashed, x, y }] }] }
 *
 * from and to are equal where the data decide. kind: "line", "points", "bars" or "level". x and y are texts of numbers with spaces between, five
 * digits each, "nan" for a gap; x is left out where it is that of the series before. Long lines have every second, third ... point only. Heat maps
 * and marks are left out. */

#ifndef CONVZOO_CHART_JSON_H
#define CONVZOO_CHART_JSON_H

#include <jansson.h>

#include "chart.h"

/* The caller owns it. */
json_t *chart_json(const Chart *chart);

#endif
