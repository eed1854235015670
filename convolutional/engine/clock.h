/* clock.h - how long things take. */

#ifndef CONVZOO_CLOCK_H
#define CONVZOO_CLOCK_H

#include <time.h>

/* Seconds on a clock that is never set back. */
static inline double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
