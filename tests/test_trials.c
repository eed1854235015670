/* test_trials.c - steps that are only tried leave the run as it was, and a run that is planned ends in its time. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>
#include <time.h>

#include "scratch.h"
#include "time_plan.h"
#include "tiny_run.h"
#include "trials.h"

/* ---- a clock that goes by steps ---- */

static Trainer *clocked;                /* whose steps; NULL: the clock is the system's */
static uint64_t clocked_steps;          /* of its optimizer, at the last look */
static double   clock_now, step_seconds;

int clock_gettime(clockid_t id, struct timespec *now)
{
    (void)id;
    if (!clocked)
        return timespec_get(now, TIME_UTC) == TIME_UTC ? 0 : -1;
    const uint64_t steps = clocked->optimizer->steps;      /* fewer after steps that were only tried */
    clock_now += steps > clocked_steps ? (double)(steps - clocked_steps) * step_seconds : 0.0;
    clocked_steps = steps;
    now->tv_sec = (time_t)clock_now;
    now->tv_nsec = (long)((clock_now - (double)now->tv_sec) * 1e9);
    return 0;
}

/* tiny_train by that clock; the run's seconds. */
static double train_by_clock(const TrainerOptions *options, int expected)
{
    Error error = { 0 };
    clocked = NULL;
    Trainer *trainer = trainer_open(options, &error);
    assert_non_null(trainer);
    clocked_steps = trainer->optimizer->steps;
    clock_now = trainer->opened = 100.0;
    clocked = trainer;
    tiny_expect_code(trainer_run(trainer, &error), expected, &error, "by the test's clock");
    clocked = NULL;
    trainer_close(trainer);
    return clock_now - 100.0;
}

/* ---- trials ---- */

static void try_rates(Trainer *trainer)
{
    RatePoint points[RATE_POINTS];
    float suggested;
    const int count = trials_rates(trainer, points, &suggested);
    assert_in_range(count, 40, RATE_POINTS);
    for (int i = 1; i < count; i++)
        assert_true(points[i].lr > points[i - 1].lr);
    assert_true(suggested > 1e-4f && suggested < 1.0f);
}

static void try_overfit(Trainer *trainer)
{
    Overfit result;
    Error error;
    assert_int_equal(trials_overfit(trainer, 200, &result, &error), EXIT_ok);
    assert_true(result.falls && result.loss < result.first_loss);
}

static void try_dry(Trainer *trainer)
{
    DryRun result;
    Error error;
    assert_int_equal(trials_dry(trainer, &result, &error), EXIT_ok);
    assert_true(fabs(result.loss - log(10.0)) < 0.3 && fabs(result.val_loss - log(10.0)) < 0.3);
}

/* The run that follows ends in the bytes of one that was never tried: weights, statistics, averages and states are back. */
static void test_trials_leave_no_trace(void **state)
{
    (void)state;
    static void (*const trials[])(Trainer *) = { NULL, try_rates, try_overfit, try_dry };
    char root[256], whole[256];
    scratch_new(root);
    scratch_path(whole, root, "0");
    for (int i = 0; i < 4; i++) {
        char folder[256], name[8];
        Seen seen = { 0 };
        Error error;
        snprintf(name, sizeof name, "%d", i);
        TrainerOptions options = tiny_options("baseline", scratch_path(folder, root, name), &seen);
        options.lr = 0.05f;
        options.parts = (PartOptions){ .ema = true, .ema_decay = 0.9f, .lookahead = true, .lookahead_k = 3, .lookahead_alpha = 0.5f };
        Trainer *trainer = trainer_open(&options, &error);
        assert_non_null(trainer);
        if (trials[i])
            trials[i](trainer);
        tiny_expect_code(trainer_run(trainer, &error), EXIT_ok, &error, name);
        trainer_close(trainer);
        tiny_expect_same(whole, folder, "last.safetensors");
        tiny_expect_same(whole, folder, "best.safetensors");
    }
    scratch_remove(root);
}

