/* test_start.c - networks that start from another's weights, and parts of networks that training leaves alone. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "architectures.h"
#include "checkpoint_start.h"
#include "freeze.h"
#include "loss.h"
#include "parameters.h"
#include "program.h"
#include "random.h"
#include "scratch.h"

enum { SIDE = 32, BATCH = 3, CLASSES_MOST = 6 };

static char folder[256], file[256];

static Network *build(const char *arch, int classes, uint64_t seed)
{
    Network *net = architecture_network(architecture_find(arch, NULL), (Shape){ 3, SIDE, SIDE }, &(ArchOptions){ .classes = classes }, NULL);
    assert_non_null(net);
    parameters_init(net, seed);
    for (int i = 0; i < network_param_count(net); i++)
        if (network_param(net, i)->role == PARAM_counter)
            *parameters_counter(net, network_param(net, i)) = (int64_t)seed + i;
    return net;
}

/* names: one letter a class */
static ModelInfo info_of(const char *arch, const char *names)
{
    static char texts[CLASSES_MOST][2], *lists[CLASSES_MOST];
    ModelInfo info = { .act = "silu", .class_count = (int)strlen(names), .channels = 3, .side = SIDE, .std = { 1, 1, 1 }, .classes = lists };
    snprintf(info.arch, sizeof info.arch, "%s", arch);
    for (int i = 0; names[i]; i++) {
        texts[i][0] = names[i];
        lists[i] = texts[i];
    }
    return info;
}

static void save(Network *net, const char *arch, const char *names)
{
    const ModelInfo info = info_of(arch, names);
    Error error;
    if (!checkpoint_save(file, NULL, net, &info, NULL, NULL, NULL, &error))
        fail_msg("%s", error.text);
}

static float *plain_of(Network *net, const char *name)
{
    const Param *param = network_param_find(net, name);
    assert_non_null(param);
    float *plain = allocate(param->count, sizeof *plain, name);
    parameters_export(net, network_parameters(net)->values, param, plain);
    return plain;
}

static bool same_tensor(Network *a, Network *b, const char *name)
{
    const Param *param = network_param_find(a, name);
    if (param->role == PARAM_counter)
        return *parameters_counter(a, param) == *parameters_counter(b, network_param_find(b, name));
    float *x = plain_of(a, name), *y = plain_of(b, name);
    const bool same = !memcmp(x, y, param->count * sizeof *x);
    free(x);
    free(y);
    return same;
}

static void fill_image(Program *program)
{
    Random random = random_stream(9, 0, 0, RANDOM_init);
    for (int i = 0; i < BATCH * 3 * SIDE * SIDE; i++)
        program_image(program)[i] = random_normal(&random);
}

/* ---- starting ---- */

static bool is_head(const char *name)
{
    return !strncmp(name, "classifier.", 11);
}

/* old, new: classes by letter; kept: those that both know; text: in the note */
static const struct { const char *old, *new, *text; } starts[] = {
    { "abcde", "abcde",  "the head's rows for all 5 classes are kept" },
    { "abcde", "edcba",  "the head's rows for all 5 classes are kept" },
    { "abcde", "cxa",    "the head's rows are kept for 2 classes (c, a) and new for 1 (x)" },
    { "abcde", "bfghij", "the head's rows are kept for 1 class (b) and new for 5 (f, g, h, i, j)" },
    { "abcde", "vwxyz",  "the head is new, for 5 classes" },
    { "ab",    "vwxyzu", "the head is new, for 6 classes" },
};

static void compare_heads(size_t at, Network *old, Network *net, Network *fresh)
{
    const int classes = (int)strlen(starts[at].new), length = (int)network_param_find(net, "classifier.weight")->dims[1];
    float *had = plain_of(old, "classifier.weight"), *has = plain_of(net, "classifier.weight"), *drawn = plain_of(fresh, "classifier.weight");
    for (int i = 0; i < classes; i++) {
        const char *from = strchr(starts[at].old, starts[at].new[i]);
        const float *expected = from ? had + (from - starts[at].old) * length : drawn + i * length;
        if (memcmp(has + i * length, expected, (size_t)length * sizeof *has))
            fail_msg("%zu: row %d of the head is wrong", at, i);
    }
    free(had);
    free(has);
    free(drawn);
}

