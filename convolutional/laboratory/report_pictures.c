/* report_pictures.c - images of a data set for a report's page: small, each a text, as many as there is room for. */

#include "report_parts.h"

#include "mistakes.h"
#include "png_bytes.h"

#include <stdlib.h>
#include <string.h>

enum { SIDE_MOST = 64, COLOURS = 3 };

/* A large picture becomes smaller by a whole factor, the mean of each square of pixels. */
static void shrink(const uint8_t *rgb, int w, int factor, uint8_t *small, int small_h, int small_w)
{
    for (int y = 0; y < small_h; y++)
        for (int x = 0; x < small_w; x++)
            for (int c = 0; c < COLOURS; c++) {
                int sum = 0;
                for (int dy = 0; dy < factor; dy++)
                    for (int dx = 0; dx < factor; dx++)
                        sum += rgb[((y * factor + dy) * w + x * factor + dx) * COLOURS + c];
                small[(y * small_w + x) * COLOURS + c] = (uint8_t)(sum / (factor * factor));
            }
}

json_t *report_picture(ReportRun *run, const Dataset *data, uint32_t image)
{
    if (run->report->picture_bytes >= REPORT_PICTURE_BYTES)
        return NULL;
    const int h = data->height, w = data->width, longer = h > w ? h : w, factor = (longer + SIDE_MOST - 1) / SIDE_MOST;
    const size_t pixels = (size_t)h * (size_t)w;
    uint8_t *rgb = allocate(pixels, COLOURS, "a picture"), *small = allocate(pixels, COLOURS, "a picture");
    mistakes_picture(data, image, rgb);
    shrink(rgb, w, factor, small, h / factor, w / factor);
    char *uri = png_uri(small, h / factor, w / factor);
    json_t *picture = uri ? json_made(json_string(uri)) : NULL;
    run->report->picture_bytes += uri ? strlen(uri) : 0;
    free(uri);
    free(small);
    free(rgb);
    return picture;
}

const char *report_image_name(const Dataset *data, uint32_t image)
{
    const char *name = data->names ? data->names[image] : "", *at = strrchr(name, '/');
    while (at && at > name && at[-1] != '/')
        at--;
    return at ? at : name;
}
