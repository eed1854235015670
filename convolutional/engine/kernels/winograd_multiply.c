/* winograd_multiply.c - the matrix products of the Winograd convolution.
 *
 * A register tile holds `rows` x `vectors` sums; a step broadcasts a value of each row against the vectors of a line of the
 * other matrix. Both are laid out so that a product reads them from end to end. The numbers of rows and vectors are
 * constants in each copy of the loop, so that the sums live in registers. What is read next is fetched ahead of time, at the
 * end a little more than there is: a fetch never faults. */

#include "winograd_strip.h"

/* m[rows][vectors] = v[in / 16][rows][16] u[in][vectors]. */
INLINE void panel_product(const int rows, const int vectors, int in, const float *v, const float *u, float *m)
{
    Vector sums[ROWS][2];
    #pragma GCC unroll 14
    for (int r = 0; r < rows; r++)
        sums[r][0] = sums[r][1] = (Vector){ 0 };
    for (int c = 0; c < in; c += GROUP, v += rows * GROUP)
        #pragma GCC unroll 4
        for (int k = 0; k < GROUP; k++, u += vectors * VECTOR) {
            const Vector left = vector_load(u), right = vectors > 1 ? vector_load(u + VECTOR) : left;
            __builtin_prefetch(v + (2 * rows + k) * GROUP);
            #pragma GCC unroll 14
            for (int r = 0; r < rows; r++) {
                const Vector value = vector_all(v[r * GROUP + k]);
                sums[r][0] += value * left;
                if (vectors > 1)
                    sums[r][1] += value * right;
            }
        }
    #pragma GCC unroll 14
    for (int r = 0; r < rows; r++) {
        vector_store(m + r * vectors * VECTOR, sums[r][0]);
        if (vectors > 1)
            vector_store(m + (r * vectors + 1) * VECTOR, sums[r][1]);
    }
}

#define PANEL(rows)                                       \
    case rows:                                            \
        if (width == BLOCK)                               \
            panel_product(rows, 2, in, v, u, m);          \
        else                                              \
            panel_product(rows, 1, in, v, u, m);          \
        break;

static void panel_multiply(int rows, int in, int width, const float *v, const float *u, float *m)
{
    switch (rows) {
    PANEL(1) PANEL(2) PANEL(3) PANEL(4) PANEL(5) PANEL(6)
#if defined(__AVX512F__)
    PANEL(7) PANEL(8) PANEL(9) PANEL(10) PANEL(11) PANEL(12) PANEL(13) PANEL(14)
#endif
    default: __builtin_unreachable();
    }
}

void KERNEL(winograd_multiply)(int count, int panels, int in, int width, Spectrum v, Spectrum u, float *m, Fetch *fetch)
{
    for (int f = 0; f < FREQUENCIES; f++) {
        const float *left = (const float *)v.words + (size_t)f * frequency_stride((size_t)count, in);
        const float *right = (const float *)u.words + (size_t)f * frequency_stride((size_t)in, width);
        float *product = m + (size_t)f * frequency_stride((size_t)count, width);
        for (int panel = 0; panel < panels; panel++) {
            const size_t first = split((size_t)count, panels, panel), next = split((size_t)count, panels, panel + 1);
            panel_multiply((int)(next - first), in, width, left + first * (size_t)in, right, product + first * (size_t)width);
            fetch_some(fetch);
        }
    }
}

/* du[rows][vectors] (+)= sum over tiles of v[tile][16] (rows of them) times w[tile][vectors]. */
INLINE void transposed_product(const int vectors, int count, const float *v, const float *w, int add,
                               const float *ahead, float *du)
{
    Vector sums[ROWS_TRANSPOSED][2];
    #pragma GCC unroll 8
    for (int r = 0; r < ROWS_TRANSPOSED; r++)
        sums[r][0] = sums[r][1] = (Vector){ 0 };
    if (add)
        for (int i = 0; i < ROWS_TRANSPOSED * vectors * VECTOR; i += GROUP)
            __builtin_prefetch(du + i, 1);
    #pragma GCC unroll 2
    for (int tile = 0; tile < count; tile++, v += GROUP, w += vectors * VECTOR, ahead += GROUP) {
        __builtin_prefetch(ahead);
        const Vector left = vector_load(w), right = vectors > 1 ? vector_load(w + VECTOR) : left;
        #pragma GCC unroll 8
        for (int r = 0; r < ROWS_TRANSPOSED; r++) {
            const Vector value = vector_all(v[r]);
            sums[r][0] += value * left;
            if (vectors > 1)
                sums[r][1] += value * right;
        }
    }
    #pragma GCC unroll 8
    for (int r = 0; r < ROWS_TRANSPOSED; r++)
        #pragma GCC unroll 2
        for (int j = 0; j < vectors; j++) {
            float *to = du + (r * vectors + j) * VECTOR;
            vector_store(to, add ? vector_load(to) + sums[r][j] : sums[r][j]);
        }
}

void KERNEL(winograd_multiply_transposed)(float norms, int lines, int width, Spectrum v, Spectrum w, int add,
                                          const uint32_t *ahead, float *du)
{
    (void)norms;
    for (int r = 0; r < GROUP; r += ROWS_TRANSPOSED, du += ROWS_TRANSPOSED * width) {
        const float *left = (const float *)v.words + r, *right = (const float *)w.words;
        if (width == BLOCK)
            transposed_product(2, lines, left, right, add, (const float *)ahead, du);
        else
            transposed_product(1, lines, left, right, add, (const float *)ahead, du);
    }
}
