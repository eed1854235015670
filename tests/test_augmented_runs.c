/* test_augmented_runs.c - runs with augmentation, mixing and other losses: through the options people know, stopped and resumed. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "scratch.h"
#include "settings.h"
#include "tiny_run.h"

/* Settings as text, for options that stand apart from a command line. */
/* With an architecture whose recipe says nothing of images. */
static TrainerOptions options_of(const char *text)
{
    SettingTexts texts = { 0 };
    TrainerOptions options;
    Error error;
    const SettingLayer layer = { .texts = texts.of };
    if (!settings_parse("arch=mlp", NULL, &texts, &error) || !settings_parse(text, NULL, &texts, &error) || !settings_resolve(&layer, 1, &options, &error))
        fail_msg("%s: %s", text, error.text);
    settings_texts_clear(&texts);
    return options;
}

/* The flags write steps into the pipeline. */
static void test_flags(void **state)
{
    (void)state;
    static const struct { const char *settings, *steps; } cases[] = {
        { "", "crop:4 hflip:0.5" },
        { "crop-pad=2 pad-mode=reflect", "crop:2,reflect hflip:0.5" },
        { "scale=0.25,0.5", "resizedcrop:0.25,0.5 hflip:0.5" },
        { "scale=0.08,1 ratio=0.5,2 vflip=0.2", "resizedcrop:0.08,1,0.5,2 hflip:0.5 vflip:0.2" },
        { "scale=off", "crop:4 hflip:0.5" },
        { "vflip=0.5 rotate=10 color-jitter=0.4", "crop:4 hflip:0.5 vflip:0.5 rotate:10 jitter:0.4" },
        { "aa=rand-m9-mstd0.5-inc1", "crop:4 hflip:0.5 randaugment:9,2,0.5,increasing" },
        { "aa=rand-m5-n3", "crop:4 hflip:0.5 randaugment:5,3" },
        { "aa=ta reprob=0.25 remode=pixel", "crop:4 hflip:0.5 trivialaugment erase:0.25,pixel" },
        { "reprob=0.3 recount=2", "crop:4 hflip:0.5 erase:0.3,0.02,0.33333334,2" },
        { "mixup=0.8 cutmix=1 mixup-prob=0.5 mixup-off-epoch=3", "crop:4 hflip:0.5 mixup:0.8,3@0.5 cutmix:1,3@0.5" },
        { "mixup=0.8 mixup-prob=0", "crop:4 hflip:0.5 mixup:0.8@0" },
        { "cutout=8 grayscale=0.1 noise-std=0.02 gaussian-blur-prob=0.2", "crop:4 hflip:0.5 grayscale:0.1 blur:1@0.2 noise:0.02 cutout:8" },
        { "aug=\"resizedcrop hflip:0.5 ta\" vflip=0.5", "resizedcrop:0.08 hflip:0.5 trivialaugment vflip:0.5" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[PIPELINE_TEXT];
        Pipeline pipeline;
        Error error;
        const TrainerOptions options = options_of(cases[i].settings);
        assert_true(augment_compose(&options.augment, options.crop_pad, "hflip:0.5", &pipeline, &error));
        if (strcmp(pipeline_text(&pipeline, text), cases[i].steps))
            fail_msg("'%s' is '%s', expected '%s'", cases[i].settings, text, cases[i].steps);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct { const char *settings, *message; } cases[] = {
        { "aug=\"crop:4 flop\"", "unknown augmentation 'flop': --aug: " },
        { "aug=crop crop-pad=2", "two ways to shift and mirror: --aug: " },
        { "aa=autoaugment", "unknown policy 'autoaugment': --aa: use rand-m9-n2 " },
        { "aa=rand-m9-x3", "unknown policy 'rand-m9-x3': --aa: " },
        { "aa=rand-m11", "'11' of randaugment: --aug: magnitude is a number from 0 to 10" },
        { "scale=0.2,1 crop-pad=2", "two ways to crop: --scale: " },
        { "scale=0.2,1 aug=hflip", "two ways to crop: --scale: " },
        { "scale=0.5", "bad value '0.5': --scale: use two numbers from 0.01 to 1" },
        { "scale=0.5,2", "bad value '0.5,2': --scale: " },
        { "ratio=2,1", "bad value '2,1': --ratio: use two numbers from 0.1 to 10" },
        { "pad-mode=zero", "unknown value 'zero': --pad-mode: use one of mean reflect edge" },
        { "class-weights=some", "unknown value 'some': --class-weights: use one of none auto" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SettingTexts texts = { 0 };
        TrainerOptions options;
        Error error = { 0 };
        const SettingLayer layer = { .texts = texts.of };
        if (settings_parse(cases[i].settings, NULL, &texts, &error) && settings_resolve(&layer, 1, &options, &error))
            fail_msg("'%s' is accepted", cases[i].settings);
        if (strncmp(error.text, cases[i].message, strlen(cases[i].message)))
            fail_msg("'%s': '%s', expected '%s...'", cases[i].settings, error.text, cases[i].message);
        settings_texts_clear(&texts);
    }
}

/* Above 64 pixels boxes are cut out, unless shifts were asked for; a run that goes on takes what it began with. */
static void test_large_images(void **state)
{
    (void)state;
    static const struct { int side; const char *settings, *steps, *resumed; } cases[] = {
        { 64, "", "crop:4", "" }, { 65, "", "resizedcrop:0.08", "scale=auto" }, { 65, "scale=off", "crop:4", "scale=auto" },
        { 65, "crop-pad=3", "crop:3", "crop-pad=3" }, { 65, "scale=0.5,0.75 ratio=1,1", "resizedcrop:0.5,0.75,1,1", "ratio=1,1" },
        { 16, "scale=0.5,1", "resizedcrop:0.5", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char whole[256], parts[256];
        scratch_path(whole, folder, "whole");
        scratch_path(parts, folder, "parts");
        for (int run = 0; run < 3; run++) {      /* a whole one; to step 3; from there on */
            Seen seen = { 0 };
            Error error;
            TrainerOptions options = tiny_options("lenet", run ? parts : whole, &seen);
            const TrainerOptions wanted = options_of(run == 2 ? cases[i].resumed : cases[i].settings);
            options.augment = wanted.augment;
            options.crop_pad = wanted.crop_pad;
            options.data.side = cases[i].side;
            options.data.limit = 64;
            options.epochs = 2;
            options.most_steps = run == 1 ? 3 : 0;
            options.resume = run == 2;
            tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, cases[i].settings);
            const bool boxes = strstr(seen.notes, "cut at random and enlarged") != NULL;
            if (boxes != (*cases[i].steps == 'r') || (boxes && !strstr(seen.notes, cases[i].steps)))
                fail_msg("side %d, '%s': %s", cases[i].side, cases[i].settings, seen.notes);
        }
        tiny_expect_same(whole, parts, "last.safetensors");
        scratch_remove(whole);
        scratch_remove(parts);
    }
}

/* Stopped in a step and resumed, with another number of workers, a run leaves the same bytes. */
static void test_resume(void **state)
{
    (void)state;
    static const char *const settings[] = {
        "aug=\"crop:4,reflect hflip:alternating randaugment:9,2,0.5 erase:0.5,pixel mixup:0.4,2 cutmix@0.8\" smoothing=0.1",
        "aa=augmix vflip=0.3 loss=bce balance class-weights=auto logit-scale=0.5 mixup=0.2 mixup-prob=0.5",
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        char whole[256], parts[256];
        scratch_path(whole, folder, i ? "whole1" : "whole0");
        scratch_path(parts, folder, i ? "parts1" : "parts0");
        const TrainerOptions wanted = options_of(settings[i]);
        for (int run = 0; run < 2; run++) {
            Seen seen = { 0 };
            Error error;
            TrainerOptions options = tiny_options("lenet", run ? parts : whole, &seen);
            options.augment = wanted.augment;
            options.loss = wanted.loss;
            options.balanced = wanted.balanced;
            options.class_weights = wanted.class_weights;
            options.logit_scale = wanted.logit_scale;
            options.label_smoothing = wanted.label_smoothing;
            options.most_steps = run ? 4 + 3 * i : 0;
            tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, settings[i]);
            assert_non_null(strstr(seen.notes, "augmentation: crop:4"));
            if (run) {
                options.resume = true;
                options.most_steps = 0;
                options.loader_threads = 5;
                tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, settings[i]);
            }
        }
        tiny_expect_same(whole, parts, "last.safetensors");
        tiny_expect_same(whole, parts, "best.safetensors");
    }
}

/* Other settings than the run's are refused when it is resumed. */
static void test_settings_are_kept(void **state)
{
    (void)state;
    char run[256];
    Seen seen = { 0 };
    Error error;
    TrainerOptions options = tiny_options("lenet", scratch_path(run, folder, "run"), &seen);
    options.augment.vflip = 0.5f;
    options.most_steps = 2;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "vflip");
    options.resume = true;
    options.augment.vflip = 0.25f;
    assert_int_not_equal(tiny_train(&options, &error), EXIT_ok);
    assert_non_null(strstr(error.text, "--vflip was 0.5 and is 0.25"));
}

