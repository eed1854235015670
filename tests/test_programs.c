/* test_programs.c - the programs as a person runs them: exit codes, one line for a mistake, results on stdout.
 *
 * The commands run in one folder, in order: later ones use what earlier ones left. */

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
#include "scratch.h"

static void test_mistakes(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "train --epoch5 3",                              2, NULL, "unknown option '--epoch5': command line: did you mean --epochs? 'train --help=all' shows all" },
        { "train --foo",                                   2, NULL, "unknown option '--foo': command line: 'train --help=all' shows all" },
        { "train --device cuda",                           2, NULL, "computes on the processor alone" },
        { "evaluate --checkpoint x",                       2, NULL, "give the checkpoint as the first argument" },
        { "train --data Shapes",                           3, NULL, "did you mean shapes" },
        { "train --data cifar10",                          3, NULL, "fetches nothing" },
        { "train --arch resnet99",                         2, NULL, "did you mean resnet18? 'train --list-archs'" },
        { "train --act rellu",                             2, NULL, "did you mean relu" },
        { "train --opt foo",                               2, NULL, "adamw" },
        { "train --sched foo",                             2, NULL, "cosine" },
        { "train --epochs none",                           2, NULL, "'none': --epochs" },
        { "train lenet vgg16",                             2, NULL, "2 arguments" },
        { "train lenet --arch vgg16",                      2, NULL, "two architectures" },
        { "train --data nowhere",                          3, NULL, "nowhere" },
        { "train --resume nowhere",                        3, NULL, "nowhere" },
        { "train --resume auto",                           3, NULL, "no run to resume" },
        { "train --resume x --output y",                   2, NULL, "two folders" },
        { "evaluate",                                      2, NULL, "no checkpoint" },
        { "evaluate nowhere.safetensors",                  3, NULL, "nowhere.safetensors" },
        { "evaluate /etc/passwd",                          3, NULL, "/etc/passwd" },
        { "evaluate x --split foo",                        2, NULL, "test val train" },
        { "predict",                                       2, NULL, "no checkpoint" },
        { "predict x.safetensors",                         2, NULL, "no image" },
        { "predict nowhere.safetensors /etc/passwd",       3, NULL, "nowhere.safetensors" },
        { "predict nowhere.safetensors nowhere.png",       3, NULL, "nowhere.safetensors" },
        { "train --data ''",                               2, NULL, "bad value '': --data" },
        { "train --data shapes --val-split 0.5",           2, NULL, "--val-split: shapes has a val part of its own" },
        { "predict x y --results-format xml",              2, NULL, "text csv jsonl" },
        { "activations foo",                               2, NULL, "unknown command 'foo'" },
        { "activations show leaky_rely",                   2, NULL, "did you mean leaky_relu" },
        { "activations show",                              2, NULL, "leaky_relu" },
        { "activations show native",                       2, NULL, "use one of identity" },
        { "train --data 'no\nsuch'",                      3, NULL, "no\\x0Asuch" },
        { "bench --dtype f16",                             2, NULL, "f32 bf16" },
        { "bench resnet99",                                2, NULL, "resnet18" },
        { "bench --mode both",                             2, NULL, "train infer" },
        { "bench efficientnet_lite0 -b 65536 --side 4096", 5, NULL, "out of memory: a batch of 65536 images of 4096x4096 needs " },
        { "bench resnet18 -b 1 --side 8",                  2, NULL, "one value a channel: batchnorm 'layer4.0.bn1'" },
        { "bench lenet --act foo",                         2, NULL, "'activations list' shows all" },
        { "bench lenet --ranks-model --mode infer",        2, NULL, "ranks exchange gradients" },
        { "bench lenet --ranks-model --bandwidth 10",      2, NULL, "use a rate such as 10Gbit" },
        { "bench lenet --ranks-model --latency 50",        2, NULL, "use a time such as 50us" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_mistake(&cases[i]);
}

