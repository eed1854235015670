/* test_saves.c - system calls fail under a run, and nothing that was saved or learnt is lost.
 *
 * The calls that the library makes are defined here, before the C library's, and fail when a test wants it. */

#define _GNU_SOURCE      /* fallocate */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "scratch.h"
#include "tiny_run.h"

/* ---- faults ---- */

typedef struct Fault {
    const char *call, *file;       /* file: how its path ends */
    int         number;            /* errno */
    int         every;             /* the n-th call fails, and the 2n-th, ... */
    int         most;              /* so often; 0: for ever */
} Fault;

static Fault fault;                /* {0}: none */
static int   calls, failed;
static char  synced[16][256];      /* folders and files, in order */
static int   syncs;

static void fault_set(Fault new)
{
    fault = new;
    calls = failed = 0;
}

static bool fault_hits(const char *call, const char *path)
{
    const size_t length = strlen(path), end = fault.file ? strlen(fault.file) : 0;
    if (!fault.call || strcmp(call, fault.call) || length < end || strcmp(path + length - end, fault.file) ||
        ++calls % fault.every || (fault.most && failed == fault.most))
        return false;
    failed++;
    errno = fault.number;
    return true;
}

static bool fault_hits_open(const char *call, int descriptor)
{
    char link[64], path[256];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    if (!strcmp(call, "fsync") && syncs < 16)
        strcpy(synced[syncs++], path);
    return fault_hits(call, path);
}

