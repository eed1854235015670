/* test_random_stops.c - a run that is stopped at twenty random steps, and goes on each time, leaves the bytes of one that was not: every
 * optimizer, and with it parts, schedules, averages, augmentations and precisions, each in some row.
 *
 * A row's steps are drawn from its place, so that the test does the same each time. Half of the stops come by a signal, half by --max-steps. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "scratch.h"
#include "settings.h"
#include "threads.h"
#include "tiny_run.h"

enum { STOPS = 20, RUN_STEPS = 44, RUN_EPOCHS = 4, IMAGES = 88, RUN_BATCH = 8 };      /* eleven steps an epoch */

static const struct { const char *arch, *settings; bool amp; } rows[] = {
    { "mlp",      "opt: sgd\nsched: step\nact-stats: 1", false },
    { "lenet",    "opt: nesterov\nsched: triangle\nlookahead: true\nlookahead-k: 3\nlookahead-rising: true\nmixup: 0.4", false },
    { "mlp",      "opt: adam\nsched: plateau\npatience-epochs: 0\ngrad-accum-steps: 2\nbatch-size: 4", false },
    { "baseline", "opt: adamw\nmodel-ema: true\nmodel-ema-decay: 0.9\naa: ta\nsmoothing: 0.1", false },
    { "lenet",    "opt: nadam\nsched: onecycle\nswa-start: 2\ncutmix: 1\nhflip: alternating", false },
    { "mlp",      "opt: rmsprop\nsched: exp\nearly-stop: 9\nbalance: true\ndrop: 0.3", false },
    { "lenet",    "opt: adagrad\nsched: linear\nreprob: 0.5\nremode: pixel\nclip-grad: 0.5\nclip-mode: agc", false },
    { "mlp",      "opt: lion\nlr: 0.001\nsched: poly\nsam-rho: 0.05\nact: rrelu", false },
    { "mlp",      "opt: lamb\nsched: constant\nloss: bce\nlookahead: true\nlookahead-k: 5", false },
    { "lenet",    "opt: lars\nsched: multistep\ndecay-milestones: 1,3\naug: crop:2 hflip jitter:0.4 randaugment", false },
    { "lenet",    "opt: muon\nmodel-ema: true\nmodel-ema-decay: 0.8\nparam-groups: *bias lr*4 decay/4", false },
    { "baseline", "opt: sgd\nmodel-ema: true\nmodel-ema-decay: 0.9\nval-batch-size: 44", true },
    { "mlp",      "opt: adamw\nact: x*sigmoid(b*x); b=1\nact-stats: 3", true },
};

static TrainerOptions options_of(int row, const SettingTexts *texts, const char *folder, Seen *seen)
{
    const TrainerOptions told = tiny_options("lenet", folder, seen);
    TrainerOptions options;
    Error error;
    if (!settings_resolve(&(SettingLayer){ .texts = (char *const *)texts->of }, 1, &options, &error))
        fail_msg("row %d: %s", row, error.text);
    options.data = (DataOptions){ .path = "shapes", .limit = IMAGES, .side = SIDE, .threads = 1 };
    options.epochs = RUN_EPOCHS;
    if (rows[row].amp && program_can_bf16())
        options.plan.precision = PRECISION_mixed;
    options.folder = folder;
    options.report = told.report;
    options.stop = told.stop;
    return options;
}

static void draw_stops(uint64_t seed, bool stops[RUN_STEPS])
{
    Random random = random_stream(seed, 0, 0, RANDOM_shuffle);
    memset(stops, 0, RUN_STEPS);
    for (int drawn = 0; drawn < STOPS;) {
        const uint32_t step = 1 + random_below(&random, RUN_STEPS - 1);
        drawn += !stops[step];
        stops[step] = true;
    }
}

static void stop_and_go_on(int row, const SettingTexts *texts, const char *folder)
{
    bool stops[RUN_STEPS];
    Error error;
    draw_stops((uint64_t)row, stops);
    for (uint64_t step = 1; step <= RUN_STEPS; step++) {
        if (step < RUN_STEPS && !stops[step])
            continue;
        const bool by_signal = step % 2 && step < RUN_STEPS;
        Seen seen = { .stop_at = by_signal ? step : 0 };
        TrainerOptions options = options_of(row, texts, folder, &seen);
        options.most_steps = by_signal || step == RUN_STEPS ? 0 : step;
        options.resume = tiny_has(folder, "last.safetensors");
        tiny_expect_code(tiny_train(&options, &error), by_signal ? 128 + SIGTERM : EXIT_ok, &error, rows[row].settings);
    }
}

static void check_row(int row)
{
    char root[256], whole[256], parts[256], text[512];
    SettingTexts texts = { 0 };
    Seen seen = { 0 };
    Error error;
    snprintf(text, sizeof text, "arch: %s%s\nbatch-size: %d\nlr: 0.01\n%s\n", rows[row].arch,
             strcmp(rows[row].arch, "mlp") ? "" : "\ndepth: 1\nwidth: 16", RUN_BATCH, rows[row].settings);
    if (!settings_parse(text, "a row", &texts, &error))
        fail_msg("row %d: %s", row, error.text);
    scratch_new(root);
    const TrainerOptions options = options_of(row, &texts, scratch_path(whole, root, "whole"), &seen);
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, rows[row].settings);
    assert_int_equal(seen.steps, RUN_STEPS);
    stop_and_go_on(row, &texts, scratch_path(parts, root, "parts"));
    tiny_expect_same(whole, parts, "last.safetensors");
    tiny_expect_same(whole, parts, "best.safetensors");
    if (options.parts.act_stats)
        tiny_expect_same(whole, parts, "activity.jsonl");
    assert_int_equal(tiny_lines(parts, "log.jsonl"), RUN_EPOCHS);
    assert_int_equal(tiny_lines(parts, "health.jsonl"), RUN_EPOCHS);
    scratch_remove(root);
    settings_texts_clear(&texts);
}

static void test_rows(void **state)
{
    (void)state;
    threads_settle(1);
    for (int row = 0; row < (int)(sizeof rows / sizeof *rows); row++)
        check_row(row);
}

/* A new optimizer has a row here. */
static void test_every_optimizer(void **state)
{
    (void)state;
    for (int kind = 0; kind < OPTIMIZER_COUNT; kind++) {
        char wanted[64];
        bool found = false;
        snprintf(wanted, sizeof wanted, "opt: %s\n", optimizer_name((OptimizerKind)kind));
        for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
            found = found || !strncmp(rows[row].settings, wanted, strlen(wanted));
        if (!found)
            fail_msg("no row for %s", optimizer_name((OptimizerKind)kind));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_every_optimizer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
