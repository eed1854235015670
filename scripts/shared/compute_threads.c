/* compute_threads.c - see compute_threads.h. */

#include "compute_threads.h"

#include "errors.h"
#include "threads.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Some microseconds: longer than the gap between two kernels, far shorter than a scheduler's time slice. docs/busy-machine.md
 * has the measurements. */
static const char SPIN_COUNT[] = "1000";

void compute_threads_bound_wait(char **argv)
{
    char path[4096];
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY"))
        return;
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    if (length <= 0 || length == (ssize_t)sizeof path || setenv("GOMP_SPINCOUNT", SPIN_COUNT, 1) != 0)
        return;
    path[length] = '\0';
    execv(path, argv);
    unsetenv("GOMP_SPINCOUNT");      /* not started again: the program runs as it is */
}

int compute_threads_settle(int64_t wanted)
{
    const int asked = wanted > 0 ? (int)wanted : omp_get_max_threads(), cores = omp_get_num_procs();
    if (asked > cores)
        fprintf(stderr, "%s: warning: %d threads on %d cores: slower than --threads %d\n", program_name(), asked, cores, cores);
    const int threads = threads_settle(asked);
    if (threads < asked)
        fprintf(stderr, "%s: warning: only %d of %d threads: OMP_THREAD_LIMIT or OMP_MAX_ACTIVE_LEVELS allows no more\n",
                program_name(), threads, asked);
    return threads;
}