static void test_a_trial_has_no_folder(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
    options.trial = true;
    Trainer *trainer = trainer_open(&options, &error);
    assert_non_null(trainer);
    try_dry(trainer);
    trainer_close(trainer);
    assert_false(scratch_exists(folder));
    scratch_remove(root);
}

/* A rate at which nothing moves: it says so. */
static void test_a_loss_that_does_not_fall(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Overfit result;
    Error error;
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
    options.trial = true;
    options.lr = 1e-9f;
    Trainer *trainer = trainer_open(&options, &error);
    assert_non_null(trainer);
    assert_int_equal(trials_overfit(trainer, 10, &result, &error), EXIT_ok);
    assert_int_equal(result.steps, 10);
    assert_false(result.falls);
    trainer_close(trainer);
    scratch_remove(root);
}

/* A signal ends a trial without an answer: nothing is said of a loss that was not seen to fall. */
static void test_a_trial_that_is_stopped(void **state)
{
    (void)state;
    for (uint64_t stop_at = 0; stop_at < 4; stop_at++) {       /* 0: before the first step */
        Seen seen = { .stop_at = stop_at, .stop = stop_at ? 0 : SIGTERM };
        RatePoint points[RATE_POINTS];
        float suggested = 1.0f;
        Overfit overfit;
        DryRun dry;
        Error error;
        TrainerOptions options = tiny_options("lenet", NULL, &seen);
        options.trial = true;
        options.lr = 1e-9f;
        Trainer *trainer = trainer_open(&options, &error);
        assert_non_null(trainer);
        assert_int_equal(trials_overfit(trainer, 200, &overfit, &error), 128 + SIGTERM);
        assert_int_equal(overfit.steps, stop_at);
        assert_int_equal(trials_dry(trainer, &dry, &error), 128 + SIGTERM);
        assert_int_equal(trials_rates(trainer, points, &suggested), 0);
        assert_true(suggested == 0.0f);
        trainer_close(trainer);
    }
}

/* trials_train goes through the sizes as a run does; a size that no epoch has is never entered. */
static void test_sizes_of_the_images(void **state)
{
    (void)state;
    static const struct { int epochs, first, last; } cases[] = { { 3, 8, SIDE }, { 1, SIDE, SIDE } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Seen seen = { 0 };
        LossSum val;
        Error error;
        TrainerOptions options = tiny_options("resnet18", NULL, &seen);
        options.trial = true;
        options.epochs = cases[i].epochs;
        assert_true(stage_sizes_parse("50%:50%", &options.train_sizes, &error));
        Trainer *trainer = trainer_open(&options, &error);
        assert_non_null(trainer);
        assert_int_equal(network_image(program_network(trainer->program))->shape.h, cases[i].first);
        assert_int_equal(trials_train(trainer, &val, &error), EXIT_ok);
        assert_int_equal(network_image(program_network(trainer->program))->shape.h, cases[i].last);
        trainer_close(trainer);
    }
}

/* ---- a run in a given time ---- */

