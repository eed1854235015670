/* draw_shapes.c - docs/shapes.png: a few pictures of each class of the built-in set, under the class's name.
 *
 *     cmake --build build --target draw_shapes && build/draw_shapes docs/shapes.png
 *
 * A PNG with a palette: noise of 24 bits a pixel would be ten times as large. */

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset.h"

enum {
    ACROSS = 5, EXAMPLES = 2,                                    /* classes in a row; EXAMPLES x EXAMPLES pictures of each */
    ZOOM = 2, GAP = 4, MARGIN = 14, LABEL = 26,                  /* pixels */
    COLOURS = 96,
    INK = COLOURS, GROUND,                                       /* two more, of labels and ground */
};

/* ---- labels: letters of 5 x 8 points, one byte a row ---- */

static const struct { char letter; unsigned char rows[8]; } font[] = {
    { 'a', {  0,  0, 14,  1, 15, 17, 15,  0 } }, { 'b', { 16, 16, 30, 17, 17, 17, 30,  0 } },
    { 'c', {  0,  0, 14, 16, 16, 17, 14,  0 } }, { 'd', {  1,  1, 15, 17, 17, 17, 15,  0 } },
    { 'e', {  0,  0, 14, 17, 31, 16, 14,  0 } }, { 'f', {  6,  9,  8, 28,  8,  8,  8,  0 } },
    { 'g', {  0,  0, 15, 17, 17, 15,  1, 14 } }, { 'h', { 16, 16, 30, 17, 17, 17, 17,  0 } },
    { 'i', {  4,  0, 12,  4,  4,  4, 14,  0 } }, { 'l', { 12,  4,  4,  4,  4,  4, 14,  0 } },
    { 'n', {  0,  0, 30, 17, 17, 17, 17,  0 } }, { 'o', {  0,  0, 14, 17, 17, 17, 14,  0 } },
    { 'q', {  0,  0, 15, 17, 17, 15,  1,  1 } }, { 'r', {  0,  0, 22, 25, 16, 16, 16,  0 } },
    { 's', {  0,  0, 15, 16, 14,  1, 30,  0 } }, { 't', {  8,  8, 28,  8,  8,  9,  6,  0 } },
    { 'u', {  0,  0, 17, 17, 17, 17, 15,  0 } }, { '_', {  0,  0,  0,  0,  0,  0, 31,  0 } },
};

static void draw_label(const char *text, unsigned char *pixels, int width)
{
    for (; *text; text++, pixels += 6 * ZOOM)
        for (size_t i = 0; i < sizeof font / sizeof *font; i++)
            for (int p = 0; p < 8 * ZOOM * 5 * ZOOM && font[i].letter == *text; p++) {
                const int y = p / (5 * ZOOM), x = p % (5 * ZOOM);
                if (font[i].rows[y / ZOOM] >> (4 - x / ZOOM) & 1)
                    pixels[y * width + x] = INK;
            }
}

/* ---- the palette: the box with the widest range of one colour is cut at its median until there are enough ---- */

typedef struct Colour { unsigned char part[3]; } Colour;

static int sort_part;

static int compare(const void *a, const void *b)
{
    return ((const Colour *)a)->part[sort_part] - ((const Colour *)b)->part[sort_part];
}

static int widest(const Colour *colours, int count, int *part)
{
    int most = -1;
    for (int c = 0; c < 3; c++) {
        int low = 255, high = 0;
        for (int i = 0; i < count; i++) {
            low = colours[i].part[c] < low ? colours[i].part[c] : low;
            high = colours[i].part[c] > high ? colours[i].part[c] : high;
        }
        if (high - low > most) {
            most = high - low;
            *part = c;
        }
    }
    return most;
}

static void choose_palette(Colour *colours, int count, Colour *palette)
{
    int first[COLOURS + 1] = { 0, count };
    for (int boxes = 1; boxes < COLOURS; boxes++) {
        int chosen = 0, best = -1, part = 0, unused;
        for (int b = 0; b < boxes; b++) {
            const int range = widest(colours + first[b], first[b + 1] - first[b], &unused);
            if (range > best) {
                best = range;
                chosen = b;
            }
        }
        widest(colours + first[chosen], first[chosen + 1] - first[chosen], &part);
        sort_part = part;
        qsort(colours + first[chosen], (size_t)(first[chosen + 1] - first[chosen]), sizeof *colours, compare);
        memmove(first + chosen + 2, first + chosen + 1, (size_t)(boxes - chosen) * sizeof *first);
        first[chosen + 1] = (first[chosen] + first[chosen + 2]) / 2;
    }
    for (int b = 0; b < COLOURS; b++)
        for (int c = 0; c < 3; c++) {
            long sum = 0, n = first[b + 1] - first[b];
            for (int i = first[b]; i < first[b + 1]; i++)
                sum += colours[i].part[c];
            palette[b].part[c] = (unsigned char)(sum / (n ? n : 1));
        }
}

