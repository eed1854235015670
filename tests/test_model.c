/* test_model.c - which file a person means who names a run's folder, what a folder without one is told, and an
 * image size that no memory holds. */

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

#include "architectures.h"
#include "model.h"
#include "parameters.h"
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

/* ---- an image size that no memory holds ---- */

/* What the widest product reads and writes, by hand: blocks.1.0.conv_dw, 96 channels, from half to a quarter of the side. */
static size_t bytes_of_largest(size_t side)
{
    return 96 * ((side / 2) * (side / 2) + (side / 4) * (side / 4)) * sizeof(float);
}

static const Architecture *architecture;
static const ArchOptions options = { .classes = 3 };

static void absurd_batch(void **state)
{
    (void)state;
    char expected[128];
    Error error = { 0 };
    Network *net = architecture_network(architecture, (Shape){ 3, 16384, 16384 }, &options, &error);
    assert_non_null(net);
    assert_false(network_fits(net, 65536, &error));
    snprintf(expected, sizeof expected, "a batch of 65536 images of 16384x16384 needs %zu MiB in layer 'blocks.1.0.conv_dw', and ",
             (bytes_of_largest(16384) >> 20) * 65536);
    assert_int_equal(error.code, EXIT_memory);
    if (!strstr(error.text, expected))
        fail_msg("'%s', expected '%s'", error.text, expected);
    network_free(net);
}

/* A small file that claims a side of 16384. */
static void absurd_side(void **state)
{
    (void)state;
    char path[256];
    Model model;
    Error error = { 0 };
    char *names[] = { "a", "b", "c" };
    const ModelInfo info = { .arch = "efficientnet_lite0", .act = "silu", .classes = names, .class_count = 3, .channels = 3, .side = 16384,
                             .std = { 1, 1, 1 } };
    Network *net = architecture_network(architecture, (Shape){ 3, 32, 32 }, &options, &error);
    assert_non_null(net);
    parameters_init(net, 1);
    assert_true(checkpoint_save(scratch_path(path, folder, "absurd.safetensors"), NULL, net, &info, NULL, NULL, NULL, &error));
    network_free(net);
    if (memory_available() >= bytes_of_largest(16384)) {
        print_message("skipped: this machine has %zu MiB free, which is enough\n", memory_available() >> 20);
        skip();
    }
    assert_false(model_open(path, &model, &error));
    assert_int_equal(error.code, EXIT_memory);
    assert_non_null(strstr(error.text, "a batch of 1 image of 16384x16384 needs 30720 MiB in layer 'blocks.1.0.conv_dw', and "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_and_folders), cmocka_unit_test(absurd_batch), cmocka_unit_test(absurd_side),
    };
    architecture = architecture_find("efficientnet_lite0", NULL);
    scratch_new(folder);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    return failed;
}
