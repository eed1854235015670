/* test_parts.c - whatever takes part in a run, the run leaves the same bytes wherever it was stopped. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "random.h"
#include "scratch.h"
#include "tiny_run.h"

static int count_of(const char *text, const char *word)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        count++;
    return count;
}

typedef struct Case {
    const char *name, *arch;
    void (*set)(TrainerOptions *options);
} Case;

static void set_ema(TrainerOptions *o)
{
    o->parts = (PartOptions){ .ema = true, .ema_decay = 0.9f };
}

static void set_ema_warmup(TrainerOptions *o)
{
    o->parts = (PartOptions){ .ema = true, .ema_decay = 0.99f, .ema_warmup = true };
}

static void set_swa(TrainerOptions *o)
{
    o->parts = (PartOptions){ .swa_start = 2, .swa_lr = 0.02f };
}

static void set_lookahead(TrainerOptions *o)
{
    o->parts = (PartOptions){ .lookahead = true, .lookahead_k = 4, .lookahead_alpha = 0.5f };
}

static void set_lookahead_rising(TrainerOptions *o)
{
    o->parts = (PartOptions){ .lookahead = true, .lookahead_k = 2, .lookahead_rising = true };
}

static void set_sam(TrainerOptions *o)
{
    o->parts = (PartOptions){ .sam_rho = 0.05f };
}

static void set_accumulation(TrainerOptions *o)
{
    o->parts = (PartOptions){ .accumulate = 2 };
    o->batch = 16;
}

static void set_early_stop(TrainerOptions *o)
{
    o->parts = (PartOptions){ .early_stop = 1, .early_delta = 0.5f };
}

static void set_act_stats(TrainerOptions *o)
{
    o->parts = (PartOptions){ .act_stats = 2 };
}

static void set_all(TrainerOptions *o)
{
    o->parts = (PartOptions){ .sam_rho = 0.05f, .accumulate = 2, .lookahead = true, .lookahead_k = 3, .lookahead_alpha = 0.8f,
                              .ema = true, .ema_decay = 0.8f, .early_stop = 10, .early_metric = METRIC_loss, .act_stats = 1 };
    o->batch = 16;
    o->optimizer.kind = OPTIMIZER_adamw;
}

static const Case cases[] = {
    { "none",             "lenet",    NULL },
    { "ema",              "baseline", set_ema },
    { "ema with warm-up", "lenet",    set_ema_warmup },
    { "swa",              "baseline", set_swa },
    { "lookahead",        "lenet",    set_lookahead },
    { "rising lookahead", "baseline", set_lookahead_rising },
    { "sam",              "lenet",    set_sam },
    { "accumulation",     "lenet",    set_accumulation },
    { "early stop",       "lenet",    set_early_stop },
    { "act stats",        "baseline", set_act_stats },
    { "all at once",      "baseline", set_all },
};

static TrainerOptions options_of(const Case *c, const char *folder, Seen *seen)
{
    TrainerOptions options = tiny_options(c->arch, folder, seen);
    if (c->set)
        c->set(&options);
    return options;
}

/* In every third step or so, at random, by a signal or by most_steps; a signal in an epoch's last step ends its validation. */
static void stop_often(const Case *c, const char *folder, uint64_t steps, uint64_t seed)
{
    Random random = random_stream(seed, 0, 0, RANDOM_shuffle);
    Error error;
    for (uint64_t step = 1 + random_below(&random, 2); step < steps; step += 2 + random_below(&random, 3)) {
        const bool by_signal = random_below(&random, 2);
        Seen seen = { .stop_at = by_signal ? step : 0 };
        TrainerOptions options = options_of(c, folder, &seen);
        options.most_steps = by_signal ? 0 : step;
        options.resume = tiny_has(folder, "last.safetensors");
        tiny_expect_code(tiny_train(&options, &error), by_signal ? 128 + SIGTERM : EXIT_ok, &error, c->name);
    }
    Seen seen = { 0 };
    TrainerOptions options = options_of(c, folder, &seen);
    options.resume = true;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, c->name);
}

static void test_same_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char root[256], whole[256], parts[256];
        Seen seen = { 0 };
        Error error;
        scratch_new(root);
        TrainerOptions options = options_of(&cases[i], scratch_path(whole, root, "whole"), &seen);
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, cases[i].name);
        stop_often(&cases[i], scratch_path(parts, root, "parts"), seen.steps, i);
        print_message("%s: %d steps\n", cases[i].name, (int)seen.steps);
        tiny_expect_same(whole, parts, "last.safetensors");
        tiny_expect_same(whole, parts, "best.safetensors");
        assert_int_equal(tiny_lines(parts, "log.jsonl"), tiny_lines(whole, "log.jsonl"));
        if (options.parts.act_stats) {
            assert_int_equal(tiny_lines(whole, "activity.jsonl"), options.parts.act_stats == 1 ? EPOCHS : 2);
            tiny_expect_same(whole, parts, "activity.jsonl");
        }
        scratch_remove(root);
    }
}

/* ---- records ---- */

