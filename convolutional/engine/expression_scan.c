/* expression_scan.c - what stands at a place of a formula's text; see expression_scan.h. */

#include "expression_scan.h"

#include "text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int scan_fail(Parser *p, const char *at, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    CHECK(p->typed, "a formula of our own: '%s': %s", p->text, what);
    error_set(p->error, EXIT_usage, "formula: character %zu: %s", (size_t)(at - p->text) + 1, what);
    error_point(p->error, p->text, (size_t)(at - p->text));
    return NOTHING;
}

/* Of ASCII, whatever the locale. */
bool        scan_is_space(char c)    { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static bool is_digit(char c)         { return c >= '0' && c <= '9'; }
bool        scan_starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static void skip_spaces(Parser *p)
{
    while (p->at < p->end && scan_is_space(*p->at))
        p->at++;
}

char scan_next(Parser *p)
{
    skip_spaces(p);
    return p->at < p->end ? *p->at : '\0';
}

size_t scan_name(const char *at, const char *end)
{
    size_t length = 0;
    while (at + length < end && (scan_starts_name(at[length]) || is_digit(at[length])))
        length++;
    return length;
}

bool scan_is(const char *at, size_t length, const char *name)
{
    return strlen(name) == length && !memcmp(at, name, length);
}

static size_t digits(const char *at, const char *end)
{
    size_t count = 0;
    while (at + count < end && is_digit(at[count]))
        count++;
    return count;
}

size_t scan_number_length(const char *at, const char *end)
{
    size_t length = digits(at, end), after = 0;
    if (at + length < end && at[length] == '.') {
        after = digits(at + length + 1, end);
        if (length + after == 0)
            return 0;
        length += 1 + after;
    }
    if (length && at + length < end && (at[length] == 'e' || at[length] == 'E')) {
        const size_t sign = at + length + 1 < end && (at[length + 1] == '-' || at[length + 1] == '+');
        const size_t exponent = digits(at + length + 1 + sign, end);
        length += exponent ? 1 + sign + exponent : 0;
    }
    return length;
}

bool scan_number(Parser *p, double *number)
{
    char digits_of[EXPRESSION_LENGTH + 1];
    const size_t length = scan_number_length(p->at, p->end);
    memcpy(digits_of, p->at, length);
    digits_of[length] = '\0';
    *number = text_read_double(digits_of, NULL);
    if (!isfinite(*number)) {
        scan_fail(p, p->at, "a number beyond 1.8e308: write a smaller one");
        return false;
    }
    p->at += length;
    return true;
}
