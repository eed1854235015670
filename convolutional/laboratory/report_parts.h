/* report_parts.h - what the files report*.c share. The page's data:
 *
 *   version
 *   runs  [{ name, notes: [text], settings: {} | null, log: [], health: [], activity: [],
 *            model: { file, arch, act, parameters, macs, side, channels, classes: [name], mean, std, temperature, layers: [...] },
 *            suspects: { count, list: [{ image, label, called, loss, sure, name, picture }] }
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

/* A file's text, of *size bytes and a NUL; NULL if there is none, or it cannot be read, which is a note. The caller frees it. */
char *report_read(ReportRun *run, const char *path, size_t *size);
/* What suspects.csv lists (parts/suspects.c); null if there is none. */
json_t *report_suspect_list(ReportRun *run, const char *path);

/* The image for the page, at most 64 pixels a side; NULL where there is no room for one more. */
json_t *report_picture(ReportRun *run, const Dataset *data, uint32_t image);
/* Its file's name and the folder's: a page that goes to other people need not say more. "": not known. */
const char *report_image_name(const Dataset *data, uint32_t image);

#endif
