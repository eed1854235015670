/* test_embedding.c - convzoo.h: a network learns the caller's batches, is saved, loaded and asked; a whole run; every mistake. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "convzoo.h"
#include "errors.h"
#include "optimizer.h"
#include "scratch.h"

enum { SIDE = 16, CLASSES = 3, BATCH = 16, SIZE = SIDE * SIDE };

static ConvzooModel *model_of(const char *architecture, uint64_t seed)
{
    ConvzooError error;
    const ConvzooModelOptions options = { .architecture = architecture, .classes = CLASSES, .channels = 1, .side = SIDE, .seed = seed, .threads = 1 };
    ConvzooModel *model = convzoo_model_new(&options, &error);
    if (!model)
        fail_msg("%s: %s", architecture, error.text);
    return model;
}

/* Image i is a bright band at a third of the height that its label says, a little different each. */
static void draw(int count, float *images, int *labels)
{
    for (int i = 0; i < count; i++) {
        labels[i] = i % CLASSES;
        for (int k = 0; k < SIZE; k++)
            images[i * SIZE + k] = (k / SIDE * CLASSES / SIDE == labels[i] ? 1.0f : 0.0f) + 0.1f * (float)((i * 31 + k * 7) % 11) / 11.0f;
    }
}

static void test_lists(void **state)
{
    (void)state;
    ConvzooError error;
    assert_non_null(strstr(convzoo_architectures(), "resnet18"));
    assert_non_null(strstr(convzoo_activations(), "leaky_relu"));
    assert_string_equal(convzoo_optimizers(), optimizer_names());
    assert_true(strlen(convzoo_version()) >= 5);
    char names[1024], *rest = names;
    snprintf(names, sizeof names, "%s", convzoo_architectures());
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        const ConvzooModelOptions options = { .architecture = name, .classes = 2 };
        ConvzooModelAbout about;
        ConvzooModel *model = convzoo_model_new(&options, &error);
        if (!model)
            fail_msg("%s: %s", name, error.text);
        convzoo_model_about(model, &about);
        assert_string_equal(about.architecture, name);
        assert_int_equal(about.channels, 3);
        assert_int_equal(about.side, 32);
        assert_true(about.parameters > 1000 && about.std[2] == 1.0f);
        if (!strcmp(name, "convnext_atto"))      /* with the stem of its recipe for small images: 40 x 3 x 3 x 3, not 40 x 3 x 2 x 2 */
            assert_int_equal(about.parameters, 3376890 - 320 * (10 - options.classes) - (10 - options.classes));
        convzoo_model_free(model);
    }
}

/* Batch norm, layer norm, dropout; each optimizer; the file gives the same logits. */
static void test_learns_saves_and_loads(void **state)
{
    (void)state;
    static const struct { const char *architecture; ConvzooOptimizer optimizer; } cases[] = {
        { "lenet",         { .name = "sgd", .lr = 0.05f } },
        { "baseline",      { .name = "adamw", .lr = 1e-3f, .weight_decay = -1 } },
        { "convnext_atto", { .clip_norm = 1.0f, .label_smoothing = -1 } },
    };
    static float images[BATCH * SIZE];
    float before[BATCH * CLASSES], after[BATCH * CLASSES];
    int labels[BATCH];
    char path[256];
    draw(BATCH, images, labels);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ConvzooError error;
        ConvzooStep first, last;
        ConvzooModel *model = model_of(cases[i].architecture, 1);
        ConvzooTraining *training = convzoo_training_new(model, BATCH, &cases[i].optimizer, &error);
        assert_non_null(training);
        assert_null(convzoo_training_new(model, BATCH, NULL, NULL));      /* one at a time */
        assert_int_equal(convzoo_training_step(training, images, labels, 0, &first, &error), CONVZOO_OK);
        for (int step = 0; step < 30; step++)
            assert_int_equal(convzoo_training_step(training, images, labels, 0, &last, &error), CONVZOO_OK);
        convzoo_training_free(training);
        if (!(first.loss > 0.8 && last.loss < 0.5 * first.loss && last.accuracy > 0.9 && last.gradient_norm > 0))
            fail_msg("%s: loss %g, then %g, accuracy %g", cases[i].architecture, first.loss, last.loss, last.accuracy);

        scratch_path(path, scratch_folder, cases[i].architecture);
        assert_int_equal(convzoo_model_logits(model, images, BATCH, before, &error), CONVZOO_OK);
        assert_int_equal(convzoo_model_save(model, path, &error), CONVZOO_OK);
        convzoo_model_free(model);
        model = convzoo_model_load(path, 1, &error);
        assert_non_null(model);
        assert_int_equal(convzoo_model_logits(model, images, BATCH, after, &error), CONVZOO_OK);
        for (int k = 0; k < BATCH * CLASSES; k++)
            if (!(fabsf(before[k] - after[k]) <= 1e-4f * (1 + fabsf(before[k]))))
                fail_msg("%s: logit %d was %g and is %g", cases[i].architecture, k, (double)before[k], (double)after[k]);
        convzoo_model_free(model);
    }
}