int access(const char *path, int mode)
{
    return fault_hits("access", path) ? -1 : (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return fault_hits("open", path) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t read(int descriptor, void *bytes, size_t count)
{
    return fault_hits_open("read", descriptor) ? -1 : syscall(SYS_read, descriptor, bytes, count);
}

ssize_t pread(int descriptor, void *bytes, size_t count, off_t offset)
{
    return fault_hits_open("pread", descriptor) ? -1 : syscall(SYS_pread64, descriptor, bytes, count, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset)
{
    return fault_hits_open("pwrite", descriptor) ? -1 : syscall(SYS_pwrite64, descriptor, bytes, count, offset);
}

int fsync(int descriptor)
{
    return fault_hits_open("fsync", descriptor) ? -1 : (int)syscall(SYS_fsync, descriptor);
}

/* ---- what cannot be read is neither missing nor damaged ---- */

static void keep(const char *folder, const char *file, char **bytes, size_t *count)
{
    char path[256];
    *bytes = scratch_read(scratch_path(path, folder, file), count);
    assert_non_null(*bytes);
}

static void expect_kept(const char *folder, const char *file, char *bytes, size_t count, const char *name)
{
    char path[256];
    if (!scratch_holds(scratch_path(path, folder, file), bytes, count))
        fail_msg("%s: %s was touched", name, file);
    free(bytes);
}

static void test_files_that_cannot_be_read(void **state)
{
    (void)state;
    static const Fault cases[] = {
        { "access", "/last.safetensors", EIO,    1, 0 },
        { "access", "/last.safetensors", EACCES, 1, 1 },
        { "access", "/last.safetensors", ESTALE, 1, 0 },
        { "access", "/prev.safetensors", EIO,    1, 0 },
        { "open",   "/last.safetensors", ESTALE, 1, 0 },
        { "open",   "/last.safetensors", EMFILE, 1, 1 },
        { "open",   "/last.safetensors", EACCES, 2, 1 },      /* the second time: when the weights are read */
        { "pread",  "/last.safetensors", EIO,    1, 1 },
        { "pread",  "/last.safetensors", EIO,    9, 1 },
        { "open",   "/log.jsonl",        EIO,    1, 1 },
        { "open",   "/log.jsonl",        ENOMEM, 1, 1 },
        { "read",   "/log.jsonl",        EIO,    1, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char root[256], folder[256], name[128], *last, *log;
        size_t last_count, log_count;
        Seen seen = { 0 };
        Error error;
        scratch_new(root);
        TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
        options.most_steps = BATCHES + 3;
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "a run to resume");
        keep(folder, "last.safetensors", &last, &last_count);
        keep(folder, "log.jsonl", &log, &log_count);

        snprintf(name, sizeof name, "%s of %s: %s", cases[i].call, cases[i].file, strerror(cases[i].number));
        options.resume = true;
        options.most_steps = 0;
        fault_set(cases[i]);
        const int code = tiny_train(&options, &error);
        assert_true(failed > 0);
        fault_set((Fault){ 0 });
        tiny_expect_code(code, EXIT_input, &error, name);
        if (!strstr(error.text, cases[i].file) || !strstr(error.text, strerror(cases[i].number)))
            fail_msg("%s: '%s'", name, error.text);
        expect_kept(folder, "last.safetensors", last, last_count, name);
        expect_kept(folder, "log.jsonl", log, log_count, name);
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "the fault is gone");
        scratch_remove(root);
    }
}

static void test_a_link_to_nothing(void **state)
{
    (void)state;
    char root[256], folder[256], path[256], moved[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    tiny_run_whole("lenet", scratch_path(folder, root, "run"));
    assert_int_equal(rename(scratch_path(path, folder, "last.safetensors"), scratch_path(moved, root, "moved")), 0);
    assert_int_equal(symlink("../not mounted", path), 0);
    TrainerOptions options = tiny_options("lenet", folder, &seen);
    options.resume = true;
    tiny_expect_code(tiny_train(&options, &error), EXIT_input, &error, "a link to nothing");
    assert_non_null(strstr(error.text, "a link to nothing"));
    scratch_remove(root);
}

/* ---- the log ---- */

/* Lines of epochs that the checkpoint does not know go, wherever they stand; what else is there stays. */
static void test_lines_that_are_no_epochs(void **state)
{
    (void)state;
    static const struct { const char *before, *after; } cases[] = {
        { "# note\n{\"epoch\": 1}\n",                          "# note\n{\"epoch\": 1}\n" },
        { "{\"epoch\": 1}\n{\"epoch\": 2}\nnote\n",            "{\"epoch\": 1}\nnote\n" },
        { "{\"epoch\": 3}\n{\"epoch\": 1}\n{\"epoch\": 1}\n",  "{\"epoch\": 1}\n{\"epoch\": 1}\n" },
        { "{\"epoch\": 1}\n{\"epo",                            "{\"epoch\": 1}\n" },
        { "{\"epoch\": 1}\n{\"epo\n\nx",                       "{\"epoch\": 1}\n{\"epo\n\nx\n" },
        { "{\"epoch\": 1}",                                    "{\"epoch\": 1}\n" },
        { "[1]\n{\"note\": \"\\u00e9\"}\n",                    "[1]\n{\"note\": \"\\u00e9\"}\n" },
        { "",                                                  "" },
    };
    char root[256], folder[256], path[256];
    Error error;
    scratch_new(root);
    scratch_path(folder, root, "run");
    RunFolder *made = run_folder_open(folder, NULL, NULL, false, &error);
    assert_non_null(made);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scratch_write(scratch_path(path, folder, "log.jsonl"), cases[i].before, strlen(cases[i].before));
        if (!run_folder_log(made, 1, &error))
            fail_msg("case %zu: %s", i, error.text);
        log_close(&made->log);
        if (!scratch_holds(path, cases[i].after, strlen(cases[i].after)))
            fail_msg("case %zu: expected '%s'", i, cases[i].after);
    }
    run_folder_close(made);
    scratch_remove(root);
}

/* A line that could not be written is written with the next, in its place; or the exit code tells. */
static void test_a_line_that_is_owed(void **state)
{
    (void)state;
    static const struct { int most, code, lines; } cases[] = { { 1, EXIT_ok, EPOCHS }, { 3, EXIT_ok, EPOCHS }, { 0, EXIT_write, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char root[256], folder[256], *log;
        size_t count;
        Seen seen = { 0 };
        Error error;
        scratch_new(root);
        TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
        fault_set((Fault){ "pwrite", "/log.jsonl", ENOSPC, 1, cases[i].most });
        const int code = tiny_train(&options, &error);
        fault_set((Fault){ 0 });
        tiny_expect_code(code, cases[i].code, &error, "a line that could not be written");
        assert_non_null(strstr(seen.notes, "warning: cannot write the log"));
        assert_int_equal(tiny_lines(folder, "log.jsonl"), cases[i].lines);
        keep(folder, "log.jsonl", &log, &count);
        const char *at = log;
        for (int epoch = 1; epoch <= cases[i].lines; epoch++) {
            char start[48];
            snprintf(start, sizeof start, "{\"epoch\": %d, \"epochs\": 3,", epoch);
            assert_memory_equal(at, start, strlen(start));
            at = strchr(at, '\n') + 1;
        }
        free(log);
        scratch_remove(root);
    }
}

/* ---- the best weights ---- */

/* The first epoch's weights stay the best: the later ones hardly differ and score no better. */
static TrainerOptions still(const char *folder, Seen *seen)
{
    TrainerOptions options = tiny_options("lenet", folder, seen);
    options.schedule = SCHEDULE_step;
    options.warmup_epochs = 0.0;
    options.decay_epochs = 1.0;
    options.decay_rate = 1e-4f;
    return options;
}

static void test_best_is_owed(void **state)
{
    (void)state;
    /* The run is stopped at each of these steps, best.safetensors failing all the while, and then goes on without the fault. */
    static const struct { const char *name; uint64_t stops[4]; } cases[] = {
        { "to the end",                   { STEPS } },
        { "stopped after its epoch",      { BATCHES } },
        { "stopped in the next",          { BATCHES + 2 } },
        { "again and again",              { BATCHES + 1, BATCHES + 2, BATCHES + 4, STEPS - 1 } },
    };
    char root[256], whole[256], *log;
    size_t count;
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = still(scratch_path(whole, root, "whole"), &seen);
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "whole");
    keep(whole, "log.jsonl", &log, &count);
    assert_non_null(strstr(log, "\"best\": true"));
    assert_null(strstr(strchr(log, '\n'), "\"best\": true"));
    free(log);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char folder[256], number[16];
        snprintf(number, sizeof number, "%zu", i);
        options = still(scratch_path(folder, root, number), &seen);
        for (int part = 0; part < 4 && cases[i].stops[part]; part++) {
            seen = (Seen){ 0 };
            options.most_steps = cases[i].stops[part];
            fault_set((Fault){ "fsync", "/best.safetensors.tmp", EIO, 1, 0 });
            const int code = tiny_train(&options, &error);
            tiny_expect_code(code, EXIT_write, &error, cases[i].name);
            if (!strstr(error.text, "best.safetensors") || !strstr(seen.notes, "warning: cannot write"))
                fail_msg("%s: '%s', notes '%s'", cases[i].name, error.text, seen.notes);
            options.resume = true;
        }
        fault_set((Fault){ 0 });
        assert_false(tiny_has(folder, "best.safetensors"));
        options.most_steps = 0;
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, cases[i].name);
        tiny_expect_same(whole, folder, "best.safetensors");
        tiny_expect_same(whole, folder, "last.safetensors");
    }
    scratch_remove(root);
}

