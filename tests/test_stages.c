/* test_stages.c - training images that grow over a run: two tapes with one set of parameters, sizes as text, and runs that are stopped
 * and resumed at every size. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "parameters.h"
#include "scratch.h"
#include "tiny_run.h"

/* ---- text ---- */

static void test_sizes(void **state)
{
    (void)state;
    static const char *const good[] = { "", "24", "16:2,32", "16:2,24:1,32:4", "8:1,9:1,10:1,11:1,12:1,13:1,14:1,15",
                                        "50%", "50%:45%,75%:35%", "16:60%,75%:40%", "50%:2,24:10%,100%" };
    static const char *const bad[] = { "0", "16:", "16:0", "16,24", "16:2,", ",16", "16:2,24;32", "-16", "16:2:3", "5000", "a", "16:2 24",
                                       "1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1", "0%", "101%:2", "16:0%", "16:101%", "16%%:2", "%", "50%:%" };
    char text[STAGES_TEXT];
    Error error;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        StageSizes sizes;
        if (!stage_sizes_parse(good[i], &sizes, &error))
            fail_msg("'%s': %s", good[i], error.text);
        assert_string_equal(stage_sizes_text(&sizes, text, sizeof text), good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        StageSizes sizes = { .count = 7 };
        if (stage_sizes_parse(bad[i], &sizes, &error))
            fail_msg("'%s' is taken", bad[i]);
        assert_int_equal(sizes.count, 7);
        assert_non_null(strstr(error.text, "--train-img-size: use up to 8 sizes and their epochs, such as 16:2,24:2,32"));
    }
}

