/* chart_save.c - a chart as a file.
 *
 * The device is looked up before PLplot could ask for it, the picture is drawn into memory, and an exit on the way jumps back here; the
 * file is then replaced as a whole. */

#define _GNU_SOURCE      /* open_memstream */

#include "chart_parts.h"

#include "files.h"

#include <plplot.h>

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PIXELS_WIDE = 900, PIXELS_WIDE_TWO = 1280, PIXELS_HIGH = 540, PIXEL_DOTS = 96, DEVICES_MOST = 128 };

static const struct { const char *ending, *device; double dots; } formats[] = {
    { ".png", "pngcairo", PIXEL_DOTS },      /* dots an inch */
    { ".svg", "svgcairo", 72 },
    { ".pdf", "pdfcairo", 72 },
};

enum { FORMATS = sizeof formats / sizeof *formats };

#ifdef __SANITIZE_ADDRESS__
/* Fontconfig keeps what it knows of fonts until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}

/* What is written to stderr is compared by tests. */
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}
#endif

static jmp_buf way_back;
static char    reason[256];

/* PLplot is about to print the message and to end the process, or to leave something out. */
static void plplot_abort(const char *message)
{
    snprintf(reason, sizeof reason, "%s", message);
    longjmp(way_back, 1);
}

static int plplot_exit(const char *message)
{
    plplot_abort(message);
    return 1;
}

static int format_of(const char *path, Error *error)
{
    const char *slash = strrchr(path, '/'), *ending = strrchr(slash ? slash : path, '.');
    for (int i = 0; i < FORMATS; i++)
        if (ending && !strcasecmp(ending, formats[i].ending))
            return i;
    error_set(error, EXIT_usage, "no kind of picture: '%.200s': let its name end in .png, .svg or .pdf", path);
    return -1;
}

/* Whether PLplot has the device. May jump back. */
static bool device_is_there(const char *device)
{
    const char *names[DEVICES_MOST], *texts[DEVICES_MOST], **name = names, **text = texts;
    int count = DEVICES_MOST;
    plgFileDevs(&text, &name, &count);
    for (int i = 0; i < count; i++)
        if (!strcmp(name[i], device))
            return true;
    return false;
}

bool chart_on_device(const char *device, void (*draw)(void *context), void *context, Error *error)
{
    int stream = -1;
    plsexit(plplot_exit);
    plsabort(plplot_abort);
    if (setjmp(way_back))
        return error_set(error, EXIT_input, "PLplot cannot draw: %s: install plplot-driver-cairo", reason);
    if (!device_is_there(device))
        return error_set(error, EXIT_input, "PLplot cannot draw: its driver %s is not there: install plplot-driver-cairo", device);
    plmkstrm(&stream);
    plsdev(device);
    draw(context);
    plend1();      /* closes the file */
    return true;
}

typedef struct Page {
    const Chart *chart;
    int          format;
    double       w, h;
    FILE        *file;
    bool         given;      /* PLplot has the file, and closes it */
} Page;

static void page_draw(void *context)
{
    Page *page = context;
    const double dots = formats[page->format].dots;
    page->given = true;
    plsfile(page->file);
    plscolbg(255, 255, 255);
    plspage(dots, dots, (PLINT)(page->w * dots / PIXEL_DOTS), (PLINT)(page->h * dots / PIXEL_DOTS), 0, 0);
    plsetopt("drvopt", "text_clipping=0");
    plinit();
    plsfont(PL_FCI_SANS, PL_FCI_UPRIGHT, PL_FCI_MEDIUM);
    pladv(0);
    chart_draw(page->chart, page->w, page->h);
}

/* The picture in memory. The caller frees *picture, also after false. */
static bool chart_render(const Chart *chart, int format, char **picture, size_t *size, Error *error)
{
    Page page = { chart, format, chart->count > 1 ? PIXELS_WIDE_TWO : PIXELS_WIDE, PIXELS_HIGH, open_memstream(picture, size), false };
    if (!page.file)
        return error_set(error, EXIT_memory, "out of memory: a picture: close other programs");
    const bool drawn = chart_on_device(formats[format].device, page_draw, &page, error);
    if (!page.given)
        fclose(page.file);
    return drawn;
}

bool chart_check_path(const char *path, Error *error)
{
    return format_of(path, error) >= 0;
}

bool chart_save(const Chart *chart, const char *path, Error *error)
{
    CHECK(chart->count > 0, "a chart of %d panels", chart->count);
    char *picture = NULL;
    size_t size = 0;
    const int format = format_of(path, error);
    const bool saved = format >= 0 && chart_render(chart, format, &picture, &size, error) && file_replace(path, picture, size, error);
    free(picture);
    return saved;
}
