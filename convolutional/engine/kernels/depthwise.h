/* depthwise.h - what the three directions of the depthwise convolution share.
 *
 * A depthwise convolution never mixes channels, so all loops work on one vector of VECTOR neighbouring
 * channels at a time: a pixel is one vector, a tap of the filter is one vector. Several pixels of a row
 * (a strip) are held in registers. Kernels 3, 5 and 7 are unrolled: the kernel's size, the stride and the
 * strip's width are constants given to functions that are always inlined. */

#ifndef CONVZOO_DEPTHWISE_H
#define CONVZOO_DEPTHWISE_H

#include <stdbool.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "integers.h"
#include "isa.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define UNROLL        _Pragma("GCC unroll 32")

enum {
    STRIP = VECTOR == 16 ? 8 : 4,     /* pixels of the widest strip: as many as leave registers for the taps */
    TAPS = 7,                         /* of the largest unrolled kernel, in a row */
    TILE_BYTES = 256 << 10,           /* of x and y that a thread works through at a time: stays in the L2 cache */
    TASKS = 64,                       /* at least, where the shape has them: enough for threads to share evenly */
};

/* ---- the last vector of a pixel may have fewer channels than lanes ---- */

typedef struct Lanes {
    int count;
#if defined(__AVX512F__)
    __mmask16 mask;
#elif defined(__AVX2__)
    __m256i mask;
#endif
} Lanes;

static inline Lanes lanes_of(int count)
{
    Lanes lanes = { .count = count };
#if defined(__AVX512F__)
    lanes.mask = (__mmask16)((1u << count) - 1);
#elif defined(__AVX2__)
    lanes.mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
#endif
    return lanes;
}

/* Lanes beyond the count are zero. */
ALWAYS_INLINE Vector lanes_load(Lanes lanes, const float *from)
{
#if defined(__AVX512F__)
    return (Vector)_mm512_maskz_loadu_ps(lanes.mask, from);
#elif defined(__AVX2__)
    return (Vector)_mm256_maskload_ps(from, lanes.mask);
#else
    if (lanes.count == VECTOR)
        return vector_load(from);
    Vector value = {0};
    for (int lane = 0; lane < lanes.count; lane++)
        value[lane] = from[lane];
    return value;
#endif
}

ALWAYS_INLINE void lanes_store(Lanes lanes, float *to, Vector value)
{
    if (lanes.count == VECTOR) {
        vector_store(to, value);
        return;
    }
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(to, lanes.mask, (__m512)value);
#elif defined(__AVX2__)
    _mm256_maskstore_ps(to, lanes.mask, (__m256)value);
#else
    for (int lane = 0; lane < lanes.count; lane++)
        to[lane] = value[lane];
#endif
}

/* Of vector `index` of `count` that lie together in a pixel; only the last may be partial. */
ALWAYS_INLINE Lanes lanes_at(Lanes last, int index, int count)
{
    return index < count - 1 ? lanes_of(VECTOR) : last;
}

/* ---- the vectors of channels of a tensor ---- */

typedef struct Channels {
    int   block;        /* of the view */
    int   within;       /* the first of the channels in its block */
    int   first;        /* the first of the channels in all */
    int   vectors;      /* neighbours in memory that are worked through together */
    Lanes last;         /* of the last of them */
} Channels;

static inline int channels_vectors(const View *view)
{
    return (int)view_blocks(view) * int_divide_up(view->block, VECTOR);
}

/* Those from vector `vector` on, `most` at most. */
static inline Channels channels_of(const View *view, int vector, int most)
{
    const int in_block = int_divide_up(view->block, VECTOR), at = vector % in_block;
    const int together = int_min(most, in_block - at);
    return (Channels){
        .block = vector / in_block, .within = at * VECTOR, .first = vector / in_block * view->block + at * VECTOR,
        .vectors = together, .last = lanes_of(int_min(VECTOR, view->block - (at + together - 1) * VECTOR)),
    };
}

/* Of pixel (0, 0) of an image. */
static inline size_t channels_offset(const View *view, int image, const Channels *channels)
{
    return (size_t)image * view_image_stride(view) + (size_t)channels->block * view_block_stride(view) + (size_t)channels->within;
}

/* ---- tiles: images, rows and vectors of channels that are worked through together ---- */

typedef struct Tiles {
    int images, rows, vectors;                        /* of one tile */
    int all_images, all_rows, all_vectors;            /* of the tensor */
} Tiles;

typedef struct Tile {
    int image, image_end, row, row_end, vector, vector_end;
} Tile;

/* Of the tensor `of`, k's x or y. Channels are split when there are too few images and rows to share. */
static inline Tiles tiles_of(const DepthwiseKernel *k, const View *of)
{
    const size_t row_bytes = (view_image_stride(&k->x) + view_image_stride(&k->y)) * sizeof(float) / (size_t)of->h;
    const int fitting = (int)(TILE_BYTES / row_bytes) + 1;
    Tiles tiles = { .all_images = of->n, .all_rows = of->h, .all_vectors = channels_vectors(of) };
    tiles.images = int_min(of->n, int_max(1, fitting / of->h));
    tiles.rows = int_divide_up(of->h, int_divide_up(of->h, fitting));
    const int tasks = int_divide_up(of->n, tiles.images) * int_divide_up(of->h, tiles.rows);
    tiles.vectors = int_divide_up(tiles.all_vectors, int_max(1, TASKS / tasks));
    return tiles;
}

static inline int tiles_count(const Tiles *tiles)
{
    return int_divide_up(tiles->all_images, tiles->images) * int_divide_up(tiles->all_rows, tiles->rows) *
           int_divide_up(tiles->all_vectors, tiles->vectors);
}

static inline Tile tiles_at(const Tiles *tiles, int index)
{
    const int vector_tiles = int_divide_up(tiles->all_vectors, tiles->vectors);
    const int row_tiles = int_divide_up(tiles->all_rows, tiles->rows);
    const int vector = index % vector_tiles * tiles->vectors;
    const int row = index / vector_tiles % row_tiles * tiles->rows;
    const int image = index / vector_tiles / row_tiles * tiles->images;
    return (Tile){
        image, int_min(image + tiles->images, tiles->all_images), row, int_min(row + tiles->rows, tiles->all_rows),
        vector, int_min(vector + tiles->vectors, tiles->all_vectors),
    };
}

/* ---- strips ---- */

/* A strip of the widest power of two up to STRIP that covers what is left of a row, or as much of it as
 * there is room for in the row. */
static inline int strip_width(int left, int row)
{
    int width = 1;
    while (width < STRIP && width < left && 2 * width <= row)
        width *= 2;
    return width;
}

/* Bit j is set if column left + j lies in a row of w pixels, for 0 <= j < columns < 32. */
static inline unsigned strip_columns(int left, int columns, int w)
{
    const int first = int_max(0, -left), end = int_min(columns, w - left);
    return first < end ? (1u << end) - (1u << first) : 0;
}

/* at + step, which the compiler shall do when it is needed: it would work out all multiples of the step before the
 * loop, run out of registers and keep them in memory. */
ALWAYS_INLINE ptrdiff_t strip_advance(ptrdiff_t at, ptrdiff_t step)
{
    at += step;
    __asm__("" : "+r"(at));
    return at;
}

/* Asks for base[at], which may lie outside of the tensor. Large images come from memory, and with the channels of
 * a pixel next to each other the processor alone does not ask early enough. */
ALWAYS_INLINE void strip_prefetch(const float *base, ptrdiff_t at)
{
    __builtin_prefetch((const void *)((uintptr_t)base + (uintptr_t)at * sizeof(float)));
}

#endif
