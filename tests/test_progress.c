/* test_progress.c - what a terminal shows of a run: lines that fit, whatever its width. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bar.h"
#include "block.h"
#include "terminal.h"
#include "text_width.h"

static const TrainerStep step = {
    .epoch = 2, .epochs = 30, .batch = 100, .batches = 400, .loss = 1.23456, .top1 = 0.54321, .images_per_second = 1234.5,
    .seconds_left = 3723.0,
};

/* At every width the line is narrower, and the time left is there as soon as it fits. */
static void test_bar_fits(void **state)
{
    (void)state;
    char line[256];
    for (int columns = 1; columns <= 200; columns++) {
        bar_write(&step, columns, line, sizeof line);
        if (text_width(line) >= columns)
            fail_msg("%d columns: '%s' takes %d", columns, line, text_width(line));
        if (columns > (int)strlen("1:02:03 left") && !strstr(line, "1:02:03 left"))
            fail_msg("%d columns: no time left in '%s'", columns, line);
    }
}

static void test_bar_levels(void **state)
{
    (void)state;
    static const struct { int columns; const char *line; } cases[] = {
        { 0,   "epoch 3/30 [######..................] 100/400  loss 1.2346  top1 54.32%  1234 img/s  1:02:03 left" },
        { 100, "epoch 3/30 [######..................] 100/400  loss 1.2346  top1 54.32%  1234 img/s  1:02:03 left" },
        { 90,  "epoch 3/30 [###.........] 100/400  loss 1.2346  top1 54.32%  1234 img/s  1:02:03 left" },
        { 80,  "epoch 3/30 [###.........] 100/400  loss 1.2346  top1 54.32%  1:02:03 left" },
        { 70,  "epoch 3/30 100/400  loss 1.2346  top1 54.32%  1:02:03 left" },
        { 50,  "epoch 3/30 100/400  loss 1.2346  1:02:03 left" },
        { 40,  "epoch 3/30 100/400  1:02:03 left" },
        { 30,  "epoch 3/30 1:02:03 left" },
        { 20,  "1:02:03 left" },
        { 8,   "1:02:03" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[256];
        bar_write(&step, cases[i].columns, line, sizeof line);
        if (strcmp(line, cases[i].line))
            fail_msg("%d columns: '%s', expected '%s'", cases[i].columns, line, cases[i].line);
    }
}

/* At every width no line takes the last column; what is there is told first. */
static void test_block(void **state)
{
    (void)state;
    TrainerStep told = step;
    LossCurve curve = { 0 };
    told.gflops = 310;
    told.lr = 0.03125f;
    told.epoch_seconds_left = 12;
    for (int i = 0; i < 60; i++)
        curve_add(&curve, 60 - i);
    for (int columns = BLOCK_LEAST_COLUMNS; columns <= 200; columns++) {
        char lines[BLOCK_LINES][BLOCK_LINE];
        block_write(&told, &curve, columns, columns % 2, lines);
        for (int i = 0; i < BLOCK_LINES; i++)
            if (text_width(lines[i]) >= columns)
                fail_msg("%d columns: '%s' takes %d", columns, lines[i], text_width(lines[i]));
        assert_non_null(strstr(lines[0], "epoch 3/30 "));
        assert_non_null(strstr(lines[0], "100/400"));
        assert_non_null(strstr(lines[1], "loss 1.2346"));
        assert_non_null(strstr(lines[2], "run 1:02:03 left"));
        assert_int_equal(strstr(lines[1], "GFLOP/s") != NULL, columns > 60);
        assert_int_equal(strstr(lines[2], "epoch 0:12") != NULL, columns > 28);
    }
}

/* Heights go from the smallest to the largest loss; a full curve has half as many cells, each the mean of two. */
static void test_curve(void **state)
{
    (void)state;
    LossCurve curve = { 0 };
    char text[3 * CURVE_CELLS + 1];
    for (int i = 0; i < 8; i++)
        curve_add(&curve, i);
    assert_int_equal(curve_write(&curve, 20, false, text), 8);
    assert_string_equal(text, "_.,-~=+#");
    assert_int_equal(curve_write(&curve, 2, true, text), 2);
    assert_string_equal(text, "\xE2\x96\x81\xE2\x96\x88");
    for (int i = 8; i < CURVE_CELLS; i++)
        curve_add(&curve, i);
    assert_int_equal(curve.count, CURVE_CELLS / 2);
    for (int i = 0; i < curve.count; i++)
        assert_true(curve.cells[i] == 2 * i + 0.5);
    curve_add(&curve, 10);
    assert_int_equal(curve.count, CURVE_CELLS / 2);
    curve_add(&curve, 20);
    assert_true(curve.count == CURVE_CELLS / 2 + 1 && curve.cells[curve.count - 1] == 15);
}

static void test_width(void **state)
{
    (void)state;
    static const struct { const char *text; int width; size_t bytes_in_3; } cases[] = {
        { "", 0, 0 },                   { "abcd", 4, 3 },                      { "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F", 4, 6 },
        { "\xE7\x8C\xAB\xE7\x8A\xAC", 4, 3 },       /* two wide letters */
        { "a\xCC\x88" "bcd", 4, 5 },                /* a mark above the a */
        { "\xF0\x9F\x90\xB1zz", 4, 5 },             /* a cat */
        { "\xE4\x80", 2, 2 },                       /* no UTF-8 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (text_width(cases[i].text) != cases[i].width)
            fail_msg("'%s': %d columns, expected %d", cases[i].text, text_width(cases[i].text), cases[i].width);
        if (text_fit(cases[i].text, 3) != cases[i].bytes_in_3)
            fail_msg("'%s': %zu bytes in 3 columns, expected %zu", cases[i].text, text_fit(cases[i].text, 3), cases[i].bytes_in_3);
    }
}

static void test_lines_break_between_words(void **state)
{
    (void)state;
    static const struct { const char *text; int columns; const char *lines; } cases[] = {
        { "a short one",                           40, "a short one\n" },
        { "train: a line of more than twenty letters", 0,  "train: a line of more than twenty letters\n" },
        { "train: a line of more than twenty letters", 25, "train: a line of more\n    than twenty letters\n" },
        { "train: a line of more than twenty letters", 41, "train: a line of more than twenty letters\n" },
        { "train: a line of more than twenty letters", 5,  "train: a line of more than twenty letters\n" },
        { "a /path/that/has/no/blank/anywhere",    20, "a\n    /path/that/has/n\n    o/blank/anywhere\n" },
        { "\xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB \xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB", 20,
          "\xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB\n    \xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB\n" },
        { "", 40, "\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);
        assert_non_null(stream);
        terminal_print(stream, cases[i].text, cases[i].columns);
        fclose(stream);
        if (strcmp(text, cases[i].lines))
            fail_msg("%d columns: '%s', expected '%s'", cases[i].columns, text, cases[i].lines);
        free(text);
    }
}

/* The width is asked anew each time. */
static void test_columns_of_a_terminal(void **state)
{
    (void)state;
    int ends[2], terminal, user;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(terminal_columns(ends[0]), 0);
    close(ends[0]);
    close(ends[1]);
    if (openpty(&user, &terminal, NULL, NULL, NULL) != 0)
        skip();
    for (int columns = 40; columns <= 120; columns += 40) {
        struct winsize size = { .ws_row = 24, .ws_col = (unsigned short)columns };
        assert_int_equal(ioctl(user, TIOCSWINSZ, &size), 0);
        assert_int_equal(terminal_columns(terminal), columns);
    }
    close(user);
    close(terminal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bar_fits), cmocka_unit_test(test_bar_levels), cmocka_unit_test(test_block), cmocka_unit_test(test_curve), cmocka_unit_test(test_width),
        cmocka_unit_test(test_lines_break_between_words), cmocka_unit_test(test_columns_of_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
