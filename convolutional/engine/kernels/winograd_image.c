/* winograd_image.c - Winograd transforms of images: patches and gradients in, outputs back. */

#include "winograd_strip.h"

enum { STREAM_LEAST = 24 << 20 };      /* bytes */

static void patch_rows(Vector columns[PATCH][PATCH], float *v, size_t stride)
{
    for (int i = 0; i < PATCH; i++) {
        Vector t[PATCH];
        patch_row(columns, i, t);
        for (int j = 0; j < PATCH; j++)
            vector_store(v + (size_t)(i * PATCH + j) * stride, t[j]);
    }
}

void KERNEL(winograd_patches)(const View *view, const float *x, TileRun run, int panels, int from, int to, Spectrum v)
{
    const size_t stride = frequency_stride((size_t)run.count, view->c);
    float *to_v = (float *)v.words;
    Vector columns[STRIP_COLUMNS][PATCH];
    for (int tile = from; tile < to;) {
        const Strip strip = strip_at(view, run.first + (size_t)tile, to - tile);
        PanelPlace places[STRIP];
        for (int t = 0; t < strip.tiles; t++)
            places[t] = panel_place(run.count, panels, view->c, tile + t);
        for (int c = 0; c < view->c; c += VECTOR) {
            strip_columns(view, x + view_offset(view, strip.n, c, 0, 0), strip, columns);
            for (int t = 0; t < strip.tiles; t++)
                patch_rows(columns + t * TILE, to_v + places[t].start + (size_t)(c / GROUP) * places[t].step + c % GROUP, stride);
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
    Vector sum = { 0 }, columns[TILE][PATCH];
    gradient_columns(dy, line, pixel, down, across, columns, &sum);
    for (int i = 0; i < PATCH; i++) {
        Vector row[PATCH];
        gradient_row(columns, i, row);
        for (int j = 0; j < PATCH; j++)
            vector_store(w + (size_t)(i * PATCH + j) * stride, row[j]);
    }
    return sum;
}

void KERNEL(winograd_patch_lines)(const View *view, const float *x, TileRun run, int part, int parts, Spectrum v)
{
    KERNEL(winograd_patches)(view, x, run, 1, (int)split((size_t)run.count, parts, part),
                             (int)split((size_t)run.count, parts, part + 1), v);
}

void KERNEL(winograd_gradients)(const View *view, const float *dy, TileRun run, int part, int parts, Spectrum w, float *sums)
{
    const int from = (int)split((size_t)run.count, parts, part), to = (int)split((size_t)run.count, parts, part + 1);
    const size_t stride = frequency_stride((size_t)run.count, view->c);
    const ptrdiff_t pixel = view->block, line = pixel * view->w;
    for (int tile = from; tile < to;) {
        const Strip at = strip_at(view, run.first + (size_t)tile, to - tile);
        const int down = inside(view->h - at.y);
        for (int c = 0; c < view->c; c += VECTOR) {
            const int width = block_width(view->c, c / BLOCK);
            const float *source = dy + view_offset(view, at.n, c, at.y, at.x);
            float *target = (float *)w.words + (size_t)(c / BLOCK * BLOCK) * (size_t)run.count +
                            (size_t)tile * (size_t)width + c % BLOCK;
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
