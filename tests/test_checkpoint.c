/* test_checkpoint.c - a network and its run go into a file and come back, bit by bit; other files are refused whole. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "holder.h"
#include "scratch.h"

static char folder[256], file[256];

static int setup(void **state)
{
    (void)state;
    scratch_new(folder);
    scratch_path(file, folder, "last.safetensors");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

static char *class_names[] = { "caf\xC3\xA9", "\"quoted\", [list]", "dog" };

static ModelInfo info_of_three(void)
{
    return (ModelInfo){ .arch = "resnet18", .act = "leaky_relu:0.1", .classes = class_names, .class_count = 3,
                        .channels = 3, .side = 32, .mean = { 0.4914f, 0.1f, 1 / 3.0f }, .std = { 0.247f, 1e-7f, 0.5f } };
}

static RunState run_of_odd_numbers(void)
{
    return (RunState){ .step = UINT64_MAX, .epoch = 7, .batch = UINT32_MAX, .best_top1 = 1 / 3.0, .best_epoch = 3,
                       .loss_sum = 1e-310, .hits = 1ull << 53 | 1, .seen = 5, .data_hash = 0xFEDCBA9876543210u,
                       .machine = "convzoo, here",
                       .settings = "{\"lr\": 0.1, \"data\": \"a\\\\b \xC3\xA9\"}" };
}

static void assert_same_network(Network *a, Network *b)
{
    const Parameters *p = network_parameters(a), *q = network_parameters(b);
    assert_int_equal(p->total, q->total);
    assert_memory_equal(p->values, q->values, p->total * sizeof(float));
    assert_int_equal(*p->counters, *q->counters);
}

static void assert_same_run(const RunState *a, const RunState *b)
{
    assert_int_equal(a->step, b->step);
    assert_int_equal(a->epoch, b->epoch);
    assert_int_equal(a->batch, b->batch);
    assert_memory_equal(&a->best_top1, &b->best_top1, sizeof a->best_top1);
    assert_int_equal(a->best_epoch, b->best_epoch);
    assert_memory_equal(&a->loss_sum, &b->loss_sum, sizeof a->loss_sum);
    assert_int_equal(a->hits, b->hits);
    assert_int_equal(a->seen, b->seen);
    assert_int_equal(a->data_hash, b->data_hash);
    assert_string_equal(a->machine, b->machine);
    assert_string_equal(a->settings, b->settings);
}

/* ---- there and back ---- */

static void round_trip(void **state)
{
    (void)state;
    for (int kind = 0; kind < OPTIMIZER_COUNT; kind++) {
        Network *net = network_drawn(3, 5, 1), *other = network_drawn(3, 5, 2);
        Optimizer *optimizer = optimizer_drawn(net, (OptimizerKind)kind, 1);
        Optimizer *loaded = optimizer_drawn(other, (OptimizerKind)kind, 2);
        const ModelInfo info = info_of_three();
        const RunState run = run_of_odd_numbers();
        RunState back;
        Error error = {0};
        if (!checkpoint_save(file, NULL, net, &info, optimizer, &run, NULL, &error))
            fail_msg("%s", error.text);
        const uint64_t version = network_parameters(other)->version;
        if (!checkpoint_load(file, other, loaded, &back, NULL, &error))
            fail_msg("%s", error.text);
        assert_same_network(net, other);
        assert_true(network_parameters(other)->version > version);
        for (int s = 0; s < optimizer->states; s++)
            assert_memory_equal(optimizer->state[s], loaded->state[s], network_parameters(net)->trained * sizeof(float));
        assert_int_equal(loaded->steps, optimizer->steps);
        assert_same_run(&back, &run);

        /* Saved again: the same bytes. Loaded without the training state: the same network. */
        size_t count;
        char *bytes = scratch_read(file, &count), again[256];
        assert_true(checkpoint_save(scratch_path(again, folder, "again"), NULL, other, &info, loaded, &back, NULL, NULL));
        assert_true(scratch_holds(again, bytes, count));
        parameters_init(other, 3);
        assert_true(checkpoint_load(file, other, NULL, NULL, NULL, NULL));
        assert_same_network(net, other);
        free(bytes);
        optimizer_free(optimizer);
        optimizer_free(loaded);
        network_free(net);
        network_free(other);
    }
}