/* More than a batch, a last short one, one by one: the same logits. */
static void test_logits_of_any_count(void **state)
{
    (void)state;
    enum { COUNT = 70 };
    static float images[COUNT * SIZE], all[COUNT * CLASSES];
    static int labels[COUNT];
    ConvzooError error;
    ConvzooModel *model = model_of("lenet", 3), *same = model_of("lenet", 3), *other = model_of("lenet", 4);
    draw(COUNT, images, labels);
    assert_int_equal(convzoo_model_logits(model, images, COUNT, all, &error), CONVZOO_OK);
    for (int i = 0; i < COUNT; i += 23) {
        float one[CLASSES], differs[CLASSES];
        assert_int_equal(convzoo_model_logits(same, images + i * SIZE, 1, one, &error), CONVZOO_OK);
        assert_int_equal(convzoo_model_logits(other, images + i * SIZE, 1, differs, &error), CONVZOO_OK);
        for (int c = 0; c < CLASSES; c++) {
            assert_true(fabsf(one[c] - all[i * CLASSES + c]) < 1e-4f);
            assert_true(fabsf(one[c] - differs[c]) > 1e-5f);
        }
    }
    convzoo_softmax(all, COUNT, CLASSES, all);
    for (int i = 0; i < COUNT; i++)
        assert_true(fabsf(all[3 * i] + all[3 * i + 1] + all[3 * i + 2] - 1.0f) < 1e-5f);
    convzoo_model_free(model);
    convzoo_model_free(same);
    convzoo_model_free(other);
}

static void test_image_files(void **state)
{
    (void)state;
    char path[256], nowhere[256];
    unsigned char file[64 + SIZE], bytes[SIZE];
    float image[SIZE], expected[SIZE], probabilities[CLASSES];
    ConvzooError error;
    const ConvzooModelOptions options = {
        .architecture = "lenet", .classes = CLASSES, .channels = 1, .side = SIDE, .threads = 1, .mean = { 0.25f }, .std = { 0.5f },
        .class_names = (const char *const[]){ "a", "b", "c" },
    };
    ConvzooModel *model = convzoo_model_new(&options, &error);
    assert_non_null(model);
    assert_string_equal(convzoo_model_class(model, 2), "c");
    assert_null(convzoo_model_class(model, 3));
    const int head = sprintf((char *)file, "P5\n%d %d\n255\n", SIDE, SIDE);
    for (int k = 0; k < SIZE; k++)
        bytes[k] = file[head + k] = (unsigned char)(k % 256);
    scratch_write(scratch_path(path, scratch_folder, "image.pgm"), file, (size_t)head + SIZE);
    assert_int_equal(convzoo_model_read_image(model, path, image, &error), CONVZOO_OK);
    convzoo_model_normalise(model, bytes, 1, expected);
    for (int k = 0; k < SIZE; k++) {
        assert_true(fabsf(image[k] - ((float)bytes[k] / 255.0f - 0.25f) / 0.5f) < 1e-5f);
        assert_true(image[k] == expected[k]);
    }
    assert_int_equal(convzoo_model_predict(model, path, probabilities, &error), CONVZOO_OK);
    assert_true(fabsf(probabilities[0] + probabilities[1] + probabilities[2] - 1.0f) < 1e-5f);
    /* At a temperature of 2 the ratio of two probabilities is the root of what it was; and training forgets it. */
    float warm[CLASSES];
    char saved[256];
    Error cause;
    ModelInfo info = { .temperature = 2 };
    assert_int_equal(convzoo_model_save(model, scratch_path(saved, scratch_folder, "warm.safetensors"), &error), CONVZOO_OK);
    assert_true(checkpoint_set_calibration(saved, &info, &cause));
    ConvzooModel *again = convzoo_model_load(saved, 1, &error);
    assert_non_null(again);
    assert_int_equal(convzoo_model_predict(again, path, warm, &error), CONVZOO_OK);
    for (int k = 1; k < CLASSES; k++)
        assert_true(fabsf(warm[k] / warm[0] - sqrtf(probabilities[k] / probabilities[0])) < 1e-4f);
    convzoo_training_free(convzoo_training_new(again, 2, NULL, &error));
    assert_int_equal(convzoo_model_predict(again, path, warm, &error), CONVZOO_OK);
    assert_true(fabsf(warm[1] - probabilities[1]) < 1e-5f);
    convzoo_model_free(again);
    assert_int_equal(convzoo_model_predict(model, scratch_path(nowhere, scratch_folder, "nowhere.png"), probabilities, &error), CONVZOO_INPUT);
    assert_non_null(strstr(error.text, "nowhere.png"));
    convzoo_model_free(model);
}

