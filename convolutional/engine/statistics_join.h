/* statistics_join.h - batch norm over the images of several processes: what each has summed over its own becomes the sum over all. */

#ifndef CONVZOO_STATISTICS_JOIN_H
#define CONVZOO_STATISTICS_JOIN_H

#include <stddef.h>

typedef struct StatisticsJoin {
    int    processes;                                                /* each with as many images */
    void (*sum)(void *context, double *numbers, size_t count);       /* called by all of them, at the same kernels */
    void  *context;
} StatisticsJoin;

#endif
