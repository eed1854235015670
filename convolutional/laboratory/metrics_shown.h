/* metrics_shown.h - metrics and calibration as tables and charts. The caller frees what is returned. */

#ifndef CONVZOO_METRICS_SHOWN_H
#define CONVZOO_METRICS_SHOWN_H

#include <stdio.h>

#include "calibration.h"
#include "chart.h"
#include "table.h"

/* A row a class; a chart of the three ratios, of the 40 classes with the lowest F1 where there are more, the lowest first. */
Table *metrics_class_table(const Metrics *metrics, char *const *names);
Chart *metrics_class_chart(const Metrics *metrics, char *const *names);

/* Shares of each true class's images, a row a true class; numbers and names only where they are legible. */
Chart *metrics_confusion_chart(const Metrics *metrics, char *const *names);
/* Counts under one another; of more than 20 classes, the 20 pairs that are taken for one another most often. */
void   metrics_confusion_print(const Metrics *metrics, char *const *names, FILE *stream);
/* All counts as CSV, with the names as first row and column. */
bool   metrics_confusion_save(const Metrics *metrics, char *const *names, const char *path, Error *error);

/* A row a bin; accuracy by confidence beside the diagonal, and how many images are how sure. kept: with a temperature; NULL: without. */
Table *calibration_table(const Calibration *plain, const Calibration *kept);
Chart *calibration_chart(const Calibration *plain, const Calibration *kept);

#endif
