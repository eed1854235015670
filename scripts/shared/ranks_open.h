/* ranks_open.h - the processes that mpirun started, as ranks. */

#ifndef CONVZOO_RANKS_OPEN_H
#define CONVZOO_RANKS_OPEN_H

#include "errors.h"
#include "ranks.h"

/* The rank that the starter says this process has, before anything is opened; 0 without one. */
int ranks_announced(void);

/* Joins the other processes, if this one is one of several. *ranks is NULL for a process alone, and else valid until ranks_close.
 * False and a line if the library for this MPI is missing, or does not start. */
bool ranks_open(const Ranks **ranks, Error *error);

/* Leaves them; all do. NULL: nothing. */
void ranks_close(const Ranks *ranks);

#endif