static void names_in_the_file(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "bn.num_batches_tracked", "bn.running_var", "bn.weight", "conv.weight", "fc.bias", "fc.weight",
        "optimizer.momentum_buffer.bn.weight", "optimizer.momentum_buffer.conv.weight",
        "optimizer.momentum_buffer.fc.bias", "optimizer.momentum_buffer.fc.weight",
    };
    Network *net = network_drawn(3, 5, 1);
    Optimizer *optimizer = optimizer_drawn(net, OPTIMIZER_sgd, 1);
    const ModelInfo info = info_of_three();
    const RunState run = run_of_odd_numbers();
    for (int with = 0; with < 2; with++) {
        assert_true(checkpoint_save(file, NULL, net, &info, with ? optimizer : NULL, with ? &run : NULL, NULL, NULL));
        Safetensors *opened = safetensors_open(file, NULL);
        assert_int_equal(safetensors_count(opened), with ? 10 : 6);
        for (size_t i = 0; i < safetensors_count(opened); i++)
            assert_string_equal(safetensors_entry(opened, i)->name, expected[i]);
        assert_int_equal(safetensors_entry(opened, 0)->dtype, DTYPE_I64);
        assert_int_equal(safetensors_entry(opened, 0)->rank, 0);
        assert_int_equal(safetensors_metadata(opened, "run.step") != NULL, with);
        assert_string_equal(safetensors_metadata(opened, "format"), "pt");
        assert_string_equal(safetensors_metadata(opened, "mean"), "[0.491400003, 0.100000001, 0.333333343]");
        assert_null(safetensors_metadata(opened, "squeeze_excite"));
        safetensors_close(opened);
    }
    optimizer_free(optimizer);
    network_free(net);
}

static void info_comes_back(void **state)
{
    (void)state;
    Network *net = network_drawn(3, 5, 1);
    for (int squeeze = 0; squeeze < 2; squeeze++) {
        ModelInfo info = info_of_three(), back;
        info.network.squeeze_excite = squeeze;
        assert_true(checkpoint_save(file, NULL, net, &info, NULL, NULL, NULL, NULL));
        assert_true(checkpoint_info(file, &back, NULL));
        assert_string_equal(back.arch, info.arch);
        assert_string_equal(back.act, info.act);
        assert_int_equal(back.class_count, 3);
        for (int i = 0; i < 3; i++)
            assert_string_equal(back.classes[i], info.classes[i]);
        assert_int_equal(back.channels, 3);
        assert_int_equal(back.side, 32);
        assert_memory_equal(back.mean, info.mean, sizeof info.mean);
        assert_memory_equal(back.std, info.std, sizeof info.std);
        assert_int_equal(back.network.squeeze_excite, squeeze);
        model_info_clear(&back);
    }
    network_free(net);
}

static void keeps_previous(void **state)
{
    (void)state;
    char previous[256];
    scratch_path(previous, folder, "prev.safetensors");
    const ModelInfo info = info_of_three();
    Network *first = network_drawn(3, 5, 1), *second = network_drawn(3, 5, 2), *loaded = network_drawn(3, 5, 3);
    assert_true(checkpoint_save(file, previous, first, &info, NULL, NULL, NULL, NULL));
    assert_true(checkpoint_save(file, previous, second, &info, NULL, NULL, NULL, NULL));
    assert_true(checkpoint_load(previous, loaded, NULL, NULL, NULL, NULL));
    assert_same_network(first, loaded);
    assert_true(checkpoint_load(file, loaded, NULL, NULL, NULL, NULL));
    assert_same_network(second, loaded);
    network_free(first);
    network_free(second);
    network_free(loaded);
}