/* The kept rows give the old logits. */
static void compare_logits(size_t at, Network *old, Network *net)
{
    Program *before = program_compile(old, &(Plan){ 0 }, PURPOSE_inference, BATCH), *after = program_compile(net, &(Plan){ 0 }, PURPOSE_inference, BATCH);
    fill_image(before);
    fill_image(after);
    program_forward(before);
    program_forward(after);
    const size_t were = strlen(starts[at].old), are = strlen(starts[at].new);
    for (size_t n = 0; n < BATCH; n++)
        for (size_t i = 0; i < are; i++) {
            const char *from = strchr(starts[at].old, starts[at].new[i]);
            const float is = program_logits(after)[n * are + i];
            if (from && fabsf(is - program_logits(before)[n * were + (size_t)(from - starts[at].old)]) > 1e-5f)
                fail_msg("%zu: logit %zu of image %zu is %g", at, i, n, (double)is);
        }
    program_free(before);
    program_free(after);
}

static void other_classes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        Network *old = build("efficientnet_lite0", (int)strlen(starts[i].old), 1);
        Network *net = build("efficientnet_lite0", (int)strlen(starts[i].new), 2), *fresh = build("efficientnet_lite0", (int)strlen(starts[i].new), 2);
        const Param *bias = network_param_find(old, "classifier.bias");
        float values[CLASSES_MOST] = { 1, -2, 3, -4, 5, -6 };
        char note[1024];
        Error error = { 0 };
        parameters_import(old, network_parameters(old)->values, bias, values);
        save(old, "efficientnet_lite0", starts[i].old);
        const ModelInfo info = info_of("efficientnet_lite0", starts[i].new);
        if (!checkpoint_start_from(file, net, &info, note, sizeof note, &error))
            fail_msg("%zu: %s", i, error.text);
        if (!strstr(note, starts[i].text) || !strstr(note, file) || !strstr(note, ": 294 tensors kept; "))
            fail_msg("%zu: '%s', expected '%s'", i, note, starts[i].text);
        for (int p = 0; p < network_param_count(net); p++)
            if (!is_head(network_param(net, p)->name) && !same_tensor(old, net, network_param(net, p)->name))
                fail_msg("%zu: %s was not kept", i, network_param(net, p)->name);
        compare_heads(i, old, net, fresh);
        compare_logits(i, old, net);
        network_free(old);
        network_free(net);
        network_free(fresh);
    }
}

typedef struct Refused {
    const char *arch, *saved;      /* the run's, the file's */
    const char *text;
} Refused;

static const Refused refusals[] = {
    { "efficientnet_lite0", "lenet",              "file does not fit the model: " },
    { "lenet",              "efficientnet_lite0", "of the tensors are 0 equal" },
    { "alexnet",            "lenet",              "file does not fit the model: " },
    { "lenet",              NULL,                 "cannot open" },
};

static void others_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const Refused *row = &refusals[i];
        Network *net = build(row->arch, 5, 2), *untouched = build(row->arch, 5, 2);
        const ModelInfo info = info_of(row->arch, "abcde");
        char note[1024] = "";
        Error error = { 0 };
        remove(file);
        if (row->saved) {
            Network *other = build(row->saved, 5, 1);
            save(other, row->saved, "abcde");
            network_free(other);
        }
        const bool ok = checkpoint_start_from(file, net, &info, note, sizeof note, &error);
        const Parameters *p = network_parameters(net), *q = network_parameters(untouched);
        if (ok || error.code != EXIT_input || !strstr(error.text, row->text) || memcmp(p->values, q->values, p->total * sizeof(float)))
            fail_msg("%s from %s: '%s' '%s', expected '%s'", row->arch, row->saved, note, error.text, row->text);
        network_free(net);
        network_free(untouched);
    }
}

/* A file that names no classes, with as many rows or others; and a body's weights without any head. */
typedef struct Source { Network *network; const Param *param; } Source;

static void tensor_fill(const void *context, void *data)
{
    const Source *tensor = context;
    parameters_export(tensor->network, network_parameters(tensor->network)->values, tensor->param, data);
}

static void two_zeros(const void *context, void *data)
{
    (void)context;
    memset(data, 0, 2 * sizeof(float));
}

/* short_bias: the head's bias, which must be among what it goes without, has two numbers. */
static void write_unnamed(Network *net, const char *without, bool short_bias)
{
    SafetensorsWriter *writer = safetensors_writer_new();
    const int count = network_param_count(net);
    Source *tensors = allocate((size_t)count, sizeof *tensors, "tensors");
    for (int i = 0; i < count; i++) {
        const Param *param = network_param(net, i);
        tensors[i] = (Source){ net, param };
        if (strncmp(param->name, without, strlen(without)))
            safetensors_writer_add(writer, param->name, DTYPE_F32, param->rank, param->dims, tensor_fill, &tensors[i]);
    }
    if (short_bias)
        safetensors_writer_add(writer, without, DTYPE_F32, 1, (int64_t[]){ 2 }, two_zeros, NULL);
    assert_true(safetensors_write(writer, file, NULL, NULL));
    safetensors_writer_free(writer);
    free(tensors);
}

