/* test_rank_lines.c - what several ranks print and write, they print and write once, and what one of them does wrong ends all. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "rank_runs.h"
#include "scratch.h"

static int starters;

#define TINY "lenet --data shapes --limit 48 -b 24 --epochs 2 --threads 1 "

/* For rank 0: its folder is gone after the first epoch. */
#define GONE "[ $rank != 0 ] || (until test -s gone/log.jsonl; do sleep 0.05; done; until rm -r gone; do :; done) >/dev/null 2>&1 &"

#define ONE  "lenet --data one --epochs 2 --threads 1 "

/* ---- mistakes ---- */

typedef struct Mistake {
    int         ranks;
    const char *arguments, *one;        /* one: what only one of them is told (rank_runs.h) */
    int         code;
    const char *line;                   /* what the only line has in it */
} Mistake;

static const Mistake mistakes[] = {
    { 2, TINY "--no-such-option",                     NULL,                        2, "unknown option '--no-such-option'" },
    { 2, "no_such_network --data shapes",             NULL,                        2, "no_such_network" },
    { 2, "lenet --data nowhere",                      NULL,                        3, "cannot open data folder: nowhere" },
    { 3, TINY "--limit 2 -b 2 -q",                    NULL,                        2, "2 images at a time cannot be shared by 3" },
    { 3, TINY "--reproducible -q",                    NULL,                        2, "parts of a batch for 3 ranks" },
    { 2, TINY "--bn ghost:32 -q",                     NULL,                        2, "cannot be shared" },
    { 2, TINY "-q --output done",                     NULL,                        4, "done" },
    { 2, TINY "-q --resume nothing",                  NULL,                        3, "nothing" },
    { 2, TINY "-q --initial-checkpoint no.safetensors", NULL,                      3, "no.safetensors" },
    { 2, TINY "-q",                                   "--no-such-option",          2, "no-such-option" },
    { 2, TINY "-q",                                   "--data nowhere",            3, "rank 1: cannot open data folder: nowhere" },
    { 2, TINY "-q", "[ $rank = 0 ] || export CONVZOO_MPI=missing",             3, "rank 1 on " },
    { 3, TINY "-q", "[ $rank != 0 ] || export CONVZOO_MPI=missing",            3, "no library for their MPI" },
    { 2, TINY "-q --rank-timeout 3s", "[ $rank = 0 ] || exec sleep 60",            8, "have not all come within 3 s" },
    { 2, TINY "-q --epochs 300 --output gone",        GONE,                        7, "cannot write: gone/last.safetensors" },
    { 2, ONE "-q",                                    "--seed 7",                  8, "other options: rank 1" },
    { 2, ONE "-q",                                    "--epochs 3",                8, "other options: rank 1" },
    { 2, ONE "-q",                                    "--data other",            8, "other images: rank 1" },
    { 2, TINY "-q", "[ $rank = 0 ] || export CONVZOO_ISA=base",                   8, "other programs or processors: rank 1" },
    { 2, "lenet -b 8 --epochs 1 --threads 1 -q", "[ $rank = 0 ] && set -- \"$@\" --data whole || set -- \"$@\" --data torn", 3,
      "image that rank 1 cannot read: " },
};

static void expect_mistake(const Mistake *m, const RankStarter *starter)
{
    char *out, *err;
    const int code = rank_runs_do(starter, m->ranks, m->arguments, m->one, &out, &err);
    const int lines = rank_runs_lines(err, "train: ") - rank_runs_lines(err, "train: warning: ");
    const char *line = strstr(err, m->line);
    if (code != m->code || *out || lines != 1 || !line)
        fail_msg("%s (%s) by %d ranks, %s: exit %d, expected %d\nexpected one line with: %s\nstdout: %s\nstderr: %s", m->arguments,
                 m->one ? m->one : "all the same", m->ranks, starter->name, code, m->code, m->line, out, err);
    free(out);
    free(err);
}

/* The last of the training images, which rank 1 decodes, is cut short in `torn`. */
static const char make_folders[] = "for set in whole torn; do for part in train/a train/b val/a val/b; do mkdir -p $set/$part; for i in 1 2 3 4; do "
                                   "{ printf 'P6 32 32 255\\n'; head -c 3072 /dev/zero; } >$set/$part/$i.ppm; done; done; done; "
                                   "head -c 100 whole/train/b/4.ppm >torn/train/b/4.ppm";

/* What a test needs in its folder. */
static void prepare(const char *line)
{
    char *out, *err;
    if (run(line, &out, &err) != 0)
        fail_msg("%s: %s", line, err);
    free(out);
    free(err);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const char *const sets[] = { "one", "other" };
    prepare(make_folders);
    for (int set = 0; set < 2; set++) {      /* one byte differs */
        char line[512];
        snprintf(line, sizeof line, "mkdir %s && head -c 61460 /dev/zero | tr '\\0' '\\%d' >%s/data_batch_1.bin && cp %s/data_batch_1.bin %s/test_batch.bin",
                 sets[set], set + 1, sets[set], sets[set], sets[set]);
        prepare(line);
    }
    rank_runs_well(rank_runs_starter(0), 1, TINY "--epochs 1 -q --output done");
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        expect_mistake(&mistakes[i], rank_runs_starter((int)i % starters));
}

/* ---- once ---- */

typedef struct Once {
    const char *arguments;
    const char *once[4];                /* what stands once in stdout and stderr; ends with NULL */
    const char *files;                  /* that are there after it, other than those of every run */
} Once;

