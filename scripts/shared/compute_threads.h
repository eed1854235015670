/* compute_threads.h - the threads that a program computes with: how many, and how they wait for each other. */

#ifndef CONVZOO_COMPUTE_THREADS_H
#define CONVZOO_COMPUTE_THREADS_H

#include <stdint.h>

/* The first call of a main that computes, with its argv. By default OpenMP's threads spin for milliseconds when they wait. Where another
 * program has the core of the thread that they wait for, they then take the time that it needs. This call bounds the
 * wait: it sets GOMP_SPINCOUNT and starts the program again, because libgomp reads its settings before main.
 * It does nothing if the user has set GOMP_SPINCOUNT or OMP_WAIT_POLICY. */
void compute_threads_bound_wait(char **argv);

/* --threads: sets OpenMP's number, which oneDNN uses too. 0: all cores. Warns where there are fewer cores, or where OpenMP
 * gives fewer threads than wanted. Returns the number that a parallel region has. */
int compute_threads_settle(int64_t wanted);

#endif
