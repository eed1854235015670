/* test_schedule.c - learning rates at chosen steps, computed by hand, and the names. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "schedule.h"

static const Schedule cosine = { .kind = SCHEDULE_cosine, .lr = 0.4f, .min_lr = 0.1f, .steps = 110, .warmup = 10 };
static const Schedule no_warmup = { .kind = SCHEDULE_cosine, .lr = 0.4f, .steps = 4 };
static const Schedule all_warmup = { .kind = SCHEDULE_cosine, .lr = 0.4f, .steps = 5, .warmup = 5 };
static const Schedule staircase = { .kind = SCHEDULE_step, .lr = 0.8f, .steps = 100, .warmup = 4, .decay_steps = 30, .decay_rate = 0.5f };
static const Schedule flat = { .kind = SCHEDULE_constant, .lr = 0.3f, .steps = 100, .warmup = 3 };
/* Linear from a fifth of lr to lr at floor(0.3 x 50) steps, and to a tenth at the end. */
static const Schedule hill = { .kind = SCHEDULE_triangle, .lr = 0.5f, .steps = 50, .options = { .start = 0.2f, .peak = 0.3f, .end = 0.1f } };
/* The usual shares: 0.2, 0.23, 0.07. */
static const Schedule usual_hill = { .kind = SCHEDULE_triangle, .lr = 1, .steps = 100, .options = { .start = -1, .peak = -1, .end = -1 } };
static const Schedule moment = { .kind = SCHEDULE_onecycle, .lr = 1, .steps = 1, .options = { .start = -1, .peak = -1, .end = -1 } };
static const Schedule slope = { .kind = SCHEDULE_triangle, .lr = 1, .steps = 10, .options = { .start = 0.5f, .peak = 0, .end = 0 } };
/* In float 0.9 is less. */
static const Schedule late_hill = { .kind = SCHEDULE_triangle, .lr = 1, .steps = 20, .options = { .start = 0, .peak = 0.9f, .end = 0 } };
static const Schedule raised = { .kind = SCHEDULE_constant, .lr = 0.5f, .steps = 10, .warmup = 4, .options = { .warmup_lr = 0.1f } };

static const struct {
    const char     *name;
    const Schedule *schedule;
    uint64_t        step;
    double          lr;
} cases[] = {
    { "cosine, first of warm-up",   &cosine,     0,    0.04 },
    { "cosine, last of warm-up",    &cosine,     9,    0.4 },
    { "cosine, starts",             &cosine,     10,   0.4 },
    { "cosine, a quarter",          &cosine,     35,   0.1 + 0.3 * (1 + 0.70710678118654752) / 2 },
    { "cosine, half",               &cosine,     60,   0.25 },
    { "cosine, two thirds nearly",  &cosine,     76,   0.1 + 0.3 * 0.5 * (1 - 0.48175367410171532) },      /* cos(0.66 pi) */
    { "cosine, the last step",      &cosine,     109,  0.1 + 0.3 * 0.5 * (1 - 0.99950656036573160) },      /* cos(0.99 pi) */
    { "cosine, over",               &cosine,     110,  0.1 },
    { "cosine, long over",          &cosine,     1u << 30, 0.1 },
    { "no warm-up, first",          &no_warmup,  0,    0.4 },
    { "no warm-up, half",           &no_warmup,  2,    0.2 },
    { "warm-up alone, last",        &all_warmup, 4,    0.4 },
    { "warm-up alone, over",        &all_warmup, 5,    0.0 },
    { "step, warm-up",              &staircase,  1,    0.4 },
    { "step, before the first",     &staircase,  29,   0.8 },
    { "step, the first",            &staircase,  30,   0.4 },
    { "step, the third",            &staircase,  90,   0.1 },
    { "constant, warm-up",          &flat,       0,    0.1 },
    { "constant",                   &flat,       99,   0.3 },
    { "triangle, first",            &hill,       0,    0.1 },
    { "triangle, rising",           &hill,       3,    0.5 * (0.2 + 0.8 * 3 / 15) },
    { "triangle, peak",             &hill,       15,   0.5 },
    { "triangle, falling",          &hill,       29,   0.5 * (1 - 0.9 * 14 / 35) },
    { "triangle, the last step",    &hill,       49,   0.5 * (1 - 0.9 * 34 / 35) },
    { "triangle, over",             &hill,       60,   0.05 },
    { "triangle, usual, first",     &usual_hill, 0,    0.2 },
    { "triangle, usual, peak",      &usual_hill, 23,   1 },
    { "triangle, usual, half down", &usual_hill, 61,   1 - 0.93 * 38 / 77 },
    { "triangle, a late peak",      &late_hill,  18,   1 },
    { "triangle without a rise",    &slope,      0,    1 },
    { "triangle without a rise, 5", &slope,      5,    0.5 },
    { "one cycle of one step",      &moment,     0,    1 },
    { "warm-up from above zero",    &raised,     0,    0.2 },
    { "warm-up's end",              &raised,     3,    0.5 },
};

static void rates(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const double lr = schedule_lr(cases[c].schedule, cases[c].step);
        if (!(fabs(lr - cases[c].lr) <= 1e-7))
            fail_msg("%s: %.9g, expected %.9g", cases[c].name, lr, cases[c].lr);
    }
}

/* ---- whole curves ---- */

static double field(const json_t *fields, const char *key, double otherwise)
{
    const json_t *value = json_object_get(fields, key);
    return value ? json_number_value(value) : otherwise;
}

