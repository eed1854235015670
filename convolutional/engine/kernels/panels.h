/* panels.h - walks a tensor of any layout as rows in which every column belongs to one channel.
 *
 *   block C                 a row is a pixel, or several where C alone is no whole number of vectors
 *   block 8, 16             a row is the block's channels of one or more pixels, whole vectors
 *   block 1, small images   a row is an image: each channel has as many columns as it has pixels
 *   block 1, large images   a row is a vector of one channel's pixels
 *
 * Values per channel are spread once into a table as wide as the row, and one loop over rows and columns then serves
 * every layout. The work is cut into slices of rows times groups of channels; both depend on the shape alone, so sums
 * over slices have the same bits for any number of threads. */

#ifndef CONVZOO_PANELS_H
#define CONVZOO_PANELS_H

#include <immintrin.h>
#include <omp.h>
#include <stdbool.h>
#include <string.h>

#include "errors.h"
#include "integers.h"
#include "isa.h"

enum {
    PANEL_LANES = 512,        /* columns of a group: a table of them is 2 KB */
    PANEL_ROWS = 64,          /* rows that a lone vector of columns is followed down at a time */
    PLAIN_PIXELS = 128,       /* block 1: an image no larger than this is a row */
    SLICE_COUNT = 32,         /* slices of a tensor, as long as they have ... */
    SLICE_LEAST = 128,        /* ... this many rows */
    SLICE_MOST = 4096,        /* and no more than this: their sums are in float */
    STREAM_LEAST = 4 << 20    /* an output of so many floats will not be in the cache when it is read */
};

#define PANEL_INLINE static inline __attribute__((always_inline))

/* A vector may reach beyond the last column. */
typedef float PanelTable[PANEL_LANES + VECTOR];

typedef struct Panels {
    size_t images, rows;      /* rows of an image; a tensor whose rows are all alike is one long image */
    size_t count;             /* values of a channel */
    size_t channels, padded;
    size_t pitch;             /* floats from a row to the next */
    size_t width;             /* columns of a block; wide rows are cut into several blocks */
    size_t depth, run;        /* channels of a block, and columns side by side that belong to one */
    size_t lanes;             /* columns in a table: the width, or a multiple of it that is whole vectors */
    size_t block_stride, image_stride;
    size_t blocks, group, groups;    /* blocks that are worked through together, and how often */
    size_t slice, slices;     /* rows of a slice */
} Panels;

/* rows x columns floats at `offset`, `stride` apart; the values of column j are at entry + j of a table. */
typedef struct Panel {
    size_t offset, rows, columns, stride, entry;
} Panel;

/* Stores past the caches, to whole vectors: memory is not read first, and the caches keep what they have. */
PANEL_INLINE void vector_stream(float *to, Vector value)
{
#if defined(__AVX512F__)
    _mm512_stream_ps(to, value);
#elif defined(__AVX2__)
    _mm256_stream_ps(to, value);
#else
    _mm_stream_ps(to, value);
#endif
}

/* Which rows the layout has. */
static inline void panels_shape(Panels *p, const View *view)
{
    const size_t pixels = view_pixels(view);
    p->images = 1;
    p->run = 1;
    if (view->padded == view->block || pixels == 1) {
        p->rows = p->count;
        p->pitch = p->padded;
    } else if (view->block == 1 && pixels <= PLAIN_PIXELS) {
        p->rows = (size_t)view->n;
        p->pitch = p->padded * pixels;
        p->run = pixels;
    } else {
        CHECK(view->block <= PANEL_LANES, "blocks of %d channels; at most %d", view->block, (int)PANEL_LANES);
        p->images = (size_t)view->n;
        p->rows = pixels;
        p->pitch = (size_t)view->block;
    }
}

/* Cuts rows into blocks of no more than PANEL_LANES columns, and repeats narrow ones until they are whole vectors. */
static inline void panels_columns(Panels *p)
{
    const size_t unit = p->run > 1 ? p->run : VECTOR;
    p->width = p->lanes = p->pitch;
    p->block_stride = p->rows * p->pitch;
    if (p->pitch > PANEL_LANES) {
        const size_t parts = size_divide_up(p->pitch, PANEL_LANES / unit * unit);
        p->width = p->lanes = size_divide_up(size_divide_up(p->pitch, parts), unit) * unit;
        p->block_stride = p->width;
    } else if (p->run == 1) {
        while (p->lanes % VECTOR != 0)
            p->lanes += p->width;
        if (p->lanes > PANEL_LANES)
            p->lanes = p->width;
    }
    p->depth = p->width / p->run;
    if (p->width == 1)
        p->run = p->lanes;
}

static inline Panels panels_of(const View *view)
{
    Panels p = {
        .count = (size_t)view->n * view_pixels(view), .channels = (size_t)view->c, .padded = (size_t)view->padded,
        .image_stride = view_image_stride(view),
    };
    CHECK(view->block > 1 || view->padded == view->c, "block 1: %d channels padded to %d", view->c, view->padded);
    panels_shape(&p, view);
    panels_columns(&p);
    p.blocks = size_divide_up(p.padded, p.depth);
    p.group = size_min(PANEL_LANES / p.lanes, p.blocks);
    p.groups = size_divide_up(p.blocks, p.group);

    /* Whole images where there are several in a slice. */
    const size_t rows = p.images * p.rows, share = size_divide_up(rows, SLICE_COUNT);
    p.slice = size_max(SLICE_LEAST, size_min(share, SLICE_MOST));
    if (p.slice >= p.rows && p.images > 1)
        p.slice = p.slice / p.rows * p.rows;
    else
        p.slice = size_divide_up(p.slice, SLICE_LEAST) * SLICE_LEAST;
    p.slices = size_divide_up(rows, p.slice);
    return p;
}

