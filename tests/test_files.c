/* test_files.c - a file is replaced whole or not at all, whatever fails; and a run's folder: lock, orphans, log. */

#define _GNU_SOURCE      /* unshare */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "folder.h"
#include "scratch.h"

enum { BYTES = 1000003 };

static const char old_text[] = "the old file";
static char folder[256], file[256], temporary[256], previous[256];
static unsigned char *fresh;      /* BYTES bytes */

static int setup(void **state)
{
    (void)state;
    scratch_new(folder);
    scratch_path(file, folder, "last.safetensors");
    scratch_path(temporary, folder, "last.safetensors.tmp");
    scratch_path(previous, folder, "prev.safetensors");
    scratch_write(file, old_text, sizeof old_text);
    fresh = allocate(BYTES, 1, "a file");
    for (int i = 0; i < BYTES; i++)
        fresh[i] = (unsigned char)(i * 31 >> 3);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(fresh);
    scratch_remove(folder);
    return 0;
}

/* Writes `fresh` in uneven pieces. */
static bool replace(const char *path, const char *keep, Error *error)
{
    FileWriter *writer = file_writer_open(path, BYTES, error);
    if (!writer)
        return false;
    for (size_t at = 0, piece = 1; at < BYTES; at += piece, piece = piece * 3 < BYTES - at ? piece * 3 : BYTES - at)
        if (!file_writer_write(writer, fresh + at, piece, error)) {
            file_writer_abandon(writer);
            return false;
        }
    return file_writer_commit(writer, keep, error);
}

static void assert_untouched(void)
{
    assert_true(scratch_holds(file, old_text, sizeof old_text));
    assert_false(scratch_exists(temporary));
}

/* Runs `what` in a process of its own and returns how it ended, as waitpid says. */
static int in_child(void (*what)(void))
{
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        what();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* ---- replacing ---- */

static void replaces(void **state)
{
    (void)state;
    struct stat status;
    assert_true(replace(file, NULL, NULL));
    assert_true(scratch_holds(file, fresh, BYTES));
    assert_false(scratch_exists(temporary));
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_nlink, 1);
    assert_true(file_replace(file, "", 0, NULL));
    assert_true(scratch_holds(file, "", 0));
}

static void keeps_previous(void **state)
{
    (void)state;
    char left[256];
    scratch_write(scratch_path(left, folder, "prev.safetensors.tmp"), "a killed process's", 18);
    assert_true(replace(file, previous, NULL));
    assert_true(scratch_holds(file, fresh, BYTES));
    assert_true(scratch_holds(previous, old_text, sizeof old_text));

    /* A process killed between the two renames leaves one file with both names. */
    assert_int_equal(unlink(previous), 0);
    assert_int_equal(link(file, previous), 0);
    assert_true(file_replace(file, "third", 5, NULL));
    assert_true(replace(file, previous, NULL));
    assert_true(scratch_holds(previous, "third", 5));
    assert_int_equal(unlink(previous), 0);
    assert_int_equal(link(file, previous), 0);
    assert_true(replace(file, previous, NULL));
    assert_true(scratch_holds(previous, fresh, BYTES));
    assert_false(scratch_exists(left));
}

static void makes_the_first(void **state)
{
    (void)state;
    assert_int_equal(unlink(file), 0);
    assert_true(replace(file, previous, NULL));
    assert_true(scratch_holds(file, fresh, BYTES));
    assert_false(scratch_exists(previous));
}

static void replaces_links_not_targets(void **state)
{
    (void)state;
    char link_name[256];
    assert_int_equal(symlink(file, scratch_path(link_name, folder, "link")), 0);
    assert_true(replace(link_name, NULL, NULL));
    assert_true(scratch_holds(link_name, fresh, BYTES));
    assert_true(scratch_holds(file, old_text, sizeof old_text));
    assert_int_equal(symlink(file, temporary), 0);
    Error error;
    assert_false(replace(file, NULL, &error));
    assert_true(scratch_holds(file, old_text, sizeof old_text));
}