/* Nine samples of 32 pixels, three times as large, in three rows. */
static void test_preview(void **state)
{
    (void)state;
    char path[256];
    Error error;
    TrainerOptions options = options_of("data=shapes limit=20 aug=\"crop hflip mixup\"");
    options.data.path = "shapes";
    if (!trainer_preview(&options, scratch_path(path, folder, "preview.png"), 9, &error))
        fail_msg("%s", error.text);
    png_image image = { .version = PNG_IMAGE_VERSION };
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.width, 3 * (96 + 2) + 2);
    assert_int_equal(image.height, 3 * (96 + 2) + 2);
    png_image_free(&image);
    assert_false(trainer_preview(&options, scratch_path(path, folder, "none/preview.png"), 9, &error));
    assert_int_equal(error.code, EXIT_write);
    assert_non_null(strstr(error.text, "none/preview.png"));
}

/* The options of a command line, each in use; and the run goes on without them. */
static void test_command_lines(void **state)
{
    (void)state;
#define RUN "train lenet --data shapes --limit 60 -b 8 --epochs 1 --threads 1 "
    static const Case cases[] = {
        { "train --data shapes --limit 60 --preview 5 --aa ta && head -c 4 preview.png | tail -c 3", 0, "preview.png\nPNG", NULL },
        { "echo before >preview.png; trap '' XFSZ; ulimit -f 1; train --data shapes --limit 60 --preview 36 --aa ta; code=$?; cat preview.png; exit $code", 7,
          "before\n", "preview.png" },
        { RUN "--max-steps 2 --output a --aug 'crop:2,reflect hflip mixup' --vflip 0.5 --rotate 5 --color-jitter 0.1 --grayscale-prob 0.1 "
          "--gaussian-blur-prob 0.1 --noise-std 0.01 --aa rand-m5-n1 --reprob 0.2 --remode rand --recount 2 --cutout-size 4 --cutmix 1 "
          "--mixup-prob 0.5 --mixup-off-epoch 1 -j 2 --loss bce --class-weights auto --balance --logit-scale 0.5", 0, NULL,
          "augmentation: crop:2,reflect hflip:0.5 mixup:0.2 vflip:0.5 rotate:5 randaugment:5,1 jitter:0.1 grayscale:0.1 blur:1@0.1 noise:0.01 "
          "erase:0.2,0.02,0.33333334,2,rand cutout:4 cutmix:1,1@0.5" },
        { "train --list-augs | head -2", 0, "crop:pixels,mean|reflect|edge                              shifted by up to so many pixels; ", "" },
        { "train --resume a --max-steps 4", 0, NULL, "augmentation: crop:2,reflect hflip:0.5 mixup:0.2 vflip:0.5" },
        { RUN "--max-steps 1 --output b --pad-mode reflect --hflip alternating", 0, NULL, "images are shifted by up to 4 pixels and mirrored in every other epoch" },
        { "train resnet18 --data shapes --limit 20 -b 10 --threads 1 --img-size 16 --max-steps 1 --aug crop:4 --output own", 0, NULL,      /* not its recipe's cutout */
          "augmentation: crop:4\n" },
        { RUN "--max-steps 1 --output c --no-aug --mixup 1", 0, NULL, "augmentation: off (--no-aug)" },
    };
    static const Case mistakes[] = {
        { RUN "--aug 'crop:4 hfilp'", EXIT_usage, "", "unknown augmentation 'hfilp': --aug: did you mean hflip or vflip? choose one of crop hflip" },
        { RUN "--aug crop --hflip on", EXIT_usage, "", "two ways to shift and mirror: --aug" },
        { RUN "--aa autoaugment", EXIT_usage, "", "unknown policy 'autoaugment': --aa: use rand-m9-n2" },
        { RUN "--loss mse", EXIT_usage, "", "unknown loss 'mse': --loss: choose one of ce bce" },
        { "train --resume a --vflip 0.1", EXIT_usage, "", "--vflip was 0.5 and is 0.1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        check_mistake(&mistakes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_refused),
        cmocka_unit_test_setup_teardown(test_large_images, commands_setup, commands_teardown),
        cmocka_unit_test_setup_teardown(test_resume, commands_setup, commands_teardown),
        cmocka_unit_test_setup_teardown(test_settings_are_kept, commands_setup, commands_teardown),
        cmocka_unit_test_setup_teardown(test_preview, commands_setup, commands_teardown),
        cmocka_unit_test_setup_teardown(test_command_lines, commands_setup, commands_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
