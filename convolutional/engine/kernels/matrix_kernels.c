/* matrix_kernels.c - the product of two matrices that lie row after row, for Muon's iteration.
 *
 * A strip of b, DEPTH rows of two vectors, is packed and then met by all rows of a, as many at a time as the registers hold
 * sums for. */

#include "isa.h"

#include <string.h>

enum {
    DEPTH = 256,                           /* rows of a packed strip: 32 KB at most, the first-level cache */
    WIDTH = 2 * VECTOR,
    ROWS = VECTOR == 16 ? 12 : 6,
    BAND = 8 * ROWS                        /* rows of a that a strip is packed for */
};

static inline size_t at_most(size_t a, size_t b) { return a < b ? a : b; }

/* strip[depth][WIDTH] from b; columns beyond its last are 0. */
static void pack(size_t depth, size_t width, const float *b, size_t stride, float *strip)
{
    for (size_t k = 0; k < depth; k++, b += stride, strip += WIDTH) {
        memcpy(strip, b, width * sizeof *strip);
        memset(strip + width, 0, (WIDTH - width) * sizeof *strip);
    }
}

/* sums[ROWS][WIDTH] = a[rows][depth] strip[depth][WIDTH]; rows beyond the last repeat it. */
static void tile(size_t rows, size_t depth, const float *a, size_t stride, const float *strip, float *sums)
{
    Vector left[ROWS], right[ROWS];
    const float *row[ROWS];
    #pragma GCC unroll 12
    for (size_t r = 0; r < ROWS; r++) {
        left[r] = right[r] = (Vector){ 0 };
        row[r] = a + at_most(r, rows - 1) * stride;
    }
    for (size_t k = 0; k < depth; k++, strip += WIDTH) {
        const Vector first = vector_load(strip), second = vector_load(strip + VECTOR);
        #pragma GCC unroll 12
        for (size_t r = 0; r < ROWS; r++) {
            const Vector value = vector_all(row[r][k]);
            left[r] += value * first;
            right[r] += value * second;
        }
    }
    #pragma GCC unroll 12
    for (size_t r = 0; r < ROWS; r++) {
        vector_store(sums + r * WIDTH, left[r]);
        vector_store(sums + r * WIDTH + VECTOR, right[r]);
    }
}

/* c[rows][width] = a[rows][depth] b[depth][width], width up to WIDTH, for rows `stride` of each matrix apart. */
static void band(size_t rows, size_t width, size_t depth, const float *a, const float *b, float *c, size_t columns)
{
    float strip[DEPTH * WIDTH], sums[ROWS * WIDTH];
    for (size_t from = 0; from < depth; from += DEPTH) {
        const size_t deep = at_most(DEPTH, depth - from);
        pack(deep, width, b + from * columns, columns, strip);
        for (size_t first = 0; first < rows; first += ROWS) {
            const size_t high = at_most(ROWS, rows - first);
            tile(high, deep, a + first * depth + from, depth, strip, sums);
            for (size_t r = 0; r < high; r++)
                for (size_t j = 0; j < width; j++) {
                    float *to = &c[(first + r) * columns + j];
                    *to = from ? *to + sums[r * WIDTH + j] : sums[r * WIDTH + j];
                }
        }
    }
}

void KERNEL(kernel_matrix_product)(size_t rows, size_t columns, size_t depth, const float *a, const float *b, float *c)
{
    const size_t across = (columns + WIDTH - 1) / WIDTH, down = (rows + BAND - 1) / BAND;
    #pragma omp parallel for schedule(static)
    for (size_t task = 0; task < across * down; task++) {
        const size_t column = task % across * WIDTH, row = task / across * BAND;
        band(at_most(BAND, rows - row), at_most(WIDTH, columns - column), depth, a + row * depth, b + column,
             c + row * columns + column, columns);
    }
}
