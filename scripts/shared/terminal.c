/* terminal.c - see terminal.h. */

#include "terminal.h"

#include "text_width.h"

#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

enum { INDENT = 4, LEAST_COLUMNS = 20 };      /* below that many, lines are left to the terminal */

int terminal_columns(int descriptor)
{
    struct winsize size = { 0 };
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* Where the line that begins here ends: before the last blank that fits, or in the middle of a word that is longer. */
static size_t line_end(const char *text, int columns)
{
    const size_t fits = text_fit(text, columns);
    size_t end = fits;
    if (!text[fits])
        return fits;
    while (end > 0 && text[end] != ' ')
        end--;
    while (end > 0 && text[end - 1] == ' ')
        end--;
    return end > 0 ? end : fits;
}

void terminal_print(FILE *stream, const char *text, int columns)
{
    const bool broken = columns >= LEAST_COLUMNS;
    for (int indent = 0;; indent = INDENT) {
        const size_t end = broken ? line_end(text, columns - indent) : strlen(text);
        fprintf(stream, "%*s%.*s\n", indent, "", (int)end, text);
        text += end;
        text += strspn(text, " ");
        if (!*text)
            return;
    }
}