/* A record that cannot be written is told once and missed; the run, and what it leaves, is the same. */
static void test_record_fails(void **state)
{
    (void)state;
    char root[256], with[256], without[256], file[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(without, root, "without"), &seen);
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "no record");
    options = tiny_options("lenet", scratch_path(with, root, "with"), &seen);
    options.most_steps = BATCHES;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "the first epoch");
    assert_false(tiny_has(with, "activity.jsonl"));
    assert_int_equal(mkdir(scratch_path(file, with, "activity.jsonl"), 0777), 0);
    options.most_steps = 0;
    options.resume = true;
    options.parts.act_stats = 1;
    seen.notes[0] = '\0';
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "a folder in the record's place");
    assert_int_equal(count_of(seen.notes, "training goes on without this record"), 1);
    tiny_expect_same(without, with, "last.safetensors");
    tiny_expect_same(without, with, "best.safetensors");
    scratch_remove(root);
}

static size_t size_of(const char *folder, const char *file)
{
    char path[256];
    size_t size;
    free(scratch_read(scratch_path(path, folder, file), &size));
    return size;
}

/* Killed after an epoch's events and before its save, where the checkpoint before that waited for the same epoch's validation: each event stands once. */
static void test_events_once(void **state)
{
    (void)state;
    static const char events[] = "events.out.tfevents.0.convzoo";
    char root[256], folder[256], last[256];
    size_t sizes[2];
    Seen seen = { .stop_at = BATCHES };
    Error error;
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
    options.parts.tensorboard = true;
    tiny_expect_code(tiny_train(&options, &error), 128 + SIGTERM, &error, "before a validation");
    size_t size;
    char *bytes = scratch_read(scratch_path(last, folder, "last.safetensors"), &size);
    options.resume = true;
    for (int run = 0; run < 2; run++) {
        seen.stop = 0;
        seen.stop_at = 0;
        scratch_write(last, bytes, size);
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "to the end");
        sizes[run] = size_of(folder, events);
    }
    assert_true(sizes[0] > 0 && sizes[1] == sizes[0]);
    free(bytes);
    scratch_remove(root);
}

/* ---- early stopping ---- */

/* The weights hardly move, so the first epoch's figure stays the best. */
static void test_early_stop(void **state)
{
    (void)state;
    static const struct { int patience; uint64_t epochs; EarlyMetric metric; } stops[] = {
        { 1, 2, METRIC_top1 }, { 3, 4, METRIC_top1 }, { 2, 3, METRIC_loss }, { 9, 6, METRIC_top1 },
    };
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        char root[256], folder[256];
        Seen seen = { 0 };
        Error error;
        scratch_new(root);
        TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
        options.epochs = 6;
        options.lr = 1e-9f;
        options.warmup_epochs = 0.0;
        options.parts = (PartOptions){ .early_stop = stops[i].patience, .early_metric = stops[i].metric, .early_delta = 1e-3f, .act_stats = 100 };
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "still weights");
        assert_int_equal(tiny_lines(folder, "activity.jsonl"), 1);      /* after the last epoch, whichever that is */
        assert_int_equal(seen.epochs, stops[i].epochs);
        assert_int_equal(strstr(seen.notes, "stopping early, after epoch") != NULL, stops[i].epochs < 6);
        options.resume = true;      /* it is over, and stays so */
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "resumed");
        assert_int_equal(seen.epochs, stops[i].epochs);
        assert_int_equal(strstr(seen.notes, "it stopped early, after epoch") != NULL, stops[i].epochs < 6);
        scratch_remove(root);
    }
}

/* ---- warnings ---- */

/* A run that learns hears nothing; the others hear their warning once. */
static void test_warnings(void **state)
{
    (void)state;
    static const struct { OptimizerKind kind; float lr; const char *warning; } runs[] = {
        { OPTIMIZER_adamw, 1e-3f, NULL }, { OPTIMIZER_sgd, 1e-9f, "still guesses" }, { OPTIMIZER_adamw, 0.3f, "the loss rises" },
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        char root[256], folder[256];
        Seen seen = { 0 };
        Error error;
        scratch_new(root);
        TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
        options.lr = runs[i].lr;
        options.epochs = 7;      /* of 45 steps */
        options.batch = 4;
        options.no_augment = true;      /* so that it soon learns something */
        options.schedule = SCHEDULE_constant;
        options.warmup_epochs = 0.0;
        options.optimizer.kind = runs[i].kind;
        const int code = tiny_train(&options, &error);
        assert_true(code == EXIT_ok || code == EXIT_diverged);
        if (count_of(seen.notes, "warning:") != (runs[i].warning != NULL) ||
            (runs[i].warning && count_of(seen.notes, runs[i].warning) != 1))
            fail_msg("lr %g: %s", (double)runs[i].lr, seen.notes);
        scratch_remove(root);
    }
}

/* ---- what does not go together ---- */

static void test_two_averages(void **state)
{
    (void)state;
    Seen seen = { 0 };
    Error error;
    TrainerOptions options = tiny_options("lenet", "/nowhere", &seen);
    options.parts = (PartOptions){ .ema = true, .ema_decay = 0.9f, .swa_start = 2 };
    tiny_expect_code(tiny_train(&options, &error), EXIT_usage, &error, "ema and swa");
    assert_non_null(strstr(error.text, "leave one out"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_record_fails),
        cmocka_unit_test(test_events_once),
        cmocka_unit_test(test_early_stop),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_two_averages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
