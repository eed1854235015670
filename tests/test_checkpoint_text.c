/* test_checkpoint_text.c - metadata that other programs wrote: each key as it should be, missing, and wrong. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "checkpoint.h"
#include "scratch.h"

static char folder[256], file[256];

static int setup(void **state)
{
    (void)state;
    scratch_new(folder);
    scratch_path(file, folder, "best.safetensors");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

enum { KEYS = 20 };
static const char *const keys[KEYS] = {
    "format", "arch", "act", "classes", "mean", "std", "img_size", "in_chans", "squeeze_excite", "exif_orientation",
    "bn_eps", "crop", "interpolation", "crop_pct", "depth", "width", "stem",
    "temperature", "reject_below", "held_out",
};
static const char *const good[KEYS] = { "pt", "lenet", "tanh", "[\"0\",\"1\"]", "[0.5]", "[1]", "28", "1", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL };

static const struct { const char *name, *key, *value, *expected; } infos[] = {      /* value NULL: the key is missing */
    { "as it is",            "format",    "pt",                  NULL },
    { "integer mean",        "mean",      "[0]",                 NULL },
    { "negative mean",       "mean",      "[-1.5e0]",            NULL },
    { "squeeze excite off",  "squeeze_excite", "false",          NULL },
    { "squeeze excite on",   "squeeze_excite", "true",           NULL },
    { "batch norm's eps",    "bn_eps",    "1e-12",               NULL },
    { "eps of 0",            "bn_eps",    "0",                   "a number from 1e-30 to 1" },
    { "eps of 2",            "bn_eps",    "2",                   "a number from 1e-30 to 1" },
    { "eps: a text",         "bn_eps",    "\"1\"",               "a number from 1e-30 to 1" },
    { "layers",              "depth",     "400",                 NULL },
    { "units",               "width",     "1",                   NULL },
    { "a stem",              "stem",      "4",                   NULL },
    { "too large a stem",    "stem",      "5",                   "metadata 'stem' is '5'" },
    { "no layer",            "depth",     "0",                   "metadata 'depth' is '0'" },
    { "too many layers",     "depth",     "401",                 "metadata 'depth' is '401'" },
    { "too many units",      "width",     "16385",               "metadata 'width' is '16385'" },
    { "upright",             "exif_orientation", "applied",      NULL },
    { "half upright",        "exif_orientation", "perhaps",      "expected applied, or no such key" },
    { "padded",              "crop",      "pad",                 NULL },
    { "cut otherwise",       "crop",      "border",              "expected centre, pad, squash, or no such key" },
    { "bicubic",             "interpolation", "bicubic",         NULL },
    { "filtered otherwise",  "interpolation", "",                "expected bilinear, bicubic, or no such key" },
    { "cut out",             "crop_pct",  "0.875",               NULL },
    { "enlarged",            "crop_pct",  "1.25",                "a number from 0.05 to 1, or no such key" },
    { "a speck cut out",     "crop_pct",  "1e-9",                "a number from 0.05 to 1, or no such key" },
    { "warm",                "temperature", "1.5e0",             NULL },
    { "of no warmth",        "temperature", "0",                 "a number above 0, up to 1000, or no such key" },
    { "warmth: a text",      "temperature", "\"1\"",             "a number above 0, up to 1000" },
    { "unsure",              "reject_below", "0.5",              NULL },
    { "never sure",          "reject_below", "1.5",              "a number above 0, up to 1, or no such key" },
    { "drawn",               "held_out",  "0.1 of seed 7",       NULL },
    { "a part",              "held_out",  "data_batch_5",        NULL },
    { "drawn from nothing",  "held_out",  "",                    "1 to 127 bytes" },
    { "drawn without a seed", "held_out", "0.2",                 "a share and its seed" },
    { "drawn by a word",     "held_out",  "0.2 of seed seven",   "a share and its seed" },
    { "all drawn",           "held_out",  "1.5 of seed 7",       "a share and its seed" },
    { "no format",           "format",    NULL,                  "metadata 'format' is missing" },
    { "no arch",             "arch",      NULL,                  "metadata 'arch' is missing" },
    { "no act",              "act",       NULL,                  "metadata 'act' is missing" },
    { "no classes",          "classes",   NULL,                  "metadata 'classes' is missing" },
    { "no mean",             "mean",      NULL,                  "metadata 'mean' is missing" },
    { "no std",              "std",       NULL,                  "metadata 'std' is missing" },
    { "no img_size",         "img_size",  NULL,                  "metadata 'img_size' is missing" },
    { "no in_chans",         "in_chans",  NULL,                  "metadata 'in_chans' is missing" },
    { "other format",        "format",    "tf",                  "expected pt" },
    { "empty arch",          "arch",      "",                    "metadata 'arch' is ''" },
    { "long arch",           "arch",      "0123456789012345678901234567890123456789012345678901234567890123", "1 to 63 bytes" },
    { "classes not JSON",    "classes",   "cat, dog",            "metadata 'classes' is 'cat, dog'" },
    { "classes: an object",  "classes",   "{\"0\":\"cat\"}",     "a JSON list of 1 to 65536" },
    { "no class",            "classes",   "[]",                  "a JSON list of 1 to 65536" },
    { "class: a number",     "classes",   "[1,2]",               "a JSON list of 1 to 65536" },
    { "class without name",  "classes",   "[\"\"]",              "a JSON list of 1 to 65536" },
    { "class twice",         "classes",   "[\"a\",\"b\",\"a\"]", "different names" },
    { "class with an escape", "classes",  "[\"a\\u001b[31mb\"]",  "a JSON list of 1 to 65536 different names, printable" },
    { "class of two lines", "classes",    "[\"a\\nb\"]",         "a JSON list of 1 to 65536 different names, printable" },
    { "class with a NUL",    "classes",   "[\"a\\u0000b\"]",     "a JSON list of 1 to 65536" },
    { "mean of three",       "mean",      "[0.5,0.5,0.5]",       "a JSON list of 1 number" },
    { "mean not JSON",       "mean",      "0.5,",                "a JSON list of 1 number" },
    { "mean: a text",        "mean",      "[\"0.5\"]",           "a JSON list of 1 number" },
    { "mean: NaN",           "mean",      "[NaN]",               "a JSON list of 1 number" },
    { "mean over a float",   "mean",      "[1e39]",              "a JSON list of 1 number" },
    { "std of 0",            "std",       "[0]",                 "above 0" },
    { "std negative",        "std",       "[-0.5]",              "above 0" },
    { "img_size of 0",       "img_size",  "0",                   "at least 1" },
    { "img_size negative",   "img_size",  "-28",                 "a whole number up to 16384" },
    { "img_size fraction",   "img_size",  "28.0",                "a whole number up to 16384" },
    { "img_size a list",     "img_size",  "[28,28]",             "a whole number up to 16384" },
    { "img_size huge",       "img_size",  "99999999999999999999999", "a whole number up to 16384" },
    { "img_size with space", "img_size",  " 28",                 "a whole number up to 16384" },
    { "two channels",        "in_chans",  "2",                   "expected 1 (grey) or 3 (colour)" },
    { "four channels",       "in_chans",  "4",                   "a whole number up to 3" },
    { "other channels",      "in_chans",  "3",                   "a JSON list of 3 numbers, as in_chans says" },
    { "squeeze excite 1",    "squeeze_excite", "1",              "true or false" },
};

