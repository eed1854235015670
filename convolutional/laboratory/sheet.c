/* sheet.c - see sheet.h. Pixels are put where they belong; PLplot's memory driver writes the letters over them. */

#include "sheet.h"

#include <math.h>
#include <plplot.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "chart_parts.h"
#include "png_file.h"
#include "text.h"

enum { GAP = 12, LINE = 17, LETTERS = 12, TITLE = 34, CHANNELS = 3, SIDE_MOST = 32000 };

struct Sheet {
    SheetOptions options;
    char        *title;
    int          count, columns, rows, h, w;      /* pixels of the sheet */
    uint8_t     *pixels;                          /* h x w x 3 */
    char       **texts;                           /* count x lines; NULL: none */
};

Sheet *sheet_new(int count, SheetOptions options)
{
    CHECK(count > 0 && options.side > 0 && options.lines >= 0, "a sheet of %d pictures of %d pixels", count, options.side);
    Sheet *s = allocate(1, sizeof *s, "a sheet of pictures");
    s->options = options;
    s->title = options.title ? text_copy(options.title) : NULL;
    s->count = count;
    s->columns = options.columns ? options.columns : (int)ceil(sqrt(count));
    s->columns = s->columns < count ? s->columns : count;
    s->rows = (count + s->columns - 1) / s->columns;
    s->w = GAP + s->columns * (options.side + GAP);
    s->h = GAP + s->rows * (options.side + options.lines * LINE + GAP) + (s->title ? TITLE : 0);
    s->pixels = allocate((size_t)s->h * (size_t)s->w, CHANNELS, "a sheet of pictures");
    memset(s->pixels, 255, (size_t)s->h * (size_t)s->w * CHANNELS);
    s->texts = allocate((size_t)count * (size_t)options.lines + 1, sizeof *s->texts, "a sheet of pictures");
    return s;
}

void sheet_free(Sheet *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->count * s->options.lines; i++)
        free(s->texts[i]);
    free(s->texts);
    free(s->pixels);
    free(s->title);
    free(s);
}

static int left_of(const Sheet *s, int place)
{
    return GAP + place % s->columns * (s->options.side + GAP);
}

static int top_of(const Sheet *s, int place)
{
    return GAP + (s->title ? TITLE : 0) + place / s->columns * (s->options.side + s->options.lines * LINE + GAP);
}

/* A line of light grey around a picture: white ones would have no end on the white sheet. */
static void frame(Sheet *s, int top, int left, int h, int w)
{
    for (int y = top - 1; y <= top + h; y++)
        for (int x = left - 1; x <= left + w; x++)
            if (y < top || y == top + h || x < left || x == left + w)
                memset(s->pixels + ((size_t)y * (size_t)s->w + (size_t)x) * CHANNELS, SHEET_FRAME, CHANNELS);
}

void sheet_picture(Sheet *s, int place, const uint8_t *rgb, int h, int w)
{
    CHECK(place >= 0 && place < s->count, "place %d of %d", place, s->count);
    const int side = s->options.side, longer = h > w ? h : w, zoom = longer < side ? side / longer : 1, skip = (longer + side - 1) / side;
    const int shown_h = h * zoom / skip, shown_w = w * zoom / skip;
    const int top = top_of(s, place) + (side - shown_h) / 2, left = left_of(s, place) + (side - shown_w) / 2;
    for (int y = 0; y < shown_h; y++)
        for (int x = 0; x < shown_w; x++)
            memcpy(s->pixels + ((size_t)(top + y) * (size_t)s->w + (size_t)(left + x)) * CHANNELS,
                   rgb + ((size_t)(y * skip / zoom) * (size_t)w + (size_t)(x * skip / zoom)) * CHANNELS, CHANNELS);
    frame(s, top, left, shown_h, shown_w);
}

void sheet_numbers(Sheet *s, int place, const float *values, int h, int w, float from, float to)
{
    uint8_t *rgb = allocate((size_t)h * (size_t)w, CHANNELS, "a picture");
    for (int i = 0; i < h * w; i++)
        chart_heat_colour(to > from ? ((double)values[i] - (double)from) / ((double)to - (double)from) : 0, rgb + (size_t)i * CHANNELS);
    sheet_picture(s, place, rgb, h, w);
    free(rgb);
}

/* The escaped text that fits; the caller frees it. */
static char *fitting(const char *text, double room)
{
    char *shown = chart_text_escape(text);
    size_t length = strlen(text);
    while (length > 0 && chart_text_width(shown, LETTERS) > room) {
        do
            length--;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80);
        char *cut = text_format("%.*s...", (int)length, text);
        free(shown);
        shown = chart_text_escape(cut);
        free(cut);
    }
    return shown;
}

void sheet_line(Sheet *s, int place, int line, const char *text)
{
    CHECK(place >= 0 && place < s->count && line >= 0 && line < s->options.lines, "line %d of picture %d", line, place);
    char **to = &s->texts[place * s->options.lines + line];
    free(*to);
    *to = fitting(text, s->options.side);
}

/* ---- letters ---- */

typedef struct Page {
    const Sheet *sheet;
    uint8_t     *pixels;
} Page;

static void letters_draw(void *context)
{
    const Page *page = context;
    const Sheet *s = page->sheet;
    plsmem(s->w, s->h, page->pixels);
    plscolbga(255, 255, 255, 0);      /* what is there stays */
    plsetopt("drvopt", "text_clipping=0");
    plinit();
    plsfont(PL_FCI_SANS, PL_FCI_UPRIGHT, PL_FCI_MEDIUM);
    pladv(0);
    chart_draw_page(&(ChartBox){ 0, 0, s->w, s->h });
    chart_draw_grey(0.1);
    if (s->title) {
        char *title = chart_text_escape(s->title);
        chart_text(s->w / 2.0, s->h - (GAP + TITLE) / 2.0, CHART_TITLE_SIZE, CHART_MIDDLE, title);
        free(title);
    }
    for (int i = 0; i < s->count; i++)
        for (int line = 0; line < s->options.lines; line++) {
            const double down = top_of(s, i) + s->options.side + (line + 0.5) * LINE + 2;
            chart_text(left_of(s, i), s->h - down, LETTERS, CHART_LEFT, s->texts[i * s->options.lines + line]);
        }
}

bool sheet_check_path(const char *path, Error *error)
{
    const char *ending = strrchr(path, '.');
    return (ending && !strcasecmp(ending, ".png")) ||
           error_set(error, EXIT_usage, "no kind of picture: '%.200s': let its name end in .png", path);
}

bool sheet_save(const Sheet *s, const char *path, Error *error)
{
    if (!sheet_check_path(path, error))
        return false;
    if (s->w > SIDE_MOST || s->h > SIDE_MOST)
        return error_set(error, EXIT_usage, "too large a picture: %s: it would have %d x %d pixels: ask for fewer images", path, s->w, s->h);
    const size_t bytes = (size_t)s->h * (size_t)s->w * CHANNELS;
    Page page = { s, allocate(bytes, 1, "a sheet of pictures") };
    memcpy(page.pixels, s->pixels, bytes);
    const bool saved = (!(s->options.lines || s->title) || chart_on_device("memcairo", letters_draw, &page, error)) &&
                       png_file_write(path, page.pixels, CHANNELS, s->h, s->w, error);
    free(page.pixels);
    return saved;
}