static Schedule schedule_of(const json_t *item, float lr, uint64_t steps)
{
    const json_t *fields = json_object_get(item, "fields"), *milestones = json_object_get(fields, "milestones");
    Error error;
    Schedule s = {
        .lr = lr, .steps = steps, .min_lr = (float)field(fields, "min_lr", 0), .warmup = (uint64_t)field(fields, "warmup", 0),
        .epoch_steps = (uint64_t)field(fields, "epoch_steps", 1), .decay_steps = (uint64_t)field(fields, "decay_steps", 0),
        .decay_rate = (float)field(fields, "decay_rate", 0),
        .options = {
            .warmup_lr = (float)field(fields, "warmup_lr", 0), .power = (float)field(fields, "power", 0),
            .start = (float)field(fields, "start", 0), .peak = (float)field(fields, "peak", 0), .end = (float)field(fields, "end", 0),
        },
    };
    for (size_t i = 0; i < json_array_size(milestones); i++)
        s.options.milestones[i] = json_number_value(json_array_get(milestones, i));
    assert_true(schedule_parse(json_string_value(json_object_get(item, "sched")), &s.kind, &error));
    return s;
}

static json_t *golden(void)
{
    json_error_t problem;
    json_t *json = json_load_file(TESTS_FOLDER "/golden/schedules.json", 0, &problem);
    assert_non_null(json);
    return json;
}

/* What PyTorch's schedulers give in every step of a run (tests/reference/make_optimizer_golden.py). */
static void curves_match_pytorch(void **state)
{
    (void)state;
    json_t *json = golden(), *item;
    size_t index;
    json_array_foreach(json_object_get(json, "cases"), index, item) {
        const json_t *rates = json_object_get(item, "rates");
        const Schedule s = schedule_of(item, (float)field(json, "lr", 0), (uint64_t)field(json, "steps", 0));
        assert_int_equal(json_array_size(rates), s.steps);
        for (uint64_t step = 0; step < s.steps; step++) {
            const double lr = schedule_lr(&s, step), expected = json_number_value(json_array_get(rates, step));
            if (!(fabs(lr - expected) <= 1e-6 * expected + 1e-8))
                fail_msg("%s: %.9g at step %d, expected %.9g", json_string_value(json_object_get(item, "name")), lr, (int)step, expected);
        }
    }
    assert_true(index > 0);
    json_decref(json);
}

/* Losses after which PyTorch's ReduceLROnPlateau has these rates. */
static void plateau_matches_pytorch(void **state)
{
    (void)state;
    json_t *json = golden();
    const json_t *plateau = json_object_get(json, "plateau"), *losses = json_object_get(plateau, "losses"), *rates = json_object_get(plateau, "rates");
    Schedule s = {
        .kind = SCHEDULE_plateau, .lr = (float)field(json, "lr", 0), .min_lr = (float)field(plateau, "min_lr", 0),
        .decay_rate = (float)field(plateau, "decay_rate", 0), .steps = 100,
    };
    const int patience = (int)field(plateau, "patience", 0);
    assert_true(schedule_lr(&s, 7) == s.lr);
    for (size_t i = 0; i < json_array_size(losses); i++) {
        const json_t *loss = json_array_get(losses, i);
        s.plateau = plateau_after(s.plateau, json_is_null(loss) ? NAN : json_number_value(loss), patience);
        const double lr = schedule_lr(&s, i), expected = json_number_value(json_array_get(rates, i));
        if (!(fabs(lr - expected) <= 1e-6 * expected))
            fail_msg("after loss %zu: %.9g, expected %.9g", i, lr, expected);
    }
    assert_true(s.plateau.drops > 1);
    json_decref(json);
}

static void milestones(void **state)
{
    (void)state;
    static const struct { const char *text; double epochs[3]; } good[] = {
        { "", { 0 } }, { "30", { 30 } }, { "2,7.5", { 2, 7.5 } }, { "1,2,3", { 1, 2, 3 } },
    };
    static const char *const bad[] = { "0", "-1", "2,2", "3,1", "1,", ",1", "a", "1;2", "nan", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17" };
    double epochs[SCHEDULE_MILESTONES];
    char text[256];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(milestones_parse(good[i].text, epochs, NULL));
        for (int k = 0; k < 3; k++)
            assert_true(epochs[k] == good[i].epochs[k]);
        assert_string_equal(milestones_text(epochs, text, sizeof text), good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Error error;
        if (milestones_parse(bad[i], epochs, &error) || !strstr(error.text, "--decay-milestones"))
            fail_msg("'%s' was taken", bad[i]);
    }
}

static void names(void **state)
{
    (void)state;
    ScheduleKind kind;
    Error error;
    for (int i = 0; i < SCHEDULE_COUNT; i++) {
        assert_true(schedule_parse(schedule_name((ScheduleKind)i), &kind, NULL));
        assert_int_equal(kind, i);
    }
    assert_memory_equal(schedule_names(), "cosine step constant", 20);
    assert_true(schedule_parse("COSINE", &kind, NULL));
    static const char *const unknown[] = { "", "cos", "cosine ", "lineary" };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        assert_false(schedule_parse(unknown[i], &kind, &error));
        assert_int_equal(error.code, EXIT_usage);
        assert_non_null(strstr(error.text, schedule_names()));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates),
        cmocka_unit_test(curves_match_pytorch),
        cmocka_unit_test(plateau_matches_pytorch),
        cmocka_unit_test(milestones),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
