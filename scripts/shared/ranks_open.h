/* ranks_open.h - the processes that mpirun started, as ranks. */

#ifndef CONVZOO_RANKS_OPEN_H
#define CONVZOO_RANKS_OPEN_H

#include "errors.h"
#include "ranks.h"

/* The rank that the starter says this process has, before anything is opened; 0 without one. */
int ranks_announced(void);

/* The first call of a program that runs as ranks: of those that are not the first, errors are not printed. */
void ranks_expect(void);

/* Joins the other processes, if this one is one of several, and watches that all of them get on (rank_watch.h). *ranks is NULL for a
 * process alone, and else valid until ranks_close. hang_seconds: without progress, after which a rank is lost; 0: never. False and a line if the
 * library for this MPI is missing, or a rank does not come. */
bool ranks_open(Ranks **ranks, double hang_seconds, Error *error);

/* Leaves them, when all have come here. NULL: nothing. */
void ranks_close(Ranks *ranks);

#endif
