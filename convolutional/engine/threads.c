/* threads.c - see threads.h. */

#include "threads.h"

#include <omp.h>

int threads_settle(int wanted)
{
    int threads = 1;
    omp_set_dynamic(0);
    #pragma omp parallel num_threads(wanted > 0 ? wanted : omp_get_max_threads())
    {
        #pragma omp master
        threads = omp_get_num_threads();
    }
    omp_set_num_threads(threads);
    return threads;
}
