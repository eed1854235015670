/* winograd_int16_patches.c - patches of 16-bit integers for the forward product; see winograd_int16.h.
 *
 * A sum runs over channels: V is panels of tiles, each [in / 32][tiles of the panel][16 words], what they are
 * worth [section of channels][tile]. */

#include "winograd_int16.h"
#include "winograd_strip.h"

#include <string.h>

/* The words of a patch, from its columns in channels c and c + 16. */
static void patch_words(Vector low[PATCH][PATCH], Vector high[PATCH][PATCH], const float scales[FREQUENCIES], uint32_t *v,
                        size_t stride)
{
    for (int i = 0; i < PATCH; i++) {
        Vector first[PATCH], second[PATCH];
        patch_row(low, i, first);
        patch_row(high, i, second);
        for (int j = 0; j < PATCH; j++)
            words_store(v + (size_t)(i * PATCH + j) * stride,
                        words_of_pair(first[j], second[j], vector_all(scales[i * PATCH + j])));
    }
}

/* Scales of the patches of a strip for channels from .. to - 1; worth: of the first tile. */
static void strip_scales(const View *view, const float *x, Strip strip, int from, int to, const float norms[FREQUENCIES],
                         float *worth, float scales[STRIP][FREQUENCIES])
{
    Vector squares[STRIP] = { { 0 } };
    for (int c = from; c < to; c += VECTOR)
        strip_squares(view, x + view_offset(view, strip.n, c, 0, 0), strip, squares);
    for (int t = 0; t < strip.tiles; t++) {
        const float scale = scale_of(sqrtf(vector_sum(squares[t])), &worth[t]);
        for (int f = 0; f < FREQUENCIES; f++)
            scales[t][f] = scale / norms[f];
    }
}

void KERNEL(winograd_int16_patches)(const View *view, const float *x, TileRun run, int panels, int from, int to, Spectrum v)
{
    const int words = words_of(view->c);
    const size_t stride = frequency_stride((size_t)run.count, words);
    Vector low[STRIP_COLUMNS][PATCH], high[STRIP_COLUMNS][PATCH];
    float norms[FREQUENCIES], scales[STRIP][FREQUENCIES];
    patch_norms(norms);
    for (int tile = from; tile < to;) {
        const Strip strip = strip_at(view, run.first + (size_t)tile, to - tile);
        PanelPlace places[STRIP];
        for (int t = 0; t < strip.tiles; t++)
            places[t] = panel_place(run.count, panels, words, tile + t);
        for (int word = 0; word < words; word += VECTOR) {
            const int c = word / GROUP * 2 * GROUP + word % GROUP;
            if (c % SECTION == 0)
                strip_scales(view, x, strip, c, int_min(c + SECTION, view->c), norms,
                             v.worth + c / SECTION * run.count + tile, scales);
            const int partner = c + GROUP < view->c;
            strip_columns(view, x + view_offset(view, strip.n, c, 0, 0), strip, low);
            if (partner)
                strip_columns(view, x + view_offset(view, strip.n, c + GROUP, 0, 0), strip, high);
            else
                memset(high, 0, sizeof high);
            for (int t = 0; t < strip.tiles; t++)
                patch_words(low + t * TILE, high + t * TILE, scales[t],
                            v.words + places[t].start + (size_t)(word / GROUP) * places[t].step + word % GROUP, stride);
        }
        tile += strip.tiles;
    }
}
