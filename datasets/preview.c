/* preview.c - see preview.h. */

#include "preview.h"

enum { LEAST_SIDE = 96 };      /* pixels of a sample */

static uint8_t byte_of(float value, float mean, float std)
{
    const float level = 255 * (value * std + mean) + 0.5f;
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

static void place(Tiles *tiles, int sample, const float *image, const LoaderOptions *options)
{
    for (int c = 0; c < tiles->channels; c++)
        for (int y = 0; y < tiles->tile_h; y++)
            for (int x = 0; x < tiles->tile_w; x++)
                tiles_set(tiles, sample, c, y, x, byte_of(image[(c * tiles->tile_h + y) * tiles->tile_w + x], options->mean[c], options->std[c]));
}

Tiles preview_tiles(const Dataset *dataset, const LoaderOptions *options, int count)
{
    CHECK(count > 0 && count <= PREVIEW_MOST, "a preview of %d samples", count);
    LoaderOptions once = *options;
    once.training = true;
    once.batch = (uint32_t)count < dataset->count ? count : (int)dataset->count;
    Loader *loader = loader_new(dataset, &once);
    Tiles tiles = tiles_new(once.batch, dataset->channels, dataset->height, dataset->width, LEAST_SIDE);
    const size_t size = (size_t)dataset->channels * (size_t)dataset->height * (size_t)dataset->width;
    Batch batch;
    loader_start(loader, 0, 0);
    CHECK(loader_next(loader, &batch), "no batch of %d", once.batch);
    for (int i = 0; i < batch.count; i++)
        place(&tiles, i, batch.images + (size_t)i * size, options);
    loader_free(loader);
    return tiles;
}
