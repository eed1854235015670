/* test_photographs.c - photographs are trained and predicted upright, but not by what was trained on them as stored. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "commands.h"
#include "model.h"
#include "picture.h"
#include "run_settings.h"
#include "scratch.h"

enum { DQT = 0xDB, SIDE = 32 };

static uint8_t slope(int y, int x, int c)
{
    (void)c;
    return (uint8_t)(7 * y + x);
}

static uint8_t stripes(int y, int x, int c)
{
    (void)c;
    return (uint8_t)(x / 8 * 29 + y);
}

/* Of stripes that are twice as wide as high. */
static uint8_t middle(int y, int x, int c)
{
    return stripes(y, x + SIDE / 2, c);
}

/* A JPEG file in the test's folder; orientation 0: it says none. */
static void photograph(const char *name, int orientation)
{
    static Bytes bytes;
    char path[256];
    uint8_t exif[] = "\xFF\xE1\0\42" "Exif\0\0" "MM\0*\0\0\0\10" "\0\1\1\22\0\3\0\0\0\1\0\0\0\0" "\0\0\0\0";
    jpeg_make(&(JpegRecipe){ .height = SIDE, .width = SIDE, .given = JCS_GRAYSCALE, .sample = slope }, &bytes);
    exif[29] = (uint8_t)orientation;
    if (orientation)
        bytes_insert(&bytes, bytes_marker(&bytes, DQT), exif, 36);
    scratch_write(scratch_path(path, folder, name), bytes.data, bytes.size);
}

static char *logits(const char *checkpoint, const char *name)
{
    char command[256], *out, *err;
    snprintf(command, sizeof command, "predict %.100s %.100s --threads 1 --output-type logit --results-format jsonl | sed 's/.*\"logits\"//'",
             checkpoint, name);
    assert_int_equal(run(command, &out, &err), 0);
    free(err);
    assert_true(strlen(out) > 10);
    return out;
}

static bool alike(const char *checkpoint, const char *one, const char *other)
{
    char *a = logits(checkpoint, one), *b = logits(checkpoint, other);
    const bool same = !strcmp(a, b);
    free(a);
    free(b);
    return same;
}

/* evaluate measures what the run's log has: it brings images to size as training did. */
static void losses_agree(size_t crop)
{
    char command[256], path[256], *out, *err;
    snprintf(command, sizeof command, "evaluate crop%zu --data oblong --val-split 0.5 --seed 1 --split val --threads 1 --json -q", crop);
    assert_int_equal(run(command, &out, &err), 0);
    snprintf(command, sizeof command, "crop%zu/log.jsonl", crop);
    char *log = scratch_read(scratch_path(path, folder, command), &(size_t){ 0 });
    const char *loss = strstr(out, "\"loss\": "), *logged = log ? strstr(log, "\"val_loss\": ") : NULL;
    assert_true(loss && logged);
    if (fabs(atof(loss + 8) / atof(logged + 12) - 1) > 1e-4)
        fail_msg("loss %g, in the log %g", atof(loss + 8), atof(logged + 12));
    free(out);
    free(err);
    free(log);
}

/* The same weights in a file as programs wrote it that applied no orientation. */
static void make_older(const char *from, const char *to)
{
    char path[256];
    Model model;
    Error error;
    if (!model_open(scratch_path(path, folder, from), &model, &error))
        fail_msg("%s", error.text);
    assert_false(model.info.as_stored);
    model.info.as_stored = true;
    assert_true(checkpoint_save(scratch_path(path, folder, to), NULL, model.network, &model.info, NULL, NULL, NULL, &error));
    model_close(&model);
}

static void test_predict(void **state)
{
    (void)state;
    check(&(Case){ "mkdir -p in/a in/b", 0, NULL, NULL });
    photograph("plain.jpg", 0);
    photograph("turned.jpg", 6);
    for (int i = 0; i < 8; i++) {
        char name[32];
        snprintf(name, sizeof name, "in/%c/%d.jpg", "ab"[i % 2], i);
        photograph(name, i % 2 ? 6 : 1);
    }
    check(&(Case){ "train lenet --data in --val-split 0.5 -b 2 --epochs 1 --threads 1 --seed 1 -q --output run", 0, NULL, NULL });
    assert_false(alike("run/best.safetensors", "plain.jpg", "turned.jpg"));
    make_older("run/best.safetensors", "older.safetensors");
    assert_true(alike("older.safetensors", "plain.jpg", "turned.jpg"));
}

