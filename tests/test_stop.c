/* test_stop.c - Ctrl-C and its kin: each signal is answered at once, and a reader that leaves ends nothing. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "errors.h"
#include "scratch.h"
#include "stop.h"

#define TINY "train lenet --data shapes --limit 100 -b 32 --lr 0.01 --threads 1 "

/* What the answers to `count` signals are, in a process that does nothing but wait for them. ended: its run is over. */
static int answers_of(bool quiet, bool saves, bool ended, const int *numbers, int count, char *text, size_t size)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        const volatile sig_atomic_t *stop = stop_watch(quiet, saves);
        if (ended)
            stop_end();
        for (int i = 0; i < count; i++)
            raise(numbers[i]);
        _exit(*stop == numbers[0] ? 0 : 1);
    }
    close(ends[1]);
    size_t at = 0;
    for (ssize_t got; (got = read(ends[0], text + at, size - 1 - at)) > 0; at += (size_t)got)
        ;
    text[at] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_answers(void **state)
{
    (void)state;
    static const char first[] = "train: stopping: this step is finished first, then the run is saved\n",
                      second[] = "train: still saving: a third Ctrl-C or signal ends the run at once, unsaved\n";
    static const struct { bool quiet, ended; int numbers[3], count, code, lines; } cases[] = {
        { false, false, { SIGINT },                   1, 0,             1 },
        { false, false, { SIGTERM },                  1, 0,             1 },
        { false, false, { SIGINT, SIGINT },           2, 0,             2 },
        { false, false, { SIGTERM, SIGINT },          2, 0,             2 },
        { false, false, { SIGINT, SIGINT, SIGINT },   3, 128 + SIGINT,  2 },
        { false, false, { SIGHUP, SIGINT, SIGTERM },  3, 128 + SIGTERM, 2 },
        { true,  false, { SIGINT, SIGINT },           2, 0,             0 },
        { true,  false, { SIGINT, SIGINT, SIGINT },   3, 128 + SIGINT,  0 },
        { false, true,  { SIGTERM, SIGTERM },         2, 0,             0 },
        { false, true,  { SIGTERM, SIGTERM, SIGINT },  3, 128 + SIGINT,  0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024], expected[1024];
        const int code = answers_of(cases[i].quiet, true, cases[i].ended, cases[i].numbers, cases[i].count, text, sizeof text);
        snprintf(expected, sizeof expected, "%s%s", cases[i].lines > 0 ? first : "", cases[i].lines > 1 ? second : "");
        if (code != cases[i].code || strcmp(text, expected))
            fail_msg("case %zu: status %d, expected %d: '%s'", i, code, cases[i].code, text);
    }
}

/* A trial promises nothing that it does not do. */
static void test_trial_answers(void **state)
{
    (void)state;
    char text[1024];
    assert_int_equal(answers_of(false, false, false, (const int[]){ SIGINT, SIGINT }, 2, text, sizeof text), 0);
    assert_string_equal(text, "train: stopping: this step is finished first\n"
                              "train: still at this step: a third Ctrl-C or signal ends it at once\n");
}

static void wait_for_line(const char *words)
{
    char path[256];
    bool found = false;
    for (int i = 0; i < 6000 && !found; i++, usleep(10000)) {
        char *text = scratch_read(scratch_path(path, folder, "stderr"), &(size_t){ 0 });
        found = text && strstr(text, words);
        free(text);
    }
    assert_true(found);
}

/* A trial that is stopped gives no answer, and ends as a run that is stopped. */
static void test_stopped_trials(void **state)
{
    (void)state;
    static const char *const trials[] = { "--overfit-batch", "--find-lr" };
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        int status;
        char command[256], expected[256], path[256];
        snprintf(command, sizeof command, "train baseline --data shapes --limit 512 -b 256 --lr 1e-9 --threads 1 %s", trials[i]);
        snprintf(expected, sizeof expected, "train: stopped before the answer: %s: nothing was written", trials[i]);
        unlink(scratch_path(path, folder, "stderr"));
        const pid_t child = start(command, 0);
        wait_for_line("nothing is written");
        assert_int_equal(kill(child, SIGINT), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        char *text = scratch_read(scratch_path(path, folder, "stderr"), &(size_t){ 0 });
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 128 + SIGINT || !strstr(text, expected) || strstr(text, "is saved"))
            fail_msg("%s: status %d: %s", trials[i], status, text);
        free(text);
    }
}

/* In a run: the answer stands before the line that tells what was saved. */
static void test_run(void **state)
{
    (void)state;
    int status;
    char path[256];
    const pid_t child = start(TINY "--epochs 1000 --output run", 0);
    wait_for_file("run/best.safetensors");
    assert_int_equal(kill(child, SIGINT), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT);
    char *text = scratch_read(scratch_path(path, folder, "stderr"), &(size_t){ 0 });
    const char *answer = strstr(text, "train: stopping: "), *saved = strstr(text, "train: stopped at step ");
    if (!answer || !saved || answer > saved)
        fail_msg("%s", text);
    free(text);
}

/* Whoever reads may leave: the run goes on to its end and is logged; the other programs end, without a word. */
static void test_closed_pipes(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "(" TINY "--epochs 3 --output piped; echo $? >code) 2>&1 | head -1",             0, "train: ", "" },
        { "cat code",                                                                      0, "0\n", "" },
        { "wc -l <piped/log.jsonl",                                                        0, "3\n", "" },
        { "(" TINY "--epochs 1 --output closed -q; echo $? >code) | true",                 0, "", "" },
        { "cat code && test -s closed/best.safetensors",                                   0, "0\n", "" },
        { "(evaluate piped/best.safetensors --limit 20 --threads 1; echo $? >code) 2>&1 | true", 0, "", "" },
        { "cat code",                                                                      0, "141\n", "" },
        { "(sleep 0.1; train --help=all; echo $? >code) | true",                           0, "", "" },
        { "cat code",                                                                      0, "141\n", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* Warnings and errors alone, on both ways to ask for it. */
static void test_silence(void **state)
{
    (void)state;
    static const Case cases[] = {
        { TINY "--epochs 1 --output silent --progress none",   0, "silent/best.safetensors", "" },
        { TINY "--epochs 1 --output quiet --quiet",            0, "quiet/best.safetensors", "" },
        { TINY "--epochs 1 --output quiet --progress none",    4, "", "not empty" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers), cmocka_unit_test(test_trial_answers), cmocka_unit_test(test_stopped_trials),
        cmocka_unit_test(test_run), cmocka_unit_test(test_closed_pipes), cmocka_unit_test(test_silence),
    };
    program_name_set("train");
    scratch_new(folder);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    return failed;
}