/* -o /dev/full, or a link to it, must not make that name a file's. */
static void leaves_devices_and_pipes(void **state)
{
    (void)state;
    static const char *const targets[] = { "/dev/full", "/proc/self/fd/1", NULL };
    for (int i = 0; i < 3; i++) {
        char name[256];
        struct stat there;
        Error error = { 0 };
        scratch_path(name, folder, i < 2 ? "stream" : "pipe");
        assert_int_equal(targets[i] ? symlink(targets[i], name) : mkfifo(name, 0600), 0);
        assert_false(replace(name, NULL, &error));
        assert_int_equal(error.code, EXIT_write);
        assert_non_null(strstr(error.text, "no file but a device, a pipe or a socket"));
        assert_int_equal(lstat(name, &there), 0);
        assert_false(S_ISREG(there.st_mode));
        assert_int_equal(unlink(name), 0);
    }
}

static void abandons(void **state)
{
    (void)state;
    FileWriter *writer = file_writer_open(file, BYTES, NULL);
    assert_non_null(writer);
    assert_true(scratch_exists(temporary));
    assert_true(file_writer_write(writer, fresh, BYTES / 2, NULL));
    file_writer_abandon(writer);
    assert_untouched();
}

/* ---- failing ---- */

static void refuses(void **state)
{
    (void)state;
    char in_file[256], in_none[256];
    snprintf(in_file, sizeof in_file, "%.200s/x", file);
    snprintf(in_none, sizeof in_none, "%.200s/none/x", folder);
    const struct { const char *name, *path, *text; } cases[] = {
        { "no folder",      in_none,            "No such file or directory" },
        { "file as folder", in_file,            "Not a directory" },
        { "a folder",       folder,             "cannot write" },
        { "empty",          "",                 "name a file" },
        { "slash",          "/",                "name a file" },
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        Error error = {0};
        if (file_replace(cases[c].path, "x", 1, &error) || error.code != EXIT_write || !strstr(error.text, cases[c].text))
            fail_msg("%s: '%s', expected '%s'", cases[c].name, error.text, cases[c].text);
    }
    assert_untouched();
}

static void second_writer(void **state)
{
    (void)state;
    Error error;
    FileWriter *writer = file_writer_open(file, BYTES, NULL);
    assert_false(replace(file, NULL, &error));
    assert_int_equal(error.code, EXIT_write);
    assert_non_null(strstr(error.text, ".tmp is there already"));
    assert_true(scratch_exists(temporary));      /* the first one's, still */
    file_writer_abandon(writer);
    assert_untouched();
}

/* More than any disk has: refused before anything is made. */
static void no_space_at_all(void **state)
{
    (void)state;
    Error error;
    assert_null(file_writer_open(file, (uint64_t)1 << 60, &error));
    assert_int_equal(error.code, EXIT_write);
    assert_non_null(strstr(error.text, "no space left on device"));
    assert_non_null(strstr(error.text, "1152921.5 TB"));
    assert_untouched();
}

static void child_limited(void)
{
    Error error = {0};
    const struct rlimit limit = { BYTES / 3, BYTES / 3 };
    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(2);
    if (replace(file, previous, &error) || error.code != EXIT_write || !strstr(error.text, "File too large"))
        _exit(3);
}

static void too_large(void **state)
{
    (void)state;
    assert_int_equal(in_child(child_limited), 0);
    assert_untouched();
    assert_false(scratch_exists(previous));
}

/* Fills the file system that `folder` lies in to the last byte. */
static bool fill_disk(const char *name)
{
    char path[256];
    static const char block[4096];
    const int descriptor = open(scratch_path(path, folder, name), O_WRONLY | O_CREAT, 0600);
    while (descriptor >= 0 && write(descriptor, block, sizeof block) > 0)
        ;
    return descriptor >= 0 && close(descriptor) == 0;
}