/* Large images go through in several batches: each is told what it is told alone. */
static void test_large(void **state)
{
    (void)state;
    check(&(Case){ "train mlp --width 4 --depth 1 --data in --img-size 896 --val-split 0.5 -b 2 --epochs 1 --threads 1 --seed 1 -q --output large", 0, NULL, NULL });
    check(&(Case){ "for i in in/*/*; do predict large $i --threads 1 --output-type logit; done >alone && predict large in --threads 1 --output-type logit | cmp - alone "
                   "&& wc -l <alone", 0, "8\n", NULL });
}

/* A picture that is oblong, and one that is its middle: alike only where the sides are cut off. What training used, predict uses. */
static void test_crops(void **state)
{
    (void)state;
    static const struct { const char *options; bool same; } crops[] = {
        { "--crop centre", true }, { "--crop border", false }, { "--crop squash", false }, { "--crop-pct 0.875", true }, { "--crop squash --crop-pct 0.6", false },
    };
    char path[256];
    check(&(Case){ "mkdir -p oblong/a oblong/b", 0, NULL, NULL });
    for (int i = 0; i < 8; i++) {
        char name[64];
        static Bytes bytes;
        jpeg_make(&(JpegRecipe){ .height = SIDE, .width = i == 6 ? SIDE : 2 * SIDE, .given = JCS_GRAYSCALE, .sample = i == 6 ? middle : i % 2 ? slope : stripes }, &bytes);
        snprintf(name, sizeof name, "oblong/%c/%d.jpg", "ab"[i % 2], i);
        scratch_write(scratch_path(path, folder, name), bytes.data, bytes.size);
    }
    for (size_t i = 0; i < sizeof crops / sizeof *crops; i++) {
        char command[256];
        snprintf(command, sizeof command, "train lenet --data oblong --img-size 32 --val-split 0.5 -b 2 --epochs 1 --threads 1 --seed 1 -q --interpolation %s %s --output crop%zu",
                 i % 2 ? "bicubic" : "bilinear", crops[i].options, i);
        check(&(Case){ command, 0, NULL, NULL });
        snprintf(command, sizeof command, "crop%zu/best.safetensors", i);
        assert_int_equal(alike(command, "oblong/a/0.jpg", "oblong/a/6.jpg"), crops[i].same);
        losses_agree(i);
    }
}

/* The same weights, that see the middle of what is larger: the logits are other ones. A run is the same but for its validation. */
static void test_crop_pct(void **state)
{
    (void)state;
    char path[256];
    Error error;
    Model whole, middle_of;
    assert_true(model_open(scratch_path(path, folder, "crop0/best.safetensors"), &whole, &error));
    assert_true(whole.info.fit.crop_pct == 0);
    check(&(Case){ "train lenet --data oblong --img-size 32 --val-split 0.5 -b 2 --epochs 1 --threads 1 --seed 1 -q --crop-pct 0.7 --output pct", 0, NULL, NULL });
    assert_true(model_open(scratch_path(path, folder, "pct/best.safetensors"), &middle_of, &error));
    assert_true(middle_of.info.fit.crop_pct == 0.7);
    for (int i = 0; i < network_param_count(whole.network); i++) {
        const Param *param = network_param(whole.network, i);
        float *a = allocate(param->count, sizeof *a, "a"), *b = allocate(param->count, sizeof *b, "b");
        parameters_export(whole.network, network_parameters(whole.network)->values, param, a);
        parameters_export(middle_of.network, network_parameters(middle_of.network)->values, param, b);
        assert_memory_equal(a, b, param->count * sizeof *a);
        free(a);
        free(b);
    }
    model_close(&whole);
    model_close(&middle_of);
    char *all = logits("crop0/best.safetensors", "oblong/a/0.jpg"), *some = logits("pct/best.safetensors", "oblong/a/0.jpg");
    assert_string_not_equal(all, some);
    free(all);
    free(some);
}

static void test_a_resumed_run(void **state)
{
    (void)state;
    char text[2048];
    Error error;
    TrainerOptions options = trainer_defaults(architecture_find("lenet", &error), NULL);
    run_settings_write(&options, text, sizeof text);
    assert_false(run_settings_as_stored(text));
    assert_true(run_settings_as_stored("{}"));
    options.data.as_stored = true;
    run_settings_write(&options, text, sizeof text);
    assert_true(run_settings_as_stored(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = { 
        cmocka_unit_test(test_predict), cmocka_unit_test(test_large), cmocka_unit_test(test_crops), cmocka_unit_test(test_crop_pct), cmocka_unit_test(test_a_resumed_run),
    };
    return cmocka_run_group_tests(tests, commands_setup, commands_teardown);
}
