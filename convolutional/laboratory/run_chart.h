/* run_chart.h - a run's log as curves, an epoch a point. */

#ifndef CONVZOO_RUN_CHART_H
#define CONVZOO_RUN_CHART_H

#include "chart.h"

typedef enum {
    RUN_CHART_learning,          /* loss and accuracy, of training and of validation, the best epoch marked */
    RUN_CHART_speed,             /* learning rate, and images a second */
} RunChartKind;

/* Of a run's log.jsonl. Lines that are not an epoch's are passed over, numbers that are none are gaps. The caller frees it. NULL and a line
 * if the log cannot be read or has no epoch yet. */
Chart *run_chart(const char *log, RunChartKind kind, Error *error);

#endif