/* prev.safetensors alone holds the best weights, and last.safetensors is damaged: no save takes them, however many fail to write best. */
static void test_best_is_owed_beside_damage(void **state)
{
    (void)state;
    char root[256], whole[256], folder[256], path[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = still(scratch_path(whole, root, "whole"), &seen);
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "whole");
    options = still(scratch_path(folder, root, "run"), &seen);
    fault_set((Fault){ "fsync", "/best.safetensors.tmp", EIO, 1, 0 });
    for (int part = 0; part < 2; part++) {
        options.most_steps = BATCHES + 2 + (uint64_t)part;
        options.save_steps = part;      /* the second part saves after every step */
        tiny_expect_code(tiny_train(&options, &error), EXIT_write, &error, "best owed");
        options.resume = true;
        if (part == 0)
            assert_int_equal(truncate(scratch_path(path, folder, "last.safetensors"), 1000), 0);
    }
    fault_set((Fault){ 0 });
    options.most_steps = 0;
    options.save_steps = 0;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "the rest");
    tiny_expect_same(whole, folder, "best.safetensors");
    tiny_expect_same(whole, folder, "last.safetensors");
    scratch_remove(root);
}

/* Weights that are in no file any more: said, and a later epoch that is worse does not pass for the best. */
static void test_best_is_lost(void **state)
{
    (void)state;
    char root[256], folder[256], path[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = still(scratch_path(folder, root, "run"), &seen);
    options.most_steps = BATCHES + 2;
    fault_set((Fault){ "fsync", "/best.safetensors.tmp", EIO, 1, 0 });
    tiny_expect_code(tiny_train(&options, &error), EXIT_write, &error, "best owed");
    fault_set((Fault){ 0 });
    assert_int_equal(unlink(scratch_path(path, folder, "prev.safetensors")), 0);
    options.resume = true;
    options.most_steps = 0;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "best lost");
    assert_non_null(strstr(seen.notes, "are lost"));
    assert_true(tiny_has(folder, "best.safetensors"));
    scratch_remove(root);
}

