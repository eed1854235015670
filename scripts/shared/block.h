/* block.h - where a run stands, as a few lines at the bottom of a terminal that are drawn over and over.
 *
 *   epoch 3/30 [############............] 200/400
 *   loss 1.2346  top1 54.32%  lr 0.031  1234 img/s  310 GFLOP/s
 *   ▇▆▅▅▄▃▃▂▂▁▁  epoch 0:12, run 1:02:03 left
 *
 * No line is as wide as the terminal: what does not fit is left out, the least needed first. */

#ifndef CONVZOO_BLOCK_H
#define CONVZOO_BLOCK_H

#include "trainer.h"

enum { BLOCK_LINES = 3, BLOCK_LINE = 512, CURVE_CELLS = 64, BLOCK_LEAST_COLUMNS = 24 };

/* The run's losses, a mean a cell: when all are full, two become one. {0} is empty. */
typedef struct LossCurve {
    double   cells[CURVE_CELLS];
    int      count;                  /* full ones */
    uint64_t span;                   /* steps a cell; 0: 1 */
    double   sum;                    /* of the one that fills */
    uint64_t steps;
} LossCurve;

void curve_add(LossCurve *curve, double loss);

/* The last `cells` of it, from the smallest to the largest loss in eight heights; without unicode in letters. text: 3 a cell, and a NUL.
 * Returns how many there are. */
int curve_write(const LossCurve *curve, int cells, bool unicode, char *text);

/* Lines without their ends. columns: BLOCK_LEAST_COLUMNS or more. */
void block_write(const TrainerStep *step, const LossCurve *curve, int columns, bool unicode, char lines[BLOCK_LINES][BLOCK_LINE]);

#endif
