/* test_small_data.c - what a run says of its data before it begins: augmentation, and few images. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data_files.h"
#include "dataset.h"
#include "scratch.h"
#include "trainer.h"

static void keep_note(void *context, const char *text)
{
    strncat(context, text, 4000 - strlen(context));
    strcat(context, "\n");
}

static TrainerOptions options_of(const char *data, char *notes)
{
    Error error;
    TrainerOptions options = trainer_defaults(architecture_find("lenet", &error), NULL);
    options.data.path = data;
    options.data.side = 32;
    options.epochs = 1;
    options.folder = data_path("run");
    options.report = (TrainerReport){ .context = notes, .note = keep_note };
    return options;
}

/* Opens the run and closes it; its batch. */
static int open_run(const TrainerOptions *options)
{
    Error error;
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s'", options->folder);
    assert_int_equal(system(command), 0);
    Trainer *trainer = trainer_open(options, &error);
    if (!trainer)
        fail_msg("%s", error.text);
    const int batch = trainer->options.batch;
    trainer_close(trainer);
    return batch;
}

static void test_batch_by_images(void **state)
{
    (void)state;
    static const struct { uint32_t images; int wanted, accumulate, batch; const char *note; } cases[] = {
        { 5120, 0, 1, 256, NULL },      { 5119, 0, 1, 128, "39 steps" },  { 2559, 0, 1, 64, "39 steps" },  { 1279, 0, 1, 32, "39 steps" },
        { 639,  0, 1, 16, "39 steps" }, { 100, 0, 1, 16, "note: 100 images are few: 16 at a time instead of 256, which are 6 steps an epoch" },
        { 10,   0, 1, 10, "1 steps" },  { 640, 128, 1, 128, "note: an epoch has only 5 steps" }, { 640, 32, 1, 32, NULL },
        { 100,  0, 2, 16, "which are 3 steps an epoch" },  { 100, 0, 100, 16, "which are 1 steps an epoch" },
        { 640, 32, 4, 32, "an epoch has only 5 steps" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char notes[4096] = "", folder_name[256];
        TrainerOptions options = options_of("shapes", notes);
        snprintf(folder_name, sizeof folder_name, "%s", options.folder);
        options.folder = folder_name;
        options.data.limit = cases[i].images;
        options.batch = cases[i].wanted;
        options.parts.accumulate = cases[i].accumulate;
        const int batch = open_run(&options);
        if (batch != cases[i].batch || (cases[i].note ? !strstr(notes, cases[i].note) : strstr(notes, "note:") != NULL))
            fail_msg("%u images: batch %d, expected %d: %s", cases[i].images, batch, cases[i].batch, notes);
    }
}

static void test_batch_norm_is_told(void **state)
{
    (void)state;
    static const struct { const char *arch; int group; bool told; } cases[] = {
        { "lenet", 0, false }, { "lenet", 8, true }, { "lenet", BN_SYNC, true }, { "convnext_atto", 8, true }, { "baseline", 8, false }, { "baseline", BN_SYNC, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error;
        char notes[4096] = "";
        TrainerOptions options = options_of("shapes", notes);
        options.arch = architecture_find(cases[i].arch, &error);
        options.bn_group = cases[i].group;
        options.batch = 16;
        open_run(&options);
        if ((strstr(notes, "note: --bn changes nothing") != NULL) != cases[i].told)
            fail_msg("%s, groups of %d: %s", cases[i].arch, cases[i].group, notes);
    }
}

/* Which augmentations are on is told; grey images of classes 0 .. 9 are not mirrored. */
static void test_augmentation_is_told(void **state)
{
    (void)state;
    static const struct { bool grey; const char *first, *second; bool off; Flip flip; int pad; const char *note; } cases[] = {
        { true,  "3", "7",    false, FLIP_automatic, 4, "shifted by up to 4 pixels and not mirrored, for these are digits or letters (--hflip on" },
        { true,  "a", "B",    false, FLIP_automatic, 4, "digits or letters" },
        { true,  "3", "7",    false, FLIP_on,        4, "every other one mirrored" },
        { true,  "3", "7",    false, FLIP_alternating_automatic, 4, "digits or letters" },
        { true,  "3", "7",    false, FLIP_alternating, 4, "shifted by up to 4 pixels and mirrored in every other epoch" },
        { true,  "3", "cat",  false, FLIP_alternating_automatic, 4, "shifted by up to 4 pixels and mirrored in every other epoch" },
        { true,  "3", "cat",  false, FLIP_automatic, 4, "every other one mirrored" },
        { true,  "13", "17",  false, FLIP_automatic, 0, "not shifted and every other one mirrored" },
        { false, "3", "7",    false, FLIP_automatic, 4, "every other one mirrored" },
        { false, "3", "7",    false, FLIP_off,       2, "shifted by up to 2 pixels and not mirrored (--hflip off)" },
        { true,  "3", "7",    true,  FLIP_automatic, 4, "augmentation: off (--no-aug)" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char notes[4096] = "", name[64], data[256], run_folder[256];
        const char *const classes[] = { cases[i].first, cases[i].second };
        snprintf(name, sizeof name, "set%zu", i);
        data_folder(name);
        for (int c = 0; c < 2; c++) {
            snprintf(name, sizeof name, "set%zu/%s", i, classes[c]);
            data_folder(name);
            for (int k = 0; k < 4; k++) {
                unsigned char bytes[16 + 3 * 64];
                int size = snprintf((char *)bytes, sizeof bytes, "P6\n8 8\n255\n");
                for (int pixel = 0; pixel < 64; pixel++)
                    for (int channel = 0; channel < 3; channel++)
                        bytes[size++] = (unsigned char)(k + 16 * c + pixel + (cases[i].grey ? 0 : 9 * channel));
                snprintf(name, sizeof name, "set%zu/%s/%d.ppm", i, classes[c], k);
                scratch_write(data_path(name), bytes, (size_t)size);
            }
        }
        snprintf(name, sizeof name, "set%zu", i);
        snprintf(data, sizeof data, "%s", data_path(name));
        snprintf(run_folder, sizeof run_folder, "%s", data_path("run"));
        TrainerOptions options = options_of(data, notes);
        options.folder = run_folder;
        options.no_augment = cases[i].off;
        options.flip = cases[i].flip;
        options.crop_pad = cases[i].pad;
        open_run(&options);
        if (!strstr(notes, cases[i].note))
            fail_msg("case %zu: no '%s' in: %s", i, cases[i].note, notes);
    }
}

/* A run's --val-split names a file of its data; other data has no such file, and train is all that is not held out by default. */
static void test_part_of_other_data(void **state)
{
    (void)state;
    Error error;
    data_folder("pets");
    data_classes("pets/", 10);
    char path[256];
    snprintf(path, sizeof path, "%s", data_path("pets"));
    DataOptions options = { .path = path, .val_part = "data_batch_5", .val_if_none = true };
    Dataset *train = dataset_open(&options, SPLIT_train, &error);
    if (!train)
        fail_msg("%s", error.text);
    assert_int_equal(train->count, 18);
    dataset_free(train);
    options.val_if_none = false;
    assert_null(dataset_open(&options, SPLIT_train, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_batch_by_images, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_batch_norm_is_told, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_augmentation_is_told, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_part_of_other_data, data_setup, data_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
