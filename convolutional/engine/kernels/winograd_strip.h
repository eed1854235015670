/* winograd_strip.h - tiles side by side, and their pixels: transformed down the columns, or fetched ahead of time.
 *
 * Neighbouring patches of a row share two of their six columns, so the transform down the columns is done once for a
 * strip of tiles, then the transform along the rows tile by tile. Pixels outside the image are zero. */

#ifndef CONVZOO_WINOGRAD_STRIP_H
#define CONVZOO_WINOGRAD_STRIP_H

#include "winograd.h"
#include "winograd_points.h"

enum { STRIP = 8, STRIP_COLUMNS = STRIP * TILE + PATCH - TILE };

/* Some tiles side by side: in image n, from pixel (y, x) on. */
typedef struct Strip {
    int n, y, x, tiles;
} Strip;

static inline Strip strip_at(const View *view, size_t tile, int most)
{
    const TileGrid grid = tile_grid(view);
    const int across = (int)(tile % (size_t)grid.across);
    const size_t row = tile / (size_t)grid.across;
    return (Strip){ .n = (int)(row / (size_t)grid.down), .y = (int)(row % (size_t)grid.down) * TILE, .x = across * TILE,
                    .tiles = int_min(grid.across - across, int_min(most, STRIP)) };
}

/* Of the pixels of a tile, how many are inside, when `rest` pixels are left. */
static inline int inside(int rest)
{
    return int_min(rest, TILE);
}

/* Columns of 6 transformed pixels of the patches of a strip; x: pixel (0, 0) of the image and channel. */
static inline void strip_columns(const View *view, const float *x, Strip strip, Vector columns[][PATCH])
{
    const int top = strip.y - 1, left = strip.x - 1;
    const int inner = top >= 0 && top + PATCH <= view->h;
    const ptrdiff_t pixel = view->block, line = pixel * view->w;
    for (int j = 0; j < strip.tiles * TILE + 2; j++) {
        if (left + j < 0 || left + j >= view->w) {
            for (int i = 0; i < PATCH; i++)
                columns[j][i] = (Vector){ 0 };
            continue;
        }
        const float *from = x + top * line + (left + j) * pixel;
        Vector d[PATCH];
        if (inner)
            for (int i = 0; i < PATCH; i++)
                d[i] = vector_load(from + i * line);
        else
            for (int i = 0; i < PATCH; i++)
                d[i] = top + i >= 0 && top + i < view->h ? vector_load(from + i * line) : (Vector){ 0 };
        points_patch(d, columns[j]);
    }
}

/* Row i of the spectrum of a patch. */
static inline void patch_row(Vector columns[][PATCH], int i, Vector row[PATCH])
{
    Vector d[PATCH];
    for (int j = 0; j < PATCH; j++)
        d[j] = columns[j][i];
    points_patch(d, row);
}

/* The transform down the columns of one 4x4 tile of dy, of which down x across pixels are inside; adds its pixels to *sum. */
static inline void gradient_columns(const float *dy, ptrdiff_t line, ptrdiff_t pixel, int down, int across,
                                    Vector columns[TILE][PATCH], Vector *sum)
{
    for (int j = 0; j < TILE; j++) {
        Vector s[TILE];
        for (int i = 0; i < TILE; i++) {
            s[i] = i < down && j < across ? vector_load(dy + i * line + j * pixel) : (Vector){ 0 };
            *sum += s[i];
        }
        points_tile_gradient(s, columns[j]);
    }
}

/* Row i of its spectrum. */
static inline void gradient_row(Vector columns[TILE][PATCH], int i, Vector row[PATCH])
{
    const Vector s[TILE] = { columns[0][i], columns[1][i], columns[2][i], columns[3][i] };
    points_tile_gradient(s, row);
}

/* The squares of the pixels of a column of a patch. */
static inline Vector column_squares(const View *view, const float *x, Strip strip, int column)
{
    const int top = strip.y - 1, left = strip.x - 1 + column;
    const ptrdiff_t pixel = view->block, line = pixel * view->w;
    Vector squares = { 0 };
    if (left < 0 || left >= view->w)
        return squares;
    for (int i = int_max(0, top); i < int_min(top + PATCH, view->h); i++) {
        const Vector d = vector_load(x + i * line + left * pixel);
        squares += d * d;
    }
    return squares;
}

/* Adds to each patch of a strip the squares of its pixels. */
static inline void strip_squares(const View *view, const float *x, Strip strip, Vector squares[STRIP])
{
    Vector edge[2] = { column_squares(view, x, strip, 0), column_squares(view, x, strip, 1) };
    for (int t = 0; t < strip.tiles; t++) {
        const Vector third = column_squares(view, x, strip, t * TILE + 2), fourth = column_squares(view, x, strip, t * TILE + 3);
        squares[t] += edge[0] + edge[1] + third + fourth;
        edge[0] = column_squares(view, x, strip, t * TILE + 4);
        edge[1] = column_squares(view, x, strip, t * TILE + 5);
        squares[t] += edge[0] + edge[1];
    }
}

/* Tiles of which the pixels will soon be needed. The products leave the memory idle, so they fetch pixels meanwhile,
 * `share` times those of a tile and 16 channels at each call. */
struct Fetch {
    const View  *view;
    const float *x;
    TileRun      run;
    int          group, share;
};

/* To fetch a run within `calls` calls. */
static inline Fetch fetch_of(const View *view, const float *x, TileRun run, size_t calls)
{
    const size_t portions = (size_t)run.count * (size_t)(view->c / GROUP);
    return (Fetch){ view, x, run, 0, (int)size_divide_up(portions, calls) };
}

static inline void fetch_some(Fetch *fetch)
{
    const View *view = fetch->view;
    for (int i = 0; i < fetch->share && fetch->run.count > 0; i++) {
        const Strip at = strip_at(view, fetch->run.first, 1);
        const int down = inside(view->h - at.y), across = inside(view->w - at.x);
        const ptrdiff_t pixel = view->block, line = pixel * view->w;
        const float *x = fetch->x + view_offset(view, at.n, fetch->group * GROUP, at.y, at.x);
        for (int row = 0; row < down; row++)
            for (int column = 0; column < across; column++)
                __builtin_prefetch(x + row * line + column * pixel, 0, 2);
        if (++fetch->group == view->c / GROUP) {
            fetch->group = 0;
            fetch->run.first++;
            fetch->run.count--;
        }
    }
}

#endif
