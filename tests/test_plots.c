/* test_plots.c - train --plots: pictures are there and up to date, and whatever becomes of them the run is the same. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "commands.h"

#define RUN "train lenet --data shapes --limit 100 --img-size 16 --epochs 2 --threads 1 -b 32 -q "

static void test_run(void **state)
{
    (void)state;
    static const Case cases[] = {
        { RUN "--output plain",                                                                                          0, NULL, "" },
        { RUN "--output drawn --plots",                                                                                  0, NULL, "" },
        { "cmp plain/last.safetensors drawn/last.safetensors && cmp plain/best.safetensors drawn/best.safetensors",      0, "",   "" },
        { "file_is_png() { head -c 8 $1 | od -An -tx1 | grep -q '89 50 4e 47'; }; file_is_png drawn/curves.png && file_is_png drawn/rates.png", 0, "", "" },
        { "ls plain | grep -c png",                                                                                      1, "0", "" },
        { "cp drawn/curves.png before.png && train --resume drawn --epochs 3 -q && ! cmp -s drawn/curves.png before.png", 0, NULL, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* What stands in a picture's place stays, and is told once; the weights are those of a run without. */
static void test_failing(void **state)
{
    (void)state;
    static const Case cases[] = {
        { RUN "--output blocked --plots --epochs 1",                                                  0, NULL, "" },
        { "rm blocked/curves.png && mkdir -p blocked/curves.png/in && train --resume blocked --epochs 2 -q 2>said", 0, NULL, "" },
        { "grep -c 'warning: the pictures of --plots are not up to date: .*the training goes on' said", 0, "1\n", "" },
        { RUN "--output whole --epochs 1 && train --resume whole --epochs 2 -q",                      0, NULL, NULL },
        { "cmp blocked/best.safetensors whole/best.safetensors",                                      0, "", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

static void test_rates(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "train lenet --data shapes --limit 100 --img-size 16 --threads 1 -b 32 -q --find-lr --plots", 0, "find-lr.png\n", "" },
        { "head -c 8 find-lr.png | od -An -tx1",                                                      0, "89 50 4e 47", "" },
        { "rm find-lr.png && train lenet --data shapes --limit 100 --img-size 16 --threads 1 -b 32 -q --find-lr && ls find-lr.png", 2, "suggested", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_failing),
        cmocka_unit_test(test_rates),
    };
    return cmocka_run_group_tests(tests, commands_setup, commands_teardown);
}
