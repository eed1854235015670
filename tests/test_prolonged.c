/* test_prolonged.c - a run that goes on for another number of epochs, and what a network holds after its run. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run_settings.h"
#include "scratch.h"
#include "tiny_run.h"

/* A finished run, or a running one, goes on; interrupted or not, to the same bytes, and at the rates of the new number. */
static void test_prolonged(void **state)
{
    (void)state;
    enum { MORE = EPOCHS + 2 };
    static const uint64_t begun[] = { STEPS, STEPS - 2, BATCHES };      /* finished, in an epoch, between two */
    for (size_t i = 0; i < sizeof begun / sizeof *begun; i++) {
        char root[256], folders[2][256];
        scratch_new(root);
        for (int parts = 1; parts <= 2; parts++) {
            char *folder = folders[parts - 1], path[256];
            Seen seen = { 0 };
            Error error;
            RunState saved;
            TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, parts == 1 ? "one" : "two"), &seen);
            options.most_steps = begun[i];
            options.arguments = "{}\n";
            tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "to be prolonged");

            options.resume = true;
            options.epochs = MORE;
            options.arguments = "{\"epochs\": 5}\n";
            options.most_steps = parts == 2 ? STEPS + 1 : 0;
            tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "prolonged");
            assert_non_null(strstr(seen.notes, "--epochs was 3 and is 5: from here the learning rate is that of a run of 5 epochs"));
            if (parts == 2) {
                seen.notes[0] = '\0';
                options.most_steps = 0;
                tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "and on");
                assert_null(strstr(seen.notes, "--epochs was"));
            }
            assert_int_equal(seen.steps, MORE * BATCHES);
            assert_int_equal(tiny_lines(folder, "log.jsonl"), MORE);
            assert_true(scratch_holds(scratch_path(path, folder, "args.json"), options.arguments, strlen(options.arguments)));
            Trainer *trainer = trainer_open(&options, &error);
            assert_non_null(trainer);
            saved = trainer->state;
            assert_int_equal(run_settings_epochs(saved.settings), MORE);
            assert_true(trainer_finished(trainer));
            trainer_close(trainer);
        }
        tiny_expect_same(folders[0], folders[1], "last.safetensors");
        tiny_expect_same(folders[0], folders[1], "best.safetensors");
        scratch_remove(root);
    }
}

/* No epoch that was begun is taken back. */
static void test_shortened(void **state)
{
    (void)state;
    static const struct { uint64_t begun; int epochs, code, steps; } cases[] = {
        { BATCHES + 2,     1, EXIT_usage, 0 },
        { BATCHES + 2,     2, EXIT_ok,    BATCHES - 2 },
        { 2 * BATCHES,     2, EXIT_ok,    0 },
        { 2 * BATCHES,     1, EXIT_usage, 0 },
        { STEPS,           2, EXIT_usage, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char root[256], folder[256];
        Seen seen = { 0 };
        Error error;
        scratch_new(root);
        TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
        options.most_steps = cases[i].begun;
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "to be shortened");
        seen = (Seen){ 0 };
        options.resume = true;
        options.most_steps = 0;
        options.epochs = cases[i].epochs;
        tiny_expect_code(tiny_train(&options, &error), cases[i].code, &error, "shortened");
        assert_int_equal(seen.steps, cases[i].steps);
        if (cases[i].code == EXIT_usage)
            assert_non_null(strstr(error.text, "cannot end before what is done"));
        else
            assert_non_null(strstr(seen.notes, "--epochs was 3 and is 2"));
        scratch_remove(root);
    }
}

/* A run that was planned for a time keeps its plan: another number of epochs is refused, not left unheard. */
static void test_planned(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
    options.max_seconds = 1000.0;
    options.most_steps = 2;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "planned");
    options.resume = true;
    options.most_steps = 3;
    options.epochs++;
    tiny_expect_code(tiny_train(&options, &error), EXIT_usage, &error, "planned, other epochs");
    assert_non_null(strstr(error.text, "leave --epochs out"));
    options.epochs--;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "planned, the same epochs");
    scratch_remove(root);
}

/* best.safetensors is read back at the end; the network keeps what last.safetensors holds. */
static void test_the_network_keeps_the_last_weights(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = tiny_options("baseline", scratch_path(folder, root, "run"), &seen);
    options.data.side = 0;                 /* of 32 x 32 pixels the first epoch learns something */
    options.optimizer = (OptimizerOptions){ .kind = OPTIMIZER_sgd, .momentum = 0.9f, .weight_decay = 5e-4f, .eps = 1e-8f };
    options.schedule = SCHEDULE_step;      /* after the first epoch next to nothing: that one stays the best */
    options.warmup_epochs = 0.0;
    options.decay_epochs = 1.0;
    options.decay_rate = 1e-4f;
    options.epochs = 2;
    Trainer *trainer = trainer_open(&options, &error);
    assert_non_null(trainer);
    assert_int_equal(trainer_run(trainer, &error), EXIT_ok);
    WeightsCopy after = { 0 };
    weights_copy_take(&after, trainer->network);
    const Parameters *p = network_parameters(trainer->network);
    const size_t bytes = p->total * sizeof(float);
    assert_true(checkpoint_load(trainer->folder->files[RUN_last], trainer->network, NULL, NULL, NULL, &error));
    assert_memory_equal(after.values, p->values, bytes);
    assert_int_equal(after.counters[0], 2 * BATCHES);
    assert_true(checkpoint_load(trainer->folder->files[RUN_best], trainer->network, NULL, NULL, NULL, &error));
    assert_true(memcmp(after.values, p->values, bytes) != 0);
    weights_copy_free(&after);
    trainer_close(trainer);
    scratch_remove(root);
}

/* Without its checkpoints a run cannot go on. It is not begun anew over its log and its best weights; one that was killed in its first
 * epoch is, which may have left either. */
static void test_checkpoints_taken_away(void **state)
{
    (void)state;
    static const char *const gone[] = { "last.safetensors", "prev.safetensors" };
    char root[256], folder[256], whole[256], path[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    tiny_run_whole("lenet", scratch_path(whole, root, "whole"));
    tiny_run_whole("lenet", scratch_path(folder, root, "run"));
    for (int i = 0; i < 2; i++)
        assert_int_equal(unlink(scratch_path(path, folder, gone[i])), 0);
    TrainerOptions options = tiny_options("lenet", folder, &seen);
    options.resume = true;
    options.arguments = "{}\n";
    tiny_expect_code(tiny_train(&options, &error), EXIT_input, &error, "without checkpoints");
    assert_non_null(strstr(error.text, "no checkpoint to go on from"));
    assert_int_equal(tiny_lines(folder, "log.jsonl"), EPOCHS);
    tiny_expect_same(whole, folder, "best.safetensors");
    assert_false(tiny_has(folder, "last.safetensors"));

    scratch_write(scratch_path(path, folder, "log.jsonl"), "{}\n", 3);
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "killed in its first epoch");
    assert_non_null(strstr(seen.notes, "no checkpoint yet"));
    tiny_expect_same(whole, folder, "last.safetensors");
    scratch_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prolonged),
        cmocka_unit_test(test_shortened),
        cmocka_unit_test(test_planned), cmocka_unit_test(test_checkpoints_taken_away),
        cmocka_unit_test(test_the_network_keeps_the_last_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
