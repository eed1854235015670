/* winograd_image.c - Winograd transforms of images: patches and gradients in, outputs back.
 *
 * Neighbouring patches of a row share two of their six columns, so the transform down the columns is done once for a
 * strip of tiles, then the transform along the rows tile by tile. Pixels outside the image are zero. */

#include "winograd.h"
#include "winograd_points.h"

enum {
    STRIP = 8,
    STRIP_COLUMNS = STRIP * TILE + PATCH - TILE,
    STREAM_LEAST = 24 << 20,        /* bytes */
};

/* Some tiles side by side: in image n, from pixel (y, x) on. */
typedef struct Strip {
    int n, y, x, tiles;
} Strip;

static Strip strip_at(const View *view, size_t tile, int most)
{
    const TileGrid grid = tile_grid(view);
    const int across = (int)(tile % (size_t)grid.across), rest = grid.across - across;
    const size_t row = tile / (size_t)grid.across;
    const int longest = most < STRIP ? most : STRIP;
    return (Strip){ .n = (int)(row / (size_t)grid.down), .y = (int)(row % (size_t)grid.down) * TILE, .x = across * TILE,
                    .tiles = rest < longest ? rest : longest };
}

/* Of the pixels of a tile, how many are inside, when `rest` pixels are left. */
static inline int inside(int rest)
{
    return rest < TILE ? rest : TILE;
}

/* Columns of 6 transformed pixels of the patches of a strip; x: pixel (0, 0) of the image and channel. */
static void strip_columns(const View *view, const float *x, Strip strip, Vector columns[][PATCH])
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

static void patch_rows(Vector columns[PATCH][PATCH], float *v, size_t stride)
{
    for (int i = 0; i < PATCH; i++) {
        Vector d[PATCH], t[PATCH];
        for (int j = 0; j < PATCH; j++)
            d[j] = columns[j][i];
        points_patch(d, t);
        for (int j = 0; j < PATCH; j++)
            vector_store(v + (size_t)(i * PATCH + j) * stride, t[j]);
    }
}

void KERNEL(winograd_patches)(const View *view, const float *x, TileRun run, int panels, int from, int to, float *v)
{
    const size_t stride = frequency_stride((size_t)run.count, view->c);
    Vector columns[STRIP_COLUMNS][PATCH];
    for (int tile = from; tile < to;) {
        const Strip strip = strip_at(view, run.first + (size_t)tile, to - tile);
        PanelPlace places[STRIP];
        for (int t = 0; t < strip.tiles; t++)
            places[t] = panel_place(run.count, panels, view->c, tile + t);
        for (int c = 0; c < view->c; c += VECTOR) {
            strip_columns(view, x + view_offset(view, strip.n, c, 0, 0), strip, columns);
            for (int t = 0; t < strip.tiles; t++)
                patch_rows(columns + t * TILE, v + places[t].start + (size_t)(c / GROUP) * places[t].step + c % GROUP, stride);
        }
        tile += strip.tiles;
    }
}

/* Outputs that no cache can hold are written past the caches, which saves reading the lines first. */
static int image_streams(const View *view, const float *y)
{
    return view_count(view) * sizeof(float) >= STREAM_LEAST && (uintptr_t)y % 64 == 0;
}

static inline void output_tile(const float *m, size_t stride, Vector bias, Vector y[TILE][TILE])
{
    Vector rows[TILE][PATCH];
    for (int j = 0; j < PATCH; j++) {
        Vector t[PATCH], s[TILE];
        for (int i = 0; i < PATCH; i++)
            t[i] = vector_load(m + (size_t)(i * PATCH + j) * stride);
        points_tile(t, s);
        for (int i = 0; i < TILE; i++)
            rows[i][j] = s[i];
    }
    for (int i = 0; i < TILE; i++) {
        points_tile(rows[i], y[i]);
        for (int j = 0; j < TILE; j++)
            y[i][j] += bias;
    }
}

