/* test_memory_refused.c - a library goes on after CONVZOO_MEMORY: nothing has changed, and the same call then does its work.
 *
 * Each case runs in a process of its own, again and again: convzoo's first allocation in the call fails, then a later one, until none does.
 * The same call follows, on the same model and path, and what it gives is what it gives without a failure. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <omp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "convzoo.h"
#include "scratch.h"

enum { SIDE = 32, CLASSES = 2, BATCH = 2, SIZE = 3 * SIDE * SIDE, SECONDS = 60 };
enum { AS_ALWAYS, NONE_FAILED = 10, NOT_TOLD, NOT_THEN, OTHER_RESULT, NOTHING_TO_SEE };      /* what a process says */

static const char *const outcomes[] = {
    [NOT_TOLD] = "the failure is not told as CONVZOO_MEMORY", [NOT_THEN] = "the same call then fails", [OTHER_RESULT] = "the same call then gives something else",
    [NOTHING_TO_SEE] = "what came of it cannot be asked, saved or loaded",
};

static long left_to_failure;      /* 0: nothing fails, or it has */

/* All of convzoo's memory comes from here. */
void *aligned_alloc(size_t alignment, size_t size)
{
    return left_to_failure > 0 && --left_to_failure == 0 ? NULL : memalign(alignment, size);
}

static char  file[256], copy[256];
static float images[BATCH * SIZE];

static ConvzooModel *new_model(ConvzooError *error)
{
    const ConvzooModelOptions options = { .architecture = "lenet", .classes = CLASSES, .threads = 1, .activation = "x*sigmoid(1.5*x)" };
    return convzoo_model_new(&options, error);
}

/* A call of convzoo.h, in which memory runs out. One that makes a model puts it in the other's place. */
typedef int Call(ConvzooModel **model, ConvzooError *error);

static int make(ConvzooModel **model, ConvzooError *error)
{
    *model = new_model(error);
    return *model ? CONVZOO_OK : error->code;
}

static int load(ConvzooModel **model, ConvzooError *error)
{
    *model = convzoo_model_load(file, 1, error);
    return *model ? CONVZOO_OK : error->code;
}

static int save(ConvzooModel **model, ConvzooError *error)
{
    return convzoo_model_save(*model, copy, error);
}

static int ask(ConvzooModel **model, ConvzooError *error)
{
    float logits[BATCH * CLASSES];
    return convzoo_model_logits(*model, images, BATCH, logits, error);
}

static int train(ConvzooModel **model, ConvzooError *error)
{
    static const int labels[BATCH] = { 0, 1 };
    ConvzooTraining *training = convzoo_training_new(*model, BATCH, NULL, error);
    const int code = training ? convzoo_training_step(training, images, labels, 0, NULL, error) : error->code;
    convzoo_training_free(training);
    return code;
}

/* In a process of its own no assertion of cmocka's would end the test. */
static void expect(bool done)
{
    if (!done)
        _exit(NOTHING_TO_SEE);
}

/* What came of it, as logits: of the model, of what was saved, of what is saved now. */
typedef void Look(ConvzooModel *model, float *logits);

static void look_at_model(ConvzooModel *model, float *logits)
{
    expect(convzoo_model_logits(model, images, BATCH, logits, NULL) == CONVZOO_OK);
}

static void look_at_copy(ConvzooModel *unused, float *logits)
{
    (void)unused;
    ConvzooModel *saved = convzoo_model_load(copy, 1, NULL);
    expect(saved);
    look_at_model(saved, logits);
}

static void look_at_saved(ConvzooModel *model, float *logits)
{
    expect(convzoo_model_save(model, copy, NULL) == CONVZOO_OK);
    look_at_copy(model, logits);
}

typedef struct Case {
    const char *name;
    Call       *call;
    bool        again;            /* the call follows a second time before that */
    Look       *look;
    int         least;            /* allocations */
} Case;

static int outcome(const Case *c, long number)
{
    float expected[BATCH * CLASSES], result[BATCH * CLASSES];
    ConvzooError error;
    ConvzooModel *first = new_model(NULL), *model = new_model(NULL);
    expect(c->call(&first, &error) == CONVZOO_OK);
    c->look(first, expected);
    ConvzooModel *before = model;
    left_to_failure = number;
    const int code = c->call(&model, &error);
    const bool failed = left_to_failure == 0;
    left_to_failure = 0;
    if (!failed)
        return code == CONVZOO_OK ? NONE_FAILED : NOT_THEN;
    if (code != CONVZOO_MEMORY)
        return NOT_TOLD;
    model = before;
    if (c->again && c->call(&model, &error) != CONVZOO_OK)
        return NOT_THEN;
    c->look(model, result);
    return memcmp(result, expected, sizeof result) ? OTHER_RESULT : AS_ALWAYS;
}

static int outcome_apart(const Case *c, long number)
{
    int status;
    const pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS);
        _exit(outcome(c, number));
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status))
        fail_msg("allocation %ld fails: signal %d", number, WTERMSIG(status));
    return WEXITSTATUS(status);
}

static void test_goes_on(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "new",               make,  true,  look_at_model, 50 },
        { "load",              load,  true,  look_at_model, 50 },
        { "save",              save,  true,  look_at_copy,  20 },
        { "logits",            ask,   true,  look_at_model, 50 },
        { "save after logits", ask,   false, look_at_saved, 50 },
        { "training",          train, true,  look_at_model, 100 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        long number = 1;
        for (int told; (told = outcome_apart(&cases[i], number)) != NONE_FAILED; number++)
            if (told != AS_ALWAYS)
                fail_msg("%s: allocation %ld fails: %d: %s", cases[i].name, number, told,
                         told >= NOT_TOLD && told <= NOTHING_TO_SEE ? outcomes[told] : "the process ends in another way");
        if (number <= cases[i].least)
            fail_msg("%s: %ld allocations, expected more than %d", cases[i].name, number - 1, cases[i].least);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_goes_on) };
    char folder[256];
    ConvzooError error;
    omp_set_num_threads(1);      /* a process that forks must not have OpenMP's threads */
    scratch_new(folder);
    scratch_path(file, folder, "model.safetensors");
    scratch_path(copy, folder, "copy.safetensors");
    for (int i = 0; i < BATCH * SIZE; i++)
        images[i] = (float)(i % 17) / 17;
    ConvzooModel *model = new_model(&error);
    const bool saved = model && convzoo_model_save(model, file, &error) == CONVZOO_OK;
    convzoo_model_free(model);
    const int failures = saved ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    scratch_remove(folder);
    return failures;
}
