/* history.h - what a run's activations did over its epochs: the record that train --act-stats keeps (activity.jsonl). */

#ifndef CONVZOO_HISTORY_H
#define CONVZOO_HISTORY_H

#include "chart.h"
#include "table.h"

/* key, how a chart and a table call it, factor, on a logarithmic scale */
#define QUANTITIES(X)                                              \
    X(dead,      "dead channels, %",          100, false)          \
    X(saturated, "flat: slope below 0.05, %", 100, false)          \
    X(slope,     "mean slope",                  1, false)          \
    X(gradient,  "gradient of an image",        1, true)           \
    X(mean,      "mean of the sums",            1, false)          \
    X(deviation, "deviation of the sums",       1, true)

#define X(key, ...) QUANTITY_##key,
typedef enum { QUANTITIES(X) QUANTITY_COUNT } Quantity;
#undef X

#define QUANTITY_KEY(key, ...) " " #key
#define QUANTITY_NAMES QUANTITIES(QUANTITY_KEY)

typedef struct History {
    int     layers, epochs;           /* epochs: recorded ones */
    char  **names;                    /* layers */
    char  **epoch_names;              /* epochs: "1", "2", ... */
    double *values[QUANTITY_COUNT];   /* layers x epochs; NAN: it was not finite */
} History;

/* Reads it. NULL and one line for a file that is none, or of which lines do not belong together. The caller frees it. */
History *history_open(const char *path, Error *error);
void     history_free(History *history);

/* A row a layer: dead, flat, slope and gradient after the first recorded epoch and after the last. */
Table *history_table(const History *history);
/* A row a layer and epoch, with everything: for --csv. */
Table *history_numbers(const History *history);
/* Heat maps, layers over epochs, of one or two quantities; more: the first two. */
Chart *history_chart(const History *history, const Quantity *quantities, int count);

/* Reads "dead,gradient"; how many they are, 0 and one line for what is no quantity. */
int quantities_parse(const char *text, Quantity quantities[CHART_PANELS], Error *error);

#endif
