/* test_fine_tune.c - runs that start from another's weights and leave a part of them alone, and settings that shape a network: what
 * moves, what does not, and that a run that is stopped and goes on leaves the same bytes. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "safetensors.h"
#include "scratch.h"
#include "tiny_run.h"

static char pretrained[256];

static void run_options(const TrainerOptions *options, const char *name)
{
    Error error;
    tiny_expect_code(tiny_train(options, &error), EXIT_ok, &error, name);
}

static TrainerOptions tuned(const char *path, bool whiten, Seen *seen)
{
    TrainerOptions options = tiny_options("baseline", path, seen);
    options.seed = 7;
    if (whiten)
        options.fine_tune.whiten = 0.01f;
    else
        options.fine_tune = (FineTuneOptions){ .checkpoint = pretrained, .freeze = "all-but-head", .unfreeze_epoch = 1 };
    return options;
}

static bool same_tensor(const Safetensors *a, const Safetensors *b, const SafetensorsEntry *entry)
{
    const SafetensorsEntry *other = safetensors_find(b, entry->name);
    if (!other || other->end - other->begin != entry->end - entry->begin)
        return false;
    if (entry->dtype == DTYPE_I64) {
        int64_t x, y;
        assert_true(safetensors_read_i64(a, entry, &x, NULL) && safetensors_read_i64(b, other, &y, NULL));
        return x == y;
    }
    const size_t bytes = entry->end - entry->begin;
    float *x = malloc(bytes), *y = malloc(bytes);
    assert_true(safetensors_read_f32(a, entry, x, NULL) && safetensors_read_f32(b, other, y, NULL));
    const bool same = !memcmp(x, y, bytes);
    free(x);
    free(y);
    return same;
}

/* Compares the tensors of the network in two files: how many moved, of the head and of the body. */
static void compare(const char *before, const char *after, int *head, int *body)
{
    Safetensors *a = safetensors_open(before, NULL), *b = safetensors_open(after, NULL);
    assert_true(a && b);
    *head = *body = 0;
    for (size_t i = 0; i < safetensors_count(a); i++) {
        const SafetensorsEntry *entry = safetensors_entry(a, i);
        if (!strncmp(entry->name, "optimizer.", 10))
            continue;
        const bool moved = !same_tensor(a, b, entry);
        *head += moved && !strncmp(entry->name, "classifier.4.", 13);
        *body += moved && strncmp(entry->name, "classifier.4.", 13);
    }
    safetensors_close(a);
    safetensors_close(b);
}

/* Weights, statistics and counters of what is frozen keep their bytes, whatever the optimiser; later they move. */
static void frozen_stays(void **state)
{
    (void)state;
    static const struct { const char *optimizer, *freeze; int unfreeze, head, body; } cases[] = {
        { "adamw", "all-but-head", 0, 2, 0 },
        { "sgd",   "all-but-head", 2, 2, 18 },      /* a linear layer of 2, convolutions of 1, norms of 5: 20, but for what happens to be 0 */
        { "sgd",   "classifier",   0, 0, 16 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[256], before[256], after[256];
        int head, body;
        Seen seen = { 0 };
        Error error;
        TrainerOptions options = tuned(scratch_path(path, folder, "tuned"), false, &seen);
        assert_true(optimizer_parse(cases[i].optimizer, "--opt", &options.optimizer.kind, &error));
        options.fine_tune.freeze = cases[i].freeze;
        options.fine_tune.unfreeze_epoch = cases[i].unfreeze;
        run_options(&options, cases[i].freeze);
        assert_non_null(strstr(seen.notes, "started from "));
        assert_non_null(strstr(seen.notes, "the head's rows for all 10 classes are kept"));
        assert_non_null(strstr(seen.notes, cases[i].unfreeze ? "frozen for 2 epochs: " : "frozen: "));
        assert_true((strstr(seen.notes, "epoch 3: all parameters are trained from here on") != NULL) == (cases[i].unfreeze > 0));
        compare(scratch_path(before, pretrained, "best.safetensors"), scratch_path(after, path, "last.safetensors"), &head, &body);
        if (head != cases[i].head || (cases[i].body ? body < cases[i].body : body > 0))
            fail_msg("%zu: %d tensors of the head moved and %d of the body, expected %d and %d", i, head, body, cases[i].head, cases[i].body);
        scratch_remove(path);
    }
}

/* Stopped anywhere, also where it thaws; the file that it began with may be gone by then. */
static void goes_on(void **state)
{
    (void)state;
    static const uint64_t stops[] = { BATCHES - 1, BATCHES };
    for (int whiten = 0; whiten < 2; whiten++) {
        char whole[256];
        Seen seen = { 0 };
        const TrainerOptions options = tuned(scratch_path(whole, folder, "whole"), whiten, &seen);
        run_options(&options, "whole");
        assert_non_null(strstr(seen.notes, whiten ? "the first layer whitens 160 training images (eps 0.01)" : "started from "));
        for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
            char path[256];
            Seen again = { 0 };
            TrainerOptions part = tuned(scratch_path(path, folder, "part"), whiten, &again);
            part.most_steps = stops[i];
            run_options(&part, "begun");
            part.most_steps = 0;
            part.resume = true;
            part.fine_tune.checkpoint = whiten ? NULL : "/nowhere/gone.safetensors";
            run_options(&part, "gone on");
            tiny_expect_same(whole, path, "last.safetensors");
            tiny_expect_same(whole, path, "best.safetensors");
            scratch_remove(path);
        }
        scratch_remove(whole);
    }
}

