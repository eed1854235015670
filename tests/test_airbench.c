/* test_airbench.c - airbench's recipe: its numbers are the published ones, what it freezes stays, it may be stopped anywhere, and it yields
 * to what a person asks for in another way. That the network computes what PyTorch's does is test_parity's affair. */

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
#include "safetensors.h"
#include "scratch.h"
#include "tiny_run.h"

/* ---- numbers ---- */

/* The published code sums the loss over the batch and writes its rate per 1024 images, for steps that momentum makes 1 + 1 / (1 - m)
 * times as long; its decay does not depend on the rate. Ours are of the mean loss, and the decay is multiplied by the rate. */
static void published_numbers(void **state)
{
    (void)state;
    const double published_lr = 11.5, published_decay = 0.0153, momentum = 0.85, batch = 1024;
    const double divisor = 1024 * (1 + 1 / (1 - momentum));
    const double lr_of_sum = published_lr / divisor, decay_of_sum = published_decay * batch / divisor;
    const TrainerOptions o = trainer_defaults(architecture_find("airbench", NULL), NULL);
    assert_true(fabs((double)o.lr - lr_of_sum * batch) < 1e-6);
    assert_true(fabs((double)o.optimizer.weight_decay / (decay_of_sum / (lr_of_sum * batch)) - 1) < 1e-3);
    assert_true(fabs((double)o.optimizer.momentum - momentum) < 1e-6 && o.batch == (int)batch && o.usual_batch == o.batch && o.parts.lookahead && o.parts.lookahead_rising);
    assert_non_null(strstr(o.optimizer.param_groups, "norm-bias lr*64 decay/64"));      /* the same decay in a step */
}

/* ---- a run ---- */

static void train_recipe(const char *path, uint64_t most_steps, bool resume)
{
    Seen seen = { 0 };
    Error error;
    TrainerOptions options = tiny_options("airbench", path, &seen);
    options.lr = 0.1f;      /* for a batch of 32 */
    options.epochs = 2;
    options.most_steps = most_steps;
    options.resume = resume;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, path);
}

/* The caller frees them. */
static float *values_in(const char *run, const char *name, size_t *count)
{
    char path[256];
    Error error = { 0 };
    Safetensors *file = safetensors_open(scratch_path(path, run, "last.safetensors"), &error);
    if (!file)
        fail_msg("%s: %s", path, error.text);
    const SafetensorsEntry *entry = safetensors_find(file, name);
    if (!entry)
        fail_msg("no %s", name);
    *count = (entry->end - entry->begin) / sizeof(float);
    float *values = malloc(*count * sizeof *values);
    assert_true(values && safetensors_read_f32(file, entry, values, NULL));
    safetensors_close(file);
    return values;
}

static void frozen_parts_stay(void **state)
{
    (void)state;
    static const struct { const char *name; bool moves; } rows[] = {
        { "whiten.weight", false }, { "layers.1.norm1.weight", false }, { "layers.3.norm2.weight", false }, { "whiten.bias", true },
        { "layers.1.norm1.bias", true }, { "layers.2.conv2.weight", true }, { "head.weight", true },
    };
    char begun[256], done[256];
    train_recipe(scratch_path(begun, folder, "begun"), 1, false);
    train_recipe(scratch_path(done, folder, "done"), 0, false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t count, same = 0;
        float *a = values_in(begun, rows[i].name, &count), *b = values_in(done, rows[i].name, &count);
        for (size_t k = 0; k < count; k++)
            same += a[k] == b[k];
        if (rows[i].moves ? 2 * same > count : same != count)
            fail_msg("%s: %zu of %zu values are as they were", rows[i].name, same, count);
        free(a);
        free(b);
    }
    size_t count;
    float *scale = values_in(done, "layers.2.norm1.weight", &count);
    for (size_t k = 0; k < count; k++)
        assert_true(scale[k] == 1.0f);
    free(scale);
}

/* In the middle of Lookahead's five steps, and at their end, which is an epoch's. */
static void goes_on(void **state)
{
    (void)state;
    static const uint64_t stops[] = { 3, 5 };
    char done[256], part[256];
    scratch_path(done, folder, "done");
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        scratch_path(part, folder, "part");
        train_recipe(part, stops[i], false);
        train_recipe(part, 0, true);
        tiny_expect_same(done, part, "last.safetensors");
        tiny_expect_same(done, part, "best.safetensors");
        scratch_remove(part);
    }
}

/* ---- beside other wishes ---- */

static void programs(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "train airbench --data shapes --limit 64 -b 16 --img-size 16 --threads 1 --epochs 1 --lr 0.1 --output first", 0, NULL, "whitens 64 training images" },
        { "train airbench --data shapes --limit 64 -b 16 --img-size 16 --threads 1 --epochs 1 --lr 0.1 --init first --output second", 0, NULL,
          "started from first/best.safetensors" },
        { "train airbench --data shapes --limit 64 -b 16 --img-size 16 --threads 1 --epochs 1 --lr 0.1 --aug 'crop:2 cutout:4'", 0, NULL,
          "augmentation: crop:2 cutout:4" },
        { "train airbench --data shapes --limit 64 -b 16 --img-size 16 --threads 1 --epochs 1 --whiten 1e-3 --init first", 2, NULL, "two ways to start the first layer" },
        { "train airbench --data shapes --limit 64 --img-size 16 --aug crop --hflip on --dry-run", 2, NULL, "two ways to shift and mirror" },
        { "evaluate first --data shapes --limit 64 --threads 1 -q", 0, NULL, NULL },
        { NULL, 0, NULL, NULL },
    };
    for (const Case *c = cases; c->command; c++)
        check(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_numbers), cmocka_unit_test(frozen_parts_stay), cmocka_unit_test(goes_on), cmocka_unit_test(programs),
    };
    return cmocka_run_group_tests(tests, commands_setup, commands_teardown);
}
