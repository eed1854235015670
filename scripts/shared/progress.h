/* progress.h - a run as a person sees it, on stderr: notes, a bar or lines, and a line an epoch. */

#ifndef CONVZOO_PROGRESS_H
#define CONVZOO_PROGRESS_H

#include "trainer.h"

typedef enum { PROGRESS_bar, PROGRESS_lines, PROGRESS_none } ProgressKind;

typedef struct Progress {
    ProgressKind kind;
    bool     quiet;            /* warnings only */
    uint64_t interval;         /* lines: steps between them */
    double   shown;            /* bar: when it was drawn last */
    bool     drawn;            /* bar: it stands on the cursor's line */
} Progress;

/* name: "auto" (a bar on a terminal, else lines), "bar", "lines" or "none", which is quiet. */
Progress progress_new(const char *name, bool quiet, uint64_t interval);

/* A report that draws; progress must outlive it. */
TrainerReport progress_report(Progress *progress);

/* Ends the bar's line, before something else is printed. */
void progress_clear(Progress *progress);

#endif
