/* preview.c - see preview.h. */

#include "preview.h"

#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, LEAST_SIDE = 96 };      /* pixels: between samples; of a sample */

typedef struct Grid {
    int     columns, rows, zoom, channels;      /* channels: 1 or 3 */
    int     tile_height, tile_width, height, width;
    uint8_t *pixels;                            /* height x width x channels */
} Grid;

static Grid grid_new(const Dataset *dataset, int count)
{
    Grid grid = { .channels = dataset->channels == 3 ? 3 : 1, .zoom = 1 };
    while (grid.zoom * dataset->width < LEAST_SIDE)
        grid.zoom++;
    grid.columns = (int)ceil(sqrt(count));
    grid.rows = (count + grid.columns - 1) / grid.columns;
    grid.tile_height = dataset->height * grid.zoom + GAP;
    grid.tile_width = dataset->width * grid.zoom + GAP;
    grid.height = grid.rows * grid.tile_height + GAP;
    grid.width = grid.columns * grid.tile_width + GAP;
    grid.pixels = allocate((size_t)grid.height * (size_t)grid.width, (size_t)grid.channels, "a preview");
    memset(grid.pixels, 255, (size_t)grid.height * (size_t)grid.width * (size_t)grid.channels);
    return grid;
}

static uint8_t byte_of(float value, float mean, float std)
{
    const float level = 255 * (value * std + mean) + 0.5f;
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

static void grid_place(Grid *grid, int place, const float *image, const Dataset *dataset, const LoaderOptions *options)
{
    const int top = place / grid->columns * grid->tile_height + GAP, left = place % grid->columns * grid->tile_width + GAP;
    for (int c = 0; c < grid->channels; c++)
        for (int y = 0; y < dataset->height * grid->zoom; y++)
            for (int x = 0; x < dataset->width * grid->zoom; x++) {
                const float value = image[(c * dataset->height + y / grid->zoom) * dataset->width + x / grid->zoom];
                grid->pixels[((size_t)(top + y) * (size_t)grid->width + (size_t)(left + x)) * (size_t)grid->channels + (size_t)c] =
                    byte_of(value, options->mean[c], options->std[c]);
            }
}

static bool grid_write(const Grid *grid, const char *path, Error *error)
{
    png_image image = { .version = PNG_IMAGE_VERSION, .width = (png_uint_32)grid->width, .height = (png_uint_32)grid->height,
                        .format = grid->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY };
    if (png_image_write_to_file(&image, path, 0, grid->pixels, 0, NULL))
        return true;
    error_set(error, EXIT_write, "the preview cannot be written: %s: %s: name a file in a folder that can be written to", path, image.message);
    png_image_free(&image);
    return false;
}

bool preview_write(const char *path, const Dataset *dataset, const LoaderOptions *options, int count, Error *error)
{
    CHECK(count > 0 && count <= PREVIEW_MOST, "a preview of %d samples", count);
    LoaderOptions once = *options;
    once.training = true;
    once.batch = (uint32_t)count < dataset->count ? count : (int)dataset->count;
    Loader *loader = loader_new(dataset, &once);
    Grid grid = grid_new(dataset, once.batch);
    const size_t size = (size_t)dataset->channels * (size_t)dataset->height * (size_t)dataset->width;
    Batch batch;
    loader_start(loader, 0, 0);
    CHECK(loader_next(loader, &batch), "no batch of %d", once.batch);
    for (int i = 0; i < batch.count; i++)
        grid_place(&grid, i, batch.images + (size_t)i * size, dataset, options);
    loader_free(loader);
    const bool written = grid_write(&grid, path, error);
    free(grid.pixels);
    return written;
}
