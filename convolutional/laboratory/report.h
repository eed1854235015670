/* report.h - what runs left behind, as one page for a browser: settings, curves, mistakes with their images, layers, health. It holds all
 * that it needs: it loads nothing and sends nothing. Its parts are in laboratory/report/.
 *
 *   Report *report = report_new();
 *   ReportRun *run = report_run(report, "runs/lenet-relu-1", folder, tell, NULL);
 *   report_model(run, &model, file);
 *   report_suspects(run, training_images);
 *   report_results(run, &model, data, &outputs, 8);
 *   report_save(report, "report.html", &error);
 *   report_free(report);
 *
 * Whatever cannot be read is a note of the run, and the rest is made all the same. */

#ifndef CONVZOO_REPORT_H
#define CONVZOO_REPORT_H

#include "metrics.h"
#include "model.h"

typedef struct Report    Report;
typedef struct ReportRun ReportRun;

enum { REPORT_RUNS = 16 };      /* at most */

typedef void ReportTell(void *context, const char *text);

Report *report_new(void);
void    report_free(Report *report);

/* Takes in what the folder holds: args.json, log.jsonl, health.jsonl, activity.jsonl, suspects.csv. name: how the page calls the run. Each note also goes to
 * `tell`. The run is the report's. */
ReportRun *report_run(Report *report, const char *name, const char *folder, ReportTell *tell, void *context);
/* Whether the folder held anything of a run. */
bool       report_run_found(const ReportRun *run);
/* Says in the page, and to `tell`, what is not in it and why. */
void       report_note(ReportRun *run, const char *text);

/* The network: its numbers, and its layers with their shares of the time, measured on a few batches. file: its checkpoint. */
void report_model(ReportRun *run, const Model *model, const char *file);

/* The training images that the folder's list of suspects has for this page: how many, and their pictures. data: what the run was trained on, opened with its
 * --limit; where labels are not those of the list, that is a note. */
int        report_suspect_count(const ReportRun *run);
uint32_t   report_limit(const ReportRun *run);
void       report_suspects(ReportRun *run, const Dataset *data);

/* What the network says of the data. pictures: images shown at most for each cell of the confusion matrix; those of all runs together take
 * up to REPORT_PICTURE_BYTES, cells with many images first. */
void report_results(ReportRun *run, const Model *model, const Dataset *data, const Outputs *outputs, int pictures);

enum { REPORT_PICTURE_BYTES = 3400 * 1000 };

/* The page's text, to be freed by the caller. */
char *report_page(const Report *report);
/* Replaces the file as a whole. EXIT_write: it cannot be written. */
bool  report_save(const Report *report, const char *path, Error *error);

#endif
