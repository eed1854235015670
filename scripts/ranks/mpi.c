/* mpi.c - ranks over MPI, any of them; see ranks_module.h.
 *
 * Spreading and collecting have a communicator each: on one, MPI wants non-blocking calls in the same order everywhere, and which of
 * the two comes first differs from rank to rank. */

#include "ranks_module.h"

#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A call that is under way, and the sizes that MPI reads until it is done. */
typedef struct Request {
    MPI_Request mpi;
    bool        busy;
    int        *counts, *places, *receive_counts, *receive_places;      /* one a rank */
} Request;

typedef struct Job {
    MPI_Comm     all, spreading, collecting;
    int          rank, count;
    Request     *requests;
    int          request_count;
    RanksFailed *failed;
} Job;

static Job job;

/* Every status goes through here. */
static void check(int status, const char *call)
{
    char text[MPI_MAX_ERROR_STRING], line[MPI_MAX_ERROR_STRING + 64];
    int length = 0;
    if (status == MPI_SUCCESS)
        return;
    MPI_Error_string(status, text, &length);
    snprintf(line, sizeof line, "%s: %.*s", call, length, text);
    job.failed(line);
}

static int *numbers(int count)
{
    int *memory = calloc((size_t)count, sizeof *memory);
    if (!memory)
        job.failed("no memory for messages");
    return memory;
}

/* A request that is free: after the first steps there is always one. */
static int request_new(void)
{
    int i = 0;
    while (i < job.request_count && job.requests[i].busy)
        i++;
    if (i == job.request_count) {
        Request *more = realloc(job.requests, (size_t)(i + 1) * sizeof *more);
        if (!more)
            job.failed("no memory for messages");
        job.requests = more;
        job.requests[i] = (Request){ .counts = numbers(job.count), .places = numbers(job.count), .receive_counts = numbers(job.count),
                                     .receive_places = numbers(job.count) };
        job.request_count++;
    }
    job.requests[i].busy = true;
    return i;
}

static int as_int(size_t bytes)
{
    if (bytes > INT_MAX)
        job.failed("a message of more than 2 GiB");
    return (int)bytes;
}

/* Where each rank's part lies in a block, in bytes. */
static void fill(Request *request, const size_t *starts, size_t bytes)
{
    for (int r = 0; r < job.count; r++) {
        request->counts[r] = as_int((starts[r + 1] - starts[r]) * bytes);
        request->places[r] = as_int(starts[r] * bytes);
    }
}

static void mpi_broadcast(void *state, void *data, size_t bytes)
{
    (void)state;
    enum { MOST = 1 << 30 };
    for (char *at = data; bytes > 0;) {
        const size_t part = bytes < MOST ? bytes : MOST;
        check(MPI_Bcast(at, (int)part, MPI_BYTE, 0, job.all), "MPI_Bcast");
        at += part;
        bytes -= part;
    }
}

static void mpi_gather(void *state, const void *own, size_t bytes, void *all)
{
    (void)state;
    check(MPI_Allgather(own, as_int(bytes), MPI_BYTE, all, as_int(bytes), MPI_BYTE, job.all), "MPI_Allgather");
}

static int mpi_spread(void *state, const void *block, const size_t *starts, size_t bytes, void *received)
{
    (void)state;
    const int number = request_new();
    Request *request = &job.requests[number];
    const int own = as_int((starts[job.rank + 1] - starts[job.rank]) * bytes);
    fill(request, starts, bytes);
    for (int r = 0; r < job.count; r++) {
        request->receive_counts[r] = own;
        request->receive_places[r] = as_int((size_t)r * (size_t)own);
    }
    check(MPI_Ialltoallv(block, request->counts, request->places, MPI_BYTE, received, request->receive_counts, request->receive_places,
                         MPI_BYTE, job.spreading, &request->mpi), "MPI_Ialltoallv");
    return number;
}

static int mpi_collect(void *state, void *block, const size_t *starts, size_t bytes)
{
    (void)state;
    const int number = request_new();
    Request *request = &job.requests[number];
    fill(request, starts, bytes);
    check(MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_BYTE, block, request->counts, request->places, MPI_BYTE, job.collecting, &request->mpi),
          "MPI_Iallgatherv");
    return number;
}

static bool mpi_done(void *state, int number)
{
    (void)state;
    int done = 0;
    Request *request = &job.requests[number];
    check(MPI_Test(&request->mpi, &done, MPI_STATUS_IGNORE), "MPI_Test");
    request->busy = !done;
    return done;
}

static const RankTransport transport = {
    .broadcast = mpi_broadcast, .gather = mpi_gather, .spread = mpi_spread, .collect = mpi_collect, .done = mpi_done,
};

static MPI_Comm communicator(void)
{
    MPI_Comm own;
    check(MPI_Comm_dup(MPI_COMM_WORLD, &own), "MPI_Comm_dup");
    check(MPI_Comm_set_errhandler(own, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    return own;
}

static bool mpi_open(Ranks *ranks, RanksFailed *failed, char *text, size_t size)
{
    int provided;
    job.failed = failed;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS || provided < MPI_THREAD_FUNNELED) {
        snprintf(text, size, "MPI_Init_thread gives level %d, not %d", provided, MPI_THREAD_FUNNELED);
        return false;
    }
    check(MPI_Comm_rank(MPI_COMM_WORLD, &job.rank), "MPI_Comm_rank");
    check(MPI_Comm_size(MPI_COMM_WORLD, &job.count), "MPI_Comm_size");
    job.all = communicator();
    job.spreading = communicator();
    job.collecting = communicator();
    *ranks = (Ranks){ .rank = job.rank, .count = job.count, .transport = &transport };
    return true;
}

static void mpi_close(void)
{
    for (int i = 0; i < job.request_count; i++) {
        free(job.requests[i].counts);
        free(job.requests[i].places);
        free(job.requests[i].receive_counts);
        free(job.requests[i].receive_places);
    }
    free(job.requests);
    check(MPI_Comm_free(&job.all), "MPI_Comm_free");
    check(MPI_Comm_free(&job.spreading), "MPI_Comm_free");
    check(MPI_Comm_free(&job.collecting), "MPI_Comm_free");
    MPI_Finalize();
}

const RanksModule *convzoo_ranks_module(void)
{
    static const RanksModule module = { .open = mpi_open, .close = mpi_close };
    return &module;
}
