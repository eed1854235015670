/* test_sweep.c - convzoo sweep: what it runs, that it goes on after any end, and its table against sums over the runs' own logs. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "folder.h"
#include "scratch.h"

#define TINY "--data shapes --limit 64 -b 16 --threads 1 --arch lenet "
#define GRID TINY "--set act=relu,tanh --set lr=0.01,0.05 --seeds 2 --epochs 2 "

static void test_mistakes(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "sweep --set lerning-rate=1,2",                   2, NULL, "unknown option 'lerning-rate': --set: did you mean learning-rate" },
        { "sweep --set act=relu,rellu",                     2, NULL, "did you mean relu" },
        { "sweep --set act",                                2, NULL, "use NAME=VALUE,VALUE" },
        { "sweep --set lr=0.1,0.10",                        2, NULL, "the same value twice: --set lr" },
        { "sweep --set lr=0.1 --set learning-rate=0.2",     2, NULL, "given twice: --set lr" },
        { "sweep --set lr=0.1,0.2 --lr 0.3",                2, NULL, "given twice: --lr" },
        { "sweep --set seed=1,2",                           2, NULL, "use --seeds" },
        { "sweep --set threads=1,2",                        2, NULL, "does not shape the result" },
        { "sweep --set arch=lenet",                         2, NULL, "use --arch a,b" },
        { "sweep --set aug=crop:4 --set crop-pad=2,4",      2, NULL, "two ways to shift and mirror" },
        { "sweep --arch lenet,resnet99",                    2, NULL, "did you mean resnet18" },
        { "sweep --data \"$(printf 'caf\\351')\"",             2, NULL, "value is not UTF-8: --data" },
        { "sweep --set \"freeze=$(printf 'caf\\351'),x\"",     2, NULL, "value is not UTF-8: --freeze" },
        { "sweep --max-steps 3",                            2, NULL, "unknown option '--max-steps'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_mistake(&cases[i]);
    assert_false(scratch_exists(scratch_path((char[256]){ 0 }, folder, "sweep")));
}

static void test_dry_run(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "sweep " GRID "--output a --dry-run",                      0, "a/lenet-act=tanh-lr=0.05-seed=43\n8 runs, 0 of them done; 1 at a time, on 1 thread each\n", "" },
        { "sweep " GRID "--output a --dry-run | wc -l",              0, "9\n", "" },
        { "test -e a",                                               1, "", "" },
        { "sweep --set 'act=max(x,0),relu' --seeds 1 --dry-run | grep -c seed=42", 0, "2\n", "" },
        { "sweep --set 'opt-betas=0.9,0.99;0.8,0.99' --opt adamw --seeds 1 --dry-run | grep -c seed=42", 0, "2\n", "" },
        /* Long names, which differ in their last axis alone. */
        { "sweep --arch lenet --set 'act=x*sigmoid(1.0000001*x) + 0.0000001*x*x*x' --set 'aug=crop:4 hflip:0.5 rotate:15 cutout:8 erase:0.25 mixup:0.2' "
          "--set 'param-groups=features.0.weight lr*0.5 decay*0.5' --set freeze=features.0.weight --set momentum=0.9 "
          "--set lr=0.1,0.2,0.3 --seeds 1 --dry-run | sort | uniq -d | wc -l", 0, "0\n", "" },
        { "sweep --arch lenet,mlp --set swish-no=1 --dry-run",       2, "", "unknown option" },
        { "sweep --arch lenet,mlp --set act=swish,silu --dry-run",   2, "", "the same value twice" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* ---- results ---- */

static json_t *results_of(const char *name)
{
    char path[256], file[64];
    size_t size;
    snprintf(file, sizeof file, "%s/results.json", name);
    char *text = scratch_read(scratch_path(path, folder, file), &size);
    assert_non_null(text);
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    free(text);
    return object;
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);
    return json_is_number(number) ? json_number_value(number) : NAN;
}

/* The highest val_top1 of a run's log, in percent. */
static double best_of(const char *run)
{
    char path[256], file[200];
    snprintf(file, sizeof file, "%s/log.jsonl", run);
    FILE *log = fopen(scratch_path(path, folder, file), "r");
    assert_non_null(log);
    double best = -1;
    for (json_t *epoch; (epoch = json_loadf(log, JSON_DISABLE_EOF_CHECK, NULL)) != NULL; json_decref(epoch))
        best = fmax(best, 100 * number_of(epoch, "val_top1"));
    fclose(log);
    return best;
}

/* Student's t of two pairs has a distribution that can be written down: Cauchy's. */
static double p_of_two(double first, double second)
{
    const double mean = (first + second) / 2, deviation = fabs(first - second) / sqrt(2), t = mean / (deviation / sqrt(2));
    return 1 - 2 / acos(-1) * atan(fabs(t));
}

