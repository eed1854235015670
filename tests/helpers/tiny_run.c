/* tiny_run.c - see tiny_run.h. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"
#include "tiny_run.h"

static void seen_note(void *context, const char *text)
{
    Seen *seen = context;
    const size_t at = strlen(seen->notes);
    snprintf(seen->notes + at, sizeof seen->notes - at, "%s\n", text);
}

static void seen_step(void *context, const TrainerStep *step)
{
    Seen *seen = context;
    seen->steps++;
    if (step->step == seen->stop_at)
        seen->stop = SIGTERM;
}

static void seen_epoch(void *context, const TrainerEpoch *epoch)
{
    Seen *seen = context;
    seen->epochs++;
    seen->train_top1 = epoch->train_top1;
    assert_true(isfinite(epoch->train_loss) && isfinite(epoch->val_loss));
}

TrainerOptions tiny_options(const char *arch, const char *folder, Seen *seen)
{
    Error error;
    TrainerOptions options = trainer_defaults(architecture_find(arch, &error), NULL);
    options.data = (DataOptions){ .path = "shapes", .limit = 180, .side = SIDE };
    options.epochs = EPOCHS;
    options.batch = 32;
    options.val_batch = 50;
    options.lr = 0.01f;
    options.folder = folder;
    options.report = (TrainerReport){ .context = seen, .note = seen_note, .step = seen_step, .epoch = seen_epoch };
    options.stop = &seen->stop;
    return options;
}

/* Opens, runs and closes; the exit code. */
int tiny_train(const TrainerOptions *options, Error *error)
{
    *error = (Error){ 0 };
    Trainer *trainer = trainer_open(options, error);
    if (!trainer)
        return (int)error->code;
    const int code = trainer_run(trainer, error);
    trainer_close(trainer);
    return code;
}

void tiny_expect_code(int code, int expected, const Error *error, const char *name)
{
    if (code != expected)
        fail_msg("%s: exit %d (%s), expected %d", name, code, error->text, expected);
}

void tiny_expect_same(const char *a, const char *b, const char *file)
{
    char path[256];
    size_t count;
    char *bytes = scratch_read(scratch_path(path, a, file), &count);
    assert_non_null(bytes);
    if (!scratch_holds(scratch_path(path, b, file), bytes, count))
        fail_msg("%s differs between %s and %s", file, a, b);
    free(bytes);
}

int tiny_lines(const char *folder, const char *file)
{
    char path[256];
    size_t count;
    char *text = scratch_read(scratch_path(path, folder, file), &count);
    int lines = 0;
    for (const char *byte = text; byte && *byte; byte++)
        lines += *byte == '\n';
    free(text);
    return lines;
}

bool tiny_has(const char *folder, const char *file)
{
    char path[256];
    return scratch_exists(scratch_path(path, folder, file));
}

void tiny_run_whole(const char *arch, const char *folder)
{
    Seen seen = { 0 };
    Error error;
    TrainerOptions options = tiny_options(arch, folder, &seen);
    options.arguments = "{}\n";
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, arch);
    assert_int_equal(seen.steps, STEPS);
    assert_int_equal(seen.epochs, EPOCHS);
    assert_int_equal(tiny_lines(folder, "log.jsonl"), EPOCHS);
    assert_true(tiny_has(folder, "best.safetensors") && tiny_has(folder, "prev.safetensors") && tiny_has(folder, "args.json"));
}
