/* rank_placement.h - which cores each rank has, and how many threads it computes with. */

#ifndef CONVZOO_RANK_PLACEMENT_H
#define CONVZOO_RANK_PLACEMENT_H

#include <stdint.h>

#include "ranks.h"

/* wanted: --threads, of a rank; 0: all its cores, or its share of those that ranks of one machine have in common. Called by all ranks. Rank 0
 * prints, unless `quiet`, a line a rank, and where ranks have more threads than cores a warning with a command that mends it. Notes whether
 * ranks->crowded. Returns the number of threads. */
int rank_placement_settle(Ranks *ranks, int64_t wanted, bool quiet);

#endif
