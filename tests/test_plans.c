/* test_plans.c - plans as text, plans by measurement, and the cache that remembers them. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "plan_cache.h"
#include "plan_text.h"
#include "scratch.h"
#include "trainer.h"

static char root[256];

static PlanSubject subject_of(const char *arch)
{
    Error error;
    PlanSubject subject = { .arch = architecture_find(arch, &error), .image = { 3, 32, 32 }, .purpose = PURPOSE_training, .batch = 16 };
    subject.options = (ArchOptions){ .classes = 10, .act = activation_of(subject.arch->act) };
    return subject;
}

static Plan parsed(const char *text)
{
    Plan plan;
    Error error = { 0 };
    assert_true(plan_parse(text, &plan, &error));
    return plan;
}

static void test_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "default", "blocked", "channels-last,direct", "batch-last,layers:nnddd", "blocked,layers:diwh", "default,measured",
        "blocked,direct,no-fusion,layers:d.w",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const Plan plan = parsed(texts[i]);
        assert_string_equal(plan_text(&plan), texts[i]);
    }
    assert_true(parsed("measured").measured);
    static const char *const wrong[] = { "fastest", "blocked,layer:d", "layers:", "direct ", "layers:dxd" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Plan plan;
        Error error = { 0 };
        assert_false(plan_parse(wrong[i], &plan, &error));
        assert_int_equal(error.code, EXIT_usage);
        assert_non_null(strstr(error.text, "channels-last"));
    }
}

/* Each layer's algorithm under a plan, as a word. */
static void algorithms_of(const PlanSubject *subject, Purpose purpose, Precision precision, const char *text, char *letters)
{
    const PlanSubject s = *subject;
    Error error;
    Plan plan = parsed(text);
    plan.precision = precision;
    Network *network = architecture_network(s.arch, s.image, &s.options, &error);
    Program *program = program_compile(network, &plan, purpose, s.batch);
    for (int i = 0; i < network_module_count(network); i++) {
        const Module *module = network_module(network, i);
        if (module->ops->algorithm)
            *letters++ = module->ops->algorithm(module, program);
    }
    *letters = '\0';
    program_free(program);
    network_free(network);
}

static void algorithms(const char *arch, const char *text, char *letters)
{
    const PlanSubject subject = subject_of(arch);
    algorithms_of(&subject, PURPOSE_inference, PRECISION_f32, text, letters);
}

/* A layer's letter is followed where it fits, and the rules elsewhere: 'w' in the linear layers, 'h' in f32. */
static void test_letters(void **state)
{
    (void)state;
    char ruled[64], named[64];
    algorithms("baseline", "channels-last", ruled);
    assert_non_null(strchr(ruled, ALGORITHM_winograd));
    algorithms("baseline", "channels-last,layers:ddddd", named);
    assert_null(strchr(named, ALGORITHM_winograd));
    algorithms("baseline", "channels-last,layers:hhhhh", named);
    assert_string_equal(named, ruled);
    algorithms("baseline", "channels-last,layers:wwwww", named);
    assert_string_equal(named, ruled);
    algorithms("baseline", "channels-last,layers:.d", named);
    assert_int_equal(named[1], ALGORITHM_direct);
    assert_int_not_equal(ruled[1], ALGORITHM_direct);
    assert_string_equal(named + 2, ruled + 2);
    algorithms("baseline", "channels-last,layers:iiiii", named);
    assert_string_equal(named, ruled);
}

/* Mixed precision multiplies 3x3 convolutions of stride 1 as integers, those of 2x2 images (the last three of vgg16's) only in
 * training; Winograd in f32 is there for the asking. */
static void test_letters_of_mixed_precision(void **state)
{
    (void)state;
    char training[64], inference[64], named[64];
    const PlanSubject subject = subject_of("vgg16");
    if (!program_can_bf16())
        skip();
    algorithms_of(&subject, PURPOSE_training, PRECISION_mixed, "blocked", training);
    algorithms_of(&subject, PURPOSE_inference, PRECISION_mixed, "blocked", inference);
    enum { FIRST = 1, SMALL = 10, LAST = 13 };      /* the first reads the image, which has too few channels */
    assert_int_equal(strspn(training + FIRST, "i"), LAST - FIRST);
    assert_int_equal(strspn(inference + FIRST, "i"), SMALL - FIRST);
    algorithms_of(&subject, PURPOSE_training, PRECISION_mixed, "blocked,layers:dwdw", named);
    assert_memory_equal(named, "dwdw", 4);
    assert_string_equal(named + 4, training + 4);
}

enum { NOTE_ROOM = 2048 };