/* ---- tensors that do not fit ---- */

typedef struct Foreign { const char *name; Dtype dtype; int rank; int64_t shape[4]; float value; } Foreign;

/* The tensors of network_of(3, 5), any of which a case replaces, drops (rank -1) or adds to. */
static const Foreign fitting[] = {
    { "conv.weight",    DTYPE_F32, 4, { 5, 3, 3, 2 }, 1 }, { "bn.weight",              DTYPE_F32, 1, { 5 }, 2 },
    { "bn.running_var", DTYPE_F32, 1, { 5 },          3 }, { "bn.num_batches_tracked", DTYPE_I64, 0, { 0 }, 0 },
    { "fc.weight",      DTYPE_F32, 2, { 3, 5 },       4 }, { "fc.bias",                DTYPE_F32, 1, { 3 }, 5 },
};
enum { FITTING = sizeof fitting / sizeof *fitting };

static const struct { const char *name; Foreign change[2]; const char *expected; } loads[] = {
    { "as it is",            {{0}}, NULL },
    { "doubles",             {{ "fc.bias", DTYPE_F64, 1, { 3 }, 5 }}, NULL },
    { "averages, state",     {{ "ema.fc.bias", DTYPE_F32, 1, { 9 }, NAN }, { "optimizer.x.fc.bias", DTYPE_F32, 1, { 1 }, 0 }}, NULL },
    { "missing",             {{ "fc.bias", DTYPE_F32, -1, { 0 }, 0 }}, "file does not fit the model: " },
    { "missing, its name",   {{ "fc.bias", DTYPE_F32, -1, { 0 }, 0 }}, "(lenet): differences 1: 'fc.bias' is missing: nothing was loaded" },
    { "one more",            {{ "fc2.bias", DTYPE_F32, 1, { 3 }, 0 }}, "'fc2.bias' is not in the model" },
    { "other shape",         {{ "conv.weight", DTYPE_F32, 4, { 5, 3, 2, 3 }, 1 }}, "'conv.weight' has shape [5,3,2,3], the model needs [5,3,3,2]" },
    { "other rank",          {{ "bn.weight", DTYPE_F32, 3, { 5, 1, 1 }, 1 }}, "'bn.weight' has shape [5,1,1], the model needs [5]" },
    { "other type",          {{ "bn.num_batches_tracked", DTYPE_F32, 0, { 0 }, 1 }}, "'bn.num_batches_tracked' has dtype F32, the model needs I64" },
    { "integers",            {{ "fc.bias", DTYPE_I32, 1, { 3 }, 1 }}, "'fc.bias' has dtype I32, the model needs F32" },
    { "two differences",     {{ "a", DTYPE_F32, 1, { 1 }, 1 }, { "b", DTYPE_F32, 1, { 1 }, 1 }}, "'a' is not in the model; 'b' is not" },
    { "other classes",       {{ "fc.weight", DTYPE_F32, 2, { 100, 5 }, 1 }, { "fc.bias", DTYPE_F32, 1, { 100 }, 1 }},
                             "tensor 'fc.weight' has shape [100,5], the model needs [3,5]; 'fc.bias'" },
    { "other classes, how many", {{ "fc.weight", DTYPE_F32, 2, { 100, 5 }, 1 }, { "fc.bias", DTYPE_F32, 1, { 100 }, 1 }},
                             "(lenet): it has 100 classes, the model 3: nothing was loaded" },
    { "a counter of no size", {{ "bn.num_batches_tracked", DTYPE_U8, 3, { (int64_t)1 << 32, (int64_t)1 << 31, 0 }, 0 }},
                             "'bn.num_batches_tracked' has shape [4294967296,2147483648,0], the model needs []" },
    { "NaN",                 {{ "fc.bias", DTYPE_F32, 1, { 3 }, NAN }}, "not finite" },
    { "infinity",            {{ "fc.bias", DTYPE_F32, 1, { 3 }, -INFINITY }}, "tensor 'fc.bias'" },
    { "all weights 0",       {{ "conv.weight", DTYPE_F32, 4, { 5, 3, 3, 2 }, 0 }, { "fc.weight", DTYPE_F32, 2, { 3, 5 }, 0 }}, "all weights are 0" },
    { "double over a float", {{ "fc.bias", DTYPE_F64, 1, { 3 }, INFINITY }}, "tensor 'fc.bias'" },
};