static int nearest(Colour colour, const Colour *palette)
{
    int best = 0, least = 1 << 30;
    for (int i = 0; i < COLOURS; i++) {
        int distance = 0;
        for (int c = 0; c < 3; c++)
            distance += (colour.part[c] - palette[i].part[c]) * (colour.part[c] - palette[i].part[c]);
        if (distance < least) {
            least = distance;
            best = i;
        }
    }
    return best;
}

/* ---- the picture ---- */

typedef struct Sheet {
    int width, height;
    unsigned char *pixels;         /* indices of the palette */
    Colour palette[COLOURS + 2];
} Sheet;

static Colour colour_at(const Dataset *data, uint32_t image, int pixel)
{
    const size_t plane = (size_t)data->height * (size_t)data->width;
    const uint8_t *from = data->images + image * 3 * plane + pixel;
    return (Colour){ { from[0], from[plane], from[2 * plane] } };
}

static void draw_image(Sheet *sheet, const Dataset *data, uint32_t image, int left, int top)
{
    for (int pixel = 0; pixel < data->height * data->width; pixel++) {
        const int index = nearest(colour_at(data, image, pixel), sheet->palette);
        const int x = left + pixel % data->width * ZOOM, y = top + pixel / data->width * ZOOM;
        for (int p = 0; p < ZOOM * ZOOM; p++)
            sheet->pixels[(y + p / ZOOM) * sheet->width + x + p % ZOOM] = (unsigned char)index;
    }
}

/* The image with the (example + 1)-th label of a class. */
static uint32_t find(const Dataset *data, int label, int example)
{
    for (uint32_t i = 0; i < data->count; i++)
        if (data->labels[i] == label && example-- == 0)
            return i;
    CHECK(false, "class %d has too few images", label);
}

static Sheet draw(const Dataset *data)
{
    const int side = data->width * ZOOM + GAP, cell = EXAMPLES * side - GAP + MARGIN, rows = (data->classes + ACROSS - 1) / ACROSS;
    const int plane = data->width * data->height, images = (int)data->count;
    Sheet sheet = { .width = ACROSS * cell + MARGIN, .height = rows * (cell + LABEL) + MARGIN };
    Colour *colours = allocate((size_t)images * (size_t)plane, sizeof *colours, "colours");
    for (int i = 0; i < images * plane; i++)
        colours[i] = colour_at(data, (uint32_t)(i / plane), i % plane);
    choose_palette(colours, images * plane, sheet.palette);
    free(colours);
    sheet.palette[INK] = (Colour){ { 31, 35, 40 } };
    sheet.palette[GROUND] = (Colour){ { 255, 255, 255 } };
    sheet.pixels = allocate((size_t)sheet.width, (size_t)sheet.height, "the picture");
    memset(sheet.pixels, GROUND, (size_t)sheet.width * (size_t)sheet.height);
    for (int k = 0; k < data->classes; k++) {
        const int left = MARGIN + k % ACROSS * cell, top = MARGIN + k / ACROSS * (cell + LABEL);
        draw_label(data->class_names[k], sheet.pixels + top * sheet.width + left, sheet.width);
        for (int e = 0; e < EXAMPLES * EXAMPLES; e++)
            draw_image(&sheet, data, find(data, k, e), left + e % EXAMPLES * side, top + LABEL + e / EXAMPLES * side);
    }
    return sheet;
}

static void write_png(const Sheet *sheet, const char *path)
{
    FILE *file = fopen(path, "wb");
    CHECK(file, "%s", path);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    CHECK(png && info && !setjmp(png_jmpbuf(png)), "%s: libpng", path);
    png_init_io(png, file);
    png_set_compression_level(png, 9);
    png_set_filter(png, 0, PNG_FILTER_NONE);
    png_set_IHDR(png, info, (png_uint_32)sheet->width, (png_uint_32)sheet->height, 8, PNG_COLOR_TYPE_PALETTE, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_color palette[COLOURS + 2];
    for (int i = 0; i < COLOURS + 2; i++)
        palette[i] = (png_color){ sheet->palette[i].part[0], sheet->palette[i].part[1], sheet->palette[i].part[2] };
    png_set_PLTE(png, info, palette, COLOURS + 2);
    png_write_info(png, info);
    for (int y = 0; y < sheet->height; y++)
        png_write_row(png, sheet->pixels + y * sheet->width);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    CHECK(fclose(file) == 0, "%s", path);
}

int main(int argc, char **argv)
{
    Error error;
    program_name_set(argv[0]);
    if (argc != 2) {
        error_set(&error, EXIT_usage, "one argument: command line: name the PNG file to write");
        error_exit(&error);
    }
    Dataset *data = dataset_open(&(DataOptions){ .path = "shapes", .seed = 42, .limit = 100 }, SPLIT_val, &error);
    if (!data)
        error_exit(&error);
    Sheet sheet = draw(data);
    write_png(&sheet, argv[1]);
    free(sheet.pixels);
    dataset_free(data);
    return 0;
}
