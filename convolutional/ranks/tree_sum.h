/* tree_sum.h - sums of several blocks of numbers in an order that is fixed: neighbours first, then pairs of them, and so on.
 *
 *   ((b0 + b1) + (b2 + b3)) + ((b4 + b5) + ...)
 *
 * The sum of neighbours may be made elsewhere, in the same order, as long as their number is a power of two: the bits are the same
 * wherever which part of the tree was summed, and for any number of threads. */

#ifndef CONVZOO_TREE_SUM_H
#define CONVZOO_TREE_SUM_H

#include <stddef.h>

/* sum[i] = scale x the sum of block[0][i] .. block[blocks - 1][i], for `count` floats. The blocks are used up. sum may be block[0]. */
void tree_sum(int blocks, float *const *block, size_t count, float scale, float *sum);

#endif