/* Where sizes end and which one an epoch has, in runs of several lengths. */
static void test_sizes_of_epochs(void **state)
{
    (void)state;
    static const struct { const char *sizes, *epochs; } cases[] = {      /* the index of each epoch's size, of each run length; f: the full size */
        { "",                 "ffff" },
        { "24",               "0000" },
        { "16:2,24:1",        "001ff" },
        { "16:2,24:1",        "00" },
        { "16:2,24",          "00111" },
        { "50%:45%,75%:35%",  "f" },
        { "50%:45%,75%:35%",  "1f" },
        { "50%:45%,75%:35%",  "01f" },
        { "50%:45%,75%:35%",  "0011f" },
        { "50%:45%,75%:35%",  "00001111ff" },
        { "50%:50%,75%:50%",  "0011" },
        { "16:1,24:50%",      "011f" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        StageSizes sizes;
        Error error;
        const uint32_t epochs = (uint32_t)strlen(cases[i].epochs);
        assert_true(stage_sizes_parse(cases[i].sizes, &sizes, &error));
        for (uint32_t epoch = 0; epoch < epochs; epoch++) {
            const int index = stage_sizes_at(&sizes, epoch, epochs), expected = cases[i].epochs[epoch] == 'f' ? sizes.count : cases[i].epochs[epoch] - '0';
            if (index != expected)
                fail_msg("'%s' over %u epochs: epoch %u has size %d, not %d", cases[i].sizes, epochs, epoch, index, expected);
            assert_true(epoch < stage_sizes_end(&sizes, index, epochs));
        }
        assert_int_equal(stage_sizes_end(&sizes, sizes.count, epochs), epochs);
    }
    assert_false(stage_sizes_are_shares(&(StageSizes){ .count = 1, .of = { { .side = 16, .length = 2 } } }));
    assert_true(stage_sizes_are_shares(&(StageSizes){ .count = 1, .of = { { .side = 16, .length = 2, .length_percent = true } } }));
}

static void test_sides(void **state)
{
    (void)state;
    static const struct { int side; bool percent; int full, least, expected; } cases[] = {
        { 16, false, 32, 8, 16 }, { 50, true, 32, 8, 16 }, { 75, true, 28, 8, 21 }, { 33, true, 224, 32, 74 }, { 50, true, 24, 16, 16 },
        { 50, true, 8, 16, 8 }, { 100, true, 28, 8, 28 }, { 4, false, 32, 16, 4 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(stage_side((StageSize){ .side = cases[i].side, .side_percent = cases[i].percent }, cases[i].full, cases[i].least), cases[i].expected);
}

/* ---- two tapes ---- */

enum { BATCH = 4, CLASSES = 5 };

static Network *network_of(int side)
{
    Error error;
    const ArchOptions options = { .classes = CLASSES, .act = activation_of(ACT_relu) };
    Network *network = architecture_network(architecture_find("resnet18", &error), (Shape){ 3, side, side }, &options, &error);
    assert_non_null(network);
    return network;
}

/* A forward and a backward pass over made-up images. */
static void run_once(Program *program, int side)
{
    for (int i = 0; i < BATCH * 3 * side * side; i++)
        program_image(program)[i] = sinf((float)i * 0.37f);
    program_forward(program);
    for (int i = 0; i < BATCH * CLASSES; i++)
        program_logits_gradient(program)[i] = (float)(i % 7 - 3) * 0.1f;
    program_backward(program);
}

static void expect_close(const char *name, size_t count, const float *a, const float *b)
{
    double off = 0.0, largest = 0.0;
    for (size_t i = 0; i < count; i++) {
        off = fmax(off, fabs((double)a[i] - (double)b[i]));
        largest = fmax(largest, fabs((double)b[i]));
    }
    if (!(off <= 1e-4 * largest))
        fail_msg("%s: off by %g of %g", name, off, largest);
}

/* Every gradient and every running statistic. */
static void expect_same_step(Network *a, Network *b)
{
    const Parameters *p = network_parameters(a), *q = network_parameters(b);
    for (int i = 0; i < network_param_count(a); i++) {
        const Param *param = network_param(a, i), *other = network_param(b, i);
        if (param->role == PARAM_counter) {
            assert_int_equal(*parameters_counter(a, param), *parameters_counter(b, other));
            continue;
        }
        const bool buffer = param->role == PARAM_buffer;
        float *left = malloc(param->count * sizeof *left), *right = malloc(param->count * sizeof *right);
        parameters_export(a, buffer ? p->values : p->gradients, param, left);
        parameters_export(b, buffer ? q->values : q->gradients, other, right);
        expect_close(param->name, param->count, left, right);
        free(left);
        free(right);
    }
}

/* A network that borrows its values steps as one that has the same values of its own, and the lender's programs see what moved. */
static void test_borrowed_parameters(void **state)
{
    (void)state;
    Network *owner = network_of(32), *borrower = network_of(16), *alone = network_of(16), *other = network_of(65);
    assert_null(parameters_differ(borrower, owner));
    assert_string_equal(parameters_differ(other, owner)->name, "conv1.weight");
    parameters_init(owner, 3);
    parameters_init(alone, 3);
    Program *large = program_compile(owner, &(Plan){ 0 }, PURPOSE_training, BATCH);
    Program *inference = program_compile(owner, &(Plan){ 0 }, PURPOSE_inference, BATCH);
    parameters_borrow(borrower, owner);
    assert_ptr_equal(network_parameters(borrower), network_parameters(owner));
    Program *small = program_compile(borrower, &(Plan){ 0 }, PURPOSE_training, BATCH);
    Program *reference = program_compile(alone, &(Plan){ 0 }, PURPOSE_training, BATCH);
    memset(program_image(inference), 0, BATCH * 3 * 32 * 32 * sizeof(float));
    program_forward(inference);
    float before[BATCH * CLASSES];
    memcpy(before, program_logits(inference), sizeof before);
    run_once(small, 16);
    run_once(reference, 16);
    expect_close("logits", BATCH * CLASSES, program_logits(small), program_logits(reference));
    expect_same_step(borrower, alone);
    program_forward(inference);      /* with the statistics that the small images moved */
    assert_true(memcmp(before, program_logits(inference), sizeof before) != 0);
    run_once(large, 32);
    program_free(large);
    program_free(inference);
    program_free(small);
    program_free(reference);
    network_free(borrower);
    network_free(owner);
    network_free(alone);
    network_free(other);
}

/* ---- runs ---- */

enum { RUN_EPOCHS = 4, RUN_BATCHES = 3 };

static TrainerOptions staged(const char *path, const char *sizes, Seen *seen)
{
    Error error;
    TrainerOptions options = tiny_options("efficientnet_lite0", path, seen);
    options.data.side = 32;
    options.data.limit = 27;
    options.batch = 8;
    options.epochs = RUN_EPOCHS;
    assert_true(stage_sizes_parse(sizes, &options.train_sizes, &error));
    return options;
}

/* In each stage, at its first step and at its end; the last stage is the full size. */
static void test_resume_in_each_stage(void **state)
{
    (void)state;
    static const uint64_t stops[] = { 1, 2 * RUN_BATCHES, 2 * RUN_BATCHES + 1, 3 * RUN_BATCHES + 2 };
    static const char sizes[] = "16:2,24:1";
    char whole[256], parts[256];
    Seen seen = { 0 };
    Error error;
    TrainerOptions options = staged(scratch_path(whole, folder, "whole"), sizes, &seen);
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "whole");
    assert_int_equal(seen.steps, RUN_EPOCHS * RUN_BATCHES);
    assert_non_null(strstr(seen.notes, "sizes of the training images: 16 in epochs 1 to 2, 24 in epochs 3 to 3, 32 from epoch 4 on; validation at 32"));
    assert_non_null(strstr(seen.notes, "epoch 3: training images are 24 x 24 from here on"));
    assert_non_null(strstr(seen.notes, "epoch 4: training images are 32 x 32 from here on"));
    scratch_path(parts, folder, "parts");
    for (size_t i = 0; i <= sizeof stops / sizeof *stops; i++) {
        Seen part = { 0 };
        options = staged(parts, sizes, &part);
        options.most_steps = i < sizeof stops / sizeof *stops ? stops[i] : 0;
        options.resume = i > 0;
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "part");
    }
    tiny_expect_same(whole, parts, "last.safetensors");
    tiny_expect_same(whole, parts, "best.safetensors");
    assert_int_equal(tiny_lines(parts, "log.jsonl"), RUN_EPOCHS);

    Seen again = { 0 };
    options = staged(parts, "16:2,32", &again);
    options.resume = true;
    tiny_expect_code(tiny_train(&options, &error), EXIT_usage, &error, "other sizes");
    assert_non_null(strstr(error.text, "--train-img-size was 16:2,24:1 and is 16:2,32"));
}

/* Of the memory that a run works in, as it tells it. */
static long mib_of(const char *notes)
{
    const char *at = strstr(notes, "plan default, ");
    assert_non_null(at);
    return strtol(at + strlen("plan default, "), NULL, 10);
}

/* The programs of the smaller sizes work where that of the full size does. */
static void test_memory(void **state)
{
    (void)state;
    static const char *const sizes[] = { "", "16:1,24:1" };
    long mib[2];
    for (int i = 0; i < 2; i++) {
        char name[8], path[256];
        Seen seen = { 0 };
        Error error;
        snprintf(name, sizeof name, "mib%d", i);
        TrainerOptions options = staged(scratch_path(path, folder, name), sizes[i], &seen);
        options.most_steps = 1;
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, name);
        mib[i] = mib_of(seen.notes);
    }
    assert_in_range(mib[0], 10, 1000);
    assert_int_equal(mib[0], mib[1]);
}