static void child_full(void)
{
    Error error = {0};
    LogFile log;
    char path[256];
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", folder, "tmpfs", 0, "size=1536k") != 0)
        _exit(77);
    scratch_write(file, old_text, sizeof old_text);

    /* Two copies would not fit: refused beforehand, with both numbers. */
    if (replace(file, NULL, &error) || error.code != EXIT_write || !strstr(error.text, "no space left on device") ||
        !strstr(error.text, "needs 1.0 MB, and as much again for the save after it, 1.6 MB free") ||
        !scratch_holds(file, old_text, sizeof old_text) || scratch_exists(temporary))
        _exit(2);
    /* What was reserved is there when something else fills the disk meanwhile. */
    FileWriter *writer = file_writer_open(file, 600000, &error);
    if (!writer || !fill_disk("filler") || !file_writer_write(writer, fresh, 600000, &error) ||
        !file_writer_commit(writer, NULL, &error) || !scratch_holds(file, fresh, 600000))
        _exit(3);
    if (file_replace(file, fresh, 600000, &error) || !strstr(error.text, "no space left on device") ||
        !scratch_holds(file, fresh, 600000))
        _exit(4);
    if (!fill_disk("more") || !log_open(&log, scratch_path(path, folder, "log.jsonl"), 0, &error) ||
        log_append(&log, "{}", &error) || error.code != EXIT_write || log.bytes != 0)
        _exit(5);
    log_close(&log);
}

static void full_disk(void **state)
{
    (void)state;
    const int status = in_child(child_full);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("skipped: a full disk: no right to mount a tmpfs\n");
        skip();
    }
    assert_int_equal(status, 0);
}

static void child_killed(void)
{
    FileWriter *writer = file_writer_open(file, BYTES, NULL);
    if (writer && file_writer_write(writer, fresh, BYTES / 2, NULL))
        raise(SIGKILL);
}

static void killed(void **state)
{
    (void)state;
    Error error;
    const int status = in_child(child_killed);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(scratch_holds(file, old_text, sizeof old_text));
    assert_true(scratch_exists(temporary));
    assert_false(replace(file, NULL, &error));
    assert_true(folder_remove_orphans(folder, &error));
    assert_untouched();
    assert_true(replace(file, NULL, &error));
    assert_true(scratch_holds(file, fresh, BYTES));
}

/* A file that takes another's place is as open to others as that was. */
static void keeps_permissions(void **state)
{
    (void)state;
    char path[256];
    struct stat about;
    Error error;
    scratch_write(scratch_path(path, folder, "private"), "old", 3);
    assert_int_equal(chmod(path, 0600), 0);
    assert_true(file_replace(path, "new", 3, &error));
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
}

/* ---- folders ---- */

static void creates_folders(void **state)
{
    (void)state;
    char path[256];
    Error error;
    assert_true(folder_create(scratch_path(path, folder, "a/b//c/"), &error));
    assert_true(folder_create(path, &error));
    assert_true(scratch_exists(path));
    assert_false(folder_create(scratch_path(path, folder, "last.safetensors/x"), &error));
    assert_int_equal(error.code, EXIT_folder);
    assert_non_null(strstr(error.text, "choose another one"));
    assert_false(folder_create(file, &error));
    assert_non_null(strstr(error.text, "File exists"));
    assert_false(folder_create("", &error));
}

static void child_locks(void)
{
    Error error = {0};
    const int lock = folder_lock(folder, &error);
    const bool says_who = strstr(error.text, "output folder in use") && strstr(error.text, "on host ");
    _exit(lock < 0 && error.code == EXIT_folder && says_who ? 5 : 0);
}

static void locks(void **state)
{
    (void)state;
    Error error;
    const int lock = folder_lock(folder, &error);
    assert_true(lock >= 0);
    int status = in_child(child_locks);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    assert_int_equal(folder_lock(folder, &error), -1);      /* this process again, too */
    char own[64];
    snprintf(own, sizeof own, "(pid %ld on host ", (long)getpid());
    assert_non_null(strstr(error.text, own));
    assert_null(strchr(error.text, '\n'));
    folder_unlock(lock);
    status = in_child(child_locks);
    assert_int_equal(status, 0);

    char none[256];
    assert_int_equal(folder_lock(scratch_path(none, folder, "none"), &error), -1);
    assert_int_equal(error.code, EXIT_folder);
}

static void removes_orphans(void **state)
{
    (void)state;
    static const struct { const char *name; bool removed; } cases[] = {
        { "best.safetensors.tmp", true }, { "a.tmp", true }, { "best.safetensors", false }, { ".tmp", false },
        { "tmp", false }, { "a.tmp.png", false },
    };
    char path[256];
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        scratch_write(scratch_path(path, folder, cases[c].name), "x", 1);
    assert_int_equal(mkdir(scratch_path(path, folder, "a_folder.tmp"), 0700), 0);
    assert_true(folder_remove_orphans(folder, NULL));
    assert_int_equal(rmdir(path), 0);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        if (scratch_exists(scratch_path(path, folder, cases[c].name)) == cases[c].removed)
            fail_msg("%s: expected to be %s", cases[c].name, cases[c].removed ? "removed" : "there");
}

