/* test_disk.c - opening beneath a folder while the file system changes elsewhere. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "scratch.h"

/* A link upwards can be followed while other processes rename their files. */
static void test_links_while_files_are_renamed(void **state)
{
    (void)state;
    char folder[256], path[256], here[256], there[256];
    Error error;
    scratch_new(folder);
    scratch_write(scratch_path(path, folder, "x"), "x", 1);
    assert_int_equal(mkdir(scratch_path(path, folder, "links"), 0700), 0);
    assert_int_equal(symlink("../x", scratch_path(path, folder, "links/x")), 0);
    scratch_write(scratch_path(here, folder, "here"), "", 0);
    scratch_path(there, folder, "there");
    const pid_t child = fork();
    assert_true(child >= 0);
    while (child == 0)
        if (rename(here, there) || rename(there, here))
            _exit(1);
    const int root = disk_folder(folder, &error);
    size_t size;
    int opened = 0;
    for (int i = 0; i < 5000; i++) {
        const int link = disk_open_beneath(root, "links/x", "links/x", 1000, &size, &error);
        opened += link >= 0;
        close(link);
    }
    close(root);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    scratch_remove(folder);
    assert_int_equal(opened, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_links_while_files_are_renamed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