static void tell(void *context, const char *text)
{
    char *note = context;
    const size_t at = strlen(note);
    snprintf(note + at, NOTE_ROOM - at, "%s\n", text);
}

static void settle_subject(const PlanSubject *subject, Plan *plan, char *note)
{
    *plan = parsed("measured");
    note[0] = '\0';
    plan_settle(plan, subject, tell, note);
    assert_false(plan->measured);
}

static void settle(int batch, Plan *plan, char *note)
{
    PlanSubject subject = subject_of("lenet");
    subject.batch = batch;
    settle_subject(&subject, plan, note);
}

/* Measured once, then remembered; again where the cache is damaged or cannot be. */
static void test_cache(void **state)
{
    (void)state;
    char cache[256], note[NOTE_ROOM];
    Plan first, again;
    assert_int_equal(setenv("XDG_CACHE_HOME", scratch_path(cache, root, "cache"), 1), 0);
    settle(16, &first, note);
    assert_non_null(strstr(note, "measured in"));
    assert_non_null(strstr(note, "remembered in"));
    settle(16, &again, note);
    assert_non_null(strstr(note, "measured before"));
    assert_memory_equal(&first, &again, sizeof first);
    settle(8, &again, note);                  /* another key */
    assert_non_null(strstr(note, "measured in"));
    settle(16, &again, note);
    assert_non_null(strstr(note, "measured before"));

    scratch_write(scratch_path(cache, root, "cache/convzoo/plans.json"), "{\"half", 6);
    settle(16, &again, note);
    assert_non_null(strstr(note, "measured in"));
    assert_int_equal(setenv("XDG_CACHE_HOME", "/proc/nowhere", 1), 0);
    settle(16, &again, note);
    assert_non_null(strstr(note, "not remembered"));

    Plan plain = parsed("blocked");
    const PlanSubject subject = subject_of("lenet");
    note[0] = '\0';
    plan_settle(&plain, &subject, tell, note);
    assert_string_equal(note, "");
    assert_string_equal(plan_text(&plain), "blocked");
}

/* Whatever gives other layers is measured anew. */
static void test_cache_of_options(void **state)
{
    (void)state;
    static const struct { const char *name; ArchOptions options; } others[] = {
        { "classes",    { .classes = 7 } },
        { "no dropout", { .classes = 10, .no_dropout = true } },
        { "depth",      { .classes = 10, .depth = 5 } },
        { "width",      { .classes = 10, .width = 8 } },
    };
    char cache[256], note[NOTE_ROOM];
    Plan plan;
    assert_int_equal(setenv("XDG_CACHE_HOME", scratch_path(cache, root, "options"), 1), 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        PlanSubject subject = subject_of(others[i].options.no_dropout ? "baseline" : "mlp");
        subject.batch = 2;
        settle_subject(&subject, &plan, note);
        const Activation act = subject.options.act;
        subject.options = others[i].options;
        subject.options.act = act;
        settle_subject(&subject, &plan, note);
        if (!strstr(note, "measured in"))
            fail_msg("%s: %s", others[i].name, note);
        settle_subject(&subject, &plan, note);
        if (!strstr(note, "measured before"))
            fail_msg("%s again: %s", others[i].name, note);
    }
}

static int train(TrainerOptions *options)
{
    Error error = { 0 };
    Trainer *trainer = trainer_open(options, &error);
    if (!trainer)
        fail_msg("%s", error.text);
    const int code = trainer_run(trainer, &error);
    options->plan = trainer->options.plan;
    trainer_close(trainer);
    return code;
}

/* A run goes on with the plan that it began with, whatever a new measurement would say. */
static void test_resume(void **state)
{
    (void)state;
    char folder[256];
    Error error;
    TrainerOptions options = trainer_defaults(architecture_find("baseline", &error), NULL);
    options.data = (DataOptions){ .path = "shapes", .limit = 64 };
    options.batch = 16;
    options.val_batch = 16;
    options.epochs = 2;
    options.folder = scratch_path(folder, root, "run");
    options.plan = parsed("channels-last,layers:dddd");
    options.most_steps = 3;
    assert_int_equal(train(&options), EXIT_ok);
    options.plan = parsed("measured");
    options.most_steps = 0;
    options.resume = true;
    assert_int_equal(train(&options), EXIT_ok);
    assert_string_equal(plan_text(&options.plan), "channels-last,layers:dddd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text), cmocka_unit_test(test_letters), cmocka_unit_test(test_letters_of_mixed_precision),
        cmocka_unit_test(test_cache), cmocka_unit_test(test_cache_of_options), cmocka_unit_test(test_resume),
    };
    scratch_new(root);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(root);
    return failed;
}
