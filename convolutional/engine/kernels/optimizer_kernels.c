/* optimizer_kernels.c - loops over flat blocks of parameters and gradients. */

#include "integers.h"
#include "isa.h"

enum { PARTS = 256, LANES = 16 };

/* The sum of squares of one part, in LANES sums that are added in order. */
static double part_sum_of_squares(size_t count, const float *x)
{
    double lanes[LANES] = {0};
    const size_t whole = count - count % LANES;
    for (size_t i = 0; i < whole; i += LANES)
        #pragma omp simd
        for (size_t lane = 0; lane < LANES; lane++)
            lanes[lane] += (double)x[i + lane] * (double)x[i + lane];
    for (size_t i = whole; i < count; i++)
        lanes[i - whole] += (double)x[i] * (double)x[i];

    double sum = 0.0;
    for (size_t lane = 0; lane < LANES; lane++)
        sum += lanes[lane];
    return sum;
}

double KERNEL(kernel_sum_of_squares)(size_t count, const float *x)
{
    /* How the elements are parted depends on their number alone. */
    const size_t size = (count / PARTS + LANES) / LANES * LANES;
    double parts[PARTS];
    #pragma omp parallel for schedule(static)
    for (size_t part = 0; part < PARTS; part++) {
        const size_t from = size_min(part * size, count);
        parts[part] = part_sum_of_squares(size_min(size, count - from), x + from);
    }

    double sum = 0.0;
    for (size_t part = 0; part < PARTS; part++)
        sum += parts[part];
    return sum;
}