static void foreign_fill(const void *context, void *data)
{
    const Foreign *tensor = context;
    int64_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        if (tensor->shape[i] == 0)
            return;
    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->shape[i];
    for (int64_t i = 0; i < count; i++) {
        if (tensor->dtype == DTYPE_F64)
            ((double *)data)[i] = tensor->value;
        else if (tensor->dtype == DTYPE_F32)
            ((float *)data)[i] = tensor->value;
        else
            memset((char *)data + (size_t)i * dtype_size(tensor->dtype), 0, dtype_size(tensor->dtype));
    }
}

static void write_foreign(const Foreign change[2])
{
    SafetensorsWriter *writer = safetensors_writer_new();
    safetensors_writer_metadata(writer, "arch", "lenet");
    bool used[2] = { !change[0].name, !change[1].name };
    for (int i = 0; i < FITTING + 2; i++) {
        const Foreign *tensor = i < FITTING ? &fitting[i] : &change[i - FITTING];
        if (i >= FITTING && used[i - FITTING])
            continue;
        for (int k = 0; i < FITTING && k < 2; k++)
            if (change[k].name && !strcmp(change[k].name, tensor->name)) {
                tensor = &change[k];
                used[k] = true;
                break;
            }
        if (tensor->rank >= 0)
            safetensors_writer_add(writer, tensor->name, tensor->dtype, tensor->rank, tensor->shape, foreign_fill, tensor);
    }
    assert_true(safetensors_write(writer, file, NULL, NULL));
    safetensors_writer_free(writer);
}

/* Whatever does not fit, nothing has been loaded. */
static void foreign_tensors(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof loads / sizeof *loads; c++) {
        Network *net = network_drawn(3, 5, 1), *untouched = network_drawn(3, 5, 1);
        Error error = {0};
        write_foreign(loads[c].change);
        const bool ok = checkpoint_load(file, net, NULL, NULL, NULL, &error);
        const char *expected = loads[c].expected;
        if (expected ? ok || error.code != EXIT_input || !strstr(error.text, expected) || !strstr(error.text, file) : !ok)
            fail_msg("%s: '%s', expected '%s'", loads[c].name, error.text, expected ? expected : "no error");
        if (!ok)
            assert_same_network(net, untouched);
        else
            for (int i = 0; i < FITTING; i++) {
                float values[100] = {0};
                const Param *param = network_param_find(net, fitting[i].name);
                if (param->role == PARAM_counter)
                    continue;
                parameters_export(net, network_parameters(net)->values, param, values);
                for (size_t k = 0; k < param->count; k++)
                    assert_true(values[k] == fitting[i].value);
            }
        network_free(net);
        network_free(untouched);
    }
}

/* The list of differences ends after ten. */
static void many_differences(void **state)
{
    (void)state;
    static const Foreign one = { .dtype = DTYPE_F32, .rank = 1, .shape = { 1 } };
    Network *net = network_drawn(3, 5, 1);
    SafetensorsWriter *writer = safetensors_writer_new();
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%02d", i);
        safetensors_writer_add(writer, name, DTYPE_F32, 1, one.shape, foreign_fill, &one);
    }
    assert_true(safetensors_write(writer, file, NULL, NULL));
    safetensors_writer_free(writer);
    Error error;
    assert_false(checkpoint_load(file, net, NULL, NULL, NULL, &error));
    assert_non_null(strstr(error.text, "differences 26: "));
    assert_non_null(strstr(error.text, "'x03' is not in the model; and more: nothing was loaded"));
    assert_null(strstr(error.text, "'x04'"));
    network_free(net);
}

