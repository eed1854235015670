/* test_evaluate.c - evaluate and predict beyond one figure, as a person runs them. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "folder.h"
#include "scratch.h"

/* A run whose network knows a little, and a picture. */
#define RUN "train lenet --data shapes --limit 400 --epochs 2 --threads 1 -b 32 --output run -q"

static int evaluate_setup(void **state)
{
    if (commands_setup(state))
        return 1;
    char path[256];
    unsigned char bytes[15 + 40 * 30 * 3];
    const int header = snprintf((char *)bytes, sizeof bytes, "P6\n40 30\n255\n");
    for (int i = 0; i < 40 * 30 * 3; i++)
        bytes[header + i] = (unsigned char)(i * 7);
    scratch_write(scratch_path(path, folder, "one.ppm"), bytes, (size_t)header + 40 * 30 * 3);
    check(&(Case){ RUN, 0, NULL, NULL });
    return 0;
}

static double number_in(const char *command, const char *key)
{
    json_t *object = run_json(command);
    const double number = json_number(object, key);
    json_decref(object);
    return number;
}

/* ---- views ---- */

#define PREDICT "predict run one.ppm --output-type logit --results-format jsonl --threads 1 "
#define EVALUATE "evaluate run --limit 100 --threads 1 -q --json "

static double first_logit(const char *command)
{
    json_t *object = run_json(command);
    const double logit = json_number_value(json_array_get(json_object_get(object, "logits"), 0));
    json_decref(object);
    return logit;
}

static void test_views(void **state)
{
    (void)state;
    static const Case mistakes[] = {
        { "evaluate run --tta twice",                2, "", "none flip flip-shift ten" },
        { "predict run one.ppm --tta flip --tta-below 2", 2, "", "--tta-below" },
        { "predict run one.ppm --tta-below 0.5",     2, "", "--tta-below changes nothing" },
        { "evaluate run --tta none --tta-below 0.5", 2, "", "--tta-below changes nothing" },
        { "evaluate run --json --results-format csv", 2, "", "two forms at once" },
        { "evaluate run --ten-crop",                 2, "", "use --tta ten" },
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        check_mistake(&mistakes[i]);
    const double loss = number_in(EVALUATE, "loss"), logit = first_logit(PREDICT);
    static const char *const sets[] = { "flip", "flip-shift", "ten" };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        char command[256];
        snprintf(command, sizeof command, EVALUATE "--tta %s", sets[i]);
        assert_true(fabs(number_in(command, "loss") - loss) > 1e-6);
        snprintf(command, sizeof command, PREDICT "--tta %s", sets[i]);
        assert_true(fabs(first_logit(command) - logit) > 1e-6);
        /* So little asked for that no image needs a second look. */
        snprintf(command, sizeof command, EVALUATE "--tta %s --tta-below 0.01", sets[i]);
        assert_true(number_in(command, "loss") == loss);
    }
}

/* ---- results ---- */