/* An item is a slice of a group. */
static inline size_t panels_items(const Panels *p)                   { return p->slices * p->groups; }
static inline size_t panels_item_slice(const Panels *p, size_t item) { return item / p->groups; }

/* The channels of an item: first and one past the last, padding included. */
static inline size_t panels_first(const Panels *p, size_t item)
{
    return item % p->groups * p->group * p->depth;
}

static inline size_t panels_end(const Panels *p, size_t item)
{
    return size_min(panels_first(p, item) + p->group * p->depth, p->padded);
}

/* This thread's part of `count`, the same in every pass: what one pass left in the cache is there for the next. */
typedef struct PanelShare {
    size_t first, end;
} PanelShare;

static inline PanelShare panels_share(size_t count)
{
    const size_t threads = (size_t)omp_get_num_threads(), thread = (size_t)omp_get_thread_num();
    return (PanelShare){ count * thread / threads, count * (thread + 1) / threads };
}

/* table[block][lane] of an item's channels from values[channel]. */
static inline void panels_spread(const Panels *p, size_t item, const float *values, float *table)
{
    const size_t end = panels_end(p, item);
    for (size_t from = panels_first(p, item); from < end; from += p->depth, table += p->lanes) {
        const size_t depth = size_min(p->depth, end - from);
        if (p->run == 1)
            for (size_t lane = 0; lane < p->lanes; lane += p->width)
                memcpy(table + lane, values + from, depth * sizeof(float));
        else
            for (size_t i = 0; i < depth; i++)
                for (size_t lane = i * p->run; lane < (i + 1) * p->run; lane++)
                    table[lane] = values[from + i];
    }
}

/* The inverse: sums[channel - first channel] of table[block][lane]. */
static inline void panels_fold(const Panels *p, size_t item, const float *table, double *sums)
{
    const size_t first = panels_first(p, item), count = panels_end(p, item) - first;
    memset(sums, 0, count * sizeof *sums);
    for (size_t from = 0; from < count; from += p->depth, table += p->lanes) {
        const size_t depth = size_min(p->depth, count - from);
        if (p->run == 1) {
            for (size_t lane = 0; lane < p->lanes; lane += p->width)
                for (size_t i = 0; i < depth; i++)
                    sums[from + i] += (double)table[lane + i];
            continue;
        }
        for (size_t i = 0; i < depth; i++) {
            double sum = 0;
            #pragma omp simd reduction(+ : sum)
            for (size_t lane = i * p->run; lane < (i + 1) * p->run; lane++)
                sum += (double)table[lane];
            sums[from + i] = sum;
        }
    }
}

/* Whether every vector of the panel in y is at a multiple of its size. */
static inline bool panel_aligned(const Panel *panel, const float *y)
{
    return (uintptr_t)(y + panel->offset) % sizeof(Vector) == 0 && panel->stride % VECTOR == 0;
}

/* How many rows a vector of columns is followed down at a time: memory is read in order. */
static inline size_t panel_rows(const Panel *panel)
{
    return panel->columns == VECTOR ? PANEL_ROWS : 1;
}

typedef void PanelVisit(const void *pass, const Panel *panel);

/* Visits `rows` rows of a block from `offset` on. */
PANEL_INLINE void panels_block(const Panels *p, size_t block, size_t offset, size_t rows, size_t entry, PanelVisit *visit,
                               const void *pass)
{
    if (p->lanes == p->width) {
        const size_t columns = size_min(p->width, p->pitch - (p->width < p->pitch ? block * p->width : 0));
        visit(pass, &(Panel){ offset, rows, columns, p->pitch, entry });
        return;
    }
    const size_t floats = rows * p->width, whole = floats / p->lanes, rest = floats % p->lanes;
    if (whole > 0)
        visit(pass, &(Panel){ offset, whole, p->lanes, p->lanes, entry });
    if (rest > 0)
        visit(pass, &(Panel){ offset + whole * p->lanes, 1, rest, p->lanes, entry });
}

/* Visits every panel of an item. */
PANEL_INLINE void panels_walk(const Panels *p, size_t item, PanelVisit *visit, const void *pass)
{
    const size_t begin = panels_item_slice(p, item) * p->slice, end = size_min(begin + p->slice, p->images * p->rows);
    const size_t first = item % p->groups * p->group, last = size_min(first + p->group, p->blocks);

    for (size_t row = begin; row < end;) {
        const size_t image = row / p->rows, inside = row % p->rows;
        const size_t rows = size_min(p->rows - inside, end - row);
        for (size_t block = first; block < last; block++) {
            const size_t offset = image * p->image_stride + block * p->block_stride + inside * p->pitch;
            panels_block(p, block, offset, rows, (block - first) * p->lanes, visit, pass);
        }
        row += rows;
    }
}

/* Zeroes the padded channels of an item. */
static inline void panels_clear(const Panels *p, size_t item, float *y)
{
    const size_t first = panels_first(p, item), to = panels_end(p, item), from = first < p->channels ? p->channels : first;
    const size_t begin = panels_item_slice(p, item) * p->slice, end = size_min(begin + p->slice, p->images * p->rows);
    if (from >= to)
        return;
    for (size_t row = begin; row < end; row++) {
        float *at = y + row / p->rows * p->image_stride + row % p->rows * p->pitch;
        for (size_t channel = from; channel < to; channel++)
            at[channel / p->depth * p->block_stride + channel % p->depth] = 0;
    }
}

#endif
