/* report_parts.h - what the files report*.c share. The page's data:
 *
 *   version
 *   runs  [{ name, notes: [text], settings: {} | null, log: [], health: [], activity: [],
 *            model: { file, arch, act, parameters, macs, side, channels, classes: [name], mean, std, temperature, layers: [...] },
 *            results: { data, split, count, ..., calibration, each: [], cells: [[true, called, images, [image]]], mistakes: [image],
 *                       pictures: [uri] } }]
 *
 *   image { picture, name, label, called, sure, true }      sure: the probability of what it was called; true: of the true class */

#ifndef CONVZOO_REPORT_PARTS_H
#define CONVZOO_REPORT_PARTS_H

#include "json_made.h"
#include "report.h"

struct ReportRun {
    Report     *report;
    json_t     *data;             /* owned by the report's */
    ReportTell *tell;
    void       *context;
    bool        found;
};

struct Report {
    json_t   *data;
    ReportRun runs[REPORT_RUNS];
    int       count;
    size_t    picture_bytes;      /* so far */
};

void report_set(json_t *object, const char *key, json_t *value);      /* takes the value */
/* A number; null where it is not finite. */
json_t *report_number(double value);

#endif
