/* filters.c - see filters.h. */

#include "filters.h"

#include <stdlib.h>

#include "filter_tiles.h"
#include "parameters.h"
#include "text.h"

enum { SIDE = 64, COLOURS = 3 };

static void place_colours(Sheet *sheet, int place, const float *weights, int h, int w)
{
    const size_t pixels = (size_t)h * (size_t)w;
    const float most = filter_largest(weights, COLOURS * pixels);
    uint8_t *rgb = allocate(pixels, COLOURS, "a filter");
    for (size_t i = 0; i < pixels; i++)
        for (size_t c = 0; c < COLOURS; c++)
            rgb[COLOURS * i + c] = filter_level(weights[c * pixels + i], most);
    sheet_picture(sheet, place, rgb, h, w);
    free(rgb);
}

static void place_mean(Sheet *sheet, int place, const float *weights, int channels, int h, int w)
{
    const size_t pixels = (size_t)h * (size_t)w;
    float *mean = allocate(pixels, sizeof *mean, "a filter");
    for (int c = 0; c < channels; c++)
        for (size_t i = 0; i < pixels; i++)
            mean[i] += weights[(size_t)c * pixels + i] / (float)channels;
    const float most = filter_largest(mean, pixels);
    sheet_numbers(sheet, place, mean, h, w, -most, most);
    free(mean);
}

Sheet *filters_sheet(Network *network, Error *error)
{
    const Param *param = filter_first(network);
    if (!param) {
        error_set(error, EXIT_usage, "no convolution: --filters: the network has no filters to show: leave it out");
        return NULL;
    }
    const int filters = (int)param->dims[0], channels = (int)param->dims[1], h = (int)param->dims[2], w = (int)param->dims[3];
    const int count = filters < FILTERS_MOST ? filters : FILTERS_MOST;
    float *weights = allocate(param->count, sizeof *weights, "filters");
    parameters_export(network, network_parameters(network)->values, param, weights);
    char *title = text_format(count < filters ? "%s: the first %d of %d filters" : "%s: %d filters", param->module->name, count, filters);
    Sheet *sheet = sheet_new(count, (SheetOptions){ .side = SIDE, .title = title });
    for (int f = 0; f < count; f++) {
        const float *filter = weights + (size_t)f * (size_t)channels * (size_t)h * (size_t)w;
        if (channels == COLOURS)
            place_colours(sheet, f, filter, h, w);
        else
            place_mean(sheet, f, filter, channels, h, w);
    }
    free(title);
    free(weights);
    return sheet;
}
