/* winograd_int16_image.c - Winograd transforms of patches and gradients, rounded to 16-bit integers; see winograd_int16.h.
 *
 * Forward a sum runs over channels: V is panels of tiles, its scales [section of channels][tile]. For the gradient of the
 * filters it runs over the tiles of a run: V and W are rows of two tiles, their scales [channel]. */

#include "winograd_int16.h"
#include "winograd_strip.h"

#include <string.h>

/* The squares of the pixels of a column of a patch. */
static inline Vector column_squares(const View *view, const float *x, Strip strip, int column)
{
    const int top = strip.y - 1, left = strip.x - 1 + column;
    const ptrdiff_t pixel = view->block, line = pixel * view->w;
    Vector squares = { 0 };
    if (left < 0 || left >= view->w)
        return squares;
    for (int i = top < 0 ? 0 : top; i < top + PATCH && i < view->h; i++) {
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

/* One over the norm of each frequency. */
static void units_of(const float norms[PATCH], float unit[FREQUENCIES])
{
    for (int f = 0; f < FREQUENCIES; f++)
        unit[f] = 1 / (norms[f / PATCH] * norms[f % PATCH]);
}

/* ---- forward ---- */

/* The words of a patch, from its columns in channels c and c + 16. */
static void patch_words(Vector low[PATCH][PATCH], Vector high[PATCH][PATCH], const float scales[FREQUENCIES], uint32_t *v,
                        size_t stride)
{
    for (int i = 0; i < PATCH; i++) {
        Vector d[PATCH], first[PATCH], second[PATCH];
        for (int j = 0; j < PATCH; j++)
            d[j] = low[j][i];
        points_patch(d, first);
        for (int j = 0; j < PATCH; j++)
            d[j] = high[j][i];
        points_patch(d, second);
        for (int j = 0; j < PATCH; j++)
            words_store(v + (size_t)(i * PATCH + j) * stride,
                        words_of_pair(first[j], second[j], vector_all(scales[i * PATCH + j])));
    }
}

/* Scales of the patches of a strip for channels from .. to - 1; worth: of the first tile. */
static void strip_scales(const View *view, const float *x, Strip strip, int from, int to, const float unit[FREQUENCIES],
                         float *worth, float scales[STRIP][FREQUENCIES])
{
    Vector squares[STRIP] = { { 0 } };
    for (int c = from; c < to; c += VECTOR)
        strip_squares(view, x + view_offset(view, strip.n, c, 0, 0), strip, squares);
    for (int t = 0; t < strip.tiles; t++) {
        const float scale = scale_of(sqrtf(vector_sum(squares[t])), &worth[t]);
        for (int f = 0; f < FREQUENCIES; f++)
            scales[t][f] = scale * unit[f];
    }
}

void KERNEL(winograd_int16_patches)(const View *view, const float *x, TileRun run, int panels, int from, int to, Spectrum v)
{
    const int words = words_of(view->c);
    const size_t stride = frequency_stride((size_t)run.count, words);
    Vector low[STRIP_COLUMNS][PATCH], high[STRIP_COLUMNS][PATCH];
    float norms[PATCH], unit[FREQUENCIES], scales[STRIP][FREQUENCIES];
    points_patch_norms(norms);
    units_of(norms, unit);
    for (int tile = from; tile < to;) {
        const Strip strip = strip_at(view, run.first + (size_t)tile, to - tile);
        PanelPlace places[STRIP];
        for (int t = 0; t < strip.tiles; t++)
            places[t] = panel_place(run.count, panels, words, tile + t);
        for (int c = 0; c < view->c; c += c % (2 * GROUP) + VECTOR < GROUP ? VECTOR : VECTOR + GROUP) {
            if (c % SECTION == 0)
                strip_scales(view, x, strip, c, view->c - c < SECTION ? view->c : c + SECTION, unit,
                             v.scales + c / SECTION * run.count + tile, scales);
            const int partner = c + GROUP < view->c;
            strip_columns(view, x + view_offset(view, strip.n, c, 0, 0), strip, low);
            if (partner)
                strip_columns(view, x + view_offset(view, strip.n, c + GROUP, 0, 0), strip, high);
            else
                memset(high, 0, sizeof high);
            for (int t = 0; t < strip.tiles; t++)
                patch_words(low + t * TILE, high + t * TILE, scales[t],
                            v.words + places[t].start + (size_t)(c / (2 * GROUP)) * places[t].step + c % GROUP, stride);
        }
        tile += strip.tiles;
    }
}

/* ---- for the gradient of the filters ---- */

/* Which halves of a word the tiles at hand are. */
enum { FIRST = 1, SECOND = 2, BOTH = FIRST | SECOND };

/* The words of two tiles, or of one that is the first or second of its two: words that are there already get their other half. */
static inline void tiles_store(Vector first[PATCH], Vector second[PATCH], int halves, Vector scale, const float *unit,
                               uint32_t *to, size_t stride)
{
    for (int j = 0; j < PATCH; j++, to += stride) {
        const Words words = words_of_pair(first[j], second[j], scale * vector_all(unit[j]));
        words_store(to, halves == SECOND ? words_load(to) | (words & 0xFFFF0000) : words);
    }
}

/* Tile t of a strip that begins at tile `tile` of the run, with its neighbour if both are of one word. */
static inline int halves_at(int tile, int t, int tiles)
{
    return (tile + t) % 2 ? SECOND : t + 1 < tiles ? BOTH : FIRST;
}

static Vector channel_scale(Vector squares, float *worth)
{
    Vector scale = vector_root(squares);
    for (int i = 0; i < VECTOR; i++)
        scale[i] = scale_of(scale[i], &worth[i]);
    return scale;
}

static Vector patches_squares(const View *view, const float *x, TileRun run, int c)
{
    Vector sum = { 0 };
    for (int tile = 0; tile < run.count;) {
        const Strip strip = strip_at(view, run.first + (size_t)tile, run.count - tile);
        Vector squares[STRIP] = { { 0 } };
        strip_squares(view, x + view_offset(view, strip.n, c, 0, 0), strip, squares);
        for (int t = 0; t < strip.tiles; t++)
            sum += squares[t];
        tile += strip.tiles;
    }
    return sum;
}

/* Row i of the spectrum of a patch. */
static inline void patch_row(Vector columns[][PATCH], int i, Vector row[PATCH])
{
    Vector d[PATCH];
    for (int j = 0; j < PATCH; j++)
        d[j] = columns[j][i];
    points_patch(d, row);
}

void KERNEL(winograd_int16_patch_columns)(const View *view, const float *x, TileRun run, int part, int parts, Spectrum v)
{
    const int lines = (run.count + 1) / 2, vectors = view->c / VECTOR;
    const size_t stride = frequency_stride((size_t)lines, view->c);
    float norms[PATCH], unit[FREQUENCIES];
    points_patch_norms(norms);
    units_of(norms, unit);
    for (int c = (int)split((size_t)vectors, parts, part) * VECTOR; c < (int)split((size_t)vectors, parts, part + 1) * VECTOR;
         c += VECTOR) {
        const Vector scale = channel_scale(patches_squares(view, x, run, c), v.scales + c);
        uint32_t *to = v.words + (size_t)(c / GROUP * GROUP) * (size_t)lines + c % GROUP;
        for (int tile = 0; tile < run.count;) {
            const Strip strip = strip_at(view, run.first + (size_t)tile, run.count - tile);
            Vector columns[STRIP_COLUMNS][PATCH];
            strip_columns(view, x + view_offset(view, strip.n, c, 0, 0), strip, columns);
            for (int t = 0, halves; t < strip.tiles; t += halves == BOTH ? 2 : 1) {
                halves = halves_at(tile, t, strip.tiles);
                for (int i = 0; i < PATCH; i++) {
                    Vector first[PATCH] = { { 0 } }, second[PATCH] = { { 0 } };
                    if (halves & FIRST)
                        patch_row(columns + t * TILE, i, first);
                    if (halves & SECOND)
                        patch_row(columns + (t + (halves == BOTH)) * TILE, i, second);
                    tiles_store(first, second, halves, scale, unit + i * PATCH,
                                to + (size_t)(i * PATCH) * stride + (size_t)((tile + t) / 2 * GROUP), stride);
                }
            }
            tile += strip.tiles;
        }
    }
}

/* A dy of one 4x4 tile, of which down x across pixels are inside. */
static inline void gradient_columns(const float *dy, ptrdiff_t line, ptrdiff_t pixel, int down, int across,
                                    Vector columns[TILE][PATCH])
{
    for (int j = 0; j < TILE; j++) {
        Vector s[TILE];
        for (int i = 0; i < TILE; i++)
            s[i] = i < down && j < across ? vector_load(dy + i * line + j * pixel) : (Vector){ 0 };
        points_tile_gradient(s, columns[j]);
    }
}

static inline void gradient_row(Vector columns[TILE][PATCH], int i, Vector row[PATCH])
{
    const Vector s[TILE] = { columns[0][i], columns[1][i], columns[2][i], columns[3][i] };
    points_tile_gradient(s, row);
}

/* The squares of the pixels of a run; adds the pixels to *sum. */
static Vector gradients_squares(const View *view, const float *dy, TileRun run, int c, Vector *sum)
{
    const ptrdiff_t pixel = view->block, line = pixel * view->w;
    Vector squares = { 0 };
    for (int tile = 0; tile < run.count;) {
        const Strip at = strip_at(view, run.first + (size_t)tile, run.count - tile);
        const float *source = dy + view_offset(view, at.n, c, at.y, at.x);
        const int down = inside(view->h - at.y), rest = view->w - at.x, across = rest < at.tiles * TILE ? rest : at.tiles * TILE;
        for (int i = 0; i < down; i++)
            for (int j = 0; j < across; j++) {
                const Vector d = vector_load(source + i * line + j * pixel);
                *sum += d;
                squares += d * d;
            }
        tile += at.tiles;
    }
    return squares;
}

/* W of the tiles of a strip that begins at `tile`. */
static void strip_gradients(const View *view, const float *dy, Strip at, int tile, Vector scale, const float unit[FREQUENCIES],
                            uint32_t *to, int width, size_t stride)
{
    const ptrdiff_t pixel = view->block, line = pixel * view->w;
    const int down = inside(view->h - at.y);
    for (int t = 0, halves; t < at.tiles; t += halves == BOTH ? 2 : 1) {
        Vector columns[2][TILE][PATCH];
        halves = halves_at(tile, t, at.tiles);
        for (int half = 0; half <= (halves == BOTH); half++)
            gradient_columns(dy + (t + half) * TILE * pixel, line, pixel, down, inside(view->w - at.x - (t + half) * TILE),
                             columns[half]);
        for (int i = 0; i < PATCH; i++) {
            Vector first[PATCH] = { { 0 } }, second[PATCH] = { { 0 } };
            if (halves & FIRST)
                gradient_row(columns[0], i, first);
            if (halves & SECOND)
                gradient_row(columns[halves == BOTH], i, second);
            tiles_store(first, second, halves, scale, unit + i * PATCH,
                        to + (size_t)(i * PATCH) * stride + (size_t)((tile + t) / 2) * (size_t)width, stride);
        }
    }
}

void KERNEL(winograd_int16_gradients)(const View *view, const float *dy, TileRun run, int part, int parts, Spectrum w,
                                       float *sums)
{
    const int lines = (run.count + 1) / 2, vectors = view->c / VECTOR;
    const size_t stride = frequency_stride((size_t)lines, view->c);
    float norms[PATCH], unit[FREQUENCIES];
    points_tile_norms(norms);
    units_of(norms, unit);
    for (int c = (int)split((size_t)vectors, parts, part) * VECTOR; c < (int)split((size_t)vectors, parts, part + 1) * VECTOR;
         c += VECTOR) {
        const int width = block_width(view->c, c / BLOCK);
        Vector sum = { 0 };
        const Vector scale = channel_scale(gradients_squares(view, dy, run, c, &sum), w.scales + c);
        uint32_t *to = w.words + (size_t)(c / BLOCK * BLOCK) * (size_t)lines + c % BLOCK;
        for (int tile = 0; tile < run.count;) {
            const Strip at = strip_at(view, run.first + (size_t)tile, run.count - tile);
            strip_gradients(view, dy + view_offset(view, at.n, c, at.y, at.x), at, tile, scale, unit, to, width, stride);
            tile += at.tiles;
        }
        if (sums)
            vector_store(sums + c, vector_load(sums + c) + sum);
    }
}