/* ---- resuming ---- */

static void resumes_only_what_fits(void **state)
{
    (void)state;
    Network *net = network_drawn(3, 5, 1), *other = network_drawn(3, 5, 2), *untouched = network_drawn(3, 5, 2);
    Optimizer *sgd = optimizer_drawn(net, OPTIMIZER_sgd, 1), *adamw = optimizer_drawn(other, OPTIMIZER_adamw, 1);
    const ModelInfo info = info_of_three();
    const RunState run = run_of_odd_numbers();
    RunState back = { .step = 77 };
    Error error;

    assert_true(checkpoint_save(file, NULL, net, &info, sgd, &run, NULL, NULL));
    assert_false(checkpoint_load(file, other, adamw, &back, NULL, &error));
    assert_non_null(strstr(error.text, "trained with sgd, this run has adamw: use --opt sgd"));
    assert_true(checkpoint_save(file, NULL, net, &info, NULL, NULL, NULL, NULL));
    assert_false(checkpoint_load(file, other, adamw, &back, NULL, &error));
    assert_non_null(strstr(error.text, "no training state"));
    assert_false(checkpoint_load(file, other, NULL, &back, NULL, &error));
    assert_non_null(strstr(error.text, "metadata 'run.step' is missing"));
    assert_int_equal(back.step, 77);
    assert_same_network(other, untouched);
    optimizer_free(sgd);
    optimizer_free(adamw);
    network_free(net);
    network_free(other);
    network_free(untouched);
}

/* What could not be loaded again does not replace what can. */
static void refuses_to_save(void **state)
{
    (void)state;
    Network *net = network_drawn(3, 5, 1);
    ModelInfo info = info_of_three();
    RunState run = run_of_odd_numbers();
    Error error;
    size_t count;
    assert_true(checkpoint_save(file, NULL, net, &info, NULL, &run, NULL, NULL));
    char *before = scratch_read(file, &count);

    run.loss_sum = NAN;
    assert_false(checkpoint_save(file, NULL, net, &info, NULL, &run, NULL, &error));
    assert_int_equal(error.code, EXIT_write);
    assert_non_null(strstr(error.text, "'run.loss_sum' is not UTF-8 or not finite"));
    char *broken[] = { "a", "b", "\xFF" };
    info.classes = broken;
    assert_false(checkpoint_save(file, NULL, net, &info, NULL, NULL, NULL, &error));
    assert_non_null(strstr(error.text, "class 2"));
    char *repeated[] = { "a", "b", "a" };
    info.classes = repeated;
    assert_false(checkpoint_save(file, NULL, net, &info, NULL, NULL, NULL, &error));
    assert_true(error.code == EXIT_write && strstr(error.text, "two classes have one name: 'a'"));
    info.classes = class_names;
    network_parameters(net)->values[3] = NAN;
    assert_false(checkpoint_save(file, NULL, net, &info, NULL, NULL, NULL, &error));
    assert_int_equal(error.code, EXIT_diverged);
    network_parameters(net)->values[3] = 0;
    Network *silent = network_drawn(3, 5, 1);
    memset(network_parameters(silent)->values, 0, network_parameters(silent)->decayed * sizeof(float));
    assert_false(checkpoint_save(file, NULL, silent, &info, NULL, NULL, NULL, &error));
    assert_true(error.code == EXIT_diverged && strstr(error.text, "all weights are 0"));
    network_free(silent);
    Optimizer *optimizer = optimizer_drawn(net, OPTIMIZER_adamw, 1);
    optimizer->state[1][2] = INFINITY;
    assert_false(checkpoint_save(file, NULL, net, &info, optimizer, NULL, NULL, &error));
    assert_int_equal(error.code, EXIT_diverged);
    assert_true(scratch_holds(file, before, count));
    free(before);
    optimizer_free(optimizer);
    network_free(net);
}