static void test_help_and_lists(void **state)
{
    (void)state;
    check(&(Case){ "overfit --help", 0, "overfit [--steps N] [--lr F] ARCH[:ACT]...", "" });
    check_mistake(&(Case){ "overfit --foo", 2, "", "not understood: --foo: usage is overfit" });
    static const Case cases[] = {
        { "train --help",                0, "Usage: train [OPTION...] [ARCH]", "" },
        { "train --help=all",            0, "--warmup-epochs", "" },
        { "evaluate --help",             0, "Usage: evaluate", "" },
        { "predict -h",                  0, "Usage: predict", "" },
        { "activations --help",          0, "Usage: activations", "" },
        { "activations",                 0, "Usage: activations", "" },
        { "evaluate --help",             0, "  evaluate runs/resnet18-relu-1 ", "" },
        { "bench --help",                0, "Usage: bench", "" },
        { "train --version",             0, "train (convzoo) ", "" },
        { "train --list-archs",          0, "efficientnet_lite0", "" },
        { "train --list-acts",           0, "gelu_tanh", "" },
        { "activations list",            0, "hardswish", "" },
        { "activations show gelu",       0, "0.8413", "" },
        { "activations show leaky:0.2",  0, "leaky_relu:0.2", "" },
        { "train lenet --data shapes --summary", 0, "62006", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

#define TINY "train lenet --data shapes --limit 100 -b 32 --epochs 2 --lr 0.01 --threads 1 "

static void test_a_run_and_its_ways_to_end(void **state)
{
    (void)state;
    static const Case cases[] = {
        { TINY "--output a",                                          0, "a/best.safetensors  val top1 ", "epoch 2/2" },
        { "ls a | tr '\\n' ' '",                                      0, "args.json best.safetensors health.jsonl last.safetensors log.csv log.jsonl prev.safetensors", "" },
        { TINY "--output a",                                          4, "", "not empty" },
        { "train --resume a",                                         0, "a/best.safetensors", "finished already" },
        { "train --resume a --lr 0.2",                                2, "", "--lr was 0.01 and is 0.2" },
        { TINY "--output /proc/nowhere",                              4, "", "/proc/nowhere" },
        { TINY "--act gelu -q",                                       0, "runs/lenet-gelu-1/best.safetensors", "" },
        { TINY "--act leaky_relu:0.1 -q",                             0, "runs/lenet-leaky_relu_0.1-1/best.safetensors", "" },
        { TINY "--act gelu -q --max-steps 2",                         0, "", "" },
        { "train --resume auto -q",                                   0, "runs/lenet-gelu-2/best.safetensors", "" },
        { "cmp runs/lenet-gelu-1/last.safetensors runs/lenet-gelu-2/last.safetensors", 0, "", "" },
        { "cmp runs/lenet-gelu-1/best.safetensors runs/lenet-gelu-2/best.safetensors", 0, "", "" },
        /* A run is named by its checkpoint as well, and may be prolonged. */
        { "train --resume a/last.safetensors",                        0, "a/best.safetensors", "finished already" },
        { "cd a && train --resume last.safetensors -q",               0, "./best.safetensors", "" },
        { "train --resume a --epochs 1",                              2, "", "use --epochs 2 or more" },
        { "train --resume a --max-time 2s",                           2, "", "--max-time was off and is 2s" },
        { "train --resume a --freeze features.0.*",                   2, "", "--freeze was nothing and is features.0.*" },
        { "train --resume a --epochs 3 --lr 0.2",                     2, "", "--lr was 0.01 and is 0.2" },
        { "train --resume a/last.safetensors --epochs 3",             0, "a/best.safetensors", "--epochs was 2 and is 3: from here the learning rate is" },
        { "grep -c '\"epochs\": 3' a/args.json",                      0, "1\n", "" },
        { "tail -1 a/log.jsonl | grep -c '\"epoch\": 3, \"epochs\": 3,'", 0, "1\n", "" },
        { "train --resume a -q",                                      0, "a/best.safetensors", "" },
        /* Closed files are not taken by what the run opens. */
        { TINY "--output closed <&- 2>&-",                            0, "closed/best.safetensors", "" },
        { "tail -1 closed/log.jsonl | grep -c '\"epoch\": 2'",         0, "1\n", "" },
        { "wc -l <closed/log.jsonl",                                  0, "2\n", "" },
        { "train --help >/dev/full",                                  7, "", "cannot write: standard output" },
        { "bench lenet -b 4 --seconds 0 >/dev/full",                  7, "", "cannot write: standard output" },
        { TINY "--lr 1e6 --warmup-epochs 0 --output nan",            6, "", "first not finite" },
        { TINY "--dry-run -q",                                        0, "nothing was written", "" },
        { TINY "--dry-run --min-lr 0.02 --sched cosine",              0, "nothing was written", "note: --min-lr 0.02 is above --lr 0.01: the rate rises\n" },
        { TINY "--dry-run --min-lr 0.02 --sched triangle 2>&1 | grep -c 'rate rises'", 1, "0\n", "" },
        { TINY "--dry-run --max-time 2s",                             0, "nothing was written", "planned for 2 seconds" },
        { TINY "--find-lr -q",                                        0, "suggested: --lr ", "" },
        { TINY "--find-lr -q >rates1 && " TINY "--swa-start 1 --swa-lr 1e-6 --find-lr -q >rates2 && cmp rates1 rates2", 0, "", "" },
        { TINY "--overfit-batch -q",                                  0, "one batch of 32 images", "" },
        { TINY "--find-lr --dry-run",                                 2, "", "one at a time" },
        { "ls runs | tr '\\n' ' '",                                   0, "lenet-gelu-1 lenet-gelu-2 lenet-leaky_relu_0.1-1 ", "" },
        { TINY "--model-ema --output ema -q",                         0, "ema/best.safetensors", "" },
        { "evaluate ema --split val -q --use-ema",                    0, "ema/last.safetensors", "" },
        { "evaluate a --use-ema",                                     3, "", "no averaged weights: a/last.safetensors" },
        { TINY "--model-ema --swa-start 1",                           2, "", "leave one out" },
        { TINY "--max-time 2s --output timed",                        0, "timed/best.safetensors", "planned for 2 seconds" },
        { TINY "--max-time 5",                                        2, "", "bad value '5': --max-time: use a time such as 30m" },
        { TINY "--rank-timeout x",                                    2, "", "bad value 'x': --rank-timeout: use a time such as 30m" },
        { "trap '' XFSZ; ulimit -f 20; " TINY "--output small -q",    7, "", "small/" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* Signals in mid-run: saved, told how to go on, 128 + n; and the resumed run ends in the same bytes. */
static void test_signals(void **state)
{
    (void)state;
    static const struct { const char *run; int number, ignored, code; } cases[] = {
        { "int",   SIGINT,  0,      128 + SIGINT },
        { "term",  SIGTERM, 0,      128 + SIGTERM },
        { "hup",   SIGHUP,  0,      128 + SIGHUP },
        { "nohup", SIGHUP,  SIGHUP, 0 },
    };
    char command[512], path[256];
    check(&(Case){ TINY "--epochs 20 --output unbroken -q", 0, NULL, NULL });
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status;
        snprintf(command, sizeof command, TINY "--epochs 20 --output %s", cases[i].run);
        const pid_t child = start(command, cases[i].ignored);
        snprintf(path, sizeof path, "%s/best.safetensors", cases[i].run);
        wait_for_file(path);
        assert_int_equal(kill(child, cases[i].number), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != cases[i].code)
            fail_msg("%s: status %x, expected exit %d", cases[i].run, status, cases[i].code);
        snprintf(command, sizeof command, "train --resume %s -q && cmp %s/last.safetensors unbroken/last.safetensors && "
                 "cmp %s/best.safetensors unbroken/best.safetensors && test $(wc -l <%s/log.jsonl) -eq 20",
                 cases[i].run, cases[i].run, cases[i].run, cases[i].run);
        check(&(Case){ command, 0, NULL, "" });
    }
}

/* ---- evaluate and predict ---- */

/* The checkpoint scores on val what the log says of its epoch. */
static void test_evaluate(void **state)
{
    (void)state;
    char path[256];
    json_error_t where;
    FILE *log = fopen(scratch_path(path, folder, "a/log.jsonl"), "r");
    assert_non_null(log);
    double best = -1.0, loss = 0.0;
    for (json_t *epoch; (epoch = json_loadf(log, JSON_DISABLE_EOF_CHECK, &where)) != NULL; json_decref(epoch))
        if (json_number(epoch, "val_top1") > best) {
            best = json_number(epoch, "val_top1");
            loss = json_number(epoch, "val_loss");
        }
    fclose(log);
    json_t *result = run_json("evaluate a/best.safetensors --split val --json -b 37 --limit 100");
    assert_true(fabs(json_number(result, "top1") - best) < 1e-6);
    assert_true(fabs(json_number(result, "loss") - loss) < 1e-5 * loss);
    assert_true(json_number(result, "top5") >= best);
    assert_true(json_number(result, "count") > 0.0);
    assert_string_equal(json_string_value(json_object_get(result, "arch")), "lenet");
    assert_string_equal(json_string_value(json_object_get(result, "act")), "relu");
    json_decref(result);
    check(&(Case){ "evaluate a/ --limit 50 --threads 1", 0, "a/best.safetensors  lenet relu  test: loss", "shapes" });
    check(&(Case){ "evaluate a/last.safetensors --limit 50 --threads 1", 0, "of 50 images", "shapes" });
}

/* A 40 x 30 gradient as a PPM file. */
static void write_image(const char *name, int phase)
{
    char path[256];
    unsigned char bytes[15 + 40 * 30 * 3];
    const int header = snprintf((char *)bytes, sizeof bytes, "P6\n40 30\n255\n");
    for (int i = 0; i < 40 * 30 * 3; i++)
        bytes[header + i] = (unsigned char)(i * phase);
    scratch_write(scratch_path(path, folder, name), bytes, (size_t)header + 40 * 30 * 3);
}

static void test_predict(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "predict a/best.safetensors one.ppm --topk 1",                             0, "one.ppm:  ", "" },
        { "predict a one.ppm --topk 1",                                              0, "one.ppm:  ", "" },
        { "predict in one.ppm",                                                      3, "", "not a run's folder: in: it holds no .safetensors" },
        { "predict a/best.safetensors one.ppm --results-format csv | head -1",       0, "file,rank,class,prob\n", "" },
        { "predict a/best.safetensors one.ppm -k 3 --results-format csv | wc -l",    0, "4\n", "" },
        { "predict a/best.safetensors in --results-format jsonl -k 1 | wc -l",       0, "2\n", "left out: 1 file" },
        { "predict a/best.safetensors in one.ppm in/bad.txt",                        3, "one.ppm:", "bad.txt" },
        { "mkdir -p shut/cat && cp one.ppm shut/cat && ln -s shut link && predict a/best.safetensors link -k 1", 0, "link/cat/one.ppm:", "" },
        { "predict a/best.safetensors empty",                                        3, "", "no image" },
        { "cat one.ppm | predict a/best.safetensors /dev/stdin -k 1",                0, "/dev/stdin:  ", "" },
        { "cat one.ppm | predict a/best.safetensors - -k 1",                         0, "-:  ", "" },
        { "predict a/best.safetensors - -k 1 <one.ppm",                              0, "-:  ", "" },
        { "bash -c 'predict a/best.safetensors <(cat one.ppm) -k 1'",                0, "/dev/fd/", "" },
        { "mkfifo pipe; predict a/best.safetensors pipe",                            3, "", "is a FIFO" },
        { "head -c 80000000 /dev/zero | predict a/best.safetensors -",               3, "", "file too large: standard input" },
        { "predict a/best.safetensors - </dev/null",                                 3, "", "empty image file: - has" },
        { "predict a/best.safetensors in -k 1",                                      0, "in/dog/a.ppm:", "left out: 1 file that is not named like an image: in/bad.txt" },
        { "mkdir -p linked/c linked/__MACOSX && cp one.ppm linked/c && cp one.ppm linked/__MACOSX && ln -s c/one.ppm linked/d.ppm && ln -s ../in linked/out && "
          "predict a/best.safetensors linked -k 1 >lines; cat lines; test $(wc -l <lines) = 2", 0, "linked/d.ppm:", "linked/out" },
        { "ln -s .. linked/c/loop && predict a/best.safetensors linked -k 1 | wc -l", 0, "2\n", "linked/c/loop" },
        { "mkdir -p away && ln -s ../one.ppm away/x.ppm && predict a/best.safetensors away", 3, "", "symbolic links" },
        { "predict one.ppm one.ppm",                                                 3, "", "one.ppm" },
        { "evaluate a/best.safetensors --data in",                                   3, "", NULL },
    };
    check(&(Case){ "mkdir -p in/cat in/dog empty", 0, NULL, NULL });
    write_image("one.ppm", 1);
    write_image("in/cat/b.ppm", 3);
    write_image("in/dog/a.ppm", 5);
    char path[256];
    scratch_write(scratch_path(path, folder, "in/bad.txt"), "no image", 8);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);

    json_t *logits = run_json("predict a/best.safetensors one.ppm --output-type logit --results-format jsonl");
    json_t *probs = run_json("predict a/best.safetensors one.ppm --results-format jsonl");
    const json_t *z = json_object_get(logits, "logits"), *p = json_object_get(probs, "probs"),
                 *names = json_object_get(logits, "classes");
    assert_true(json_array_size(z) == 10 && json_array_size(p) == 10 && json_array_size(names) == 10);
    assert_string_equal(json_string_value(json_object_get(logits, "file")), "one.ppm");
    double sum = 0.0;
    for (size_t i = 0; i < 10; i++)
        sum += exp(json_number_value(json_array_get(z, i)));
    for (size_t i = 0; i < 10; i++)
        assert_true(fabs(exp(json_number_value(json_array_get(z, i))) / sum - json_number_value(json_array_get(p, i))) < 1e-6);
    json_decref(logits);
    json_decref(probs);
}

/* What a run began with, and what of it a resumed run or an evaluation takes. */
static void test_what_a_run_began_with(void **state)
{
    (void)state;
    static const Case cases[] = {
        /* At --max-steps already: not a step more. */
        { TINY "--output steps --max-steps 3",                                       0, NULL, "stopped at step 3 of 6" },
        { "cp steps/last.safetensors three && train --resume steps --max-steps 3",   0, NULL, "stopped at step 3 of 6" },
        { "cmp steps/last.safetensors three",                                        0, "", "" },
        /* Without a checkpoint it begins anew, with the options that it is given then. */
        { "rm steps/*.safetensors && train --resume steps --lr 0.02 --max-steps 3 -q", 0, NULL, "" },
        { "train --resume steps -q",                                                 0, "steps/best", "" },
        { "grep -c '\"lr\": 0.02' steps/args.json",                                  0, "1\n", "" },
        /* Other names for the classes are other data. */
        { "train lenet --data pets --epochs 2 --max-steps 1 -q --output named",      0, NULL, "" },
        { "mv pets/cat pets/cow && train --resume named",                            3, "", "class 0 was cat and is cow" },
        { "mv pets/cow pets/cat && train --resume named -q",                         0, "named/best", "" },
        /* Data with a val part of its own does not need the run's --val-split; data without one has but the test images. */
        { "mkdir own tested && cp -r pets own/train && cp -r pets own/val && cp -r pets own/test", 0, "", "" },
        { "train lenet --data pets --val-split 0.5 --epochs 1 -q --output half",     0, "half/best", "" },
        { "evaluate half/best.safetensors --data own --split test",                  0, "test: loss", NULL },
        { "evaluate half/best.safetensors --data own --val-split 0.5",               2, "", "a val part of its own" },
        { "mkdir -p other && cp -r pets/cat other/cat && cp -r pets/dog other/horse && evaluate half/best.safetensors --data other", 3, "", "horse" },
        /* A part by itself is told; the layer table decodes nothing, so that a damaged image is not seen. */
        { "train lenet --data own/train --epochs 1 -q --output alone && train lenet --data own/train --epochs 1 --output alone2", 0, NULL,
          "own, whose other parts are not used: give that folder to validate on them" },
        { "cp -r pets broken && head -c 60 pets/cat/a.ppm >broken/cat/a.ppm && train lenet --data broken --val-split 0.5 --epochs 1 -q --output broken_run", 3, "", "a.ppm" },
        { "train lenet --data broken --val-split 0.5 --summary",                     0, "classifier", "" },
        { "cp -r pets tested/train && cp -r pets tested/test && train lenet --data tested --epochs 1 -q --output t", 0, "t/best", "" },
        { "evaluate t/best.safetensors --split val",                                 0, "test: loss", "these are the test images" },
    };
    check(&(Case){ "mkdir -p pets/cat pets/dog", 0, NULL, NULL });
    write_image("pets/cat/a.ppm", 1);
    write_image("pets/cat/b.ppm", 3);
    write_image("pets/dog/c.ppm", 5);
    write_image("pets/dog/d.ppm", 7);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

static void test_bench(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "bench lenet -b 4 --seconds 0 --threads 1",                                   0, "lenet                train f32 auto default b4 ", "" },
        { "bench lenet -b 4 --seconds 0 --mode infer --plan channels-last,direct",      0, "infer f32 nhwc channels-last,direct b4 ", "" },
        { "bench lenet -b 4 --seconds 0 --profile --act gelu",                          0, "GFLOP/s", "" },
        { "bench lenet -b 4 --kernels",                                                 0, "image, features.0.weight, features.0.bias -> #", "" },
        { "bench lenet -b 4 --kernels",                                                 0, "-> d features.0.weight, d features.0.bias", "" },
        { "bench lenet -b 4 --kernels --mode infer",                                    0, " kernels, ", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_help_and_lists),
        cmocka_unit_test(test_a_run_and_its_ways_to_end),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_evaluate),
        cmocka_unit_test(test_predict),
        cmocka_unit_test(test_what_a_run_began_with),
        cmocka_unit_test(test_bench),
    };
    scratch_new(folder);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    return failed;
}
