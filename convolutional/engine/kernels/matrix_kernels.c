/* matrix_kernels.c - the product of two matrices that lie row after row, for Muon's iteration.
 *
 * A strip of b, DEPTH rows of two vectors, is packed and then met by all rows of a, as many at a time as the registers hold
 * sums for. */

#include "integers.h"
#include "isa.h"

#include <string.h>

enum {
    DEPTH = 256,                           /* rows of a packed strip: 32 KB at most, the first-level cache */
    WIDTH = 2 * VECTOR,
    ROWS = VECTOR == 16 ? 12 : 6,
    BAND = 8 * ROWS                        /* rows of a that a strip is packed for */
};

/* The right side of a product. */
typedef struct Right {
    const float *values;
    size_t       stride;
    bool         turned;      /* what is read as its columns lies as rows */
} Right;

static void pack_turned(const Right *b, size_t from, size_t column, size_t depth, size_t width, float *strip)
{
    for (size_t j = 0; j < width; j++) {
        const float *row = b->values + (column + j) * b->stride + from;
        for (size_t k = 0; k < depth; k++)
            strip[k * WIDTH + j] = row[k];
    }
}

/* strip[depth][WIDTH] from row `from` and column `column` on; columns beyond the last are 0. */
static void pack(const Right *b, size_t from, size_t column, size_t depth, size_t width, float *strip)
{
    if (width < WIDTH)
        memset(strip, 0, depth * WIDTH * sizeof *strip);
    if (b->turned) {
        pack_turned(b, from, column, depth, width, strip);
        return;
    }
    for (size_t k = 0; k < depth; k++, strip += WIDTH) {
        const float *row = b->values + (from + k) * b->stride + column;
        if (width == WIDTH) {      /* in registers: copies of a length that is not known take longer to begin */
            vector_store(strip, vector_load(row));
            vector_store(strip + VECTOR, vector_load(row + VECTOR));
        } else
            memcpy(strip, row, width * sizeof *strip);
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
        row[r] = a + size_min(r, rows - 1) * stride;
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

/* A part of c = a b: rows of the band that begins at `row`, columns of the strip that begins at `column`. */
typedef struct Product {
    size_t       rows, columns, depth;
    const float *a;
    Right        b;
    float       *c;
} Product;

/* rows: no more than BAND, no more than there are. */
static void band(const Product *p, size_t row, size_t rows, size_t column)
{
    float strip[DEPTH * WIDTH], sums[ROWS * WIDTH];
    const size_t last = row + rows, width = size_min(WIDTH, p->columns - column);
    for (size_t from = 0; from < p->depth; from += DEPTH) {
        const size_t deep = size_min(DEPTH, p->depth - from);
        pack(&p->b, from, column, deep, width, strip);
        for (size_t first = row; first < last; first += ROWS) {
            const size_t high = size_min(ROWS, last - first);
            tile(high, deep, p->a + first * p->depth + from, p->depth, strip, sums);
            for (size_t r = 0; r < high; r++)
                for (size_t j = 0; j < width; j++) {
                    float *to = &p->c[(first + r) * p->columns + column + j];
                    *to = from ? *to + sums[r * WIDTH + j] : sums[r * WIDTH + j];
                }
        }
    }
}

void KERNEL(kernel_matrix_product)(size_t rows, size_t columns, size_t depth, const float *a, const float *b, float *c)
{
    const Product p = { rows, columns, depth, a, { b, columns, false }, c };
    const size_t across = size_divide_up(columns, WIDTH), down = size_divide_up(rows, BAND);
    #pragma omp parallel for schedule(static)
    for (size_t task = 0; task < across * down; task++) {
        const size_t row = task / across * BAND;
        band(&p, row, size_min(BAND, rows - row), task % across * WIDTH);
    }
}

/* Of the square c, which is symmetric: what lies below the diagonal is a copy. Neighbouring tasks go to different threads, for the lower
 * bands have fewer. */
static void upper_half(const Product *p)
{
    const size_t rows = p->rows, across = size_divide_up(rows, WIDTH), down = size_divide_up(rows, BAND);
    #pragma omp parallel for schedule(static, 1)
    for (size_t task = 0; task < across * down; task++) {
        const size_t row = task / across * BAND, column = task % across * WIDTH, end = size_min(column + WIDTH, rows);
        if (row < end)
            band(p, row, size_min(BAND, end - row), column);
    }
    #pragma omp parallel for schedule(static, 16)
    for (size_t i = 1; i < rows; i++)
        for (size_t j = 0; j < i; j++)
            p->c[i * rows + j] = p->c[j * rows + i];
}

void KERNEL(kernel_matrix_gram)(size_t rows, size_t depth, const float *a, float *c)
{
    upper_half(&(Product){ rows, rows, depth, a, { a, depth, true }, c });
}

void KERNEL(kernel_matrix_symmetric)(size_t rows, const float *a, const float *b, float *c)
{
    upper_half(&(Product){ rows, rows, rows, a, { b, rows, false }, c });
}
