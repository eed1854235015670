/* slices.h - a batch cut into equal parts, whose gradients are computed one by one and summed.
 *
 *   ranks       each has an equal number of the parts, next to each other
 *   statistics  batch norm's are those of each part, or joined between ranks at every layer (BN_SYNC); the running ones become the mean
 *               of what the parts make of them
 *   bits        with the same parts, they are the same for 1, 2, 4 ... ranks, if each has a power of two of them (tree_sum.h)
 *
 * One part and one rank: a batch is computed as a whole, in the network's own blocks. */

#ifndef CONVZOO_SLICES_H
#define CONVZOO_SLICES_H

#include "exchange.h"
#include "loader.h"
#include "loss.h"
#include "parameters.h"

typedef struct Trainer Trainer;

enum { SLICES_LANES = 16 };

#define BN_SYNC (-1)      /* a group for batch norm: all of a batch */

typedef struct Slices {
    LoaderShare share;           /* of the parts of a batch, which are this rank's; the same in validation */
    int         samples;         /* of a part */
    int         lanes;           /* parts that are computed at the same time, by one thread each, so that no sum depends on how many threads there
                                    are; 0: one after another, by all threads */
    PartWord   *words;           /* one a part */
    /* Only where this rank has several parts: a block of each for each, */
    float     **gradients, **statistics;
    Exchange   *exchange;        /* only where there are several ranks */
    StatisticsJoin join;         /* with BN_SYNC, */
    double     *joined;          /* and what ranks have sent it */
} Slices;

/* Decides the parts for the batch that the options ask for, which becomes a multiple of them; false and a line if there are not enough images for
 * that. Before the network is built. */
bool slices_settle(Trainer *trainer, Error *error);
/* After the first program is compiled. Ranks measure their exchange: called by all of them. */
void slices_open(Trainer *trainer);
void slices_close(Trainer *trainer);
/* The trainer's program is another one; NULL while there is none. */
void slices_follow(Trainer *trainer);

/* Forward, loss and backward of this rank's parts, and the sum over all ranks': gradients, statistics and words are the batch's.
 * A rank alone stops where a part's loss is not finite. */
void slices_gradients(Trainer *trainer, const Batch *batch);
/* Forward alone, for the statistics. key: of its random numbers, one a batch. */
void slices_statistics(Trainer *trainer, const Batch *batch, uint64_t key);

#endif
