/* test_text.c - texts in memory of their own, and which of them are fit to be shown. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "comma_locale.h"
#include "errors.h"
#include "scratch.h"
#include "text.h"

/* What is shown of a text; NULL: as it is. */
static void test_printable(void **state)
{
    (void)state;
    static const struct { const char *text, *shown; } cases[] = {
        { "cat", NULL }, { "", NULL }, { "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x90\xB1", NULL }, { "back\\slash \\x1B", NULL },
        { "\xC2\xA0", NULL }, { "\xD8\x9B\xD8\x9D", NULL }, { "\xE2\x80\x8D", NULL }, { "\xE2\x80\x90", NULL }, { "\xE2\x80\xAF", NULL },
        { "\xE2\x81\xA5", NULL }, { "\xE2\x81\xAA", NULL }, { "\xED\x9F\xBF\xEE\x80\x80", NULL }, { "\xF4\x8F\xBF\xBF", NULL },
        /* C0, DEL, C1 */
        { "a\nb", "a\\x0Ab" }, { "\x01\x1F", "\\x01\\x1F" }, { "\x7F", "\\x7F" }, { "\x1B[31m", "\\x1B[31m" },
        { "\xC2\x80", "\\xC2\\x80" }, { "\xC2\x9B""31m", "\\xC2\\x9B31m" }, { "\xC2\x9F", "\\xC2\\x9F" },
        /* directions of writing, separators */
        { "\xD8\x9C", "\\xD8\\x9C" }, { "\xE2\x80\x8E\xE2\x80\x8F", "\\xE2\\x80\\x8E\\xE2\\x80\\x8F" },
        { "x\xE2\x80\xAA\xE2\x80\xAE", "x\\xE2\\x80\\xAA\\xE2\\x80\\xAE" }, { "\xE2\x81\xA6\xE2\x81\xA9", "\\xE2\\x81\\xA6\\xE2\\x81\\xA9" },
        { "\xE2\x80\xA8\xE2\x80\xA9", "\\xE2\\x80\\xA8\\xE2\\x80\\xA9" },
        /* no UTF-8 */
        { "\xC0\xAF", "\\xC0\\xAF" }, { "\xE4", "\\xE4" }, { "\xE4m", "\\xE4m" }, { "\xED\xA0\x80", "\\xED\\xA0\\x80" },
        { "\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80" }, { "\x80", "\\x80" }, { "\xFF", "\\xFF" }, { "\xE2\x80", "\\xE2\\x80" },
        { "\xF8\x88\x80\x80\x80", "\\xF8\\x88\\x80\\x80\\x80" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shown[64], again[64];
        const char *expected = cases[i].shown ? cases[i].shown : cases[i].text;
        text_printable(cases[i].text, shown, sizeof shown);
        text_printable(shown, again, sizeof again);
        if (strcmp(shown, expected) || strcmp(again, shown) || text_is_printable(cases[i].text) != !cases[i].shown)
            fail_msg("text %zu is shown as '%s', expected '%s'", i, shown, expected);
    }
}

/* No part of a character, nor of \xHH, where there is no room for all of it. */
static void test_printable_cut(void **state)
{
    (void)state;
    static const struct { size_t size; const char *shown; } cases[] = {
        { 1, "" }, { 2, "a" }, { 3, "a" }, { 4, "a\xC3\xA4" }, { 7, "a\xC3\xA4" }, { 8, "a\xC3\xA4\\x0A" },
        { 9, "a\xC3\xA4\\x0A" "b" }, { 20, "a\xC3\xA4\\x0A" "b" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shown[32];
        memset(shown, 'x', sizeof shown);
        text_printable("a\xC3\xA4\nb", shown, cases[i].size);
        if (strcmp(shown, cases[i].shown))
            fail_msg("in %zu bytes: '%s', expected '%s'", cases[i].size, shown, cases[i].shown);
    }
}

/* A message keeps its beginning and its end, however long what it names; nothing in it moves a cursor. */
static void test_messages(void **state)
{
    (void)state;
    char name[3001];
    Error error;
    for (size_t i = 0; i + 1 < sizeof name; i++)
        name[i] = i % 3 == 0 ? '\xC3' : i % 3 == 1 ? '\xA4' : '\n';
    name[sizeof name - 1] = '\0';
    error_set(&error, EXIT_input, "cannot open: %s: correct the path", name);
    assert_true(strlen(error.text) < sizeof error.text);
    assert_true(text_is_printable(error.text));
    assert_int_equal(strncmp(error.text, "cannot open: \xC3\xA4\\x0A", 19), 0);
    assert_non_null(strstr(error.text, "..."));
    assert_string_equal(error.text + strlen(error.text) - 18, ": correct the path");
    error_set(&error, EXIT_input, "%s", "a\tb");
    assert_string_equal(error.text, "a\\x09b");
}

/* Under a locale that writes 0,2, if this system has one. */
static void test_numbers(void **state)
{
    (void)state;
    static const struct { float value; const char *text; } cases[] = {
        { 0.2f, "0.2" }, { -1.0f, "-1" }, { 1.0f / 3, "0.33333334" }, { 1e-30f, "1e-30" }, { 3.4028235e38f, "3.4028235e+38" },
    };
    comma_locale_set();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32], *end;
        text_of_float(cases[i].value, text, sizeof text);
        assert_string_equal(text, cases[i].text);
        assert_true(text_read_float(text, &end) == cases[i].value && !*end);
    }
    comma_locale_reset();
}

static void test_copies(void **state)
{
    (void)state;
    char long_text[5001];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    char *copy = text_copy(long_text), *empty = text_copy(""), *made = text_format("%s/%s-%d", long_text, "a", 7);
    assert_string_equal(copy, long_text);
    assert_string_equal(empty, "");
    assert_int_equal(strlen(made), 5004);
    assert_string_equal(made + 5000, "/a-7");
    free(copy);
    free(empty);
    free(made);
}

/* Empty lines and NULs are lines as others; the last one need not have an end, and behind an end there is none. */
static void test_lines(void **state)
{
    (void)state;
    static const struct { const char *text; size_t size; int count; const char *lines[3]; size_t lengths[3]; } cases[] = {
        { "",             0, 0, { NULL }, { 0 } },
        { "\n",           1, 1, { "" }, { 0 } },
        { "one",          3, 1, { "one" }, { 3 } },
        { "one\n\ntwo\n", 9, 3, { "one", "", "two" }, { 3, 0, 3 } },
        { "a\0b\n\0",     5, 2, { "a\0b", "\0" }, { 3, 1 } },
        { "cut\nhere",    5, 2, { "cut", "h" }, { 3, 1 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = cases[i].text, *end = at + cases[i].size, *line;
        size_t length;
        int count = 0;
        for (; (line = text_line(&at, end, &length)) != NULL; count++)
            if (count >= cases[i].count || length != cases[i].lengths[count] || memcmp(line, cases[i].lines[count], length))
                fail_msg("case %zu, line %d: %zu bytes", i, count, length);
        assert_int_equal(count, cases[i].count);
        assert_true(at == end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printable),
        cmocka_unit_test(test_printable_cut),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
