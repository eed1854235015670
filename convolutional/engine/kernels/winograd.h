/* winograd.h - what the files of the Winograd convolution share.
 *
 * F(4x4, 3x3) (Lavin and Gray, 2015, arXiv:1509.09308) cuts the output into tiles of 4x4 pixels. A tile needs a patch
 * of 6x6 input pixels; after linear transforms of patch and filter its convolution is 36 products, one a frequency:
 *
 *     y = A^T [ (G w G^T) . (B^T x B) ] A              summed over input channels: 36 matrix products
 *     V[f] tiles x in,   U[f] in x out,   M[f] = V[f] U[f] tiles x out            f = 6 row + column
 *
 * The tiles of a batch are counted through images, rows and columns, and worked through in runs of neighbours, so that
 * V and M stay in the cache. The gradient of the filters runs the same transforms backwards (winograd_weights.c). */

#ifndef CONVZOO_WINOGRAD_H
#define CONVZOO_WINOGRAD_H

#include "integers.h"
#include "isa.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

enum {
    TILE = 4,                           /* output pixels of a tile, each way */
    PATCH = 6,                          /* input pixels of a tile, each way */
    FREQUENCIES = PATCH * PATCH,
    TAPS = 9,
    GROUP = 16,                         /* channels that lie together in every layout */
    BLOCK = 2 * VECTOR,                 /* output channels of a register tile; the last block may be narrower */
    ROWS = VECTOR == 16 ? 14 : 6,       /* tiles of a register tile, at most */
    ROWS_TRANSPOSED = VECTOR == 16 ? 8 : 4,      /* channels of a register tile of the transposed product; they divide 16 */
};

/* For functions of which each copy has its own constants. */
#define INLINE static inline __attribute__((always_inline))

/* Stores to a multiple of 64 bytes; past the caches if `stream` is set, which saves reading a line that is overwritten. */
static inline void vector_put(float *to, Vector value, int stream)
{
#if defined(__AVX512F__)
    if (stream) {
        _mm512_stream_ps(to, (__m512)value);
        return;
    }
#endif
    (void)stream;
    vector_store(to, value);
}

/* Once after some vector_put, before others read. */
static inline void vector_puts_end(int stream)
{
#if defined(__AVX512F__)
    if (stream)
        _mm_sfence();
#endif
    (void)stream;
}

/* The tiles of a batch. */
typedef struct TileGrid {
    int    across, down;
    size_t count;
} TileGrid;

static inline TileGrid tile_grid(const View *view)
{
    const int across = int_divide_up(view->w, TILE), down = int_divide_up(view->h, TILE);
    return (TileGrid){ across, down, (size_t)view->n * (size_t)across * (size_t)down };
}

/* Tiles first .. first + count - 1 of a grid. */
typedef struct TileRun {
    size_t first;
    int    count;
} TileRun;

/* Part `index` of `parts` parts of a whole, as even as can be: [split(..., index), split(..., index + 1)). */
static inline size_t split(size_t whole, int parts, int index)
{
    return whole * (size_t)index / (size_t)parts;
}

/* How many runs of at most `most` tiles it takes. */
static inline int runs_of(size_t tiles, int most)
{
    return (int)size_divide_up(tiles, (size_t)most);
}

/* Run `index` of the runs, all about as long, that make up tiles first .. last - 1. */
static inline TileRun run_of(size_t first, size_t last, int runs, int index)
{
    const size_t from = split(last - first, runs, index), to = split(last - first, runs, index + 1);
    return (TileRun){ first + from, (int)(to - from) };
}

static inline int blocks_of(int channels)
{
    return int_divide_up(channels, BLOCK);
}

static inline int block_width(int channels, int block)
{
    return int_min(channels - block * BLOCK, BLOCK);
}

/* Words between two frequencies of a matrix: a line more than it needs, since a power of two would put all 36 frequencies
 * of an element into one set of the cache. */
static inline size_t frequency_stride(size_t rows, int columns)
{
    return rows * (size_t)columns + GROUP;
}

/* Bytes of 36 such matrices, whole cache lines. */
static inline size_t spectrum_bytes(size_t rows, int columns)
{
    return (size_t)FREQUENCIES * frequency_stride(rows, columns) * sizeof(float);
}

/* V, U or W of some tiles or channels. A word is a float; or, in mixed precision, two 16-bit integers (winograd_int16.h), and
 * then `worth` holds, for each row or column of the products, what an integer 1 is worth but for the frequency's norm.
 * Two channels or two tiles share a word: below, `in` of the layouts is words of input channels, and a line is a tile or two. */
typedef struct Spectrum {
    uint32_t *words;
    float    *worth;
} Spectrum;

/* A tile's place among the rows that lie together in V: V[f] is a list of `panels` panels of at most ROWS tiles,
 * each [words / 16][tiles of the panel][16], so that a product reads it from end to end. */
