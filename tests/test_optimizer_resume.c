/* test_optimizer_resume.c - with every optimiser: stopped and resumed, a run leaves the same bytes. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "scratch.h"
#include "tiny_run.h"

/* What differs from the recipe. */
typedef struct Wish {
    const char   *name;
    OptimizerKind optimizer;
    ScheduleKind  schedule;
    ClipMode      clip;
    const char   *groups;
} Wish;

static TrainerOptions options_of(const Wish *wish, const char *folder, Seen *seen)
{
    TrainerOptions options = tiny_options("lenet", folder, seen);
    options.data.limit = 48;
    options.batch = 16;
    options.epochs = 2;
    options.optimizer.kind = wish->optimizer;
    options.optimizer.beta2 = 0.99f;
    options.optimizer.weight_decay = 0.01f;
    options.optimizer.clip_mode = wish->clip;
    options.optimizer.clip_norm = wish->clip == CLIP_norm ? 1 : 0.05f;
    options.optimizer.other = OPTIMIZER_adamw;
    options.optimizer.other_lr = 0.1f;
    strcpy(options.optimizer.param_groups, wish->groups ? wish->groups : "");
    options.lr = 0.002f;
    options.schedule = wish->schedule;
    options.decay_epochs = 1;
    options.decay_rate = 0.3f;
    options.schedule_options = (ScheduleOptions){ .warmup_lr = 0.001f, .power = 2, .milestones = { 1, 2 }, .start = 0.1f, .peak = 0.3f, .patience = 0 };
    return options;
}

static void train(const Wish *wish, const char *folder, uint64_t stop, bool resume)
{
    Seen seen = { 0 };
    Error error;
    TrainerOptions options = options_of(wish, folder, &seen);
    options.most_steps = stop;
    options.resume = resume;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, wish->name);
}

static void check(const Wish *wish, uint64_t stop)
{
    char root[256], whole[256], parts[256];
    scratch_new(root);
    train(wish, scratch_path(whole, root, "whole"), 0, false);
    scratch_path(parts, root, "parts");
    train(wish, parts, stop, false);
    train(wish, parts, 0, true);
    tiny_expect_same(whole, parts, "last.safetensors");
    tiny_expect_same(whole, parts, "best.safetensors");
    scratch_remove(root);
}

static void every_optimizer(void **state)
{
    (void)state;
    for (int kind = 0; kind < OPTIMIZER_COUNT; kind++)
        check(&(Wish){ .name = optimizer_name((OptimizerKind)kind), .optimizer = (OptimizerKind)kind }, 1 + (uint64_t)kind % 5);
}

static void clipping_and_groups(void **state)
{
    (void)state;
    check(&(Wish){ .name = "agc", .clip = CLIP_agc }, 2);
    check(&(Wish){ .name = "value and groups", .clip = CLIP_value, .groups = "bias lr*4 decay*1; *1* frozen" }, 4);
}

/* Loss hardly moves: the rate drops after every epoch but the first, also where the run was stopped between. */
static void plateau(void **state)
{
    (void)state;
    const Wish wish = { .name = "plateau", .schedule = SCHEDULE_plateau };
    char root[256], whole[256], parts[256];
    scratch_new(root);
    const char *folder = scratch_path(parts, root, "parts");
    for (int part = 0; part < 4; part++) {
        Seen seen = { 0 };
        Error error;
        TrainerOptions options = options_of(&wish, part ? folder : scratch_path(whole, root, "whole"), &seen);
        options.epochs = 4;
        options.lr = 1e-7f;
        options.resume = part > 1;
        options.most_steps = part == 1 ? 6 : part == 2 ? 8 : 0;
        Trainer *trainer = trainer_open(&options, &error);
        assert_non_null(trainer);
        assert_int_equal(trainer_run(trainer, &error), EXIT_ok);
        assert_int_equal(trainer->schedule.plateau.drops, part == 1 || part == 2 ? 1 : 3);
        trainer_close(trainer);
    }
    tiny_expect_same(whole, parts, "last.safetensors");
    scratch_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_optimizer),
        cmocka_unit_test(clipping_and_groups),
        cmocka_unit_test(plateau),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
