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

/* Takes no memory: the C library has this locale ready. */
static locale_t plain_locale(void)
{
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    CHECK(plain, "locale 'C': %d", 0);
    return plain;
}

float text_read_float(const char *text, char **end)
{
    const locale_t before = uselocale(plain_locale());
    const float value = strtof(text, end);
    uselocale(before);
    return value;
}

void text_of_float(float value, char *text, size_t size)
{
    char number[32];
    const locale_t before = uselocale(plain_locale());
    for (int digits = 1; digits <= FLT_DECIMAL_DIG; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, (double)value);
        if (strtof(number, NULL) == value)
            break;
    }
    uselocale(before);
    snprintf(text, size, "%s", number);
}

void text_printable(const char *text, char *to, size_t size)
{
    size_t at = 0;
    for (; *text && at + 5 < size; text++) {
        const unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte == 0x7f)
            at += (size_t)snprintf(to + at, size - at, "\\x%02X", byte);
        else
            to[at++] = *text;
    }
    to[at] = '\0';
}

bool text_is_printable(const char *text)
{
    static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };      /* shorter forms exist below these */
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        const int more = *at < 0x80 ? 0 : *at < 0xC0 ? -1 : *at < 0xE0 ? 1 : *at < 0xF0 ? 2 : *at < 0xF8 ? 3 : -1;
        if (more < 0 || *at < 0x20 || *at == 0x7F)
            return false;
        uint32_t code = more ? *at & (0x3Fu >> more) : *at;
        for (int i = 0; i < more; i++) {
            if ((*++at & 0xC0) != 0x80)
                return false;
            code = code << 6 | (*at & 0x3F);
        }
        if (code < least[more] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
            return false;
    }
    return true;
}
