/* test_rank_model.c - predicted steps of many ranks against sums made by hand, and what the model is given against what it is of. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "architectures.h"
#include "parameters.h"
#include "rank_model.h"
#include "rank_trial.h"
#include "wire_forms.h"

#define EQUAL(got, wanted) assert_true(fabs((got) - (wanted)) <= 1e-9 * fabs(wanted))

/* ---- steps by hand ---- */

typedef struct StepCase {
    const char *name;
    RankWire    wire;
    int         ranks, count;
    double      bytes[3], ready[3];
    double      overlap, late;
} StepCase;

/* Before, in and after backward: 1, 10 and 2 seconds. */
static const StepCase steps[] = {
    { "one rank",        { 5, 5, 5, 5 },            1, 1, { 8 }, { 10 }, 13, 13 },
    /* half of the bytes go each way: 2 x 4 seconds */
    { "bytes",           { .byte = 1 },             2, 1, { 8 }, { 10 }, 21, 21 },
    { "hidden",          { .byte = 1 },             2, 1, { 8 }, { 2 },  13, 21 },
    { "half hidden",     { .byte = 1 },             2, 1, { 8 }, { 6 },  17, 21 },
    /* three quarters of them: 2 x 6 */
    { "four ranks",      { .byte = 1 },             4, 1, { 8 }, { 10 }, 25, 25 },
    { "latency",         { .latency = 3 },          4, 1, { 8 }, { 10 }, 19, 19 },
    /* of two buckets it passes once */
    { "latencies",       { .latency = 3 },          4, 2, { 8, 8 }, { 4, 10 }, 19, 19 },
    { "messages",        { .message = 1 },          4, 2, { 8, 8 }, { 4, 10 }, 19, 25 },
    /* 0-4, and 4-8 though ready at 1, and 9-13: three seconds after the end */
    { "one wire",        { .byte = 1 },             2, 3, { 4, 4, 4 }, { 0, 1, 9 }, 16, 25 },
    /* the second is ready at 9 + 4, goes until 17; backward ends at 18 */
    { "handled",         { .byte = 1, .handling = 1 }, 2, 2, { 4, 4 }, { 0, 9 }, 21, 21 },
    { "all",             { 1, 0.5, 2, 0.25 },       2, 2, { 2, 4 }, { 5, 10 }, 24.5, 29 },
};

/* "all": a bucket takes 2 (0.5 + B) on the wire: 5 and 9. By overlap: 5-10, stolen 0.5; the second is ready at 10.5, goes until 19.5, has
 * arrived at 21.5: 1 + 21.5 + 2 = 24.5. After backward: 10-15-24, arrived at 26: 29. */
static void test_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const StepCase *c = &steps[i];
        RankStep step = { 1, 10, 2, c->count, (double *)c->bytes, (double *)c->ready };
        const double overlap = rank_model_step(&step, &c->wire, c->ranks, true), late = rank_model_step(&step, &c->wire, c->ranks, false);
        if (fabs(overlap - c->overlap) > 1e-9 || fabs(late - c->late) > 1e-9)
            fail_msg("%s: %g and %g seconds, not %g and %g", c->name, overlap, late, c->overlap, c->late);
    }
}

static void test_bucket(void **state)
{
    (void)state;
    /* 2 x (3 x 0.5 + 3/4 x 100 x 0.01 + 2) */
    EQUAL(rank_model_bucket(&(RankWire){ .latency = 2, .message = 0.5, .byte = 0.01 }, 4, 100), 8.5);
}

/* ---- fitting ---- */

/* Trials that a wire would give, one of them disturbed. */
static void test_fit(void **state)
{
    (void)state;
    const RankWire truth = { .latency = 5e-5, .message = 2e-6, .byte = 8e-10 };
    for (int ranks = 2; ranks <= 5; ranks++) {
        RankTrial trials[5];
        for (int i = 0; i < 5; i++) {
            trials[i].bytes = 1e3 * pow(4, i);
            trials[i].seconds = rank_model_bucket(&truth, ranks, trials[i].bytes);
        }
        RankWire found = { .message = truth.message };
        rank_model_fit(&found, ranks, trials, 5);
        EQUAL(found.byte, truth.byte);
        EQUAL(found.latency, truth.latency);
        trials[3].seconds *= 3;
        rank_model_fit(&found, ranks, trials, 5);
        EQUAL(found.byte, truth.byte);
        EQUAL(found.latency, truth.latency);
    }
}

