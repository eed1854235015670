/* test_convzoo.c - the programs under one name, from a build's folder and as they are installed. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "commands.h"
#include "scratch.h"

static void test_programs(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "convzoo",                            0, "Usage: convzoo PROGRAM", "" },
        { "convzoo --help",                     0, "Usage: convzoo PROGRAM", "" },
        { "convzoo help",                       0, "Usage: convzoo PROGRAM", "" },
        { "convzoo --version",                  0, "convzoo ", "" },
        { "convzoo help train",                 0, "Usage: convzoo train [OPTION...] [ARCH]", "" },
        { "convzoo train --help",               0, "\n  convzoo train --resume auto ", "" },
        { "convzoo evaluate --help",            0, "Usage: convzoo evaluate", "" },
        { "convzoo predict --help",             0, "Usage: convzoo predict", "" },
        { "convzoo bench --help",               0, "Usage: convzoo bench", "" },
        { "convzoo activations show gelu",      0, "0.8413", "" },
        { "convzoo Train --version",            0, "convzoo train (convzoo) ", "" },
        { "convzoo --help >/dev/full",          7, "", "convzoo: cannot write" },
        /* Messages begin with the name that was typed, and name commands that exist. */
        { "convzoo train --arch resnet99",      2, "", "convzoo train: unknown architecture 'resnet99': did you mean resnet18? 'convzoo train --list-archs' shows all\n" },
        { "convzoo train --foo",                2, "", "convzoo train: unknown option '--foo': command line: 'convzoo train --help=all' shows all\n" },
        { "convzoo bench --act rellu",          2, "", "'convzoo activations list' shows all\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "convzoo trian",           2, NULL, "unknown program 'trian': did you mean train? 'convzoo --help' shows all" },
        { "convzoo eval x",          2, NULL, "did you mean evaluate?" },
        { "convzoo help trian",      2, NULL, "unknown program 'trian': did you mean train?" },
        { "convzoo --foo",           2, NULL, "unknown option '--foo': 'convzoo --help' shows all" },
        { "convzoo ''",              2, NULL, "unknown program ''" },
        { "convzoo ../train",        2, NULL, "unknown program" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_mistake(&cases[i]);
}

/* bin/convzoo finds libexec/convzoo/train, not the train that lies beside it, and says so if there is none. */
static void test_installed(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "mkdir -p root/bin root/libexec/convzoo && B=$(dirname \"$(command -v convzoo)\") && cp $B/convzoo root/bin && "
          "cp $B/train root/libexec/convzoo && printf '#!/bin/sh\\necho another\\n' >root/bin/train && chmod +x root/bin/train",
          0, "", "" },
        { "root/bin/convzoo train --version",                               0, "convzoo train (convzoo) ", "" },
        { "mkdir other && ln -s ../root/bin/convzoo other/cz && other/cz train --version", 0, "convzoo train (convzoo) ", "" },
        { "root/bin/convzoo bench --version",                               3, "", "libexec/convzoo/bench: build or install all of convzoo" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs), cmocka_unit_test(test_mistakes), cmocka_unit_test(test_installed),
    };
    scratch_new(folder);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    return failed;
}