/* What the caller sets is neither heeded after a model was made nor changed. */
static void test_threads_are_the_models_own(void **state)
{
    (void)state;
    static float images[BATCH * SIZE];
    float two[BATCH * CLASSES], one[BATCH * CLASSES];
    int labels[BATCH];
    ConvzooError error;
    const ConvzooModelOptions options = { .architecture = "lenet", .classes = CLASSES, .channels = 1, .side = SIDE };
    draw(BATCH, images, labels);
    omp_set_num_threads(2);
    ConvzooModel *model = convzoo_model_new(&options, &error), *single = model_of("lenet", 0);
    ConvzooTraining *training = convzoo_training_new(model, BATCH, NULL, &error);
    assert_non_null(training);
    omp_set_num_threads(3);
    omp_set_dynamic(1);
    assert_int_equal(convzoo_model_logits(model, images, BATCH, two, &error), CONVZOO_OK);
    assert_int_equal(convzoo_model_logits(single, images, BATCH, one, &error), CONVZOO_OK);
    assert_int_equal(convzoo_training_step(training, images, labels, 0, NULL, &error), CONVZOO_OK);
    assert_int_equal(omp_get_max_threads(), 3);
    assert_true(omp_get_dynamic());
    omp_set_dynamic(0);
    for (int k = 0; k < BATCH * CLASSES; k++)
        assert_true(fabsf(one[k] - two[k]) < 1e-4f);
    convzoo_training_free(training);
    convzoo_model_free(model);
    convzoo_model_free(single);
}

/* ---- a run ---- */

typedef struct Seen {
    int steps, epochs, notes, stop_at;
    volatile sig_atomic_t stop;
} Seen;

static void seen_progress(void *context, const ConvzooProgress *progress)
{
    Seen *seen = context;
    assert_true(isfinite(progress->loss) && progress->epoch >= 1 && progress->epoch <= progress->epochs && progress->steps == 8);
    seen->steps += !progress->epoch_ended;
    seen->epochs += progress->epoch_ended;
    if (seen->stop_at && progress->step == (uint64_t)seen->stop_at)
        seen->stop = 1;
}

static void seen_note(void *context, const char *text)
{
    Seen *seen = context;
    seen->notes += *text != '\0';
}

static void test_a_run_is_stopped_and_resumed(void **state)
{
    (void)state;
    char path[256];
    Seen seen = { .stop_at = 3 };
    ConvzooError error;
    ConvzooRunResult result;
    ConvzooRunOptions options = {
        .architecture = "lenet", .data = "shapes", .folder = scratch_path(path, scratch_folder, "run"), .epochs = 2, .batch = 25, .limit = 100, .threads = 1,
        .seed = 5, .optimizer = { .lr = 0.01f }, .progress = seen_progress, .note = seen_note, .context = &seen, .stop = &seen.stop,
    };
    assert_int_equal(convzoo_run(&options, &result, &error), CONVZOO_STOPPED);
    assert_true(seen.steps == 3 && seen.epochs == 0 && seen.notes > 0 && result.best_accuracy < 0 && result.best_epoch == 0);
    assert_int_equal(convzoo_run(&options, NULL, &error), CONVZOO_FOLDER);      /* it holds a run */

    seen = (Seen){ 0 };
    options.resume = 1;
    assert_int_equal(convzoo_run(&options, &result, &error), CONVZOO_OK);
    assert_true(seen.steps == 5 && seen.epochs == 2 && result.best_accuracy >= 0 && result.best_epoch >= 1);
    ConvzooModel *model = convzoo_model_load(result.best_path, 1, &error);
    assert_non_null(model);
    assert_string_equal(convzoo_model_class(model, 0), "bar");
    convzoo_model_free(model);
    model = convzoo_model_load(options.folder, 1, &error);      /* a run's folder: the same file */
    assert_non_null(model);
    convzoo_model_free(model);

    options.optimizer.lr = 0.02f;
    assert_int_equal(convzoo_run(&options, NULL, &error), CONVZOO_USAGE);
    assert_non_null(strstr(error.text, "lr"));
}

