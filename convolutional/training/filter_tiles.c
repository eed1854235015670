/* filter_tiles.c - see filter_tiles.h. */

#include "filter_tiles.h"

#include "parameters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLOURS = 3, LEAST_SIDE = 32 };      /* pixels of a filter */

const Param *filter_first(const Network *network)
{
    for (int i = 0; i < network_module_count(network); i++) {
        const Module *module = network_module(network, i);
        const Param *weight = strcmp(module->ops->kind, "conv2d") ? NULL : network_param_of(network, module, "weight");
        if (weight && weight->rank == 4)
            return weight;
    }
    return NULL;
}

float filter_largest(const float *weights, size_t count)
{
    float most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmaxf(most, fabsf(weights[i]));
    return most;
}

uint8_t filter_level(float weight, float most)
{
    const float share = most > 0 ? weight / most : 0;
    return (uint8_t)lroundf(127.5f + 127.5f * (isfinite(share) ? share : 0));
}

/* planes: what is shown of one filter, its colours or its mean. */
static void place(Tiles *tiles, int filter, const float *planes)
{
    const int h = tiles->tile_h, w = tiles->tile_w;
    const float most = filter_largest(planes, (size_t)tiles->channels * (size_t)h * (size_t)w);
    for (int c = 0; c < tiles->channels; c++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                tiles_set(tiles, filter, c, y, x, filter_level(planes[(c * h + y) * w + x], most));
}

Tiles filter_tiles(const Param *filters, const float *weights)
{
    const int count = (int)filters->dims[0] < FILTERS_MOST ? (int)filters->dims[0] : FILTERS_MOST, channels = (int)filters->dims[1];
    const size_t pixels = (size_t)filters->dims[2] * (size_t)filters->dims[3];
    Tiles tiles = tiles_new(count, channels, (int)filters->dims[2], (int)filters->dims[3], LEAST_SIDE);
    float *mean = allocate(pixels, sizeof *mean, "a filter");
    for (int f = 0; f < count; f++) {
        const float *filter = weights + (size_t)f * (size_t)channels * pixels;
        memset(mean, 0, pixels * sizeof *mean);
        for (int c = 0; c < channels && channels != COLOURS; c++)
            for (size_t i = 0; i < pixels; i++)
                mean[i] += filter[(size_t)c * pixels + i] / (float)channels;
        place(&tiles, f, channels == COLOURS ? filter : mean);
    }
    free(mean);
    return tiles;
}
