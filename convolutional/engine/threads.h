/* threads.h - how many threads a parallel region really has.
 *
 * omp_get_max_threads() is what a program asks for. OMP_THREAD_LIMIT, OMP_MAX_ACTIVE_LEVELS, OMP_DYNAMIC and a parallel
 * region around the call each make the team smaller. oneDNN plans for omp_get_max_threads() threads, and some of its kernels
 * wait in a barrier for all of them: a smaller team would wait for ever. */

#ifndef CONVZOO_THREADS_H
#define CONVZOO_THREADS_H

/* Makes the two numbers equal for the calling thread: turns dynamic teams off, asks for `wanted` threads (0: as many as
 * OpenMP is set to), counts those that came, and sets OpenMP to that number. Returns it, at least 1. */
int threads_settle(int wanted);

#endif