static void test_a_run_of_train_is_resumed(void **state)
{
    (void)state;
    char path[256], command[800];
    ConvzooError error;
    scratch_path(path, scratch_folder, "by_train");
    snprintf(command, sizeof command, "%s/train lenet --data shapes --limit 50 -b 25 --epochs 2 --max-steps 1 --threads 1 --seed 7 -q --output '%s' 2>/dev/null",
             PROGRAMS_FOLDER, path);
    assert_int_equal(system(command), 0);
    const ConvzooRunOptions options = {
        .architecture = "lenet", .data = "shapes", .folder = path, .resume = 1, .epochs = 2, .batch = 25, .limit = 50, .threads = 1, .seed = 7,
    };
    if (convzoo_run(&options, NULL, &error) != CONVZOO_OK)
        fail_msg("%s", error.text);
}

/* ---- mistakes ---- */

static void test_mistakes_in_a_model(void **state)
{
    (void)state;
    static const char *const names[] = { "a", "b\n" }, *const twice[] = { "a", "a" }, *const empty[] = { "a", "" };
    static const struct { ConvzooModelOptions options; const char *text; } cases[] = {
        { { .classes = 2 },                                                           "no architecture" },
        { { .architecture = "resnet99", .classes = 2 },                               "resnet18" },
        { { .architecture = "lenet", .activation = "rellu", .classes = 2 },           "rellu" },
        { { .architecture = "lenet" },                                                "0 classes" },
        { { .architecture = "lenet", .classes = 65537 },                              "65537 classes" },
        { { .architecture = "lenet", .classes = 2, .channels = 2 },                   "2 channels" },
        { { .architecture = "lenet", .classes = 2, .side = -1 },                      "side of -1" },
        { { .architecture = "lenet", .classes = 2, .side = 4 },                       "4 x 4" },
        { { .architecture = "lenet", .classes = 2, .threads = -1 },                   "-1 threads" },
        { { .architecture = "lenet", .classes = 2, .std = { 1.0f, NAN, 1.0f } },      "channel 1" },
        { { .architecture = "lenet", .classes = 2, .class_names = names }, "class 1" },
        { { .architecture = "lenet", .classes = 2, .class_names = empty }, "class 1 is empty" },
        { { .architecture = "lenet", .classes = 2, .class_names = twice }, "two classes have one name: 'a'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ConvzooError error = { .code = -1 };
        ConvzooModel *model = convzoo_model_new(&cases[i].options, &error);
        if (model || error.code != CONVZOO_USAGE || !strstr(error.text, cases[i].text) || strchr(error.text, '\n'))
            fail_msg("case %zu: code %d, '%s', expected '%s'", i, error.code, error.text, cases[i].text);
        assert_null(convzoo_model_new(&cases[i].options, NULL));
    }
}

static void test_mistakes_in_training(void **state)
{
    (void)state;
    static const ConvzooOptimizer optimizers[] = {
        { .name = "adadelta" }, { .lr = -1 }, { .lr = NAN }, { .momentum = 1 }, { .beta2 = 1 }, { .eps = -1 }, { .label_smoothing = 1 },
    };
    static float images[BATCH * SIZE];
    int labels[BATCH];
    float logits[BATCH * CLASSES], again[BATCH * CLASSES];
    ConvzooError error;
    ConvzooModel *model = model_of("lenet", 1);
    draw(BATCH, images, labels);
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++)
        if (convzoo_training_new(model, BATCH, &optimizers[i], &error) || error.code != CONVZOO_USAGE)
            fail_msg("optimizer %zu was taken", i);
    assert_null(convzoo_training_new(model, 0, NULL, &error));

    ConvzooTraining *training = convzoo_training_new(model, BATCH, &(ConvzooOptimizer){ .name = "sgd", .clip_norm = -1 }, &error);
    assert_non_null(training);
    assert_int_equal(convzoo_model_logits(model, images, BATCH, logits, &error), CONVZOO_OK);
    labels[3] = CLASSES;
    assert_int_equal(convzoo_training_step(training, images, labels, 0, NULL, &error), CONVZOO_USAGE);
    assert_non_null(strstr(error.text, "label 3 of image 3"));
    labels[3] = 0;
    images[5 * SIZE] = NAN;
    assert_int_equal(convzoo_training_step(training, images, labels, 0, NULL, &error), CONVZOO_USAGE);
    assert_non_null(strstr(error.text, "image 5"));
    for (int k = 0; k < SIZE; k++)
        images[5 * SIZE + k] = 3e38f;
    assert_int_equal(convzoo_training_step(training, images, labels, 0, NULL, &error), CONVZOO_DIVERGED);
    draw(BATCH, images, labels);
    assert_int_equal(convzoo_training_step(training, images, labels, NAN, NULL, &error), CONVZOO_USAGE);
    assert_int_equal(convzoo_model_logits(model, images, 0, logits, &error), CONVZOO_USAGE);
    assert_int_equal(convzoo_model_logits(model, images, BATCH, again, &error), CONVZOO_OK);
    assert_memory_equal(logits, again, sizeof logits);      /* no failed step has changed the model */
    convzoo_training_free(training);
    convzoo_model_free(model);
}

