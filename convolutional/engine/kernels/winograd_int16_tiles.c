/* winograd_int16_tiles.c - patches and gradients of 16-bit integers for the gradient of the filters; see winograd_int16.h.
 *
 * A sum runs over the tiles of a run: V is [in / 16][lines][16 words] and W [block][lines][width] at each frequency, a line
 * being two tiles; what they are worth [channel]. */

#include "winograd_int16.h"
#include "winograd_strip.h"

/* Which halves of a word the tiles at hand are. */
enum { FIRST = 1, SECOND = 2, BOTH = FIRST | SECOND };

/* One row of the words of two tiles, or of one that is the first or second of its two: the second adds its half to the words. */
static inline void tiles_store(Vector first[PATCH], Vector second[PATCH], int halves, const Vector *scales,
                               uint32_t *to, size_t stride)
{
    for (int j = 0; j < PATCH; j++, to += stride) {
        const Words words = words_of_pair(first[j], second[j], scales[j]);
        words_store(to, halves == SECOND ? words_load(to) | (words & 0xFFFF0000) : words);
    }
}

/* Tile t of a strip that begins at tile `tile` of the run, with its neighbour if both are of one word. */
static inline int halves_at(int tile, int t, int tiles)
{
    return (tile + t) % 2 ? SECOND : t + 1 < tiles ? BOTH : FIRST;
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

/* V of the tiles of a strip that begins at `tile`. */
static void strip_patches(const View *view, const float *x, Strip strip, int tile, const Vector scales[FREQUENCIES],
                          uint32_t *to, size_t stride)
{
    Vector columns[STRIP_COLUMNS][PATCH];
    strip_columns(view, x, strip, columns);
    for (int t = 0, halves; t < strip.tiles; t += halves == BOTH ? 2 : 1) {
        halves = halves_at(tile, t, strip.tiles);
        for (int i = 0; i < PATCH; i++) {
            Vector first[PATCH] = { { 0 } }, second[PATCH] = { { 0 } };
            if (halves & FIRST)
                patch_row(columns + t * TILE, i, first);
            if (halves & SECOND)
                patch_row(columns + (t + (halves == BOTH)) * TILE, i, second);
            tiles_store(first, second, halves, scales + i * PATCH,
                        to + (size_t)(i * PATCH) * stride + (size_t)((tile + t) / 2 * GROUP), stride);
        }
    }
}

void KERNEL(winograd_int16_patch_lines)(const View *view, const float *x, TileRun run, int part, int parts, Spectrum v)
{
    const int lines = (run.count + 1) / 2, vectors = view->c / VECTOR;
    const size_t stride = frequency_stride((size_t)lines, view->c);
    float norms[FREQUENCIES];
    patch_norms(norms);
    for (int c = (int)split((size_t)vectors, parts, part) * VECTOR; c < (int)split((size_t)vectors, parts, part + 1) * VECTOR;
         c += VECTOR) {
        Vector scales[FREQUENCIES];
        scales_of(patches_squares(view, x, run, c), norms, scales, v.worth + c);
        uint32_t *to = v.words + (size_t)(c / GROUP * GROUP) * (size_t)lines + c % GROUP;
        for (int tile = 0; tile < run.count;) {
            const Strip strip = strip_at(view, run.first + (size_t)tile, run.count - tile);
            strip_patches(view, x + view_offset(view, strip.n, c, 0, 0), strip, tile, scales, to, stride);
            tile += strip.tiles;
        }
    }
}

static Vector gradients_squares(const View *view, const float *dy, TileRun run, int c)
{
    const ptrdiff_t pixel = view->block, line = pixel * view->w;
    Vector squares = { 0 };
    for (int tile = 0; tile < run.count;) {
        const Strip at = strip_at(view, run.first + (size_t)tile, run.count - tile);
        const float *source = dy + view_offset(view, at.n, c, at.y, at.x);
        const int down = inside(view->h - at.y), across = int_min(view->w - at.x, at.tiles * TILE);
        for (int i = 0; i < down; i++)
            for (int j = 0; j < across; j++) {
                const Vector d = vector_load(source + i * line + j * pixel);
                squares += d * d;
            }
        tile += at.tiles;
    }
    return squares;
}

/* W of the tiles of a strip that begins at `tile`; adds their pixels to *sum. */
static void strip_gradients(const View *view, const float *dy, Strip at, int tile, const Vector scales[FREQUENCIES],
                            uint32_t *to, int width, size_t stride, Vector *sum)
{
    const ptrdiff_t pixel = view->block, line = pixel * view->w;
    const int down = inside(view->h - at.y);
    for (int t = 0, halves; t < at.tiles; t += halves == BOTH ? 2 : 1) {
        Vector columns[2][TILE][PATCH];
        halves = halves_at(tile, t, at.tiles);
        for (int half = 0; half <= (halves == BOTH); half++)
            gradient_columns(dy + (t + half) * TILE * pixel, line, pixel, down, inside(view->w - at.x - (t + half) * TILE),
                             columns[half], sum);
        for (int i = 0; i < PATCH; i++) {
            Vector first[PATCH] = { { 0 } }, second[PATCH] = { { 0 } };
            if (halves & FIRST)
                gradient_row(columns[0], i, first);
            if (halves & SECOND)
                gradient_row(columns[halves == BOTH], i, second);
            tiles_store(first, second, halves, scales + i * PATCH,
                        to + (size_t)(i * PATCH) * stride + (size_t)((tile + t) / 2) * (size_t)width, stride);
        }
    }
}

void KERNEL(winograd_int16_gradients)(const View *view, const float *dy, TileRun run, int part, int parts, Spectrum w,
                                      float *sums)
{
    const int lines = (run.count + 1) / 2, vectors = view->c / VECTOR;
    const size_t stride = frequency_stride((size_t)lines, view->c);
    float norms[FREQUENCIES];
    gradient_norms(norms);
    for (int c = (int)split((size_t)vectors, parts, part) * VECTOR; c < (int)split((size_t)vectors, parts, part + 1) * VECTOR;
         c += VECTOR) {
        const int width = block_width(view->c, c / BLOCK);
        Vector sum = { 0 }, scales[FREQUENCIES];
        scales_of(gradients_squares(view, dy, run, c), norms, scales, w.worth + c);
        uint32_t *to = w.words + (size_t)(c / BLOCK * BLOCK) * (size_t)lines + c % BLOCK;
        for (int tile = 0; tile < run.count;) {
            const Strip at = strip_at(view, run.first + (size_t)tile, run.count - tile);
            strip_gradients(view, dy + view_offset(view, at.n, c, at.y, at.x), at, tile, scales, to, width, stride,
                            &sum);
            tile += at.tiles;
        }
        if (sums)
            vector_store(sums + c, vector_load(sums + c) + sum);
    }
}