/* ---- warnings, folders ---- */

static void test_a_warning_for_each_failure(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
    options.save_steps = 1;
    fault_set((Fault){ "fsync", "/last.safetensors.tmp", EIO, 3, 0 });
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "every third save fails");
    const int expected = failed;
    fault_set((Fault){ 0 });
    int warnings = 0;
    for (const char *at = seen.notes; (at = strstr(at, "warning:")) != NULL; at++)
        warnings++;
    assert_true(expected >= 4);
    assert_int_equal(warnings, expected);
    scratch_remove(root);
}

/* What a process leaves that was killed before it wrote args.json is no run; other people's files are no remains. */
static void test_remains(void **state)
{
    (void)state;
    static const struct { const char *file; int code; } cases[] = {
        { "args.json.tmp", EXIT_ok }, { "photo.tmp", EXIT_folder }, { "args.json.tmp.tmp", EXIT_folder }, { "log.jsonl", EXIT_folder },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char root[256], folder[256], path[256];
        Seen seen = { 0 };
        Error error;
        scratch_new(root);
        assert_int_equal(mkdir(scratch_path(folder, root, "run"), 0700), 0);
        scratch_write(scratch_path(path, folder, cases[i].file), "{", 1);
        scratch_write(scratch_path(path, folder, "run.lock"), "pid 1\n", 6);
        TrainerOptions options = tiny_options("lenet", folder, &seen);
        options.most_steps = 1;
        tiny_expect_code(tiny_train(&options, &error), cases[i].code, &error, cases[i].file);
        assert_int_equal(tiny_has(folder, cases[i].file), cases[i].code != EXIT_ok);
        scratch_remove(root);
    }
}

static bool was_synced(const char *path)
{
    bool found = false;
    for (int i = 0; i < syncs; i++)
        found = found || !strcmp(synced[i], path);
    return found;
}

/* Every new level is synced into the one above; if that fails, it is told. */
static void test_new_folders_are_synced(void **state)
{
    (void)state;
    char root[256], real[256], path[256];
    Error error;
    scratch_new(root);
    assert_non_null(realpath(root, real));
    syncs = 0;
    assert_true(folder_create(scratch_path(path, real, "a/b//c"), &error));
    assert_true(was_synced(real));
    assert_true(was_synced(scratch_path(path, real, "a")));
    assert_true(was_synced(scratch_path(path, real, "a/b")));
    fault_set((Fault){ "fsync", "/b", EIO, 1, 1 });
    assert_false(folder_create(scratch_path(path, real, "a/b/d"), &error));
    fault_set((Fault){ 0 });
    assert_int_equal(error.code, EXIT_folder);
    scratch_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_that_cannot_be_read),
        cmocka_unit_test(test_a_link_to_nothing),
        cmocka_unit_test(test_lines_that_are_no_epochs),
        cmocka_unit_test(test_a_line_that_is_owed),
        cmocka_unit_test(test_best_is_owed),
        cmocka_unit_test(test_best_is_owed_beside_damage), cmocka_unit_test(test_best_is_lost),
        cmocka_unit_test(test_a_warning_for_each_failure),
        cmocka_unit_test(test_remains),
        cmocka_unit_test(test_new_folders_are_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
