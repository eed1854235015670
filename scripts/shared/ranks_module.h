/* ranks_module.h - what a library that speaks MPI offers to the programs.
 *
 * A program is built with no MPI in it: there are several, whose libraries do not mix. For each that was found there is one small library
 * beside the programs, made of scripts/ranks/mpi.c, and the one that started the processes is loaded (ranks_open.h). */

#ifndef CONVZOO_RANKS_MODULE_H
#define CONVZOO_RANKS_MODULE_H

#include "ranks.h"

/* Called where MPI reports an error: does not return. */
typedef void RanksFailed(const char *what);

typedef struct RanksModule {
    /* Joins the job: rank, count, transport and state. False and a text. */
    bool (*open)(Ranks *ranks, RanksFailed *failed, char *text, size_t size);
    /* Waits until all ranks leave. */
    void (*close)(void);
} RanksModule;

/* The one name that such a library exports, of a function that returns its RanksModule. */
#define RANKS_MODULE_ENTRY "convzoo_ranks_module"
const RanksModule *convzoo_ranks_module(void);

#endif