static void foreign_infos(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof infos / sizeof *infos; c++) {
        SafetensorsWriter *writer = safetensors_writer_new();
        for (int k = 0; k < KEYS; k++) {
            const char *value = strcmp(infos[c].key, keys[k]) ? good[k] : infos[c].value;
            if (value)
                safetensors_writer_metadata(writer, keys[k], value);
        }
        assert_true(safetensors_write(writer, file, NULL, NULL));
        safetensors_writer_free(writer);
        ModelInfo info;
        Error error = {0};
        const bool ok = checkpoint_info(file, &info, &error);
        const char *expected = infos[c].expected;
        if (expected ? ok || error.code != EXIT_input || !strstr(error.text, expected) || !strstr(error.text, file) : !ok)
            fail_msg("%s: '%s', expected '%s'", infos[c].name, error.text, expected ? expected : "no error");
        assert_int_equal(info.class_count, ok ? 2 : 0);
        assert_int_equal(info.fit.crop, ok && !strcmp(infos[c].key, "crop") ? CROP_pad : CROP_centre);
        assert_int_equal(info.fit.filter, ok && !strcmp(infos[c].key, "interpolation") ? FILTER_bicubic : FILTER_bilinear);
        assert_int_equal(info.as_stored, ok && strcmp(infos[c].key, "exif_orientation") != 0);
        assert_true(info.temperature == (ok && !strcmp(infos[c].key, "temperature") ? 1.5 : 0));
        assert_true(info.reject_below == (ok && !strcmp(infos[c].key, "reject_below") ? 0.5 : 0));
        model_info_clear(&info);
    }
}

/* Published weights: every key that lacks is named at once. */
static void no_infos(void **state)
{
    (void)state;
    static const char *const needed[] = { "and 6 more keys", "arch (as ", "act (as ", "img_size (as ", "in_chans (as ", "mean (as ", "std (as ",
                                          "classes (as ", "safetensors.torch.save_file" };
    SafetensorsWriter *writer = safetensors_writer_new();
    safetensors_writer_metadata(writer, "format", "pt");
    assert_true(safetensors_write(writer, file, NULL, NULL));
    safetensors_writer_free(writer);
    ModelInfo info;
    Error error = {0};
    assert_false(checkpoint_info(file, &info, &error));
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!strstr(error.text, needed[i]))
            fail_msg("'%s', expected '%s'", error.text, needed[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(foreign_infos, setup, teardown), cmocka_unit_test_setup_teardown(no_infos, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
