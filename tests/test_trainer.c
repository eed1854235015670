/* test_trainer.c - a run leaves the same bytes wherever it was interrupted, and ends as it should when something is wrong. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "safetensors.h"
#include "scratch.h"
#include "tiny_run.h"

/* ---- interrupted or not: the same bytes ---- */

static void test_resume_gives_the_same_bytes(void **state)
{
    (void)state;
    static const struct { const char *arch; uint64_t stops[4]; bool by_signal; } cases[] = {
        { "lenet",    { 2, 7, 13 },        false },   /* in the first epoch, in a later one, in the last */
        { "lenet",    { 5, 10 },           false },   /* between epochs */
        { "lenet",    { 1, 4, 9, 14 },     true  },
        { "baseline", { 3, 8 },            true  },   /* batch norm's statistics, dropout's random numbers */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char root[256], whole[256], parts[256];
        scratch_new(root);
        scratch_path(whole, root, "whole");
        scratch_path(parts, root, "parts");
        tiny_run_whole(cases[i].arch, whole);
        for (int part = 0; part <= 4; part++) {
            const uint64_t stop = part < 4 ? cases[i].stops[part] : 0;
            Seen seen = { .stop_at = cases[i].by_signal ? stop : 0 };
            Error error;
            TrainerOptions options = tiny_options(cases[i].arch, parts, &seen);
            options.resume = part > 0;
            options.most_steps = cases[i].by_signal ? 0 : stop;
            tiny_expect_code(tiny_train(&options, &error), stop && cases[i].by_signal ? 128 + SIGTERM : EXIT_ok, &error, cases[i].arch);
            if (stop && cases[i].by_signal)
                assert_non_null(strstr(error.text, "--resume"));
            if (stop == 0)
                break;
        }
        tiny_expect_same(whole, parts, "last.safetensors");
        tiny_expect_same(whole, parts, "best.safetensors");
        assert_int_equal(tiny_lines(parts, "log.jsonl"), EPOCHS);
        scratch_remove(root);
    }
}

/* What a run leaves whose process was killed before its last save. */
static void lose_last(const char *folder)
{
    char previous[256], last[256];
    scratch_path(previous, folder, "prev.safetensors");
    assert_int_equal(rename(previous, scratch_path(last, folder, "last.safetensors")), 0);
}

/* A process that was killed leaves a checkpoint of an earlier step and a log that is ahead of it. */
static void test_resume_after_a_kill(void **state)
{
    (void)state;
    char root[256], whole[256], killed[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    tiny_run_whole("lenet", scratch_path(whole, root, "whole"));
    tiny_run_whole("lenet", scratch_path(killed, root, "killed"));
    lose_last(killed);

    TrainerOptions options = tiny_options("lenet", killed, &seen);
    options.resume = true;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "after a kill");
    assert_int_equal(seen.steps, BATCHES);
    tiny_expect_same(whole, killed, "last.safetensors");
    tiny_expect_same(whole, killed, "best.safetensors");
    assert_int_equal(tiny_lines(killed, "log.jsonl"), EPOCHS);
    scratch_remove(root);
}

static void test_resume_from_the_one_before(void **state)
{
    (void)state;
    char root[256], whole[256], torn[256], path[256];
    Seen seen = { 0 };
    Error error;
    size_t count;
    scratch_new(root);
    tiny_run_whole("lenet", scratch_path(whole, root, "whole"));
    tiny_run_whole("lenet", scratch_path(torn, root, "torn"));
    char *bytes = scratch_read(scratch_path(path, torn, "last.safetensors"), &count);
    assert_non_null(bytes);
    scratch_write(path, bytes, count / 2);
    free(bytes);

    TrainerOptions options = tiny_options("lenet", torn, &seen);
    options.resume = true;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "torn last.safetensors");
    assert_non_null(strstr(seen.notes, "prev.safetensors"));
    tiny_expect_same(whole, torn, "last.safetensors");
    scratch_remove(root);
}

/* The damaged one does not take the place of the one before. */
static void test_the_one_before_stays_good(void **state)
{
    (void)state;
    char root[256], folder[256], path[256];
    Seen seen = { 0 };
    Error error;
    size_t count, kept_count;
    scratch_new(root);
    tiny_run_whole("lenet", scratch_path(folder, root, "run"));
    char *kept = scratch_read(scratch_path(path, folder, "prev.safetensors"), &kept_count);
    char *bytes = scratch_read(scratch_path(path, folder, "last.safetensors"), &count);
    bytes[count - 50] ^= 1;
    scratch_write(path, bytes, count);

    TrainerOptions options = tiny_options("lenet", folder, &seen);
    options.resume = true;
    options.most_steps = STEPS - BATCHES + 1;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "a bit turned over in last.safetensors");
    assert_non_null(strstr(seen.notes, "because of"));
    assert_true(scratch_holds(scratch_path(path, folder, "prev.safetensors"), kept, kept_count));
    free(kept);
    free(bytes);
    scratch_remove(root);
}