/* A bit of a weight that turned over on the disk still makes a finite number. */
static void turned_bits(void **state)
{
    (void)state;
    Network *net = network_drawn(3, 5, 1), *other = network_drawn(3, 5, 2), *untouched = network_drawn(3, 5, 2);
    const ModelInfo info = info_of_three();
    Error error;
    size_t count;
    assert_true(checkpoint_save(file, NULL, net, &info, NULL, NULL, NULL, NULL));
    char *bytes = scratch_read(file, &count);
    for (size_t back = 1; back < 200; back += 22) {
        bytes[count - back] ^= 1;
        scratch_write(file, bytes, count);
        assert_false(checkpoint_load(file, other, NULL, NULL, NULL, &error));
        assert_int_equal(error.code, EXIT_input);
        assert_non_null(strstr(error.text, "file is damaged: "));
        assert_non_null(strstr(error.text, "without the metadata key 'data_crc32'"));
        bytes[count - back] ^= 1;
    }
    assert_same_network(other, untouched);
    free(bytes);
    network_free(net);
    network_free(other);
    network_free(untouched);
}

/* A header of a few bytes that names a network of terabytes. */
static void small_file_for_a_huge_network(void **state)
{
    (void)state;
    Network *huge = network_of(1 << 20, 1 << 20), *small = network_drawn(3, 5, 1);
    const ModelInfo info = info_of_three();
    Error error;
    assert_true(checkpoint_save(file, NULL, small, &info, NULL, NULL, NULL, NULL));
    assert_false(checkpoint_load(file, huge, NULL, NULL, NULL, &error));
    assert_int_equal(error.code, EXIT_input);
    network_free(huge);
    network_free(small);
}

/* The file cut here and there, and every byte of its header changed: an error and nothing loaded, or a whole network. */
static void damaged_files(void **state)
{
    (void)state;
    Network *net = network_drawn(3, 5, 1), *untouched = network_drawn(3, 5, 1), *saved = network_drawn(3, 5, 2);
    const ModelInfo info = info_of_three();
    ModelInfo back;
    size_t count;
    int refused = 0;
    assert_true(checkpoint_save(file, NULL, saved, &info, NULL, NULL, NULL, NULL));
    char *whole = scratch_read(file, &count);
    for (size_t length = 0; length < count; length += 7) {
        scratch_write(file, whole, length);
        assert_false(checkpoint_info(file, &back, NULL));
        assert_false(checkpoint_load(file, net, NULL, NULL, NULL, NULL));
        assert_same_network(net, untouched);
    }
    const size_t header = 8 + (size_t)((unsigned char)whole[0] | (unsigned char)whole[1] << 8);
    for (size_t at = 8; at < header; at++) {
        whole[at] ^= 4;
        scratch_write(file, whole, count);
        whole[at] ^= 4;
        if (checkpoint_info(file, &back, NULL))
            model_info_clear(&back);
        if (!checkpoint_load(file, net, NULL, NULL, NULL, NULL)) {
            assert_same_network(net, untouched);
            refused++;
            continue;
        }
        assert_same_network(net, saved);      /* the change was in a text that the tensors do not need */
        network_free(net);
        net = network_drawn(3, 5, 1);
    }
    assert_true(refused > 400);
    free(whole);
    network_free(net);
    network_free(untouched);
    network_free(saved);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(round_trip), IN_FOLDER(names_in_the_file), IN_FOLDER(info_comes_back), IN_FOLDER(keeps_previous),
        IN_FOLDER(foreign_tensors), IN_FOLDER(many_differences), IN_FOLDER(resumes_only_what_fits),
        IN_FOLDER(refuses_to_save), IN_FOLDER(turned_bits), IN_FOLDER(small_file_for_a_huge_network),
        IN_FOLDER(damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