static void test_steps_that_fit(void **state)
{
    (void)state;
    static const StageSizes whole = { 0 };
    static const StageSizes grows = { .count = 2, .of = { { 50, 45, true, true }, { 75, 35, true, true } } };
    static const struct { const StageSizes *sizes; double seconds, step[3], validation; uint32_t batches; uint64_t steps; double average; uint64_t from; } cases[] = {
        { &whole, 100.0, { 1.0 }, 0.0,  10, 100, 0.0, 0 },
        { &whole, 100.0, { 1.0 }, 2.5,  10, 80, 0.0, 0 },       /* eight epochs, and no time for a part of a ninth and its validation */
        { &whole, 104.0, { 1.0 }, 2.5,  10, 81, 0.0, 0 },
        { &whole, 20.0,  { 1.0 }, 5.0,  100, 15, 0.0, 0 },
        { &whole, 1.0,   { 1.0 }, 5.0,  100, 1, 0.0, 0 },
        { &whole, -3.0,  { 1.0 }, 5.0,  100, 1, 0.0, 0 },
        { &whole, 0.5,   { 0.125 }, 0.0, 3, 4, 0.0, 0 },
        { &grows, 90.0,  { 1.0, 2.0, 4.0 }, 0.0, 10, 47, 0.0, 0 },      /* two epochs at each of the small sizes, and 30 seconds for the fifth */
        { &grows, 100.0, { 1.0, 2.0, 4.0 }, 0.0, 10, 50, 0.0, 0 },
        { &grows, 45.0,  { 1.0, 2.0, 4.0 }, 0.0, 10, 16, 0.0, 0 },      /* two epochs: the first share is none of them */
        { &grows, 1950., { 1.0, 2.0, 4.0 }, 0.0, 10, 1000, 0.0, 0 },
        { &whole, 100.0, { 1.0 }, 0.0,  10, 80, 5.0, 6 },       /* five epochs of ten seconds and three of fifteen */
        { &whole, 100.0, { 1.0 }, 0.0,  10, 100, 5.0, 11 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EpochTimes times = { .validation = cases[i].validation, .batches = cases[i].batches, .average = cases[i].average, .average_from = cases[i].from };
        memcpy(times.step, cases[i].step, sizeof cases[i].step);
        const uint64_t steps = time_plan_steps(cases[i].seconds, cases[i].sizes, &times);
        if (steps != cases[i].steps)
            fail_msg("case %zu: %d steps", i, (int)steps);
    }
}

static void test_it_ends_in_its_time(void **state)
{
    (void)state;
    char root[256], whole[256], parts[256];
    Seen seen = { 0 }, stopped = { 0 };
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(whole, root, "whole"), &seen);
    options.max_seconds = 2.0;
    step_seconds = 0.01;
    const double taken = train_by_clock(&options, EXIT_ok);
    if (!(taken > 1.9 && taken <= 2.0) || seen.steps < 170 || seen.steps % BATCHES == 0)
        fail_msg("%g seconds of 2, %d steps: %s", taken, (int)seen.steps, seen.notes);
    assert_non_null(strstr(seen.notes, "planned for 2 seconds"));

    /* Stopped, and resumed on a machine that grows slower: the plan stays, and so do the bytes. */
    options = tiny_options("lenet", scratch_path(parts, root, "parts"), &stopped);
    options.max_seconds = 2.0;
    for (uint64_t stop = 3; stop < seen.steps; stop += 31) {
        stopped.stop = 0;
        stopped.stop_at = stop;
        train_by_clock(&options, 128 + SIGTERM);
        options.resume = true;
        step_seconds *= 2.0;
    }
    stopped.stop = 0;
    stopped.stop_at = 0;
    train_by_clock(&options, EXIT_ok);
    tiny_expect_same(whole, parts, "last.safetensors");
    tiny_expect_same(whole, parts, "best.safetensors");
    scratch_remove(root);
}

/* A stop that is asked for while the time of a step is measured waits for the fewest steps that tell it, not for a share of the time. */
static void test_a_plan_that_is_stopped(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { .stop = SIGTERM };
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
    options.max_seconds = 100.0;
    step_seconds = 0.01;
    const double taken = train_by_clock(&options, 128 + SIGTERM);
    if (!(taken < 0.2))
        fail_msg("%g seconds: %s", taken, seen.notes);
    assert_non_null(strstr(seen.notes, "planned for 100 seconds"));
    scratch_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trials_leave_no_trace),
        cmocka_unit_test(test_a_trial_has_no_folder),
        cmocka_unit_test(test_a_loss_that_does_not_fall), cmocka_unit_test(test_a_trial_that_is_stopped), cmocka_unit_test(test_sizes_of_the_images),
        cmocka_unit_test(test_steps_that_fit),
        cmocka_unit_test(test_it_ends_in_its_time), cmocka_unit_test(test_a_plan_that_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
