/* test_shown_text.c - names from outside reach the terminal escaped, whichever program and format shows them. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"
#include "text.h"

#define CSI       "\xC2\x9B"          /* one character that begins a command to the terminal */
#define OVERRIDE  "\xE2\x80\xAE"      /* what follows is read from right to left */
#define TINY      "train lenet --data shapes --limit 64 -b 32 --epochs 2 --threads 1 --max-steps 1 "

static char folder[256];

/* Runs a shell command in the folder; what it printed on stdout and stderr, which the caller frees. */
static char *shown_by(const char *command)
{
    char line[2048], path[256];
    scratch_path(path, folder, "shown");
    snprintf(line, sizeof line, "cd '%s' && export PATH='%s':\"$PATH\" && ( %s ) >'%s' 2>&1", folder, PROGRAMS_FOLDER, command, path);
    assert_int_not_equal(system(line), -1);
    char *text = scratch_read(path, &(size_t){ 0 });
    assert_non_null(text);
    return text;
}

static void write_image(const char *name)
{
    char path[256];
    unsigned char bytes[64] = "P6\n4 4\n255\n";
    scratch_write(scratch_path(path, folder, name), bytes, 11 + 48);
}

/* Every line is printable, and the name is in it as it should be shown. */
static void test_lines(void **state)
{
    (void)state;
    static const struct { const char *command, *shown; } cases[] = {
        { TINY "--output 'r\x1B[31m'",                                                          "r\\x1B[31m" },
        { "train --resume 'r\x1B[31m' --max-steps 2",                                           "r\\x1B[31m" },
        { TINY "--arch '" CSI "'",                                                              "" },
        { "train lenet --data d --img-size 32 -b 2 --epochs 1 --val-split 0.5",                 "a\\xC2\\x9B" },
        { "predict base/last.safetensors 'q\x1B.ppm' -k 1",                                     "q\\x1B.ppm:" },
        { "predict base/last.safetensors 'q" OVERRIDE ".ppm' -k 1",                             "q\\xE2\\x80\\xAE.ppm:" },
        { "predict base/last.safetensors 'q\x1B.ppm' -k 1 --results-format csv",                "q\\x1B.ppm,1," },
        { "predict base/last.safetensors 'q\",\n.ppm' -k 1 --results-format csv",               "\"q\"\",\\x0A.ppm\",1," },
        { "predict base/last.safetensors 'q" OVERRIDE ".ppm' -k 1 --results-format jsonl",      "\"q\\u202E.ppm\"" },
        { "predict base/last.safetensors 'q\x7F.ppm' -k 1 --results-format jsonl",              "\"q\\u007F.ppm\"" },
        { "predict base/last.safetensors 'none" CSI ".ppm'",                                    "none\\xC2\\x9B.ppm" },
        { "cp base/last.safetensors 'x" CSI "' && evaluate 'x" CSI "' --limit 8 --threads 1",   "x\\xC2\\x9B  lenet" },
        { "evaluate 'x" CSI "' --limit 8 --threads 1 --json -q",                                "\"x\\u009B\"" },
        /* Equal images in two classes: one class is called wrong. */
        { "train lenet --data e --img-size 32 -b 2 --epochs 1 --val-split 0.5 --threads 1 --output g -q && evaluate g --misclassified 9 --threads 1 -q", "q\\x1B.ppm" },
        /* A machine's name of the same length in the run's checkpoint. */
        { "cp -r base m && sed -i 's/\"run.machine\":\"..../\"run.machine\":\"\\xC2\\x9B\\xC2\\x9B/' m/last.safetensors && "
          "sed -i 's/data_crc32/data_crcXX/' m/last.safetensors && train --resume m --max-steps 2", "\\xC2\\x9B\\xC2\\x9B" },
    };
    free(shown_by(TINY "--output base"));
    free(shown_by("mkdir -p 'd/a" CSI "' d/b e/a e/b"));
    static const char *const images[] = {
        "e/a/q\x1B.ppm", "e/a/r\x1B.ppm", "e/b/q\x1B.ppm", "e/b/r\x1B.ppm", "d/a" CSI "/1.ppm", "d/b/1.ppm", "q\x1B.ppm", "q" OVERRIDE ".ppm", "q\x7F.ppm", "q\",\n.ppm",
    };
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        write_image(images[i]);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = shown_by(cases[i].command), *rest = text;
        if (!strstr(text, cases[i].shown))
            fail_msg("%s\nprints: %s\nexpected: %s", cases[i].command, text, cases[i].shown);
        for (char *line; (line = strsep(&rest, "\n"));)
            if (!text_is_printable(line))
                fail_msg("%s\nprints a control character in: %s", cases[i].command, line);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines) };
    scratch_new(folder);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    return failed;
}
