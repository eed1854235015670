/* test_optimizer_programs.c - optimisers, schedules, clipping and groups as a person asks train for them. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "commands.h"
#include "scratch.h"

#define TRAIN "train lenet --data shapes --limit 48 -b 16 --val-batch-size 16 --threads 1 --epochs 2 "

static const Case runs[] = {
    { TRAIN "--output a --opt muon --sched triangle --sched-start 0.5 --sched-peak 0.1 --sched-end 0 --clip-grad 0.1 --clip-mode agc", 0, "val top1", NULL },
    { TRAIN "--output b --opt lion --sched multistep --decay-milestones 0.5,1 --param-groups 'bias lr*2 decay/4; head lr*10'", 0, "val top1", NULL },
    { TRAIN "--output c --opt nag --sched poly --sched-power 2 --warmup-lr 0.001 --clip-grad 0.1 --clip-mode value --max-steps 2", 0, "", NULL },
    { "train --resume c", 0, "val top1", "going on at step 2 of 6" },
    { TRAIN "--output d --opt muon --muon-other sgd --muon-other-lr 1 --sched plateau --patience-epochs 0 -q", 0, "val top1", "" },
    { "train convnext_atto --data shapes --limit 16 -b 8 --threads 1 --img-size 16 --max-steps 2 -q --clip-mode agc --clip-grad 0.1 --output gamma", 0, "val top1", "" },
};

static const Case mistakes[] = {
    { TRAIN "--output e -q --param-groups 'fc9.* frozen'", 2, "", "no parameter is called 'fc9.*'" },
    { TRAIN "--output e --param-groups 'head lr=3'", 2, "", "bad word 'lr=3'" },
    { TRAIN "--output e --muon-other lamb", 2, "", "--muon-other" },
    { TRAIN "--output e --clip-mode size", 2, "", "norm value agc" },
    { TRAIN "--output e --decay-milestones 3,1", 2, "", "--decay-milestones" },
    { TRAIN "--output e --opt lionn", 2, "", "did you mean lion" },
};

static void test_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        check(&runs[i]);
}

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        check_mistake(&mistakes[i]);
}

static int make_folder(void **state)
{
    (void)state;
    scratch_new(folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_runs), cmocka_unit_test(test_mistakes) };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