static const Once onces[] = {
    { "--find-lr",                                          { "suggested: --lr", "1e-06 " },                     "" },
    { "--dry-run",                                          { "nothing was written\n" },                         "" },
    { "--overfit-batch",                                    { "the loss falls" },                                "" },
    { "--max-time 2s --output run",                         { "planned for 2 seconds", "run/best.safetensors" }, "args.json" },
    { "--max-steps 3 --output run",                         { "stopped at step 3 of 4" },                        "last.safetensors" },
    { "-b 25 --output run",                                 { "24 images a step instead of 25", "rank 1 on" },   "args.json" },
    { "--limit 3 --output run",                             { "images a step instead of" },                      "args.json" },
    { "--plots --suspects 3 --act-stats 1 --log tb --output run", { "epoch 1/2  train", "epoch 2/2  train", "suspects.csv" },
      "curves.png suspects.csv activity.jsonl events*" },
    { "--early-stop 1 --epochs 9 --lr 0 --output run",      { "stopping early, after epoch 2" },                 "args.json" },
    { "--plan measured --output run",                       { "epoch 2/2  train", "measuring a plan" },          "args.json" },
};

static int count_of(const char *text, const char *word)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        count++;
    return count;
}

static void expect_once(const Once *o, const RankStarter *starter)
{
    char line[512], *out, *err, *gone_out, *gone_err;
    snprintf(line, sizeof line, TINY "%s", o->arguments);
    const int code = rank_runs_do(starter, 2, line, NULL, &out, &err);
    bool well = code == 0;
    for (int i = 0; i < 4 && o->once[i]; i++)
        well = well && count_of(out, o->once[i]) + count_of(err, o->once[i]) == 1;
    snprintf(line, sizeof line, *o->files ? "cd run && ls %s && cd .. && rm -r run" : "test ! -e run && test ! -e runs", o->files);
    const int files = run(line, &gone_out, &gone_err);
    if (!well || files != 0)
        fail_msg("%s, %s: exit %d, files %s\nstdout: %s\nstderr: %s", o->arguments, starter->name, code, gone_err, out, err);
    free(out);
    free(err);
    free(gone_out);
    free(gone_err);
}

static void test_once(void **state)
{
    (void)state;
    setenv("XDG_CACHE_HOME", folder, 1);      /* plans that were measured */
    for (size_t i = 0; i < sizeof onces / sizeof *onces; i++)
        expect_once(&onces[i], rank_runs_starter((int)i % starters));
}

/* ---- what takes long ---- */

/* A validation that takes longer than ranks may be silent: each of its batches is progress. */
static void test_long_validation(void **state)
{
    (void)state;
    prepare("mkdir long && head -c 24584 /dev/zero >long/data_batch_1.bin && head -c 1843800 /dev/zero >long/test_batch.bin");
    rank_runs_well(rank_runs_starter(0), 2, "resnet18 --data long -b 8 --val-batch-size 8 --epochs 1 --opt sgd --threads 1 -q --rank-timeout 4s --output waited");
}

/* ---- a run that began before photographs were turned ---- */

/* Blanks in place of a piece of the file's JSON. */
static void blank(const char *name, const char *piece)
{
    char path[256];
    size_t size;
    const size_t length = strlen(piece);
    char *bytes = scratch_read(scratch_path(path, folder, name), &size);
    size_t at = 0;
    while (at + length < size && memcmp(bytes + at, piece, length))
        at++;
    assert_true(at + length < size);
    memset(bytes + at, ' ', length);
    scratch_write(path, bytes, size);
    free(bytes);
}

/* Rank 0 alone has read that they stay as stored. */
static void test_resumed_as_stored(void **state)
{
    (void)state;
    rank_runs_well(rank_runs_starter(0), 1, TINY "--max-steps 1 -q --output before");
    blank("before/last.safetensors", ",\\\"exif-orientation\\\":true");
    blank("before/last.safetensors", "\"exif_orientation\":\"applied\",");
    rank_runs_well(rank_runs_starter(0), 2, "--resume before --threads 1 -q");
}

/* ---- networks that change on the way, and ends that are no beginnings ---- */

static void test_changes(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "convnext_atto --img-size 24 --train-img-size 16:1,24 --data shapes --limit 8 -b 8 --epochs 2 --threads 1 -q --output sizes",
        "lenet --data shapes --limit 32 -b 16 --epochs 2 --threads 1 -q --freeze 'features*' --unfreeze-epoch 1 --output frozen",
        "lenet --data shapes --limit 32 -b 16 --epochs 1 --threads 1 -q --initial-checkpoint frozen/best.safetensors --output tuned",
        "--resume frozen --threads 1 -q",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        rank_runs_well(rank_runs_starter((int)i % starters), 2, lines[i]);
    /* When a run stops is for rank 0 to say. */
    assert_int_equal(rank_runs_do(rank_runs_starter(0), 2, TINY "-q --output steps", "--max-steps 1", NULL, NULL), 0);
    assert_int_equal(rank_runs_do(rank_runs_starter(0), 2, TINY "-q --max-time 1s --output timed", "--max-time 1h", NULL, NULL), 0);
    assert_true(rank_runs_logged("steps", 2, "train_loss") > 0.0);
    assert_true(rank_runs_logged("sizes", 2, "train_loss") > 0.0);
    assert_true(rank_runs_logged("frozen", 2, "train_loss") != rank_runs_logged("frozen", 1, "train_loss"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mistakes, commands_setup, commands_teardown),
        cmocka_unit_test_setup_teardown(test_once, commands_setup, commands_teardown),
        cmocka_unit_test_setup_teardown(test_long_validation, commands_setup, commands_teardown),
        cmocka_unit_test_setup_teardown(test_resumed_as_stored, commands_setup, commands_teardown),
        cmocka_unit_test_setup_teardown(test_changes, commands_setup, commands_teardown),
    };
    starters = rank_runs_starters();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
