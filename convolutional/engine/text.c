/* text.c - see text.h. */

#include "text.h"

#include <float.h>
#include <locale.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"

char *text_copy(const char *text)
{
    const size_t size = strlen(text) + 1;
    return memcpy(allocate(size, 1, "a text"), text, size);
}

char *text_format(const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    CHECK(length >= 0, "cannot format '%s'", format);
    char *text = allocate((size_t)length + 1, 1, "a text");
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

const char *text_line(const char **at, const char *end, size_t *length)
{
    const char *line = *at;
    if (line >= end)
        return NULL;
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    *length = (size_t)((newline ? newline : end) - line);
    *at = newline ? newline + 1 : end;
    return line;
}

/* Takes no memory: the C library has this locale ready. */
locale_t text_locale(void)
{
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    CHECK(plain, "locale 'C': %d", 0);
    return plain;
}

float text_read_float(const char *text, char **end)
{
    const locale_t before = uselocale(text_locale());
    const float value = strtof(text, end);
    uselocale(before);
    return value;
}

/* The fewest digits that read back as the same number; of a float, as the same float. */
static void write_shortest(double value, bool is_float, char *text, size_t size)
{
    char number[32];
    const int most = is_float ? FLT_DECIMAL_DIG : DBL_DECIMAL_DIG;
    const locale_t before = uselocale(text_locale());
    for (int digits = 1; digits <= most; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, value);
        if ((is_float ? (double)strtof(number, NULL) : strtod(number, NULL)) == value)
            break;
    }
    uselocale(before);
    snprintf(text, size, "%s", number);
}

void text_of_float(float value, char *text, size_t size)
{
    write_shortest((double)value, true, text, size);
}

double text_read_double(const char *text, char **end)
{
    const locale_t before = uselocale(text_locale());
    const double value = strtod(text, end);
    uselocale(before);
    return value;
}

void text_of_double(double value, char *text, size_t size)
{
    write_shortest(value, false, text, size);
}

/* Characters that move a cursor, end a line or turn the order of what is read: nothing of these belongs in a name. */
static bool is_control(uint32_t code)
{
    static const struct { uint32_t first, last; } controls[] = {
        { 0x00, 0x1F }, { 0x7F, 0x9F },               /* C0, DEL and C1; U+009B alone begins a command to a terminal */
        { 0x61C, 0x61C }, { 0x200E, 0x200F }, { 0x202A, 0x202E }, { 0x2066, 0x2069 },      /* directions of writing */
        { 0x2028, 0x2029 },                           /* separators of lines and paragraphs */
    };
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
        if (code >= controls[i].first && code <= controls[i].last)
            return true;
    return false;
}

/* Bytes of the UTF-8 character that begins here, and which one it is; 0: none. */
static int character_bytes(const unsigned char *at, uint32_t *code)
{
    static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };      /* shorter forms exist below these */
    const int more = *at < 0x80 ? 0 : *at < 0xC0 ? -1 : *at < 0xE0 ? 1 : *at < 0xF0 ? 2 : *at < 0xF8 ? 3 : -1;
    if (more < 0)
        return 0;
    *code = more ? *at & (0x3Fu >> more) : *at;
    for (int i = 1; i <= more; i++) {
        if ((at[i] & 0xC0) != 0x80)      /* the end of the text is no such byte either */
            return 0;
        *code = *code << 6 | (at[i] & 0x3F);
    }
    const bool is_none = *code < least[more] || *code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000);
    return is_none ? 0 : more + 1;
}

/* The same; 0 also for one that may not be shown. */
static int shown_bytes(const unsigned char *at)
{
    uint32_t code;
    const int bytes = character_bytes(at, &code);
    return bytes && is_control(code) ? 0 : bytes;
}

bool text_is_utf8(const char *text)
{
    uint32_t code;
    while (*text) {
        const int bytes = character_bytes((const unsigned char *)text, &code);
        if (bytes == 0)
            return false;
        text += bytes;
    }
    return true;
}

void text_printable(const char *text, char *to, size_t size)
{
    size_t at = 0;
    while (*text) {
        const int bytes = shown_bytes((const unsigned char *)text);
        if (at + (bytes ? (size_t)bytes : strlen("\\xHH")) >= size)
            break;
        if (bytes) {
            memcpy(to + at, text, (size_t)bytes);
            at += (size_t)bytes;
            text += bytes;
        } else
            at += (size_t)snprintf(to + at, size - at, "\\x%02X", (unsigned char)*text++);
    }
    to[at] = '\0';
}

bool text_is_printable(const char *text)
{
    while (*text) {
        const int bytes = shown_bytes((const unsigned char *)text);
        if (bytes == 0)
            return false;
        text += bytes;
    }
    return true;
}