static void test_finished_run_says_so(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    tiny_run_whole("lenet", scratch_path(folder, root, "run"));
    TrainerOptions options = tiny_options("lenet", folder, &seen);
    options.resume = true;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "finished");
    assert_int_equal(seen.steps, 0);
    assert_non_null(strstr(seen.notes, "finished already"));
    scratch_remove(root);
}

/* ---- refusals ---- */

static void change_lr(TrainerOptions *options)        { options->lr = 0.02f; }
static void change_seed(TrainerOptions *options)      { options->seed = 1; }
static void change_arch(TrainerOptions *options)      { Error error; options->arch = architecture_find("baseline", &error); }
static void change_optimizer(TrainerOptions *options) { options->optimizer.kind = OPTIMIZER_adamw; }
static void change_limit(TrainerOptions *options)     { options->data.limit = 170; }
static void start_again(TrainerOptions *options)      { options->resume = false; }

static void test_refusals(void **state)
{
    (void)state;
    static const struct { void (*change)(TrainerOptions *options); int code; const char *text; } cases[] = {
        { change_lr,        EXIT_usage,  "--lr was 0.01 and is 0.02" },
        { change_seed,      EXIT_usage,  "--seed was 42 and is 1" },
        { change_arch,      EXIT_usage,  "--arch was lenet and is baseline" },
        { change_optimizer, EXIT_usage,  "--opt was muon and is adamw" },
        { change_limit,     EXIT_usage,  "--limit was 180 and is 170" },
        { start_again,      EXIT_folder, "not empty" },
    };
    char root[256], folder[256];
    scratch_new(root);
    tiny_run_whole("lenet", scratch_path(folder, root, "run"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Seen seen = { 0 };
        Error error;
        TrainerOptions options = tiny_options("lenet", folder, &seen);
        options.resume = true;
        cases[i].change(&options);
        tiny_expect_code(tiny_train(&options, &error), cases[i].code, &error, cases[i].text);
        if (!strstr(error.text, cases[i].text))
            fail_msg("'%s', expected '%s'", error.text, cases[i].text);
    }
    scratch_remove(root);
}

static void test_no_run_to_resume(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "nothing"), &seen);
    options.resume = true;
    tiny_expect_code(tiny_train(&options, &error), EXIT_input, &error, "nothing to resume");
    assert_non_null(strstr(error.text, "no run to resume"));
    assert_false(scratch_exists(folder));
    scratch_remove(root);
}

static void test_folder_in_use(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
    Trainer *first = trainer_open(&options, &error);
    assert_non_null(first);
    assert_null(trainer_open(&options, &error));
    assert_int_equal(error.code, EXIT_folder);
    trainer_close(first);
    scratch_remove(root);
}

/* ---- when it goes wrong under way ---- */

static void test_divergence_keeps_the_last_finite_checkpoint(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
    /* Ordinary in the first epoch, beyond all bounds in the second. */
    options.schedule = SCHEDULE_step;
    options.decay_epochs = 1.0;
    options.decay_rate = 1e20f;
    options.warmup_epochs = 0.0;
    tiny_expect_code(tiny_train(&options, &error), EXIT_diverged, &error, "lr 1e18");
    assert_non_null(strstr(error.text, " at step "));
    assert_non_null(strstr(error.text, " (epoch 2, "));
    assert_non_null(strstr(error.text, "first not finite: "));
    assert_non_null(strstr(error.text, "--lr"));
    assert_non_null(strstr(error.text, "kept last.safetensors of step 5"));

    options.resume = true;
    options.most_steps = BATCHES;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "what was kept");
    assert_non_null(strstr(seen.notes, "going on at step 5 of 15"));
    scratch_remove(root);
}

/* A statistic or a state of the optimizer that is not finite ends the run as a loss does, wherever it stops. */
static void test_state_that_diverges(void **state)
{
    (void)state;
    static const struct { const char *arch; OptimizerKind kind; float lr; uint64_t stop; } cases[] = {
        { "lenet",    OPTIMIZER_adamw, 1e4f, 2 },
        { "baseline", OPTIMIZER_sgd,   1e3f, 3 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char root[256], folder[256];
        Seen seen = { 0 };
        Error error;
        scratch_new(root);
        TrainerOptions options = tiny_options(cases[i].arch, scratch_path(folder, root, "run"), &seen);
        options.optimizer.kind = cases[i].kind;
        options.optimizer.clip_norm = 0.0f;
        options.lr = cases[i].lr;
        options.warmup_epochs = 0.0;
        options.most_steps = cases[i].stop;
        const int code = tiny_train(&options, &error);
        assert_true(code == EXIT_diverged || code == EXIT_ok);
        if (code == EXIT_ok) {      /* then it can go on */
            options.resume = true;
            tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, cases[i].arch);
        } else {
            assert_false(tiny_has(folder, "last.safetensors"));
        }
        scratch_remove(root);
    }
}

/* Lines of epochs that the checkpoint does not know are gone as soon as the run goes on. */
static void test_log_follows_the_checkpoint(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    tiny_run_whole("lenet", scratch_path(folder, root, "run"));
    lose_last(folder);
    TrainerOptions options = tiny_options("lenet", folder, &seen);
    options.resume = true;
    options.most_steps = STEPS - 1;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "on from the second epoch");
    assert_int_equal(tiny_lines(folder, "log.jsonl"), EPOCHS - 1);
    scratch_remove(root);
}