/* The pixels of a tile that are inside; whole tiles as vector_put does. */
static inline void output_store(Vector y[TILE][TILE], int down, int across, int stream, float *to, ptrdiff_t line,
                                ptrdiff_t pixel)
{
    if (down == TILE && across == TILE) {
        for (int i = 0; i < TILE; i++)
            for (int j = 0; j < TILE; j++)
                vector_put(to + i * line + j * pixel, y[i][j], stream);
    } else {
        for (int i = 0; i < down; i++)
            for (int j = 0; j < across; j++)
                vector_store(to + i * line + j * pixel, y[i][j]);
    }
}

void KERNEL(winograd_outputs)(const View *view, const float *m, TileRun run, int block, const float *bias, float *y)
{
    const int width = block_width(view->c, block), stream = image_streams(view, y);
    const size_t stride = frequency_stride((size_t)run.count, width);
    const ptrdiff_t pixel = view->block, line = pixel * view->w;
    for (int tile = 0; tile < run.count;) {
        const Strip at = strip_at(view, run.first + (size_t)tile, run.count - tile);
        const int down = inside(view->h - at.y);
        for (int lane = 0; lane < width; lane += VECTOR) {
            const int c = block * BLOCK + lane;
            const Vector offset = bias ? vector_load(bias + c) : (Vector){ 0 };
            const float *from = m + (size_t)tile * (size_t)width + (size_t)lane;
            float *to = y + view_offset(view, at.n, c, at.y, at.x);
            for (int t = 0; t < at.tiles; t++) {
                Vector result[TILE][TILE];
                output_tile(from + t * width, stride, offset, result);
                output_store(result, down, inside(view->w - at.x - t * TILE), stream, to + t * TILE * pixel, line, pixel);
            }
        }
        tile += at.tiles;
    }
    vector_puts_end(stream);
}

/* The transform of one 4x4 tile of dy, of which down x across pixels are inside; returns the sum of its pixels. */
static inline Vector gradient_tile(const float *dy, ptrdiff_t line, ptrdiff_t pixel, int down, int across,
                                   float *w, size_t stride)
{
    Vector sum = { 0 }, rows[PATCH][TILE];
    for (int j = 0; j < TILE; j++) {
        Vector s[TILE], t[PATCH];
        for (int i = 0; i < TILE; i++) {
            s[i] = i < down && j < across ? vector_load(dy + i * line + j * pixel) : (Vector){ 0 };
            sum += s[i];
        }
        points_tile_gradient(s, t);
        for (int i = 0; i < PATCH; i++)
            rows[i][j] = t[i];
    }
    for (int i = 0; i < PATCH; i++) {
        Vector t[PATCH];
        points_tile_gradient(rows[i], t);
        for (int j = 0; j < PATCH; j++)
            vector_store(w + (size_t)(i * PATCH + j) * stride, t[j]);
    }
    return sum;
}

void KERNEL(winograd_gradients)(const View *view, const float *dy, TileRun run, int from, int to, float *w, float *sums)
{
    const size_t stride = frequency_stride((size_t)run.count, view->c);
    const ptrdiff_t pixel = view->block, line = pixel * view->w;
    for (int tile = from; tile < to;) {
        const Strip at = strip_at(view, run.first + (size_t)tile, to - tile);
        const int down = inside(view->h - at.y);
        for (int c = 0; c < view->c; c += VECTOR) {
            const int width = block_width(view->c, c / BLOCK);
            const float *source = dy + view_offset(view, at.n, c, at.y, at.x);
            float *target = w + (size_t)(c / BLOCK * BLOCK) * (size_t)run.count + (size_t)tile * (size_t)width + c % BLOCK;
            Vector sum = { 0 };
            for (int t = 0; t < at.tiles; t++) {
                const int across = inside(view->w - at.x - t * TILE);
                const float *tile_source = source + t * TILE * pixel;
                if (down == TILE && across == TILE)
                    sum += gradient_tile(tile_source, line, pixel, TILE, TILE, target + t * width, stride);
                else
                    sum += gradient_tile(tile_source, line, pixel, down, across, target + t * width, stride);
            }
            if (sums)
                vector_store(sums + c, vector_load(sums + c) + sum);
        }
        tile += at.tiles;
    }
}

void KERNEL(winograd_fetch)(Fetch *fetch)
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
