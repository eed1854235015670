/* view.h - how the bytes of an activation tensor lie.
 *
 * Logically N C H W always. Channels lie in blocks:
 *
 *   block 1          N C H W           plain
 *   block 4, 8, 16   N C/b H W b       oneDNN's nChw4c, nChw8c, nChw16c; the last block is padded with zeros
 *   block C          N H W C           channels last
 *
 * so that one formula serves every layout, and kernels loop over the `block` channels of a pixel innermost. */

#ifndef CONVZOO_VIEW_H
#define CONVZOO_VIEW_H

#include <stddef.h>

typedef struct View {
    int n, c, h, w;       /* logical sizes */
    int block;            /* channels that lie together in a pixel */
    int padded;           /* channels with padding: a multiple of block, >= c */
} View;

static inline size_t view_pixels(const View *v)       { return (size_t)v->h * (size_t)v->w; }
static inline size_t view_blocks(const View *v)       { return (size_t)(v->padded / v->block); }
static inline size_t view_block_stride(const View *v) { return view_pixels(v) * (size_t)v->block; }
static inline size_t view_image_stride(const View *v) { return view_pixels(v) * (size_t)v->padded; }
/* Elements, padding included. */
static inline size_t view_count(const View *v)        { return (size_t)v->n * view_image_stride(v); }

/* The element (n, c, y, x). */
static inline size_t view_offset(const View *v, int n, int c, int y, int x)
{
    return (size_t)n * view_image_stride(v) + (size_t)(c / v->block) * view_block_stride(v) +
           ((size_t)y * (size_t)v->w + (size_t)x) * (size_t)v->block + (size_t)(c % v->block);
}

#endif