/* ---- what is cut of a network ---- */

static void check_cut(const char *key, size_t bucket_bytes)
{
    enum { BATCH = 4 };
    Error error;
    RankTimeline timeline;
    Network *network = architecture_network(architecture_find(key, &error), (Shape){ 3, 32, 32 }, &(ArchOptions){ .classes = 10 }, &error);
    TimedStep timed = timed_step_new(network, &(Plan){ 0 }, PURPOSE_training, BATCH);
    const RankTimes times = rank_trial_steps(&timed, NULL, NULL, 0.0, &timeline);
    RankStep step = rank_trial_cut(&timeline, &timed, bucket_bytes);
    double bytes = 0.0;
    assert_true(step.count > 1);
    for (int b = 0; b < step.count; b++) {
        bytes += step.bytes[b];
        assert_true(step.bytes[b] < 1.5 * (double)bucket_bytes);
        assert_true(step.ready[b] >= (b ? step.ready[b - 1] : 0.0) && step.ready[b] <= step.backward);
    }
    EQUAL(bytes, (double)(network_parameters(network)->total * sizeof(float)));
    EQUAL(rank_step_alone(&step), times.alone);
    assert_true(times.steps >= 3 && times.overlap == 0.0 && step.ready[step.count - 1] > 0.5 * step.backward);
    rank_step_free(&step);
    rank_timeline_free(&timeline);
    timed_step_free(&timed);
    network_free(network);
}

static void test_cut(void **state)
{
    (void)state;
    check_cut("lenet", 1 << 16);
    check_cut("airbench", 1 << 20);      /* has running statistics */
}

/* ---- units ---- */

typedef struct FormCase {
    const SettingForm *form;
    const char        *text;
    double             value;      /* -1: refused */
    const char        *written;
} FormCase;

static void test_forms(void **state)
{
    (void)state;
    static const FormCase cases[] = {
        { &form_latency, "50us", 50e-6, "50us" },     { &form_latency, "1.5ms", 1.5e-3, "1500us" },  { &form_latency, "800ns", 8e-7, "0.8us" },
        { &form_latency, "0", 0, "0" },               { &form_latency, "50", -1, NULL },             { &form_latency, "-1us", -1, NULL },
        { &form_latency, "us", -1, NULL },            { &form_message, "2us", 2e-6, "2us" },         { &form_message, "2u", -1, NULL },
        { &form_bandwidth, "10Gbit", 1.25e9, "10Gbit" }, { &form_bandwidth, "100mbit/s", 1.25e7, "0.1Gbit" },
        { &form_bandwidth, "1.2GB", 1.2e9, "9.6Gbit" }, { &form_bandwidth, "1GB/s", 1e9, "8Gbit" },  { &form_bandwidth, "0Gbit", -1, NULL },
        { &form_bandwidth, "10", -1, NULL },          { &form_bandwidth, "10Gbits", -1, NULL },      { &form_bandwidth, "nanGB", -1, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const FormCase *c = &cases[i];
        double value = 0.0;
        Error error;
        char text[32];
        const bool read = c->form->read(c->text, &value, &error);
        if (read != (c->value >= 0.0))
            fail_msg("'%s' is %s", c->text, read ? "taken" : error.text);
        if (!read) {
            assert_non_null(strstr(error.text, ": use a "));
            continue;
        }
        EQUAL(value, c->value);
        assert_string_equal(c->form->write(&value, text, sizeof text), c->written);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps), cmocka_unit_test(test_bucket), cmocka_unit_test(test_fit),
        cmocka_unit_test(test_cut),   cmocka_unit_test(test_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