/* Sizes change what is learned; what is frozen stays so at every size, and thaws at every size. */
static void test_frozen_at_every_size(void **state)
{
    (void)state;
    char whole[256], parts[256];
    Error error;
    for (int run = 0; run < 3; run++) {      /* whole; to step 4; the rest */
        Seen seen = { 0 };
        TrainerOptions options = staged(run ? scratch_path(parts, folder, "thaw1") : scratch_path(whole, folder, "thaw0"), "16:1,24:2", &seen);
        options.fine_tune = (FineTuneOptions){ .freeze = "all-but-head", .unfreeze_epoch = 2 };
        options.most_steps = run == 1 ? RUN_BATCHES + 1 : 0;
        options.resume = run == 2;
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "frozen");
    }
    tiny_expect_same(whole, parts, "last.safetensors");
}

/* ---- through the programs ---- */

static void test_programs(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "train resnet18 --data shapes --limit 20 -b 8 --threads 1 --epochs 2 --max-steps 3 --img-size 16 --train-img-size 8:1 --output staged", 0, NULL,
          "sizes of the training images: 8 in epochs 1 to 1, 16 from epoch 2 on; validation at 16" },
        { "evaluate staged/last.safetensors --data shapes --limit 20 --threads 1 -q", 0, "of 20 images", NULL },
        { "train resnet18 --data shapes --limit 20 -b 8 --threads 1 --epochs 2 --img-size 96 --train-img-size 40%:50% --output stem", 0, NULL,      /* 38 pixels, with the stem of 96 */
          "38 in epochs 1 to 1, 96 from epoch 2 on" },
        { "train resnet18 --data shapes --limit 20 -b 8 --threads 1 --epochs 1 --img-size 16 --train-img-size 50%:40% --output short", 0, NULL,
          "8 never, for its share is no whole epoch, 16 from epoch 1 on" },
        { "train resnet18 --data shapes --limit 20 -b 8 --threads 1 --img-size 16 --train-img-size 50%:50% --max-time 5s --output timed", 0, NULL,
          "training images are 16 x 16 from here on" },
        { "train convnext_atto --data shapes --limit 20 -b 8 --threads 1 --epochs 2 --img-size 72 --train-img-size 30%:50% --output patches", 0, NULL,
          "32 in epochs 1 to 1, 72 from epoch 2 on" },      /* 22 were too few for patches of 4 x 4 */
        { "train convnext_atto --data shapes --limit 20 -b 8 --threads 1 --img-size 16 --epochs 3 --output grows", 0, NULL,      /* its recipe */
          "sizes of the training images: 8 in epochs 1 to 1, 12 in epochs 2 to 2, 16 from epoch 3 on; validation at 16" },
        { "evaluate grows/last.safetensors --data shapes --limit 20 --threads 1 -q", 0, "of 20 images", NULL },
        { "summary grows | grep features.0.0", 0, " 3x3 pad 1 ", NULL },
        { NULL, 0, NULL, NULL },
    };
    static const Case mistakes[] = {
        { "train lenet --data shapes --limit 64 --train-img-size 16:1 -q --output x", 2, NULL,
          "lenet cannot be trained at this size: --train-img-size 16: " },
        { "train baseline --data shapes --limit 64 --train-img-size 24:1 -q --output x", 2, NULL,
          "baseline cannot be trained at this size: --train-img-size 24: classifier.1.weight is not what it is at 32: use an architecture that ends in a pool" },
        { "train convnext_atto --data shapes --limit 64 --img-size 72 --train-img-size 20:1 -q --output x", 2, NULL,
          "convnext_atto cannot be trained at this size: --train-img-size 20: image of 20 x 20: convnext_atto takes square images of side 32 or more" },
        { "train alexnet --data shapes --limit 64 --img-size 72 --train-img-size 24:1 -q --output x", 2, NULL, "takes square images of side 63 or more" },
        { "train lenet --data shapes --limit 64 --train-img-size 16: -q --output x", 2, NULL, "bad value '16:': --train-img-size" },
        { "train lenet --data shapes --limit 64 --train-img-size 16:60%,24:50% -q --output x", 2, NULL, "the shares of the run are 110%: use at most 100%" },
        { "train resnet18 --data shapes --limit 64 --train-img-size 16:1 --max-time 1m -q --output x", 2, NULL, "--max-time and --train-img-size: give shares" },
        { NULL, 0, NULL, NULL },
    };
    for (const Case *c = cases; c->command; c++)
        check(c);
    for (const Case *c = mistakes; c->command; c++)
        check_mistake(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_sizes_of_epochs),
        cmocka_unit_test(test_sides),
        cmocka_unit_test(test_borrowed_parameters),
        cmocka_unit_test(test_resume_in_each_stage),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_frozen_at_every_size),
        cmocka_unit_test(test_programs),
    };
    return cmocka_run_group_tests(tests, commands_setup, commands_teardown);
}
