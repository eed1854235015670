/* padding.h - the channels that only fill a tensor's last block are zero. */

#ifndef CONVZOO_PADDING_H
#define CONVZOO_PADDING_H

#include "view.h"

#include <string.h>

/* Writes zero to the channels that only fill the last block; numbers of `size` bytes. */
static inline void padding_clear(const View *view, size_t size, void *y)
{
    const size_t pixels = view_pixels(view), block = (size_t)view->block, c = (size_t)view->c;
    const size_t blocks = view_blocks(view);
    if (view->padded == view->c)
        return;
    #pragma omp parallel for collapse(2) schedule(static)
    for (int n = 0; n < view->n; n++)
        for (size_t b = c / block; b < blocks; b++) {
            char *from = (char *)y + ((size_t)n * view_image_stride(view) + b * view_block_stride(view)) * size;
            const size_t used = b * block < c ? c - b * block : 0;
            for (size_t pixel = 0; pixel < pixels; pixel++)
                memset(from + (pixel * block + used) * size, 0, (block - used) * size);
        }
}

#endif
