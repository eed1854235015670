/* stage_sizes.h - the sizes of training images over a run, as text and by epoch.
 *
 * "16:2,24:2,32": two epochs at 16 x 16, two at 24 x 24, and the rest at 32 x 32. "50%:45%,75%:35%": images of half the side for 45% of the run,
 * of three quarters for 35%, and of the full side for the rest. */

#ifndef CONVZOO_STAGE_SIZES_H
#define CONVZOO_STAGE_SIZES_H

#include "errors.h"

#include <stdint.h>

enum { STAGES_MOST = 8, STAGES_TEXT = 128 };

typedef struct StageSize {
    int  side, length;                      /* pixels and epochs. length 0: the last size, for the rest */
    bool side_percent, length_percent;      /* not so: percent of the full side, and of the run */
} StageSize;

/* All zero: images have their full size in every epoch. */
typedef struct StageSizes {
    int       count;
    StageSize of[STAGES_MOST];      /* where the last one has a length, the rest of the run has the full size */
} StageSizes;

/* False and a line, a user's, if the text is no list of sizes; sizes are untouched then. "" is none. */
bool        stage_sizes_parse(const char *text, StageSizes *sizes, Error *error);
const char *stage_sizes_text(const StageSizes *sizes, char *text, size_t size);      /* "" for none; returns text */
/* Whether no size is for a number of epochs, so that the sizes suit a run of any length. */
bool        stage_sizes_are_shares(const StageSizes *sizes);

/* Pixels a side where the full size has `full` and the network takes no fewer than `least`. */
int stage_side(StageSize size, int full, int least);
/* How many of the run's epochs, which are `epochs`, come before the end of size `index`. A share is rounded down to whole epochs, so that short
 * runs have full images. The last size, and index `count`, end with the run. */
uint32_t stage_sizes_end(const StageSizes *sizes, int index, uint32_t epochs);
/* The size of epoch `epoch`, counted from 0; `count` for the full size. */
int stage_sizes_at(const StageSizes *sizes, uint32_t epoch, uint32_t epochs);

#endif
