/* test_folders.c - folders of images as people have them: names of parts, litter, links, files left out, damaged images. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data_files.h"
#include "dataset.h"
#include "scratch.h"
#include "text.h"

static Dataset *open_split(Split split, bool skip_bad, Error *error)
{
    const DataOptions options = { .path = data_root, .skip_bad = skip_bad };
    *error = (Error){0};
    return dataset_open(&options, split, error);
}

/* The start-up line of a split that must open. */
static const char *described(Split split, uint32_t count)
{
    static char text[1024];
    Error error;
    Dataset *data = open_split(split, false, &error);
    if (!data)
        fail_msg("%s", error.text);
    assert_int_equal(data->count, count);
    dataset_describe(data, text, sizeof text);
    dataset_free(data);
    return text;
}

static void refused(const char *text, const char *more)
{
    Error error;
    Dataset *data = open_split(SPLIT_train, false, &error);
    if (data || !strstr(error.text, text) || !strstr(error.text, more))
        fail_msg("expected '%s' and '%s': '%s'", text, more, error.text);
}

static void make_part(const char *name, int count)
{
    char prefix[64];
    data_folder(name);
    snprintf(prefix, sizeof prefix, "%s/", name);
    data_classes(prefix, count);
}

static void renew(void)
{
    data_teardown(NULL);
    data_setup(NULL);
}

static void test_part_names(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        { "train", "val", "test" }, { "train", "valid", "test" }, { "Training", "Validation", "Testing" }, { "TRAIN", "Dev", "TEST" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shown[64];
        for (int s = 0; s < 3; s++)
            make_part(cases[i][s], 3 - s);
        snprintf(shown, sizeof shown, "; parts: %s/ %s/ %s/", cases[i][0], cases[i][1], cases[i][2]);
        for (Split split = SPLIT_train; split <= SPLIT_test; split++)
            assert_non_null(strstr(described(split, 6 - 2 * (uint32_t)split), shown));
        renew();
    }
    make_part("train", 2);
    make_part("val", 1);
    make_part("Valid", 1);
    refused("two folders for the val part: ", "'Valid' and 'val'");
}

/* A class may have a part's name: its folder holds images and stands beside others that do. */
static void test_classes_called_like_parts(void **state)
{
    (void)state;
    data_folder("train");
    data_folder("bus");
    data_image("train/a.ppm", 8, 8, 1, false);
    data_image("bus/a.ppm", 8, 8, 2, false);
    data_image("bus/b.ppm", 8, 8, 2, false);
    Error error;
    Dataset *data = open_split(SPLIT_train, false, &error);
    assert_non_null(data);
    assert_string_equal(data->class_names[1], "train");
    dataset_free(data);
}

static void test_litter(void **state)
{
    (void)state;
    static const char *const names[] = {
        "__MACOSX", "@eaDir", ".ipynb_checkpoints", "$RECYCLE.BIN", "$Recycle.Bin", "System Volume Information", "lost+found",
    };
    make_part("train", 10);
    make_part("val", 2);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int place = 0; place < 3; place++) {
            char name[128];
            snprintf(name, sizeof name, "%s%s", (const char *[]){ "", "train/", "train/cat/" }[place], names[i]);
            data_folder(name);
            strcat(name, "/cat.ppm");
            data_image(name, 8, 8, 9, false);
        }
    scratch_write(data_path("train/cat/Thumbs.db"), "x", 1);
    scratch_write(data_path("train/desktop.ini"), "x", 1);
    const char *text = described(SPLIT_train, 20);
    assert_non_null(strstr(text, "in 2 classes"));
    assert_null(strstr(text, "left out"));
}

static void test_left_out(void **state)
{
    (void)state;
    make_part("train", 10);
    make_part("val", 2);
    data_folder("extra");
    scratch_write(data_path("README.txt"), "x", 1);
    scratch_write(data_path("train/cat/a.txt"), "x", 1);
    scratch_write(data_path("val/dog/notes.md"), "x", 1);
    data_image("train/cat/a.JFIF", 8, 8, 1, false);
    data_image("train/cat/b.jpe", 8, 8, 1, false);
    const char *text = described(SPLIT_train, 22);
    assert_non_null(strstr(text, "left out: 3 files that are not named like images: train/cat/a.txt, val/dog/notes.md, README.txt"));
    assert_non_null(strstr(text, "left out: 1 folder that is no part: extra"));
    for (int i = 0; i < 20; i++) {
        char name[64];
        snprintf(name, sizeof name, "train/dog/%02d.txt", i);
        scratch_write(data_path(name), "x", 1);
    }
    assert_non_null(strstr(described(SPLIT_train, 22), "left out: 23 files"));
    assert_non_null(strstr(described(SPLIT_train, 22), ", ...;"));
}

