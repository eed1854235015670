/* tiny_run.h - training runs of a second, and what their reports saw. */

#ifndef CONVZOO_TINY_RUN_H
#define CONVZOO_TINY_RUN_H

#include <signal.h>

#include "trainer.h"

/* 180 images of 16 x 16 pixels in batches of 32: five steps an epoch and twenty images left over; 3 epochs. */
enum { SIDE = 16, BATCHES = 5, EPOCHS = 3, STEPS = BATCHES * EPOCHS };

/* What a report saw. */
typedef struct Seen {
    char     notes[8192];
    uint64_t steps, epochs;
    double   train_top1;                  /* of the last epoch */
    uint64_t stop_at;                     /* raise `stop` in this step; 0: never */
    volatile sig_atomic_t stop;
} Seen;

/* Options for such a run, told to `seen`. */
TrainerOptions tiny_options(const char *arch, const char *folder, Seen *seen);
/* Opens, runs and closes; the exit code. */
int  tiny_train(const TrainerOptions *options, Error *error);
/* The whole run, as a test of itself. */
void tiny_run_whole(const char *arch, const char *folder);

void tiny_expect_code(int code, int expected, const Error *error, const char *name);
/* The file has the same bytes in both folders. */
void tiny_expect_same(const char *a, const char *b, const char *file);
int  tiny_lines(const char *folder, const char *file);
bool tiny_has(const char *folder, const char *file);

#endif