typedef struct PanelPlace {
    size_t start;        /* first word of the tile */
    size_t step;         /* words to the tile's next 16 words */
} PanelPlace;

static inline PanelPlace panel_place(int count, int panels, int words, int tile)
{
    const int panel = (int)((((size_t)tile + 1) * (size_t)panels - 1) / (size_t)count);
    const size_t first = split(count, panels, panel), rows = split(count, panels, panel + 1) - first;
    return (PanelPlace){ first * (size_t)words + ((size_t)tile - first) * GROUP, rows * GROUP };
}

/* ---- winograd_image.c, winograd_int16_patches.c, winograd_int16_tiles.c ---- */

/* V = B^T x B of the patches `from` .. `to` - 1 of a run, in panels. */
typedef void PatchTransform(const View *view, const float *x, TileRun run, int panels, int from, int to, Spectrum v);
PatchTransform KERNEL(winograd_patches), KERNEL(winograd_int16_patches);

/* y = A^T M A (+ bias) for the output channels of one block; m is [tiles][width]. */
void KERNEL(winograd_outputs)(const View *view, const float *m, TileRun run, int block, const float *bias, float *y);

/* V for the gradient of the filters, [channels / 16][lines][16] at each frequency: part `part` of `parts` that make up the run, a
 * part being some of the tiles or, in mixed precision, of the channels. */
typedef void PatchLines(const View *view, const float *x, TileRun run, int part, int parts, Spectrum v);
PatchLines KERNEL(winograd_patch_lines), KERNEL(winograd_int16_patch_lines);

/* W = A dy A^T, each frequency [block][lines][width]; adds the pixels of dy to sums[channel] if it is not NULL. */
typedef void GradientTransform(const View *view, const float *dy, TileRun run, int part, int parts, Spectrum w, float *sums);
GradientTransform KERNEL(winograd_gradients), KERNEL(winograd_int16_gradients);

/* ---- winograd_filter.c, winograd_int16_filter.c: one block of output channels ---- */

/* U = G w G^T, each frequency [in][width], for input channels from .. to - 1: `from` is a multiple of Arithmetic.unit,
 * `to` at most a unit later. */
typedef void FilterTransform(const float *weights, int in, int out, int block, int from, int to, Spectrum u);
FilterTransform KERNEL(winograd_filter), KERNEL(winograd_int16_filter);
/* The same for the gradient of the data: filters turned by 180 degrees, `in` and `out` exchanged, so that `in` counts the
 * last index of the weights. */
FilterTransform KERNEL(winograd_filter_turned), KERNEL(winograd_int16_filter_turned);

/* dw = G^T (sum of `parts` matrices, `part` floats apart) G for 16 input channels from `from`;
 * du: each frequency [16][width], 16 * width floats apart. stream: vector_put. */
void KERNEL(winograd_filter_gradient)(const float *du, int parts, size_t part, int in, int out, int block, int from,
                                      int stream, float *dweights);

/* ---- winograd_multiply.c, winograd_int16_multiply.c ---- */

typedef struct Fetch Fetch;      /* winograd_strip.h */

/* M[f] = V[f] U[f] for all frequencies: v in `panels` panels, u [in][width], m [count][width]. */
typedef void Multiply(int count, int panels, int in, int width, Spectrum v, Spectrum u, float *m, Fetch *fetch);
Multiply KERNEL(winograd_multiply), KERNEL(winograd_int16_multiply), winograd_int16_multiply_avx512vnni;

/* dU (+)= V^T W of one frequency: v [lines][16], w [lines][width], du [16][width]; in mixed precision a product is worth `norms`,
 * those of both transforms, times what both integers are. `ahead`: the v of a coming product, fetched into the cache. */
typedef void MultiplyTransposed(float norms, int lines, int width, Spectrum v, Spectrum w, int add, const uint32_t *ahead,
                                float *du);
MultiplyTransposed KERNEL(winograd_multiply_transposed), KERNEL(winograd_int16_multiply_transposed),
    winograd_int16_multiply_transposed_avx512vnni;

/* ---- winograd_arithmetic.c ---- */

/* How the numbers of V, U and W are made and multiplied. */
typedef struct Arithmetic {
    bool                int16;
    int                 unit;      /* input channels of a filter that are transformed together */
    PatchTransform     *patches;
    FilterTransform    *filter, *filter_turned;
    Multiply           *multiply;
    PatchLines         *patch_lines;
    GradientTransform  *gradients;
    MultiplyTransposed *multiply_transposed;
} Arithmetic;

const Arithmetic *KERNEL(winograd_arithmetic)(const WinogradKernel *k);

/* ---- winograd_weights.c ---- */

size_t KERNEL(winograd_weights_scratch)(const WinogradKernel *k);

#endif