static void test_results(void **state)
{
    (void)state;
    static const char *const acts[] = { "relu", "tanh" }, *const rates[] = { "0.01", "0.05" };
    check(&(Case){ "sweep " GRID "--output a --jobs 2 -q", 0, "act   lr    runs", "" });
    json_t *results = results_of("a"), *choices = json_object_get(results, "choices"), *comparisons = json_object_get(results, "comparisons");
    double tops[4][2];
    assert_int_equal(json_array_size(choices), 4);
    assert_int_equal(json_array_size(comparisons), 6);
    assert_int_equal(json_array_size(json_object_get(results, "runs")), 8);
    for (int i = 0; i < 4; i++) {
        const json_t *choice = json_array_get(choices, (size_t)i);
        for (int seed = 0; seed < 2; seed++) {
            char run[128];
            snprintf(run, sizeof run, "a/lenet-act=%s-lr=%s-seed=%d", acts[i / 2], rates[i % 2], 42 + seed);
            tops[i][seed] = best_of(run);
        }
        assert_true(fabs(number_of(choice, "mean") - (tops[i][0] + tops[i][1]) / 2) < 1e-4);
        assert_true(fabs(number_of(choice, "deviation") - fabs(tops[i][0] - tops[i][1]) / sqrt(2)) < 1e-4);
        assert_true(fabs(number_of(choice, "best") - fmax(tops[i][0], tops[i][1])) < 1e-4);
        assert_true(number_of(choice, "runs") == 2 && number_of(choice, "seconds") > 0 && number_of(choice, "MiB") > 1);
    }
    for (int a = 0, at = 0; a < 4; a++)
        for (int b = a + 1; b < 4; b++, at++) {
            const json_t *pair = json_array_get(comparisons, (size_t)at);
            const double first = tops[b][0] - tops[a][0], second = tops[b][1] - tops[a][1];
            assert_true(fabs(number_of(pair, "difference") - (first + second) / 2) < 1e-4);
            if (fabs(first - second) > 1e-9)
                assert_true(fabs(number_of(pair, "p") - p_of_two(first, second)) < 1e-4);
            assert_true(number_of(pair, "p_holm") >= number_of(pair, "p") - 1e-12);
        }
    json_decref(results);
    static const Case cases[] = {
        { "head -1 a/choices.csv",                                  0, "arch,act,lr,runs,mean,deviation,best,behind,p,seconds,MiB\n", "" },
        { "wc -l <a/runs.csv",                                      0, "9\n", "" },
        { "head -c 4 a/curves.png | tail -c 3",                     0, "PNG", "" },
        { "sweep " GRID "--output a --dry-run | grep -c done",      0, "9\n", "" },
        /* Nothing is run again; another sweep is not mixed in; more seeds and values are. */
        { "wc -l <a/results.jsonl && sweep " GRID "--output a --json -q | sed -n 1p && wc -l <a/results.jsonl", 0, "8\n{\n8\n", "" },
        { "sweep " TINY "--set epochs=1,2 --seeds 1 --output e -q && head -1 e/runs.csv", 0, "arch,epochs,seed,state,epochs_done,best,last,last_loss,seconds,MiB,folder\n", "" },
        { "sweep " GRID "--output a --smoothing 0.1",               2, "", "--smoothing was not given and is 0.1" },
        { "sweep " TINY "--set act=relu --epochs 2 --output a",     2, "", "it varies other settings" },
        { "sweep " TINY "--set act=relu --set lr=0.01 --seeds 3 --epochs 2 --output a && wc -l <a/results.jsonl", 0, "9\n",
          "3 of 3  lenet-act=relu-lr=0.01-seed=44" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* Of a choice that failed with one seed, the other's good result leads nothing; what a killed sweep did not see is taken from the logs. */
static void test_a_failed_seed(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "sweep " TINY "--set act=relu,tanh --seeds 2 --epochs 1 --output lead -q", 0, NULL, "" },
        { "sed -i 's/\"val_top1\": [0-9.e-]*/\"val_top1\": 0.99/' lead/lenet-act=relu-seed=42/log.jsonl && echo x >lead/lenet-act=relu-seed=43/args.json && "
          "sed -i '/relu-seed=43/d; s/\"seconds\": [0-9.e-]*/\"seconds\": 0/' lead/results.jsonl", 0, "", "" },
        { "sweep " TINY "--set act=relu,tanh --seeds 2 --epochs 1 --output lead -q", 3, "behind: the best, lenet-act=tanh, less this one", "3 of 4 runs are done" },
        { "sed -n 2p lead/choices.csv | grep -c '^lenet,relu,1,99,,99,-'", 0, "1\n", "" },
        { "grep ,done, lead/runs.csv | cut -d, -f9 | grep -c '^0$'", 1, "0\n", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* A folder's name need not be UTF-8, which JSON is. */
static void test_folder_of_any_name(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "sweep " TINY "--seeds 1 --epochs 1 -q --output \"$(printf 'r\\351sultats')\"", 0, "lenet", "" },
        { "grep -c 'xE9sultats/lenet-seed=42' r*sultats/results.json",                   0, "1\n", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* A run whose folder another process has: the others go on, Ctrl-C is heard, and what is told is not that folder. */
static void test_held_folder(void **state)
{
    (void)state;
    int status;
    Error error;
    char path[256];
    check(&(Case){ "mkdir -p held/lenet-seed=42", 0, "", "" });
    const int lock = folder_lock(scratch_path(path, folder, "held/lenet-seed=42"), &error);
    assert_true(lock >= 0);
    const pid_t child = start("sweep " TINY "--seeds 2 --epochs 1 --output held", 0);
    wait_for_file("held/lenet-seed=43/best.safetensors");
    kill(child, SIGINT);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT);
    char *err = scratch_read(scratch_path(path, folder, "stderr"), &(size_t){ 0 });
    if (!strstr(err, "of 2 runs are done: held") || strstr(err, "in use"))
        fail_msg("%s", err);
    free(err);
    folder_unlock(lock);
    check(&(Case){ "sweep " TINY "--seeds 2 --epochs 1 --output held -q", 0, "lenet", "" });
}

/* The weights of a run that was stopped and went on are those of one that was not. */
static void same_as_unbroken(const char *name)
{
    char command[256];
    for (int seed = 42; seed <= 43; seed++) {
        snprintf(command, sizeof command, "cmp %s/lenet-seed=%d/best.safetensors whole/lenet-seed=%d/best.safetensors", name, seed, seed);
        check(&(Case){ command, 0, "", "" });
    }
}

/* Stopped by a signal, and killed, at several moments: the same command goes on, and ends in the same bytes. */
static void test_goes_on(void **state)
{
    (void)state;
    static const struct { const char *name; int number; useconds_t wait; } cases[] = {
        { "int", SIGINT, 300000 }, { "term", SIGTERM, 0 }, { "kill0", SIGKILL, 0 }, { "kill1", SIGKILL, 150000 }, { "kill2", SIGKILL, 700000 },
    };
    char command[512], path[256], file[64];
    check(&(Case){ "sweep " TINY "--seeds 2 --epochs 12 --output whole -q", 0, NULL, "" });
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status;
        snprintf(command, sizeof command, "sweep " TINY "--seeds 2 --epochs 12 --jobs 2 --output %s", cases[i].name);
        const pid_t child = start(command, 0);
        snprintf(file, sizeof file, "%s/plan.json", cases[i].name);
        wait_for_file(file);
        usleep(cases[i].wait);
        kill(child, cases[i].number);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (cases[i].number != SIGKILL && WIFEXITED(status) && WEXITSTATUS(status) != 0) {
            assert_int_equal(WEXITSTATUS(status), 128 + cases[i].number);
            char *err = scratch_read(scratch_path(path, folder, "stderr"), &(size_t){ 0 });
            assert_non_null(strstr(err, "of 2 runs are done"));
            assert_non_null(strstr(err, "the same command goes on"));
            free(err);
        }
        strcat(command, " -q");
        check(&(Case){ command, 0, "lenet", "" });
        same_as_unbroken(cases[i].name);
    }
}

/* One that was killed while it wrote a file leaves the file's .tmp, which is no other program's under the folder's lock. A folder that is no
 * sweep's yet keeps what it has. */
static void test_killed_while_writing(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "mkdir w && echo mine >w/notes.tmp && echo torn >w/plan.json.tmp && sweep " TINY "--seeds 1 --epochs 1 --output w -q && cat w/notes.tmp", 0, "mine\n", "" },
        { "for name in plan.json curves.png results.json sweep.html; do echo torn >w/$name.tmp; done; sweep " TINY "--seeds 1 --epochs 1 --output w -q", 0, "lenet", "" },
        { "ls w | grep -c tmp", 1, "0\n", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* A run that fails is named, the others go on, and it is tried again. */
static void test_failures(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "sweep " TINY "--set lr=0.01,1e6 --warmup-epochs 0 --seeds 1 --epochs 2 --output f -q", 6, "0.01", "a run failed: lenet-lr=1e+06-seed=42: exit code 6: see f/logs/lenet-lr=1e+06-seed=42.log" },
        { "grep -c 'not finite' f/logs/lenet-lr=1e+06-seed=42.log", 0, "1\n", "" },
        { "grep -c ',failed,' f/runs.csv",                           0, "1\n", "" },
        { "sweep " TINY "--data nowhere --seeds 1 --output g -q",    3, "no run is done yet", "a run failed" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_dry_run), cmocka_unit_test(test_results), cmocka_unit_test(test_a_failed_seed), cmocka_unit_test(test_folder_of_any_name), cmocka_unit_test(test_held_folder), cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_killed_while_writing), cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, commands_setup, commands_teardown);
}
