/* mistakes.c - see mistakes.h. */

#include "mistakes.h"

#include <stdlib.h>

#include "text.h"

enum { SIDE = 160, COLOURS = 3, MOST = 400 };

void mistakes_picture(const Dataset *data, uint32_t image, uint8_t *rgb)
{
    const size_t pixels = (size_t)data->height * (size_t)data->width;
    const uint8_t *planes = data->images + (size_t)image * pixels * (size_t)data->channels;
    for (size_t i = 0; i < pixels; i++)
        for (size_t c = 0; c < COLOURS; c++)
            rgb[COLOURS * i + c] = planes[(data->channels == COLOURS ? c : 0) * pixels + i];
}

static void write_lines(Sheet *sheet, int place, const Outputs *outputs, uint32_t image, char *const *classes, double temperature)
{
    const int label = outputs->labels[image], called = outputs_called(outputs, image);
    char *is = text_format("true %.1f%% %s", 100 * outputs_probability(outputs, image, label, temperature), classes[label]);
    char *said = text_format("called %.1f%% %s", 100 * outputs_probability(outputs, image, called, temperature), classes[called]);
    sheet_line(sheet, place, 0, is);
    sheet_line(sheet, place, 1, said);
    free(is);
    free(said);
}

Sheet *mistakes_sheet(const Dataset *data, const Outputs *outputs, char *const *classes, double temperature, int most)
{
    most = most < MOST ? most : MOST;
    uint32_t *images = allocate((size_t)most, sizeof *images, "a list of mistakes");
    const int count = (int)metrics_mistakes(outputs, temperature, images, (uint32_t)most);
    Sheet *sheet = NULL;
    if (count) {
        char *title = text_format("The %d mistakes that it is surest of", count);
        uint8_t *rgb = allocate((size_t)data->height * (size_t)data->width, COLOURS, "a picture");
        sheet = sheet_new(count, (SheetOptions){ .side = SIDE, .lines = 2, .title = count > 2 ? title : NULL });
        for (int i = 0; i < count; i++) {
            mistakes_picture(data, images[i], rgb);
            sheet_picture(sheet, i, rgb, data->height, data->width);
            write_lines(sheet, i, outputs, images[i], classes, temperature);
        }
        free(rgb);
        free(title);
    }
    free(images);
    return sheet;
}