/* Stopped where only the last validation is left: it measures the average's statistics over a network that is thawed. */
static void goes_on_to_a_validation(void **state)
{
    (void)state;
    static const uint64_t epochs[] = { EPOCHS, EPOCHS - 1, 1 };
    char whole[256], parts[256];
    for (int run = 0; run < 3; run++) {      /* whole; to the last step; the rest */
        Seen seen = { .stop_at = run == 1 ? STEPS : 0 };
        Error error;
        TrainerOptions options = tuned(run ? scratch_path(parts, folder, "pending") : scratch_path(whole, folder, "averaged"), false, &seen);
        options.parts.swa_start = 2;
        options.resume = run == 2;
        tiny_expect_code(tiny_train(&options, &error), run == 1 ? 128 + SIGTERM : EXIT_ok, &error, "averaged");
        assert_int_equal(seen.epochs, epochs[run]);
    }
    tiny_expect_same(whole, parts, "last.safetensors");
    tiny_expect_same(whole, parts, "best.safetensors");
}

/* ---- through the programs ---- */

static void programs(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "train baseline --data shapes --limit 64 -b 16 --threads 1 --epochs 1 -q --bn-eps 0.25 --bn-momentum 0.5 --drop 0.25 --output eps", 0, NULL, NULL },
        { "train baseline --data shapes --limit 64 -b 16 --threads 1 --epochs 1 --init eps --bn-eps 0.25 --output started", 0, NULL,
          "started from eps/best.safetensors: 20 tensors kept; the head's rows for all 10 classes are kept" },
        { "train baseline --data shapes --limit 64 -b 16 --threads 1 --epochs 1 --init eps --freeze 'features.*' --bn-eps 0.25 --output thawed "
          "--unfreeze-epoch 1 --head-lr-mult 10 --param-groups 'bias lr*2'", 0, NULL, "frozen for 1 epochs: " },
        { "train --resume started --init eps", 0, "started/best.safetensors", NULL },
        { "train resnet18 --data shapes --summary --drop-path 0.2 --drop 0.1", 0, "layer4.1.drop_path", "" },
        { "train convnext_atto --data shapes --summary --layer-scale 0.1 --drop-path-rate 0.1", 0, "features.7.1.drop_path", "" },
        { "train efficientnet_lite0 --data shapes --summary --zero-init-last --bn-momentum 0.01", 0, "blocks.6.0", "" },
        { "train baseline --data shapes --summary --identity-init", 0, "features.8", "" },
        { NULL, 0, NULL, NULL },
    };
    static const Case mistakes[] = {
        { "train lenet --data shapes --limit 64 --drop-path 0.1 -q --output x", 2, NULL, "--drop-path changes nothing: lenet: it has no residual block" },
        { "train baseline --data shapes --limit 64 --initial-checkpoint none -q --output x", 3, NULL, "cannot open: none" },
        { "train lenet --data shapes --limit 64 --initial-checkpoint eps -q --output x", 3, NULL, "file does not fit the model: eps/best.safetensors" },
        { "train baseline --data shapes --limit 64 --freeze featurs -q --output x", 2, NULL, "no parameter is named 'featurs': --freeze: " },
        { "train baseline --data shapes --limit 64 --freeze '*' -q --output x", 2, NULL, "nothing is left to train" },
        { "train baseline --data shapes --limit 64 --unfreeze-epoch 2 -q --output x", 2, NULL, "nothing is frozen: --unfreeze-epoch 2" },
        { "train baseline --data shapes --limit 64 --freeze all-but-head --unfreeze-epoch 2 --max-time 9s -q --output x", 2, NULL,
          "steps that become longer: --max-time and --unfreeze-epoch" },
        { "train baseline --data shapes --limit 64 --init eps --whiten 5e-4 -q --output x", 2, NULL, "--whiten and --initial-checkpoint" },
        { "train --resume started --init frozen -q", 2, NULL, "two beginnings: --initial-checkpoint" },
        { "train --resume eps --init eps -q", 2, NULL, "two beginnings: --initial-checkpoint" },
        { "train baseline --data shapes --limit 64 --drop 1 -q --output x", 2, NULL, "--drop" },
        { NULL, 0, NULL, NULL },
    };
    for (const Case *c = cases; c->command; c++)
        check(c);
    for (const Case *c = mistakes; c->command; c++)
        check_mistake(c);
}

/* evaluate builds the network with the checkpoint's eps: the loss is the one that the log has. */
static void eps_is_kept(void **state)
{
    (void)state;
    char *out, *err, path[256];
    assert_int_equal(run("evaluate eps --data shapes --limit 64 --threads 1 --split val --json -q", &out, &err), 0);
    const char *loss = strstr(out, "\"loss\": ");
    char *log = scratch_read(scratch_path(path, folder, "eps/log.jsonl"), &(size_t){ 0 });
    const char *logged = log ? strstr(log, "\"val_loss\": ") : NULL;
    assert_true(loss && logged);
    const double got = atof(loss + 8), expected = atof(logged + 12);
    if (!(got > 0) || got / expected > 1.0001 || got / expected < 0.9999)
        fail_msg("loss %g, in the log %g", got, expected);
    free(out);
    free(err);
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frozen_stays), cmocka_unit_test(goes_on), cmocka_unit_test(goes_on_to_a_validation), cmocka_unit_test(programs), cmocka_unit_test(eps_is_kept),
    };
    scratch_new(folder);
    scratch_path(pretrained, folder, "pretrained");
    tiny_run_whole("baseline", pretrained);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    return failed;
}