static void unnamed_classes(void **state)
{
    (void)state;
    static const struct { const char *without, *classes, *text; } cases[] = {
        { "nothing",      "abcde", "the head's rows for all 5 classes are kept, by number: the file does not name its classes" },
        { "nothing",      "abc",   "the head is new, for 3 classes" },
        { "classifier.5", "abcde", "the head is new, for 5 classes" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Network *old = build("lenet", 5, 1), *net = build("lenet", (int)strlen(cases[i].classes), 2);
        const ModelInfo info = info_of("lenet", cases[i].classes);
        char note[1024] = "";
        Error error = { 0 };
        write_unnamed(old, cases[i].without, false);
        if (!checkpoint_start_from(file, net, &info, note, sizeof note, &error) || !strstr(note, cases[i].text))
            fail_msg("%zu: '%s' '%s', expected '%s'", i, note, error.text, cases[i].text);
        assert_true(same_tensor(old, net, "features.0.weight") && same_tensor(old, net, "classifier.3.bias"));
        assert_true(i > 0 || same_tensor(old, net, "classifier.5.weight"));
        network_free(old);
        network_free(net);
    }
}

/* A head whose tensors have other numbers of rows is that of no network. */
static void uneven_head(void **state)
{
    (void)state;
    Network *old = build("lenet", 5, 1), *net = build("lenet", 4, 2), *untouched = build("lenet", 4, 2);
    const ModelInfo info = info_of("lenet", "abcd");
    char note[1024] = "";
    Error error = { 0 };
    write_unnamed(old, "classifier.5.bias", true);
    assert_false(checkpoint_start_from(file, net, &info, note, sizeof note, &error));
    if (error.code != EXIT_input || !strstr(error.text, "'classifier.5.bias' has shape [2]"))
        fail_msg("%s", error.text);
    for (int p = 0; p < network_param_count(net); p++)
        assert_true(same_tensor(net, untouched, network_param(net, p)->name));
    network_free(old);
    network_free(net);
    network_free(untouched);
}

/* A value that is not finite, in the body or in the head: nothing changes. */
static void not_finite(void **state)
{
    (void)state;
    static const char *const names[] = { "features.3.weight", "classifier.5.weight" };
    for (size_t i = 0; i < 2; i++) {
        Network *old = build("lenet", 5, 1), *net = build("lenet", 5, 2), *untouched = build("lenet", 5, 2);
        const ModelInfo info = info_of("lenet", "abcde");
        char note[1024] = "";
        Error error = { 0 };
        float *plain = plain_of(old, names[i]);
        plain[7] = INFINITY;
        parameters_import(old, network_parameters(old)->values, network_param_find(old, names[i]), plain);
        write_unnamed(old, "nothing", false);
        assert_false(checkpoint_start_from(file, net, &info, note, sizeof note, &error));
        assert_non_null(strstr(error.text, "values are not finite: "));
        for (int p = 0; p < network_param_count(net); p++)
            assert_true(same_tensor(net, untouched, network_param(net, p)->name));
        free(plain);
        network_free(old);
        network_free(net);
        network_free(untouched);
    }
}

/* ---- freezing ---- */

static void patterns(void **state)
{
    (void)state;
    static const struct { const char *patterns; int frozen; const char *error; } cases[] = {
        { "all-but-head",           60, NULL },
        { "conv1.weight",           1, NULL },
        { "conv1",                  1, NULL },                                 /* the convolution's all */
        { "bn1",                    2, NULL },
        { "*.bn?",                  32, NULL },                                /* but not the stem's */
        { "layer1",                 12, NULL },
        { "layer1,layer2.0.conv?",  14, NULL },
        { "layer[12].*",            12 + 15, NULL },
        { "fc",                     2, NULL },
        { "layr1",                  0, "no parameter is named 'layr1': --freeze: use all-but-head, or names or patterns of the network's: "
                                       "conv1, bn1, layer1, layer2, layer3, layer4, fc" },
        { "layer1,bn1.running_mean", 0, "no parameter is named 'bn1.running_mean'" },
        { "",                       0, NULL },
        { "*",                      0, "nothing is left to train: --freeze *: freeze fewer" },
        { "all-but-head,fc",        0, "nothing is left to train" },
    };
    Network *net = build("resnet18", 3, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error = { 0 };
        int frozen = 0;
        const bool ok = freeze_apply(net, cases[i].patterns, &error);
        for (int p = 0; p < network_param_count(net); p++)
            frozen += network_param(net, p)->frozen;
        if (frozen != cases[i].frozen || ok != !cases[i].error || (!ok && (error.code != EXIT_usage || !strstr(error.text, cases[i].error))))
            fail_msg("'%s': %d frozen, '%s', expected %d, '%s'", cases[i].patterns, frozen, error.text, cases[i].frozen, cases[i].error);
        freeze_lift(net);
        assert_int_equal(freeze_count(net), 0);
    }
    network_free(net);
}

static void backward(Program *program, int classes)
{
    static const uint16_t labels[BATCH] = { 1, 0, 2 };
    LossSum sum = { 0 };
    loss_cross_entropy(program_logits(program), labels, BATCH, BATCH, classes, 0, program_logits_gradient(program), &sum);
    program_backward(program);
}

/* Nothing moves in what is frozen, and no backward kernel runs below what is trained. */
static void head_alone(void **state)
{
    (void)state;
    static const char *const archs[] = { "resnet18", "efficientnet_lite0", "convnext_atto", "lenet" };
    for (size_t a = 0; a < sizeof archs / sizeof *archs; a++) {
        Network *net = build(archs[a], 4, 1), *untouched = build(archs[a], 4, 1);
        Error error;
        const Module *head = network_logits(net)->producer;
        assert_true(freeze_apply(net, "all-but-head", &error));
        Program *program = program_compile(net, &(Plan){ 0 }, PURPOSE_training, BATCH);
        fill_image(program);
        program_forward(program);
        backward(program, 4);
        for (int i = 0; i < network_param_count(net); i++) {
            const Param *param = network_param(net, i);
            if (!same_tensor(net, untouched, param->name))
                fail_msg("%s: %s has moved", archs[a], param->name);
            if (!param_is_trained(param))
                continue;
            float *gradient = allocate(param->count, sizeof *gradient, "a gradient");
            parameters_export(net, network_parameters(net)->gradients, param, gradient);
            size_t zeros = 0;
            for (size_t k = 0; k < param->count; k++)
                zeros += gradient[k] == 0;
            if (param->module == head ? zeros > param->count / 2 : zeros < param->count)
                fail_msg("%s: %zu of %zu gradients of %s are 0", archs[a], zeros, param->count, param->name);
            free(gradient);
        }
        const int count = program_profile_rows(program, NULL, 0);
        KernelProfile *rows = allocate((size_t)count, sizeof *rows, "a profile");
        program_profile_rows(program, rows, count);
        for (int i = 0; i < count; i++)
            if (strstr(rows[i].what, "backward") && strcmp(rows[i].module, head->name))
                fail_msg("%s: %s of '%s' runs", archs[a], rows[i].what, rows[i].module);
        free(rows);
        program_free(program);
        network_free(net);
        network_free(untouched);
    }
}

/* Where no batch norm is frozen, what is trained gets the gradients that it would get anyway. */
static void upper_half(void **state)
{
    (void)state;
    static const struct { const char *arch, *patterns; } cases[] = {
        { "lenet", "features" }, { "convnext_atto", "features.[0-4]" }, { "convnext_atto", "features.5.3.block.3,features.1.0.layer_scale" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Network *net = build(cases[i].arch, 4, 1), *whole = build(cases[i].arch, 4, 1);
        Error error;
        assert_true(freeze_apply(net, cases[i].patterns, &error));
        Network *both[] = { net, whole };
        for (int b = 0; b < 2; b++) {
            Program *program = program_compile(both[b], &(Plan){ 0 }, PURPOSE_training, BATCH);
            fill_image(program);
            program_forward(program);
            backward(program, 4);
            program_free(program);
        }
        for (int k = 0; k < network_param_count(net); k++) {
            const Param *param = network_param(net, k);
            if (!param_is_trained(param) || param->frozen)
                continue;
            float *x = allocate(param->count, sizeof *x, "a gradient"), *y = allocate(param->count, sizeof *y, "a gradient");
            parameters_export(net, network_parameters(net)->gradients, param, x);
            parameters_export(whole, network_parameters(whole)->gradients, network_param(whole, k), y);
            double off = 0, size = 0;
            for (size_t e = 0; e < param->count; e++) {
                off += pow((double)x[e] - (double)y[e], 2);
                size += pow((double)y[e], 2);
            }
            if (off > 1e-10 * size)
                fail_msg("%s, %s: gradient of %s is off by %g of its norm", cases[i].arch, cases[i].patterns, param->name, sqrt(off / size));
            free(x);
            free(y);
        }
        network_free(net);
        network_free(whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_classes), cmocka_unit_test(others_refused), cmocka_unit_test(unnamed_classes), cmocka_unit_test(uneven_head), cmocka_unit_test(not_finite),
        cmocka_unit_test(patterns), cmocka_unit_test(head_alone), cmocka_unit_test(upper_half),
    };
    scratch_new(folder);
    scratch_path(file, folder, "weights.safetensors");
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    return failed;
}
