/* test_ranks.c - several processes train what one process trains: the same losses, and where that is promised the same bytes. */

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
#include "program.h"
#include "rank_runs.h"
#include "scratch.h"

static int starters;

/* A run by so many ranks, in a folder of its own. */
static void train_in(const char *dir, const RankStarter *starter, int ranks, int threads, const char *arguments)
{
    char line[1024];
    snprintf(line, sizeof line, "%s --threads %d --output %s -q", arguments, threads, dir);
    rank_runs_well(starter, ranks, line);
}

static void forget(const char *dir)
{
    char line[128], *out, *err;
    snprintf(line, sizeof line, "rm -rf %s", dir);
    assert_int_equal(run(line, &out, &err), 0);
    free(out);
    free(err);
}

/* ---- losses ---- */

/* The first epoch is one step, of weights that no gradient has touched. What bf16 loses shows later. For Muon and AdamW the scale of gradients is
 * nothing: it shows with SGD. */
typedef struct LossCase {
    const char *arguments, *more;      /* more: of several ranks alone */
    int         ranks[4];              /* ends with 0 */
    int         epochs;
    double      first, last;           /* the most that losses of the first and of later epochs differ by */
    bool        amp;                   /* needs a processor with bf16 */
} LossCase;

static const LossCase loss_cases[] = {
    { "lenet --data shapes --limit 48 -b 48 --epochs 12 --opt sgd --lr 0.05",                      "", { 2, 3, 4 }, 12, 1e-6, 1e-4, false },
    { "lenet --data shapes --limit 48 -b 48 --epochs 12",   "--gradient-type bf16 --bucket-bytes 65536", { 3 }, 12, 1e-6, 1e-2, false },
    { "lenet --data shapes --limit 48 -b 48 --epochs 4 --amp",                                  "", { 2 },        4, 1e-4, 1e-2, true },
    { "convnext_atto --img-size 16 --data shapes --limit 12 -b 12 --epochs 3",                  "", { 2, 3 },     3, 1e-6, 1e-4, false },
    { "resnet18 --img-size 8 --data shapes --limit 8 -b 8 --epochs 1 --bn ghost:2",             "", { 2, 4 },     1, 1e-6, 1e-6, false },
};

static void expect_losses(const LossCase *c, const RankStarter *starter, int ranks)
{
    for (int epoch = 1; epoch <= c->epochs; epoch++) {
        const double most = epoch == 1 ? c->first : c->last;
        const double alone = rank_runs_logged("alone", epoch, "train_loss"), together = rank_runs_logged("together", epoch, "train_loss");
        if (!(fabs(alone - together) <= most))
            fail_msg("%s %s, %d ranks of %s: epoch %d: loss %.9g, alone %.9g", c->arguments, c->more, ranks, starter->name, epoch, together, alone);
        /* The first of these is of weights that have learned once. */
        const double of_alone = rank_runs_logged("alone", epoch, "val_loss"), of_together = rank_runs_logged("together", epoch, "val_loss");
        if (!(fabs(of_alone - of_together) <= c->last))
            fail_msg("%s %s, %d ranks of %s: epoch %d: val loss %.9g, alone %.9g", c->arguments, c->more, ranks, starter->name, epoch, of_together,
                     of_alone);
    }
}

static void test_losses(void **state)
{
    (void)state;
    int turn = 0;
    for (size_t i = 0; i < sizeof loss_cases / sizeof *loss_cases; i++) {
        const LossCase *c = &loss_cases[i];
        char together[512];
        if (c->amp && !program_can_bf16())
            continue;
        snprintf(together, sizeof together, "%s %s", c->arguments, c->more);
        train_in("alone", rank_runs_starter(0), 1, 1, c->arguments);
        for (int k = 0; k < 4 && c->ranks[k]; k++) {
            const RankStarter *starter = rank_runs_starter(turn++ % starters);
            train_in("together", starter, c->ranks[k], 1, together);
            expect_losses(c, starter, c->ranks[k]);
            forget("together");
        }
        forget("alone");
    }
}

/* ---- bytes ---- */

#define SAME "--reproducible --data shapes --limit 72 --epochs 3 "

static const struct { const char *arguments; bool amp; } same_bytes[] = {
    { "lenet " SAME "-b 12 --mixup 0.4 --grad-accum-steps 2 --model-ema --model-ema-decay 0.9 --opt muon", false },
    { "lenet " SAME "-b 24 --sam-rho 0.05 --swa-start 2 --aug \"crop:2 hflip jitter:0.4\"",              false },
    { "baseline " SAME "-b 24 --img-size 16 --cutmix 1 --smoothing 0.1 --drop 0.2",                      false },
    { "lenet " SAME "-b 24 --lr-scaling linear",                                                        true },
};

static void test_bytes(void **state)
{
    (void)state;
    static const struct { int ranks, threads; } shapes[] = { { 1, 2 }, { 1, 3 }, { 1, 4 }, { 2, 1 }, { 4, 2 }, { 2, 3 } };
    for (size_t i = 0; i < sizeof same_bytes / sizeof *same_bytes; i++) {
        const char *arguments = same_bytes[i].arguments;
        if (same_bytes[i].amp && !program_can_bf16())
            continue;
        train_in("alone", rank_runs_starter(0), 1, 1, arguments);
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
            char what[512];
            const RankStarter *starter = rank_runs_starter((int)k % starters);
            train_in("together", starter, shapes[k].ranks, shapes[k].threads, arguments);
            snprintf(what, sizeof what, "%s: %d ranks of %d threads, %s", arguments, shapes[k].ranks, shapes[k].threads, starter->name);
            rank_runs_same("alone", "together", "last.safetensors", what);
            rank_runs_same("alone", "together", "best.safetensors", what);
            forget("together");
        }
        forget("alone");
    }
}

/* ---- resumed by others ---- */

static void test_resumed(void **state)
{
    (void)state;
    static const char arguments[] = "lenet " SAME "-b 24 --mixup 0.4 --model-ema --model-ema-decay 0.9";
    static const struct { int ranks; const char *until; } legs[] = { { 2, "--max-steps 2" }, { 1, "--max-steps 4" }, { 4, "" } };
    char line[512], *out, *err;
    train_in("alone", rank_runs_starter(0), 1, 1, arguments);
    for (size_t i = 0; i < sizeof legs / sizeof *legs; i++) {
        snprintf(line, sizeof line, "%s %s --threads 1 %s", i == 0 ? arguments : "", legs[i].until, i == 0 ? "--output legs" : "--resume legs");
        const RankStarter *starter = rank_runs_starter((int)i % starters);
        if (rank_runs_do(starter, legs[i].ranks, line, NULL, &out, &err) != 0)
            fail_msg("%s by %d ranks of %s: %s%s", line, legs[i].ranks, starter->name, out, err);
        free(out);
        free(err);
    }
    rank_runs_same("alone", "legs", "last.safetensors", "2 ranks, then 1, then 4");
    rank_runs_same("alone", "legs", "best.safetensors", "2 ranks, then 1, then 4");
    assert_int_equal(run("wc -l <legs/log.jsonl", &out, &err), 0);
    assert_int_equal(atoi(out), 3);
    free(out);
    free(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_losses, commands_setup, commands_teardown),
        cmocka_unit_test_setup_teardown(test_bytes, commands_setup, commands_teardown),
        cmocka_unit_test_setup_teardown(test_resumed, commands_setup, commands_teardown),
    };
    starters = rank_runs_starters();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