static void test_mistakes_with_files(void **state)
{
    (void)state;
    char path[256];
    ConvzooError error;
    ConvzooModel *model = model_of("lenet", 1);
    assert_null(convzoo_model_load(scratch_path(path, scratch_folder, "nowhere"), 0, &error));
    assert_int_equal(error.code, CONVZOO_INPUT);
    assert_int_equal(convzoo_model_save(model, scratch_path(path, scratch_folder, "nowhere/file"), &error), CONVZOO_WRITE);
    convzoo_model_free(model);
    convzoo_model_free(NULL);
    convzoo_training_free(NULL);

    static const ConvzooRunOptions runs[] = {
        { .data = "shapes", .folder = "x" }, { .architecture = "lenet", .folder = "x" }, { .architecture = "lenet", .data = "shapes" },
        { .architecture = "lenet", .data = "shapes", .folder = "x", .epochs = -1 },
        { .architecture = "lenet", .data = "shapes", .folder = "x", .val_split = 1 },
        { .architecture = "lenet", .data = "shapes", .folder = "x", .activation = "rellu" },
        { .architecture = "lenet", .data = "", .folder = "x" },
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        if (convzoo_run(&runs[i], NULL, &error) != CONVZOO_USAGE)
            fail_msg("run %zu: %d %s", i, error.code, error.text);
    assert_int_equal(convzoo_run(&(ConvzooRunOptions){ .architecture = "lenet", .data = "nowhere", .folder = "x" }, NULL, &error), CONVZOO_INPUT);
}

static void ask_for_more_than_there_is(void *context)
{
    *(int *)context = 1;
    free(allocate(SIZE_MAX / 4, 2, "a test"));
    *(int *)context = 2;
}

static void ask_inside_another(void *context)
{
    Error error;
    assert_false(memory_guard(ask_for_more_than_there_is, context, &error));
    *(int *)context += 10;
    memory_exhausted("a library");
}

/* The process lives on, and so does the model. */
static void test_memory_runs_out(void **state)
{
    (void)state;
    int reached = 0;
    Error given_up;
    ConvzooError error;
    assert_false(memory_guard(ask_inside_another, &reached, &given_up));
    assert_int_equal(reached, 11);
    assert_true(given_up.code == EXIT_memory && !strcmp(given_up.text, "out of memory: a library: use a smaller batch or image, or close other programs"));

    static float images[BATCH * SIZE];
    int labels[BATCH];
    const ConvzooModelOptions large = { .architecture = "resnet18", .classes = CLASSES, .channels = 1, .side = 1024, .threads = 1 };
    ConvzooModel *model = convzoo_model_new(&large, &error);
    assert_non_null(model);
    assert_null(convzoo_training_new(model, 65536, NULL, &error));
    assert_int_equal(error.code, CONVZOO_MEMORY);
    assert_non_null(strstr(error.text, "out of memory: a batch of 65536 images of 1024x1024 needs "));
    convzoo_model_free(model);

    model = model_of("lenet", 1);
    assert_false(memory_guard(ask_for_more_than_there_is, &reached, &given_up));
    ConvzooTraining *training = convzoo_training_new(model, BATCH, NULL, &error);
    assert_non_null(training);
    draw(BATCH, images, labels);
    assert_int_equal(convzoo_training_step(training, images, labels, 0, NULL, &error), CONVZOO_OK);
    convzoo_training_free(training);
    convzoo_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_learns_saves_and_loads),
        cmocka_unit_test(test_logits_of_any_count),
        cmocka_unit_test(test_image_files),
        cmocka_unit_test(test_threads_are_the_models_own),
        cmocka_unit_test(test_a_run_is_stopped_and_resumed),
        cmocka_unit_test(test_a_run_of_train_is_resumed),
        cmocka_unit_test(test_mistakes_in_a_model),
        cmocka_unit_test(test_mistakes_in_training),
        cmocka_unit_test(test_mistakes_with_files),
        cmocka_unit_test(test_memory_runs_out),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
