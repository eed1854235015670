/* rank_placement.c - see rank_placement.h. */

#define _GNU_SOURCE
#include "rank_placement.h"

#include "compute_threads.h"
#include "errors.h"
#include "host.h"
#include "text.h"
#include "threads.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MOST = 16 };      /* ranks that are listed one by one */

typedef struct Place {
    char      host[64];
    cpu_set_t cores;
    int       threads;
} Place;

static Place own_place(void)
{
    Place place = { 0 };
    host_name(place.host, sizeof place.host);
    if (sched_getaffinity(0, sizeof place.cores, &place.cores) != 0)
        CPU_ZERO(&place.cores);
    return place;
}

static bool share_cores(const Place *a, const Place *b)
{
    cpu_set_t both;
    CPU_AND(&both, &a->cores, &b->cores);
    return !strcmp(a->host, b->host) && CPU_COUNT(&both) > 0;
}

/* Ranks that may run on one of the cores of this one, itself included. */
static int sharers(const Place *places, int count, int rank)
{
    int number = 0;
    for (int r = 0; r < count; r++)
        number += r == rank || share_cores(&places[r], &places[rank]);
    return number;
}

/* "0-3,8": the cores as taskset writes them. */
static const char *cores_text(const cpu_set_t *cores, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (int first = 0; first < CPU_SETSIZE && at < size; first++) {
        int last = first;
        if (!CPU_ISSET(first, cores))
            continue;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cores))
            last++;
        at += (size_t)snprintf(text + at, size - at, last > first ? "%s%d-%d" : "%s%d", at ? "," : "", first, last);
        first = last;
    }
    return text;
}

static void print_places(const Place *places, int count)
{
    char cores[128];
    for (int r = 0; r < count && r < LINES_MOST; r++)
        fprintf(stderr, "rank %d on %s: cores %s, %d thread%s\n", r, places[r].host, cores_text(&places[r].cores, cores, sizeof cores),
                places[r].threads, places[r].threads == 1 ? "" : "s");
    if (count > LINES_MOST)
        fprintf(stderr, "and %d more ranks\n", count - LINES_MOST);
}

/* The threads of all ranks that share a core with this one, and the cores that these have. */
static void crowd(const Place *places, int count, int rank, int *threads, int *cores)
{
    cpu_set_t all;
    CPU_ZERO(&all);
    *threads = 0;
    for (int r = 0; r < count; r++)
        if (r == rank || share_cores(&places[r], &places[rank])) {
            CPU_OR(&all, &all, &places[r].cores);
            *threads += places[r].threads;
        }
    *cores = CPU_COUNT(&all);
}

static void warn_of_crowds(const Place *places, int count)
{
    for (int r = 0; r < count; r++) {
        int threads, cores;
        const int ranks = sharers(places, count, r);
        crowd(places, count, r, &threads, &cores);
        if (threads <= cores)
            continue;
        const int each = cores / ranks;
        if (each > 0)
            fprintf(stderr, "%s: warning: %d ranks on %s compute with %d threads on %d cores: slow: leave --threads out, or start them with "
                    "mpirun --map-by slot:PE=%d --bind-to core (Open MPI), mpirun -bind-to core:%d (MPICH)\n", program_name(), ranks,
                    places[r].host, threads, cores, each, each);
        else
            fprintf(stderr, "%s: warning: %d ranks on the %d core%s of %s: slow: use %d\n", program_name(), ranks, cores, cores == 1 ? "" : "s",
                    places[r].host, cores);
        return;
    }
}

int rank_placement_settle(Ranks *ranks, int64_t wanted, bool quiet)
{
    const int count = ranks_count(ranks);
    Place own = own_place(), *places = allocate((size_t)count, sizeof *places, "places of ranks");
    ranks_gather(ranks, &own, sizeof own, places);
    const int share = CPU_COUNT(&own.cores) / sharers(places, count, ranks_rank(ranks));
    const int64_t asked = wanted > 0 ? wanted : share > 0 ? share : 1;
    own.threads = ranks_first(ranks) ? compute_threads_settle(asked) : threads_settle((int)asked);      /* one of them warns */
    ranks_gather(ranks, &own, sizeof own, places);
    int threads, cores;
    crowd(places, count, ranks_rank(ranks), &threads, &cores);
    ranks->crowded = threads > cores;
    if (ranks_first(ranks) && !quiet)
        print_places(places, count);
    if (ranks_first(ranks))
        warn_of_crowds(places, count);
    free(places);
    return own.threads;
}