/* ---- the log ---- */

static const struct {
    const char *name, *before;
    uint64_t    keep;
    const char *kept;
} log_cases[] = {
    { "all lines",          "one\ntwo\n",      UINT64_MAX, "one\ntwo\n" },
    { "afresh",             "one\ntwo\n",      0,          "" },
    { "up to a line",       "one\ntwo\n",      4,          "one\n" },
    { "within a line",      "one\ntwo\n",      6,          "one\n" },
    { "half a line left",   "one\ntwo\nthr",   UINT64_MAX, "one\ntwo\n" },
    { "only half a line",   "thr",             UINT64_MAX, "" },
    { "shorter than saved", "one\n",           400,        "one\n" },
    { "empty",              "",                10,         "" },
};

static void cuts_the_log(void **state)
{
    (void)state;
    char path[256], expected[64];
    scratch_path(path, folder, "log.jsonl");
    for (size_t c = 0; c < sizeof log_cases / sizeof *log_cases; c++) {
        LogFile log;
        scratch_write(path, log_cases[c].before, strlen(log_cases[c].before));
        if (!log_open(&log, path, log_cases[c].keep, NULL) || log.bytes != strlen(log_cases[c].kept) ||
            !log_append(&log, "{}", NULL))
            fail_msg("%s: %llu bytes kept", log_cases[c].name, (unsigned long long)log.bytes);
        snprintf(expected, sizeof expected, "%s{}\n", log_cases[c].kept);
        assert_int_equal(log.bytes, strlen(expected));
        log_close(&log);
        if (!scratch_holds(path, expected, strlen(expected)))
            fail_msg("%s: expected '%s'", log_cases[c].name, expected);
    }
}

static void long_log_lines(void **state)
{
    (void)state;
    enum { LONG = 10000 };
    char path[256], line[LONG + 1];
    LogFile log;
    memset(line, 'x', LONG);
    line[LONG] = '\0';
    assert_true(log_open(&log, scratch_path(path, folder, "log.jsonl"), 0, NULL));
    assert_true(log_append(&log, "short", NULL) && log_append(&log, line, NULL));
    log_close(&log);
    assert_int_equal(truncate(path, 6 + LONG), 0);      /* the long line's end is gone */
    assert_true(log_open(&log, path, UINT64_MAX, NULL));
    assert_int_equal(log.bytes, 6);
    log_close(&log);
    assert_true(scratch_holds(path, "short\n", 6));
}

static void child_log_limited(void)
{
    char path[256];
    LogFile log;
    Error error = {0};
    const struct rlimit limit = { 10, 10 };
    if (!log_open(&log, scratch_path(path, folder, "log.jsonl"), 0, NULL) || !log_append(&log, "first", NULL) ||
        signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(2);
    if (log_append(&log, "the second", &error) || error.code != EXIT_write || log.bytes != 6)
        _exit(3);
    log_close(&log);
}

static void log_on_a_full_disk(void **state)
{
    (void)state;
    char path[256];
    assert_int_equal(in_child(child_log_limited), 0);
    assert_true(scratch_holds(scratch_path(path, folder, "log.jsonl"), "first\n", 6));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(replaces), IN_FOLDER(keeps_previous), IN_FOLDER(makes_the_first), IN_FOLDER(replaces_links_not_targets), IN_FOLDER(leaves_devices_and_pipes),
        IN_FOLDER(abandons), IN_FOLDER(refuses), IN_FOLDER(second_writer), IN_FOLDER(no_space_at_all), IN_FOLDER(too_large),
        IN_FOLDER(full_disk), IN_FOLDER(killed), IN_FOLDER(keeps_permissions), IN_FOLDER(creates_folders), IN_FOLDER(locks), IN_FOLDER(removes_orphans),
        IN_FOLDER(cuts_the_log), IN_FOLDER(long_log_lines), IN_FOLDER(log_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
