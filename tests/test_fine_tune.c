/* test_fine_tune.c - runs that start from another's weights, and settings that shape a network: a run that is stopped and goes on
 * leaves the same bytes. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
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
        options.fine_tune.checkpoint = pretrained;
    return options;
}

/* Stopped anywhere; the file that it began with may be gone by then. */
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

/* ---- through the programs ---- */

static void programs(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "train baseline --data shapes --limit 64 -b 16 --threads 1 --epochs 1 -q --bn-eps 0.25 --bn-momentum 0.5 --drop 0.25 --output eps", 0, NULL, NULL },
        { "train baseline --data shapes --limit 64 -b 16 --threads 1 --epochs 1 --init eps --bn-eps 0.25 --output started", 0, NULL,
          "started from eps/best.safetensors: 20 tensors kept; the head's rows for all 10 classes are kept" },
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
        { "train baseline --data shapes --limit 64 --init eps --whiten 5e-4 -q --output x", 2, NULL, "--whiten and --initial-checkpoint" },
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
        cmocka_unit_test(goes_on), cmocka_unit_test(programs), cmocka_unit_test(eps_is_kept),
    };
    scratch_new(folder);
    scratch_path(pretrained, folder, "pretrained");
    tiny_run_whole("baseline", pretrained);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    return failed;
}