/* 1% of all parts together, whatever part the damaged ones are in. */
static void test_skip_bad(void **state)
{
    (void)state;
    Error error;
    make_part("train", 140);
    make_part("val", 10);
    data_resize("val/cat/003.ppm", 0);
    data_resize("val/dog/004.ppm", 20);
    Dataset *val = open_split(SPLIT_val, true, &error);
    assert_non_null(val);
    assert_int_equal(val->count, 18);
    assert_int_equal(val->damaged, 2);
    assert_non_null(strstr(val->skipped, "2 damaged images skipped of the data set's 300 images (--skip-bad allows 3"));
    assert_non_null(strstr(val->skipped, "val/cat/003.ppm"));
    dataset_free(val);
    DataOptions options = { .path = data_root, .skip_bad = true, .skipped_before = 2 };
    assert_null(dataset_open(&options, SPLIT_val, &error));
    assert_non_null(strstr(error.text, "--skip-bad is on and skips up to 3 of the data set's 300"));
}

static void test_names_that_look_alike(void **state)
{
    (void)state;
    static const struct { const char *names[2], *warning; } cases[] = {
        { { "caf\xC3\xA9", "cafe\xCC\x81" },    "classes 'caf\\xC3\\xA9' and 'cafe\\xCC\\x81' look the same" },
        { { "\xC5\xA0koda", "S\xCC\x8Ckoda" },  "look the same" },
        { { "\xC3\x89t\xC3\xA9", "\xC3\xA9t\xC3\xA9" }, "look the same" },
        { { "Cat", "cat" },                     "classes 'Cat' and 'cat' differ in upper and lower case only" },
        { { "cafe", "caf\xC3\xA9" },            NULL },
        { { "cat", "dog" },                     NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        char *names[3] = { (char[]){ "a" }, text_copy(cases[i].names[0]), text_copy(cases[i].names[1]) };
        const Dataset data = { .kind = "folder", .path = names[0], .classes = 3, .class_names = names };
        dataset_describe(&data, text, sizeof text);
        if (cases[i].warning ? !strstr(text, cases[i].warning) : strstr(text, "warning") != NULL)
            fail_msg("case %zu: '%s'", i, text);
        free(names[1]);
        free(names[2]);
    }
}

static bool ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && !strcmp(text + strlen(text) - strlen(end), end);
}

/* One or two folders too high or too low, or a file: the line ends in the folder that holds the data. */
static void test_places(void **state)
{
    (void)state;
    static const struct { const char *given, *text, *right; } cases[] = {
        { "sets",                     "further down", "sets/MNIST/raw" },
        { "sets/MNIST",               "further down", "sets/MNIST/raw" },
        { "more",                     "further down", "more/cifar-10-batches-bin" },
        { "photos",                   "further down", "photos/pets" },
        { "photos/pets/train/cat",    "one class of a data set", "photos/pets" },
        { "photos/pets/train/cat/000.ppm", "not a folder", "photos/pets" },
        { "sets/MNIST/raw/train-images-idx3-ubyte", "not a folder", "sets/MNIST/raw" },
        { "pets.tar.gz",              "is an archive", "that comes of it" },
    };
    data_folder("sets");
    data_folder("sets/MNIST");
    data_folder("sets/MNIST/raw");
    data_idx("sets/MNIST/raw/train-images-idx3-ubyte", 3, 40, false);
    data_idx("sets/MNIST/raw/train-labels-idx1-ubyte", 1, 40, false);
    data_folder("more");
    data_folder("more/cifar-10-batches-bin");
    data_cifar("more/cifar-10-batches-bin/data_batch_1.bin", 1, 0, 10, 10);
    data_folder("photos");
    data_folder("photos/pets");
    make_part("photos/pets/train", 2);
    scratch_write(data_path("pets.tar.gz"), "x", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[256];
        Error error = {0};
        const DataOptions options = { .path = scratch_path(path, data_root, cases[i].given) };
        const Dataset *data = dataset_open(&options, SPLIT_train, &error);
        if (data || !strstr(error.text, cases[i].text) || !ends_with(error.text, cases[i].right))
            fail_msg("%s: '%s'", cases[i].given, error.text);
    }
}

/* Nobody is told to change a folder that is no data set. */
static void test_other_folders(void **state)
{
    (void)state;
    static const char *const words[] = { "move", "rename", "permissions", "put ", "convert" };
    char made[256];
    data_folder("etc");
    data_folder("etc/X11");
    data_folder("etc/X11/app-defaults");
    data_folder("etc/alternatives");
    assert_int_equal(symlink("/usr/bin", data_path("etc/bin")), 0);
    assert_int_equal(symlink("/usr/bin/vi", data_path("etc/alternatives/vi")), 0);
    const char *const given[] = { scratch_path(made, data_root, "etc"), "/etc" };
    for (int g = 0; g < 2; g++) {
        Error error = {0};
        const DataOptions options = { .path = given[g] };
        assert_null(dataset_open(&options, SPLIT_train, &error));
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (strstr(error.text, words[i]))
                fail_msg("'%s' in '%s'", words[i], error.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_part_names, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_classes_called_like_parts, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_litter, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_left_out, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_skip_bad, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_places, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_other_folders, data_setup, data_teardown),
        cmocka_unit_test(test_names_that_look_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
