/* tiles.h - small pictures of one size side by side, each pixel enlarged to a square. */

#ifndef CONVZOO_TILES_H
#define CONVZOO_TILES_H

#include <stdint.h>

typedef struct Tiles {
    int      tile_h, tile_w, channels;      /* of a picture; channels: 1 or 3 */
    int      columns, rows, zoom;
    int      h, w;                          /* of all of them: the gaps are white */
    uint8_t *pixels;                        /* h x w x channels */
} Tiles;

/* Room for `count` pictures; each is at least `side` pixels wide. Pictures without colours are grey. */
Tiles tiles_new(int count, int channels, int tile_h, int tile_w, int side);
void  tiles_free(Tiles *tiles);

/* One pixel of a picture. */
void tiles_set(Tiles *tiles, int picture, int c, int y, int x, uint8_t level);

#endif