/* A disk that refuses every checkpoint does not end the training; the exit code tells. */
static void test_disk_full(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Error error;
    struct rlimit before, small;
    scratch_new(root);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){ .rlim_cur = 20000, .rlim_max = before.rlim_max };
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
    options.save_steps = 2;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const int code = tiny_train(&options, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    tiny_expect_code(code, EXIT_write, &error, "disk full");
    assert_int_equal(seen.steps, STEPS);
    assert_int_equal(seen.epochs, EPOCHS);
    const char *warning = strstr(seen.notes, "warning:");
    assert_non_null(warning);
    assert_null(strstr(warning + 1, "warning:"));
    assert_false(tiny_has(folder, "last.safetensors") || tiny_has(folder, "last.safetensors.tmp"));
    scratch_remove(root);
}

/* So many names of classes, as the checkpoint has them. */
static void list_classes(const Trainer *trainer, int count, char *text, size_t size)
{
    snprintf(text, size, "[");
    for (int i = 0; i < count; i++)
        snprintf(text + strlen(text), size - strlen(text), "%s\"%s\"", i ? "," : "", i < trainer->info.class_count ? trainer->info.classes[i] : "one more");
    snprintf(text + strlen(text), size - strlen(text), "]");
}

/* Too few names, or too many, were edited into the checkpoint: it is refused. */
static void test_damaged_names(void **state)
{
    (void)state;
    static const int counts[] = { 9, 11 };
    char root[256], folder[256], path[256], names[2][1024], expected[64];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
    options.most_steps = 2;
    Trainer *trainer = trainer_open(&options, &error);
    assert_non_null(trainer);
    tiny_expect_code(trainer_run(trainer, &error), EXIT_ok, &error, "to be edited");
    for (int i = 0; i < 2; i++)
        list_classes(trainer, counts[i], names[i], sizeof names[i]);
    trainer_close(trainer);
    options.resume = true;
    for (int i = 0; i < 2; i++) {
        snprintf(expected, sizeof expected, "it names %d classes, and its network has 10", counts[i]);
        assert_true(safetensors_set_metadata(scratch_path(path, folder, "last.safetensors"), &(SafetensorsText){ "classes", names[i] }, 1, &error));
        tiny_expect_code(tiny_train(&options, &error), EXIT_input, &error, expected);
        assert_non_null(strstr(error.text, expected));
    }
    scratch_remove(root);
}

/* ---- small data, other options ---- */

static void test_fewer_images_than_a_batch(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
    options.data.limit = 30;
    options.batch = 4096;
    options.most_steps = 1;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "30 images, batch 4096");
    options.most_steps = 0;
    options.resume = true;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "30 images, batch 4096, resumed");
    assert_int_equal(seen.steps, EPOCHS);
    scratch_remove(root);
}

/* A rate is scaled for the batch that there is, not for one that was only asked for. */
static void test_scaled_rates(void **state)
{
    (void)state;
    static const struct { int asked, accumulate, used; } cases[] = {      /* used: images a step */
        { 4096, 1, 30 }, { 15, 1, 15 }, { 0, 1, 10 }, { 5, 2, 10 }, { 5, 4, 20 }, { 5, 100, 30 }, { 0, 3, 30 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Seen seen = { 0 };
        Error error;
        TrainerOptions options = tiny_options("lenet", NULL, &seen);
        options.trial = true;
        options.data.limit = 30;
        options.batch = cases[i].asked;
        options.parts.accumulate = cases[i].accumulate;
        options.usual_batch = 10;
        options.lr_scaling = LR_SCALING_linear;
        Trainer *trainer = trainer_open(&options, &error);
        assert_non_null(trainer);
        assert_float_equal(trainer->options.lr, options.lr * (float)cases[i].used / 10.0f, 1e-7);
        trainer_close(trainer);
    }
}

/* A hundred steps on a hundred images: the network must learn them. */
static void test_it_learns(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
    options.data.limit = 100;
    options.batch = 50;
    options.epochs = 60;
    options.no_augment = true;
    options.optimizer.kind = OPTIMIZER_adamw;
    options.optimizer.weight_decay = 0.0f;
    options.lr = 3e-3f;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "a hundred images");
    assert_true(seen.train_top1 > 0.9);
    scratch_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume_gives_the_same_bytes),
        cmocka_unit_test(test_resume_after_a_kill),
        cmocka_unit_test(test_resume_from_the_one_before),
        cmocka_unit_test(test_the_one_before_stays_good),
        cmocka_unit_test(test_log_follows_the_checkpoint),
        cmocka_unit_test(test_finished_run_says_so),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_run_to_resume),
        cmocka_unit_test(test_folder_in_use),
        cmocka_unit_test(test_divergence_keeps_the_last_finite_checkpoint),
        cmocka_unit_test(test_state_that_diverges),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_damaged_names),
        cmocka_unit_test(test_fewer_images_than_a_batch),
        cmocka_unit_test(test_scaled_rates),
        cmocka_unit_test(test_it_learns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
