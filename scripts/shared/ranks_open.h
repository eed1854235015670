/* ranks_open.h - the processes that mpirun started, as ranks. */

#ifndef CONVZOO_RANKS_OPEN_H
#define CONVZOO_RANKS_OPEN_H

#include "errors.h"
#include "ranks.h"

/* The rank that the starter says this process has, before anything is opened; 0 without one. */
int ranks_announced(void);

/* The first call of a program that runs as ranks. An error of any of them is printed once, by rank 0, also one from before ranks_open: all
 * ranks must then come to ranks_open, or have an error as well. */
void ranks_expect(void);

/* Takes it back: this process does its work alone. */
void ranks_alone(void);

/* Joins the other processes, if this one is one of several, and watches that all of them get on (rank_watch.h). *ranks is NULL for a
 * process alone, and else valid until ranks_close. hang_seconds: without progress, after which a rank is lost; 0: never. False and a line if the
 * library for this MPI is missing, a rank does not come, or one cannot begin; to be closed in any case. */
bool ranks_open(Ranks **ranks, double hang_seconds, Error *error);

/* Of a rank beside the first: what it prints is not seen. */
bool ranks_print_nothing(Error *error);

/* Leaves them, when all have come here: from now on an error is printed at once, by rank 0 alone. NULL: nothing. */
void ranks_leave(Ranks *ranks);
/* The last call, when all is printed. code: what the process ends with, should MPI not come to its end. */
void ranks_close(int code);

#endif
