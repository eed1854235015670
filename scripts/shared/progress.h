/* progress.h - a run as a person sees it, on stderr: notes, a block, a bar or lines, and a line an epoch. */

#ifndef CONVZOO_PROGRESS_H
#define CONVZOO_PROGRESS_H

#include "block.h"

typedef enum { PROGRESS_block, PROGRESS_bar, PROGRESS_lines, PROGRESS_none } ProgressKind;

typedef struct Progress {
    ProgressKind kind;
    bool     quiet;            /* warnings only */
    uint64_t interval;         /* lines: steps between them */
    double   shown;            /* block and bar: when it was drawn last */
    bool     unicode;
    LossCurve curve;
} Progress;

/* name: "auto" or "block" (a block), "bar", "lines" or "none", which is quiet. What is no terminal gets lines instead of a block or a bar. While
 * the program is suspended what it drew is not on the screen; call it once. */
Progress progress_new(const char *name, bool quiet, uint64_t interval);

/* A report that draws; progress must outlive it. */
TrainerReport progress_report(Progress *progress);

/* Takes what is drawn off the screen, before something else is printed. */
void progress_clear(Progress *progress);

#endif
