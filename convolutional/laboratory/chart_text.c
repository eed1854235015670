/* chart_text.c - texts on a page; see chart_parts.h. */

#include "chart_parts.h"

#include "text.h"

#include <plplot.h>

#include <stdlib.h>
#include <string.h>

#define ESCAPE '#'                       /* PLplot's: #u raises, #d lowers, ## is # */

char *chart_text_escape(const char *text)
{
    if (!text)
        return NULL;
    char *printable = allocate(4 * strlen(text) + 8, 1, "a chart");
    text_printable(text, printable, 4 * strlen(text) + 8);
    char *copy = allocate(2 * strlen(printable) + 1, 1, "a chart"), *to = copy;
    for (const char *from = printable; *from; from++) {
        if (*from == ESCAPE)
            *to++ = ESCAPE;
        *to++ = *from;
    }
    free(printable);
    return copy;
}

/* In units of a usual letter's width, as in DejaVu Sans. */
static double letter_width(char letter)
{
    static const struct { const char *letters; double width; } kinds[] = {
        { "ijl'|", 0.5 }, { "ftI.,:;()[] -/!\"", 0.65 }, { "0123456789", 1 }, { "mMW%@", 1.6 }, { "=+<>~", 1.4 }, { "wABCDEFGHJKLNOPQRSTUVXYZ", 1.2 },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strchr(kinds[i].letters, letter))
            return kinds[i].width;
    return 1.04;
}

double chart_text_width(const char *text, double size)
{
    double letters = 0, height = 1;
    for (const char *byte = text ? text : ""; *byte; byte++) {
        const bool continues = ((unsigned char)*byte & 0xC0) == 0x80;
        if (*byte == ESCAPE && byte[1]) {
            byte++;
            height = *byte == 'u' ? 0.85 : 1;
            letters += *byte == ESCAPE;
        } else if (!continues) {
            letters += letter_width(*byte) * height;
        }
    }
    return 0.6 * size * letters;
}

static void text_draw(double x, double y, double dx, double dy, double size, ChartAlign align, const char *text)
{
    static const double shares[] = { [CHART_LEFT] = 0, [CHART_MIDDLE] = 0.5, [CHART_RIGHT] = 1 };
    const double millimetres = 25.4 / 90;      /* of a pixel, as PLplot's drivers count: the letters are `size` pixels high */
    if (!text)
        return;
    plschr(size * millimetres, 1);
    plptex(x, y, dx, dy, shares[align], text);
}

void chart_text(double x, double y, double size, ChartAlign align, const char *text)
{
    text_draw(x, y, 1, 0, size, align, text);
}

void chart_text_turned(double x, double y, double size, ChartAlign align, const char *text)
{
    text_draw(x, y, 0, 1, size, align, text);
}
