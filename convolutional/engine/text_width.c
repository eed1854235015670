/* text_width.c - see text_width.h. */

#include "text_width.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Range { uint32_t first, last; } Range;

/* Marks that stand on the letter before, and what is not seen. */
static const Range narrow[] = {
    { 0x0300, 0x036F }, { 0x0483, 0x0489 }, { 0x0591, 0x05BD }, { 0x064B, 0x065F }, { 0x0E31, 0x0E31 }, { 0x0E34, 0x0E3A },
    { 0x0E47, 0x0E4E }, { 0x1AB0, 0x1AFF }, { 0x1DC0, 0x1DFF }, { 0x200B, 0x200F }, { 0x20D0, 0x20FF }, { 0xFE00, 0xFE0F },
    { 0xFE20, 0xFE2F }, { 0x1F3FB, 0x1F3FF }, { 0xE0100, 0xE01EF },
};

/* East Asian letters and pictures (Unicode's East Asian Width: W and F). */
static const Range wide[] = {
    { 0x1100, 0x115F }, { 0x231A, 0x231B }, { 0x2E80, 0x303E }, { 0x3041, 0x33FF }, { 0x3400, 0x4DBF }, { 0x4E00, 0x9FFF },
    { 0xA000, 0xA4CF }, { 0xA960, 0xA97F }, { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F }, { 0xFF00, 0xFF60 },
    { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1FAFF }, { 0x20000, 0x3FFFD },
};

static bool within(const Range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* Bytes of the letter, and its columns. A byte that is no UTF-8 is a letter of one column. */
static size_t letter_at(const char *text, int *columns)
{
    const unsigned char *at = (const unsigned char *)text;
    const size_t bytes = *at < 0xC0 ? 1 : *at < 0xE0 ? 2 : *at < 0xF0 ? 3 : 4;
    uint32_t code = bytes == 1 ? *at : *at & (0x7Fu >> bytes);
    *columns = 1;
    for (size_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 1;
        code = code << 6 | (at[i] & 0x3F);
    }
    if (within(narrow, sizeof narrow / sizeof *narrow, code))
        *columns = 0;
    else if (within(wide, sizeof wide / sizeof *wide, code))
        *columns = 2;
    return bytes;
}

size_t text_fit(const char *text, int columns)
{
    size_t at = 0;
    int width;
    while (text[at]) {
        const size_t bytes = letter_at(text + at, &width);
        if (width > columns)
            break;
        columns -= width;
        at += bytes;
    }
    return at;
}

int text_width(const char *text)
{
    int all = 0, width;
    while (*text) {
        text += letter_at(text, &width);
        all += width;
    }
    return all;
}
