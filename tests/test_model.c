/* test_model.c - which file a person means who names a run's folder, and what a folder without one is told. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model.h"
#include "scratch.h"

static char folder[256];

static void write_name(const char *name)
{
    char path[256];
    scratch_write(scratch_path(path, folder, name), "x", 1);
}

static void files_and_folders(void **state)
{
    (void)state;
    static const struct { const char *path, *file, *error; } cases[] = {
        { "done",                   "done/best.safetensors", NULL },
        { "done/",                  "done/best.safetensors", NULL },
        { "done///",                "done/best.safetensors", NULL },
        { "done/last.safetensors",  "done/last.safetensors", NULL },
        { "done/none.safetensors",  "done/none.safetensors", NULL },      /* told when it is opened */
        { "stopped",                NULL, "the folder holds last.safetensors: name one" },
        { "begun",                  NULL, "the run has saved nothing yet" },
        { "published",              NULL, "the folder holds model.safetensors: name one" },
        { "photos",                 NULL, "not a run's folder: " },
        { "photos",                 NULL, "it holds no .safetensors file" },
        { "",                       NULL, "it holds runs, the last of them " },
    };
    static const char *const folders[] = { "done", "stopped", "begun", "published", "photos" };
    static const char *const files[] = { "done/args.json", "done/best.safetensors", "done/last.safetensors", "stopped/args.json",
        "stopped/last.safetensors", "begun/args.json", "published/model.safetensors", "published/config.json", "photos/cat.jpg" };
    char path[256], wanted[256];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        assert_int_equal(mkdir(scratch_path(path, folder, folders[i]), 0777), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        write_name(files[i]);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error = { 0 };
        char *found = model_file(scratch_path(path, folder, cases[i].path), &error);
        const bool as_wanted = cases[i].file ? found && !strcmp(found, scratch_path(wanted, folder, cases[i].file))
                                             : !found && error.code == EXIT_input && strstr(error.text, cases[i].error);
        if (!as_wanted)
            fail_msg("'%s': '%s' '%s', expected '%s' '%s'", cases[i].path, found ? found : "none", error.text, cases[i].file,
                     cases[i].error);
        free(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(files_and_folders) };
    scratch_new(folder);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    return failed;
}