static void test_mistakes(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "evaluate run --per-class x.txt",                                2, "", "x.txt': --per-class: use - for lines, or a name that ends in .csv" },
        { "evaluate run --predictions x.png",                              2, "", "let its name end in .csv" },
        { "evaluate run --results-format csv --per-class -",               2, "", "name a file that ends in .csv" },
        { "evaluate run --results-format csv --misclassified 3",           2, "", "--predictions FILE.csv" },
        { "evaluate run --compare nowhere -q --json --limit 50",           3, "", "nowhere" },
        { "mkdir -p pets/cat pets/dog && cp one.ppm pets/cat/a.ppm && cp one.ppm pets/cat/b.ppm && cp one.ppm pets/dog/a.ppm && cp one.ppm pets/dog/b.ppm && "
          "train lenet --data pets --val-split 0.5 --epochs 1 --threads 1 --output two -q && evaluate run --compare two", 3, "two/best", "other classes: two/best.safetensors: it has 2, the first cat, this one has 10" },
        { "evaluate run --fit-temperature --split test",                   2, "", "leave it out" },
        { "evaluate run --fit-temperature --use-ema",                      2, "", "leave --use-ema out" },
        { "evaluate run --compare run --results-format csv",               2, "", "two tables at once: --compare" },
        { "mkdir -p parts/train/cat parts/train/dog parts/test/cat parts/test/dog && for part in train test; do for k in cat dog; do for i in 1 2 3; do "
          "cp one.ppm parts/$part/$k/$i.ppm; done; done; done && train lenet --data parts --epochs 1 --threads 1 --output tested -q >lines && "
          "evaluate tested --fit-temperature -q",                          3, "", "these are the test images" },
        { "evaluate run --fit-reject 0.9",                                 2, "", "use coverage:P" },
        { "evaluate run --fit-reject precision:2",                         2, "", "use coverage:P" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* Which images training drew to validate on is in the checkpoint: they are the same without its folder, and no others are taken for them. */
static void test_held_out(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "for k in cat dog; do mkdir -p flat/$k; for i in 1 2 3 4 5 6 7 8; do (printf 'P6 8 8 255 '; tail -c ${i}00 one.ppm | head -c 1; tail -c 192 one.ppm | tail -c +2) "
          ">flat/$k/$i.ppm; done; done; "
          "for seed in 7 8; do train lenet --data flat --val-split 0.25 --img-size 16 --seed $seed --epochs 1 --threads 1 --output seed$seed -q >lines || exit 9; done; "
          "mkdir alone && cp seed7/best.safetensors alone/", 0, "", NULL },
        { "evaluate seed7 -q --predictions own.csv >lines && evaluate alone/best.safetensors --data flat -q --predictions alone.csv >lines && sed -i s,^.*flat/,, own.csv alone.csv && cmp own.csv alone.csv && grep -c ppm own.csv", 0, "4\n", "" },
        { "evaluate alone --data flat --seed 8",                           0, "of 4 images", "warning: training held out others" },
        { "evaluate alone --data flat --seed 8 --fit-temperature",         3, "", "training held out others" },
        { "evaluate seed7 --compare seed8",                                3, "", "trained on some of these images: seed8/best.safetensors: it held out 0.25 of seed 8, these are 0.25 of seed 7" },
        { "evaluate seed7 --compare alone -q | grep -c McNemar",           0, "1\n", "" },
        /* As from a program that wrote no such key. */
        { "sed -i s/held_out/held_oat/ alone/best.safetensors && evaluate alone --data flat", 0, "of 2 images", "warning: training may have seen these images" },
        { "evaluate alone --data flat --fit-temperature",                  3, "", "nothing says which images training held out" },
        { "evaluate seed7 --compare alone -q",                             0, "McNemar", "alone/best.safetensors may have been trained on these images" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* All of one run agrees: the table of images with the figures, and with the matrix. */
static void test_results(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "evaluate run --limit 100 --threads 1 -q --predictions p.csv --per-class c.csv --confusion-matrix m.csv --calibration b.csv | wc -l", 0, "4\n", "" },
        { "head -1 p.csv",                                                 0, "image,label,called,right,probability,label_probability,loss\n", "" },
        { "wc -l <p.csv",                                                  0, "101\n", "" },
        { "wc -l <c.csv; wc -l <m.csv; wc -l <b.csv",                      0, "11\n11\n16\n", "" },
        { "evaluate run --limit 100 --threads 1 -q --results-format csv | wc -l", 0, "2\n", "" },
        { "evaluate run --limit 100 --threads 1 -q --per-class - --confusion-matrix - --calibration - --misclassified 2 | wc -l", 0, "49\n", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
    check(&(Case){ "evaluate run --limit 100 --threads 1 -q --per-class c.png --confusion-matrix m.svg --calibration b.pdf >lines && "
                   "head -c 4 c.png | tail -c 3 && grep -c '</svg>' m.svg && head -c 5 b.pdf", 0, "PNG1\n%PDF-", "" });
    json_t *json = run_json(EVALUATE "--confusion-matrix - --per-class - --calibration - --misclassified 100 --compare run/last.safetensors");
    const json_t *matrix = json_object_get(json, "confusion_matrix"), *wrong = json_object_get(json, "misclassified"),
                 *other = json_object_get(json, "compare");
    double hits = 0, all = 0;
    for (size_t t = 0; t < 10; t++)
        for (size_t p = 0; p < 10; p++) {
            const double count = json_number_value(json_array_get(json_array_get(matrix, t), p));
            all += count;
            hits += t == p ? count : 0;
        }
    assert_true(all == 100 && hits == 100 * json_number(json, "top1"));
    assert_int_equal(json_array_size(wrong), 100 - (size_t)hits);
    assert_int_equal(json_array_size(json_object_get(json, "per_class")), 10);
    assert_int_equal(json_array_size(json_object_get(json, "calibration")), 15);
    assert_true(json_number(other, "both") + json_number(other, "this_alone") == hits);
    assert_true(json_number(other, "top1") * 100 == json_number(other, "both") + json_number(other, "other_alone"));
    json_decref(json);
}

/* Names of any bytes, and of letters: what describes a run or its data does not stop at them. */
static void test_names(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "odd=$(printf 'r\\351n') && cp -r run \"$odd\" && report \"$odd\" --limit 50 --threads 1 -o odd.html >lines && grep -c 'xE9n' odd.html", 0, "1\n", "" },
        { "summary \"$(printf 'r\\351n')\" --json | tail -1",              0, "}\n", "" },
        { "report run -o no/such/page.html --limit 50",                      7, "", "no/such/page.html" },
        { "mkdir -p letters/a letters/b && cp one.ppm letters/a && cp one.ppm letters/b && train lenet --data letters --val-split 0.5 --summary | head -1", 0, NULL, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* ---- what is kept in the checkpoint ---- */

/* The bytes of a checkpoint after its header. */
static char *tensors_of(const char *name, size_t *count)
{
    char path[256];
    uint64_t header;
    size_t size;
    char *bytes = scratch_read(scratch_path(path, folder, name), &size);
    assert_non_null(bytes);
    memcpy(&header, bytes, sizeof header);
    *count = size - 8 - (size_t)header;
    memmove(bytes, bytes + 8 + header, *count);
    return bytes;
}

static void test_fits(void **state)
{
    (void)state;
    size_t before, after;
    check(&(Case){ "cp -r run fit", 0, "", "" });
    const double loss = number_in("evaluate fit --split val --threads 1 -q --json", "loss");
    char *old = tensors_of("fit/best.safetensors", &before);
    check(&(Case){ "evaluate fit --threads 1 --fit-temperature --fit-reject coverage:0.5", 0, "with the checkpoint's temperature, ", "50.00% of them get an answer" });
    char *now = tensors_of("fit/best.safetensors", &after);
    assert_true(before == after && !memcmp(old, now, before));
    json_t *json = run_json("evaluate fit --split val --threads 1 -q --json");
    assert_true(json_number(json, "loss") == loss && json_number(json, "calibrated_loss") <= loss && json_number(json, "answered") == 0.5);
    assert_true(json_number(json, "calibrated_error") >= 0 && json_number(json, "temperature") > 0.05);
    const double temperature = json_number(json, "temperature");
    json_decref(json);
    /* The same temperature again; a new one alone takes the threshold out, which was another's. */
    check(&(Case){ "evaluate fit --threads 1 --fit-temperature", 0, NULL, "is taken out" });
    json = run_json("evaluate fit --split val --threads 1 -q --json");
    assert_true(json_number(json, "temperature") == temperature && json_is_null(json_object_get(json, "reject_below")));
    json_decref(json);
    /* Somebody trains there. */
    char path[256];
    Error error;
    const int lock = folder_lock(scratch_path(path, folder, "fit"), &error);
    assert_true(lock >= 0);
    check_mistake(&(Case){ "evaluate fit --threads 1 --fit-temperature -q", 4, "", "fit" });
    check(&(Case){ "ln -s fit/best.safetensors linked", 0, "", "" });
    /* A run's data are those of its args.json, also where its weights lie elsewhere: test_mistakes has made these two classes. */
    check(&(Case){ "mkdir far && cp -r tested near && mv near/best.safetensors far/best && ln -s ../far/best near/best.safetensors && "
                   "evaluate near --threads 1 -q --json >lines && grep -c top1 lines", 0, "1\n", "" });
    check_mistake(&(Case){ "evaluate linked --threads 1 --fit-temperature -q", 4, "", "fit" });
    folder_unlock(lock);
    free(old);
    free(now);
}

/* ---- predict ---- */

static void test_predict(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "mkdir -p in/sub && cp one.ppm in/a.ppm && cp one.ppm in/sub/b.ppm && printf 'in/a.ppm\n\nin/sub\n' >names", 0, "", "" },
        { "predict run --list names -k 1 --threads 1 | cut -d: -f1",               0, "in/a.ppm\nin/sub/b.ppm\n", "" },
        { "predict run --list - -k 1 --threads 1 <names | wc -l",                  0, "2\n", "" },
        { "(printf '\\357\\273\\277'; cat names) | predict run --list - -k 1 --threads 1 | wc -l", 0, "2\n", "" },
        { "predict run one.ppm --list names -k 1 --threads 1 | wc -l",             0, "3\n", "" },
        { "predict run 'in/*.ppm' 'in/*/?.ppm' -k 1 --threads 1 | cut -d: -f1",    0, "in/a.ppm\nin/sub/b.ppm\n", "" },
        { "ln -s gone 'lost*' && predict run 'lost*'; code=$?; rm 'lost*'; exit $code", 3, "", "cannot read: lost*" },
        { "predict run 'in/*.jpg'",                                                3, "", "correct the pattern" },
        { "predict run --list /dev/null",                                          3, "", "the list is empty" },
        { "predict run - --list - </dev/null",                                     2, "", "two things from standard input" },
        { "predict run - - </dev/null",                                            2, "", "two things from standard input" },
        { "predict run --list nowhere",                                            3, "", "nowhere" },
        { "(echo one.ppm; echo gone.ppm; echo in/a.ppm) | predict run --list - -k 1 --threads 1 >lines; code=$?; cut -d: -f1 lines; exit $code",
                                                                                   3, "one.ppm\nin/a.ppm\n", "gone.ppm" },
        { "head -c 30 one.ppm >in/sub/cut.ppm; predict run in -k 1 --threads 1 >lines; code=$?; cut -d: -f1 lines; rm in/sub/cut.ppm; exit $code",
                                                                                   3, "in/a.ppm\nin/sub/b.ppm\n", "cut.ppm" },
        { "predict run",                                                           2, "", "no image" },
        { "predict run one.ppm --reject 1 -k 1 --threads 1",                       0, "one.ppm:  unknown (", "" },
        { "predict run one.ppm --reject 1 -k 1 --threads 1 --results-format csv | sed -n 1p", 0, "file,rank,class,prob,unknown\n", "" },
        { "predict run one.ppm --reject 1 -k 1 --threads 1 --results-format csv | tail -1", 0, ",1\n", "" },
        { "predict run one.ppm --reject 0.01 -k 1 --threads 1 --results-format csv | tail -1", 0, ",0\n", "" },
        { "predict run one.ppm --reject 1 --threads 1 --results-format jsonl",     0, "\"unknown\": true", "" },
        { "predict run one.ppm --reject 0 --threads 1 --results-format jsonl",     0, "{\"file\": \"one.ppm\", \"probs\"", "" },
        /* The others' probabilities are all 0 then, and their order is that of the logits even so. */
        { "predict run one.ppm --threads 1 --results-format csv --output-type logit | cut -d, -f3 >logits && predict run one.ppm --threads 1 --results-format csv "
          "--temperature 0.01 | cut -d, -f3 >probs && cmp logits probs && wc -l <probs", 0, "6\n", "" },
        { "predict run one.ppm --threads 1 --output-type logit --temperature 2",   0, "one.ppm:", "--temperature changes nothing here" },
        { "mkdir nine && sed 's/circle.., ..crescent/circle__,___crescent/' run/best.safetensors >nine/best.safetensors && predict nine one.ppm", 3, "",
          "metadata 'classes' has 9 names, the head 10 rows: nine/best.safetensors (lenet): nothing was loaded" },
        { "predict run one.ppm --temperature 0",                                   2, "", "--temperature" },
        { "predict run one.ppm gone.ppm in -k 1 --threads 1 >lines; code=$?; cut -d: -f1 lines; exit $code", 3, "one.ppm\nin/a.ppm\nin/sub/b.ppm\n", "gone.ppm" },
        { "mkdir -p ring/a ring/b && cp one.ppm ring/a && ln -s ../b ring/a/next && ln -s ../a ring/b/next && predict run ring -k 1 --threads 1 | wc -l", 0, "1\n",
          "searched already" },
        { "mkdir shown && cp one.ppm \"$(printf 'in/\\033x.ppm')\"; "
          "predict run \"$(printf 'in/\\033x.ppm')\" --saliency shown -k 1 --threads 1 >lines && ls shown | grep -c '0001-_x1Bx-saliency.png'; rm \"$(printf 'in/\\033x.ppm')\"",
                                                                                   0, "1\n", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* What evaluate has kept in the checkpoint: the same as if it were typed. */
static void test_predict_calibrated(void **state)
{
    (void)state;
    char command[256], *typed, *kept, *err;
    check(&(Case){ "cp -r run calibrated && evaluate calibrated --threads 1 --fit-temperature --fit-reject coverage:0.3 -q", 0, NULL, NULL });
    json_t *json = run_json("evaluate calibrated --split val --threads 1 -q --json");
    snprintf(command, sizeof command, "predict run one.ppm in --threads 1 --temperature %.9g --reject %.9g", json_number(json, "temperature"),
             json_number(json, "reject_below"));
    json_decref(json);
    check(&(Case){ "predict calibrated one.ppm --threads 1 --temperature 7", 0, "one.ppm:  ", "threshold for unknown is for its own temperature, and is left out" });
    assert_int_equal(run(command, &typed, &err), 0);
    free(err);
    assert_int_equal(run("predict calibrated one.ppm in --threads 1", &kept, &err), 0);
    free(err);
    assert_string_equal(typed, kept);
    free(typed);
    free(kept);
    check(&(Case){ "predict run one.ppm --threads 1 >plain && predict calibrated one.ppm --threads 1 --temperature 1 --reject 0 | cmp - plain", 0, "", "" });
    check(&(Case){ "predict calibrated one.ppm --threads 1 --reject 0 | cmp - plain", 1, NULL, NULL });
}

/* ---- pictures ---- */

#define IS_PNG " | while read f; do head -c 4 \"$f\" | tail -c 3; done"

static void test_pictures(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "mkdir -p in/sub && cp one.ppm in/a.ppm && cp one.ppm in/sub/b.ppm && predict run in --threads 1 -k 1 --gradcam looks/cam --saliency looks --features looks && "
          "ls looks looks/cam", 0, "looks:\n0001-a-features.png\n0001-a-saliency.png\n0002-b-features.png\n0002-b-saliency.png\ncam\n\nlooks/cam:\n"
                                   "0001-a-gradcam.png\n0002-b-gradcam.png\n", "" },
        { "find looks -name '*.png'" IS_PNG,                                       0, "PNGPNGPNGPNGPNGPNG", "" },
        { "predict run one.ppm --threads 1 --gradcam frog --about nothing",        2, "", "unknown class 'nothing'" },
        { "predict run one.ppm --threads 1 --gradcam layer --layer nothing",       2, "", "unknown layer 'nothing'" },
        { "predict run one.ppm --threads 1 --saliency frog --layer conv1",         2, "", "--layer changes nothing" },
        { "predict run one.ppm --threads 1 --features frog --about circle",        2, "", "--about changes nothing" },
        { "long=$(printf '%0.240d' 0); cp one.ppm $long.ppm && predict run $long.ppm --threads 1 -k 1 --saliency long >lines && ls long | wc -c; rm $long.ppm", 0, "219\n", "" },
        { "predict run one.ppm --threads 1 --gradcam /proc/nowhere",               4, "", "/proc/nowhere" },
        { "predict run - --threads 1 -k 1 --saliency in <one.ppm && ls in/*.png",  0, "in/0001-standard-input-saliency.png", "" },
        { "evaluate run --limit 60 --threads 1 -q --misclassified-sheet m.png --filters f.png >lines && ls m.png f.png" IS_PNG, 0, "PNGPNG", "" },
        { "evaluate run --limit 20 --threads 1 -q --curves u.png --rates r.png >lines && ls u.png r.png" IS_PNG, 0, "PNGPNG", "" },
        { "cp run/best.safetensors alone.safetensors && evaluate alone.safetensors --data shapes --limit 20 --threads 1 -q --curves u.png >lines", 3, "", "name a checkpoint in its run's folder" },
        { "evaluate run --curves u.jpg",                                           2, "", "let its name end in .png" },
        { "evaluate run --misclassified-sheet m.jpg",                              2, "", "let its name end in .png" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views), cmocka_unit_test(test_mistakes), cmocka_unit_test(test_held_out), cmocka_unit_test(test_results), cmocka_unit_test(test_names), cmocka_unit_test(test_fits),
        cmocka_unit_test(test_predict), cmocka_unit_test(test_predict_calibrated),
        cmocka_unit_test(test_pictures),
    };
    return cmocka_run_group_tests(tests, evaluate_setup, commands_teardown);
}
