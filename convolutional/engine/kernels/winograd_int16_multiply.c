/* winograd_int16_multiply.c - the matrix products of winograd_multiply.c on words of two 16-bit integers; see winograd_int16.h.
 *
 * Integers are summed over a section of channels or a run of tiles, and then added to f32 at what they are worth. */

#include "winograd_int16.h"
#include "winograd_strip.h"

/* *to (+)= what the sums are worth. */
static inline void sums_store(Sums sums, Vector row, const float *columns, int add, float *to)
{
    const Vector value = __builtin_convertvector(sums, Vector) * (row * vector_load(columns));
    vector_store(to, add ? vector_load(to) + value : value);
}

/* m[rows][vectors] (+)= v[words / 16][rows][16] u[words][vectors], of one section. */
INLINE void panel_product(const int rows, const int vectors, int words, const uint32_t *v, const uint32_t *u,
                          const float *v_worth, const float *u_worth, float norms, int add, float *m)
{
    Sums sums[ROWS][2];
    #pragma GCC unroll 14
    for (int r = 0; r < rows; r++)
        sums[r][0] = sums[r][1] = (Sums){ 0 };
    for (int c = 0; c < words; c += GROUP, v += rows * GROUP)
        #pragma GCC unroll 4
        for (int k = 0; k < GROUP; k++, u += vectors * VECTOR) {
            const Words left = words_load(u), right = vectors > 1 ? words_load(u + VECTOR) : left;
            __builtin_prefetch(v + (2 * rows + k) * GROUP);
            #pragma GCC unroll 14
            for (int r = 0; r < rows; r++) {
                const Words both = v[r * GROUP + k] - (Words){ 0 };
                sums[r][0] = words_multiply(sums[r][0], both, left);
                if (vectors > 1)
                    sums[r][1] = words_multiply(sums[r][1], both, right);
            }
        }
    #pragma GCC unroll 14
    for (int r = 0; r < rows; r++) {
        const Vector row = vector_all(v_worth[r] * norms);
        #pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            sums_store(sums[r][j], row, u_worth + j * VECTOR, add, m + (r * vectors + j) * VECTOR);
    }
}

#define PANEL(rows)                                                                       \
    case rows:                                                                            \
        if (width == BLOCK)                                                               \
            panel_product(rows, 2, words, v, u, v_worth, u_worth, norms, add, m);         \
        else                                                                              \
            panel_product(rows, 1, words, v, u, v_worth, u_worth, norms, add, m);         \
        break;

static void panel_multiply(int rows, int words, int width, const uint32_t *v, const uint32_t *u, const float *v_worth,
                           const float *u_worth, float norms, int add, float *m)
{
    switch (rows) {
    PANEL(1) PANEL(2) PANEL(3) PANEL(4) PANEL(5) PANEL(6)
#if defined(__AVX512F__)
    PANEL(7) PANEL(8) PANEL(9) PANEL(10) PANEL(11) PANEL(12) PANEL(13) PANEL(14)
#endif
    default: __builtin_unreachable();
    }
}

void KERNEL(winograd_int16_multiply)(int count, int panels, int in, int width, Spectrum v, Spectrum u, float *m, Fetch *fetch)
{
    enum { SECTION_WORDS = SECTION / 2 };
    const int words = words_of(in);
    float patch[FREQUENCIES], filter[FREQUENCIES];
    patch_norms(patch);
    filter_norms(filter);
    for (int f = 0; f < FREQUENCIES; f++) {
        const float norms = patch[f] * filter[f];
        const uint32_t *left = v.words + (size_t)f * frequency_stride((size_t)count, words);
        const uint32_t *right = u.words + (size_t)f * frequency_stride((size_t)words, width);
        float *product = m + (size_t)f * frequency_stride((size_t)count, width);
        for (int panel = 0; panel < panels; panel++) {
            const size_t first = split((size_t)count, panels, panel), next = split((size_t)count, panels, panel + 1);
            const int rows = (int)(next - first);
            for (int from = 0, section = 0; from < words; from += SECTION_WORDS, section++)
                panel_multiply(rows, int_min(SECTION_WORDS, words - from), width,
                               left + first * (size_t)words + (size_t)from * (size_t)rows, right + (size_t)from * (size_t)width,
                               v.worth + section * count + first, u.worth + section * width, norms, section > 0,
                               product + first * (size_t)width);
            fetch_some(fetch);
        }
    }
}

/* du[rows][vectors] (+)= sum over lines of v[line][16] (rows of them) times w[line][vectors]. */
INLINE void transposed_product(const int vectors, int lines, const uint32_t *v, const uint32_t *w, const float *v_worth,
                               const float *w_worth, float norms, int add, const uint32_t *ahead, float *du)
{
    Sums sums[ROWS_TRANSPOSED][2];
    #pragma GCC unroll 8
    for (int r = 0; r < ROWS_TRANSPOSED; r++)
        sums[r][0] = sums[r][1] = (Sums){ 0 };
    if (add)
        for (int i = 0; i < ROWS_TRANSPOSED * vectors * VECTOR; i += GROUP)
            __builtin_prefetch(du + i, 1);
    #pragma GCC unroll 2
    for (int line = 0; line < lines; line++, v += GROUP, w += vectors * VECTOR, ahead += GROUP) {
        __builtin_prefetch(ahead);
        const Words left = words_load(w), right = vectors > 1 ? words_load(w + VECTOR) : left;
        #pragma GCC unroll 8
        for (int r = 0; r < ROWS_TRANSPOSED; r++) {
            const Words both = v[r] - (Words){ 0 };
            sums[r][0] = words_multiply(sums[r][0], both, left);
            if (vectors > 1)
                sums[r][1] = words_multiply(sums[r][1], both, right);
        }
    }
    #pragma GCC unroll 8
    for (int r = 0; r < ROWS_TRANSPOSED; r++) {
        const Vector row = vector_all(v_worth[r] * norms);
        #pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            sums_store(sums[r][j], row, w_worth + j * VECTOR, add, du + (r * vectors + j) * VECTOR);
    }
}

void KERNEL(winograd_int16_multiply_transposed)(float norms, int lines, int width, Spectrum v, Spectrum w, int add,
                                                const uint32_t *ahead, float *du)
{
    for (int r = 0; r < GROUP; r += ROWS_TRANSPOSED, du += ROWS_TRANSPOSED * width) {
        if (width == BLOCK)
            transposed_product(2, lines, v.words + r, w.words, v.worth + r, w.worth, norms, add, ahead, du);
        else
            transposed_product(1, lines, v.words + r, w.words, v.worth + r, w.worth, norms, add, ahead, du);
    }
}
