/* test_arch_options.c - what each option of an architecture changes in the network and in its first values, and that it changes
 * nothing else. */

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
#include "description.h"
#include "kernels.h"
#include "parameters.h"
#include "program.h"
#include "random.h"

static Network *build(const char *arch, ArchOptions options)
{
    Error error = { 0 };
    options.classes = 10;
    Network *net = architecture_network(architecture_find(arch, NULL), (Shape){ 3, 32, 32 }, &options, &error);
    if (!net)
        fail_msg("%s: %s", arch, error.text);
    parameters_init(net, 5);
    return net;
}

static float *values_of(Network *net, const Param *param)
{
    float *plain = allocate(param->count, sizeof *plain, "a parameter");
    parameters_export(net, network_parameters(net)->values, param, plain);
    return plain;
}

/* Fails where a name, a shape, or a value of a part that `may` does not name differs. */
static void compare(const char *arch, Network *net, Network *plain, const char *may)
{
    assert_int_equal(network_param_count(net), network_param_count(plain));
    for (int i = 0; i < network_param_count(net); i++) {
        const Param *a = network_param(net, i), *b = network_param(plain, i);
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->count, b->count);
        if (a->role == PARAM_counter)
            continue;
        float *x = values_of(net, a), *y = values_of(plain, b);
        if (!strstr(may, a->part) && memcmp(x, y, a->count * sizeof *x))
            fail_msg("%s: other values of %s", arch, a->name);
        free(x);
        free(y);
    }
}

static int kinds_in(const Network *net, const char *kind)
{
    int count = 0;
    for (int i = 0; i < network_module_count(net); i++)
        count += !strcmp(network_module(net, i)->ops->kind, kind);
    return count;
}

/* ---- stochastic depth ---- */

/* The caller frees them. */
static float *inferred(Network *net)
{
    Program *program = program_compile(net, &(Plan){ 0 }, PURPOSE_inference, 2);
    Random random = random_stream(1, 0, 0, RANDOM_init);
    for (int i = 0; i < 2 * 3 * 32 * 32; i++)
        program_image(program)[i] = random_normal(&random);
    program_forward(program);
    float *logits = allocate(20, sizeof *logits, "logits");
    memcpy(logits, program_logits(program), 20 * sizeof *logits);
    program_free(program);
    return logits;
}

/* blocks: all residual blocks; dropped: those with a shortcut, but for the first, whose rate is 0 */
static const struct { const char *arch; int blocks, dropped; } depths[] = {
    { "resnet18", 8, 7 }, { "efficientnet_lite0", 16, 9 }, { "convnext_atto", 12, 11 }, { "convnext_tiny", 18, 17 },
};

static void rates_rise(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        Network *net = build(depths[i].arch, (ArchOptions){ .drop_path = 0.3f });
        Network *plain = build(depths[i].arch, (ArchOptions){ 0 });
        double last = 0;
        assert_int_equal(kinds_in(net, "drop_path"), depths[i].dropped);
        assert_int_equal(kinds_in(plain, "drop_path"), 0);
        compare(depths[i].arch, net, plain, "");
        for (int m = 0; m < network_module_count(net); m++) {
            const ModuleDescription d = network_describe(net, network_module(net, m));
            if (strcmp(d.kind, "drop_path"))
                continue;
            const double rate = (double)description_get_float(&d, "p"), step = rate / 0.3 * (depths[i].blocks - 1);
            if (fabs(step - round(step)) > 1e-5 || rate <= last)
                fail_msg("%s '%s': rate %g after %g", depths[i].arch, d.name, rate, last);
            last = rate;
        }
        if (strcmp(depths[i].arch, "efficientnet_lite0"))      /* its last block has no shortcut */
            assert_true(fabs(last - 0.3) < 1e-6);
        float *a = inferred(net), *b = inferred(plain);
        for (int k = 0; k < 20; k++)
            if (fabsf(a[k] - b[k]) > 1e-5f)
                fail_msg("%s: logit %d is %g in inference, %g without", depths[i].arch, k, (double)a[k], (double)b[k]);
        free(a);
        free(b);
        network_free(net);
        network_free(plain);
    }
}

/* The rate over 10,000 samples, the mean kept, and the same samples in every layout. */
static void samples_dropped(void **state)
{
    (void)state;
    enum { N = 10000, C = 16 };
    static const float rates[] = { 0.0f, 0.1f, 0.5f, 0.9f };
    float *ones = allocate(N * C, sizeof *ones, "values"), *y = allocate(N * C, sizeof *y, "values"), *z = allocate(N * C, sizeof *z, "values");
    for (int i = 0; i < N * C; i++)
        ones[i] = 1;
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        const double p = (double)rates[r];
        int dropped = 0;
        double sum = 0;
        kernel_drop_path(&(View){ N, C, 1, 1, 1, C }, rates[r], 77, ones, NULL, y);
        kernel_drop_path(&(View){ N, C, 1, 1, C, C }, rates[r], 77, ones, ones, z);
        for (int n = 0; n < N; n++) {
            dropped += y[n * C] == 0;
            sum += (double)y[n * C];
            for (int c = 0; c < C; c++)
                assert_true(y[n * C + c] == y[n * C] && fabsf(z[n * C + c] - y[n * C] - 1) < 1e-5f);
        }
        if (fabs(dropped - p * N) > 4 * sqrt(p * (1 - p) * N))
            fail_msg("rate %g: %d of %d samples dropped", p, dropped, N);
        assert_true(fabs(sum / N - 1) < 4 * sqrt(p / (1 - p) / N) + 1e-6);
    }
    kernel_drop_path(&(View){ N, C, 1, 1, 1, C }, 0.5f, 77, ones, NULL, y);
    kernel_drop_path(&(View){ N, C, 1, 1, 1, C }, 0.5f, 78, ones, NULL, z);
    assert_memory_not_equal(y, z, N * C * sizeof *y);      /* another key, other samples */
    free(ones);
    free(y);
    free(z);
}

/* ---- dropout and batch norm ---- */

static void dropout_rates(void **state)
{
    (void)state;
    static const struct { const char *arch; ArchOptions options; int count; float last; } cases[] = {
        { "lenet",              { .dropout = 0.125f },                     1, 0.125f },
        { "baseline",           { .dropout = 0.125f },                     3, 0.125f },
        { "mlp",                { .dropout = 0.125f, .depth = 5 },         5, 0.125f },
        { "mlp",                { 0 },                                     0, 0 },
        { "baseline",           { 0 },                                     3, 0.5f },
        { "alexnet",            { .dropout = 0.25f },                      2, 0.25f },
        { "alexnet",            { 0 },                                     2, 0.5f },
        { "resnet18",           { .dropout = 0.25f },                      1, 0.25f },
        { "airbench",           { .dropout = 0.25f },                      1, 0.25f },
        { "efficientnet_lite0", { .dropout = 0.25f },                      1, 0.25f },
        { "convnext_atto",      { .dropout = 0.25f },                      1, 0.25f },
        { "resnet18",           { .dropout = 0.25f, .no_dropout = true },  0, 0 },
        { "alexnet",            { .dropout = 0.25f, .no_dropout = true },  0, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Network *net = build(cases[i].arch, cases[i].options);
        float last = 0;
        for (int m = 0; m < network_module_count(net); m++) {
            const ModuleDescription d = network_describe(net, network_module(net, m));
            if (!strcmp(d.kind, "dropout"))
                last = description_get_float(&d, "p");
        }
        if (kinds_in(net, "dropout") != cases[i].count || last != cases[i].last)
            fail_msg("%zu %s: %d dropouts, the last %g", i, cases[i].arch, kinds_in(net, "dropout"), (double)last);
        network_free(net);
    }
}

static void batchnorm_numbers(void **state)
{
    (void)state;
    static const struct { const char *arch; ArchOptions options; float eps, momentum; } cases[] = {
        { "resnet18",              { 0 },                                       1e-5f, 0.1f },
        { "resnet18",              { .bn_eps = 1e-12f },                        1e-12f, 0.1f },
        { "resnet18",              { .bn_eps = 0.25f, .bn_momentum = 0.5f },    0.25f, 0.5f },
        { "tf_efficientnet_lite0", { 0 },                                       1e-3f, 0.1f },
        { "tf_efficientnet_lite0", { .bn_momentum = 0.5f },                     1e-3f, 0.5f },
        { "tf_efficientnet_lite0", { .bn_eps = 1e-5f },                         1e-5f, 0.1f },
        { "airbench",              { 0 },                                       1e-12f, 0.4f },
        { "baseline",              { .bn_momentum = 1 },                        1e-5f, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Network *net = build(cases[i].arch, cases[i].options);
        for (int m = 0; m < network_module_count(net); m++) {
            const ModuleDescription d = network_describe(net, network_module(net, m));
            if (!strcmp(d.kind, "batchnorm") &&
                (description_get_float(&d, "eps") != cases[i].eps || description_get_float(&d, "momentum") != cases[i].momentum))
                fail_msg("%zu %s '%s': eps %g, momentum %g", i, cases[i].arch, d.name, (double)description_get_float(&d, "eps"),
                         (double)description_get_float(&d, "momentum"));
        }
        network_free(net);
    }
}

/* ---- first values ---- */

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), last = strlen(end);
    return length >= last && !strcmp(text + length - last, end);
}

static bool all_are(Network *net, const Param *param, float value)
{
    float *x = values_of(net, param);
    size_t equal = 0;
    for (size_t i = 0; i < param->count; i++)
        equal += x[i] == value;
    free(x);
    return equal == param->count;
}

/* By names: the last norm of every residual branch, and no other. */
static void zero_init_last(void **state)
{
    (void)state;
    static const struct { const char *arch, *norm; int count; float drop_path; } cases[] = {
        { "resnet18", ".bn2.weight", 8, 0 },           { "resnet18", ".bn2.weight", 8, 0.2f },
        { "efficientnet_lite0", ".bn3.weight", 9, 0 }, { "efficientnet_lite0", ".bn3.weight", 9, 0.2f },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Network *net = build(cases[i].arch, (ArchOptions){ .zero_init_last = true, .drop_path = cases[i].drop_path });
        int zeros = 0;
        for (int k = 0; k < network_param_count(net); k++) {
            const Param *param = network_param(net, k);
            if (strcmp(param->part, "weight") || param->rank != 1)
                continue;
            const bool zero = all_are(net, param, 0);
            zeros += zero;
            if ((zero && !ends_with(param->name, cases[i].norm)) || (!zero && !all_are(net, param, 1)))
                fail_msg("%s: %s starts with %s", cases[i].arch, param->name, zero ? "0" : "neither 0 nor 1");
        }
        assert_int_equal(zeros, cases[i].count);
        Network *plain = build(cases[i].arch, (ArchOptions){ 0 });
        for (int k = 0; k < network_param_count(net); k++) {
            const Param *param = network_param(net, k), *same = network_param(plain, k);
            if (param->role == PARAM_counter || ends_with(param->name, cases[i].norm))
                continue;
            float *x = values_of(net, param), *y = values_of(plain, same);
            assert_memory_equal(x, y, param->count * sizeof *x);
            free(x);
            free(y);
        }
        network_free(net);
        network_free(plain);
    }
}

/* Filters below the channels' number by the definition; the others as they would have been. airbench starts so by itself. */
static void identity_init(void **state)
{
    (void)state;
    static const struct { const char *arch; int convolutions; bool own; } cases[] = {
        { "resnet18", 17, false }, { "alexnet", 5, false }, { "baseline", 3, false }, { "airbench", 6, true },
    };
    for (size_t a = 0; a < sizeof cases / sizeof *cases; a++) {
        Network *net = build(cases[a].arch, (ArchOptions){ .identity_init = !cases[a].own }), *plain = build(cases[a].arch, (ArchOptions){ 0 });
        int convolutions = 0;
        for (int k = 0; k < network_param_count(net); k++) {
            const Param *param = network_param(net, k);
            if (param->role == PARAM_counter)
                continue;
            float *x = values_of(net, param), *y = values_of(plain, network_param(plain, k));
            const bool square = param->rank == 4 && param->dims[2] == 3;
            convolutions += square;
            for (size_t i = 0; i < param->count; i++) {
                double expected = (double)y[i];
                if (square) {
                    const size_t column = i % 3, row = i / 3 % 3, channel = i / 9 % (size_t)param->dims[1], filter = i / 9 / (size_t)param->dims[1];
                    if (filter < (size_t)param->dims[1])
                        expected = channel == filter && row == 1 && column == 1;
                }
                if ((double)x[i] != expected)
                    fail_msg("%s: %s[%zu] is %g, expected %g", cases[a].arch, param->name, i, (double)x[i], expected);
            }
            free(x);
            free(y);
        }
        assert_int_equal(convolutions, cases[a].convolutions);
        network_free(net);
        network_free(plain);
    }
}

static void layer_scale_start(void **state)
{
    (void)state;
    Network *net = build("convnext_atto", (ArchOptions){ .layer_scale = 0.125f }), *plain = build("convnext_atto", (ArchOptions){ 0 });
    int scales = 0;
    compare("convnext_atto", net, plain, "layer_scale");
    for (int k = 0; k < network_param_count(net); k++)
        if (!strcmp(network_param(net, k)->part, "layer_scale")) {
            assert_true(all_are(net, network_param(net, k), 0.125f) && all_are(plain, network_param(plain, k), 1e-6f));
            scales++;
        }
    assert_int_equal(scales, 12);
    network_free(net);
    network_free(plain);
}

/* ---- the size of mlp ---- */

static void depth_and_width(void **state)
{
    (void)state;
    Network *net = build("mlp", (ArchOptions){ .depth = 20, .width = 7 });
    assert_int_equal(kinds_in(net, "linear"), 21);
    assert_int_equal(kinds_in(net, "activation"), 20);
    assert_int_equal(network_trained_count(net), 7 * (3 * 32 * 32 + 1) + 19 * 7 * 8 + 10 * 8);
    assert_non_null(network_param_find(net, "classifier.61.weight"));
    network_free(net);
}

/* ---- patches ---- */

static void stems(void **state)
{
    (void)state;
    static const struct { int stem, kernel, least; } cases[] = { { 0, 2, 16 }, { 1, 3, 8 }, { 2, 2, 16 }, { 4, 4, 32 } };
    const Architecture *arch = architecture_find("convnext_atto", NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error;
        const int least = cases[i].least;
        const ArchOptions options = { .classes = 10, .stem = cases[i].stem };
        Network *net = build("convnext_atto", options), *small = architecture_network(arch, (Shape){ 3, least, least }, &options, &error);
        const Param *weight = network_param_find(net, "features.0.0.weight");
        assert_int_equal(weight->count, 40 * 3 * cases[i].kernel * cases[i].kernel);
        assert_non_null(small);
        assert_null(architecture_network(arch, (Shape){ 3, least - 1, least - 1 }, &options, &error));
        assert_int_equal(error.code, EXIT_usage);
        network_free(net);
        network_free(small);
    }
    /* For smaller images than the network is for. */
    Error error;
    const ArchOptions options = { .classes = 10, .full_side = 96 };
    Network *net = architecture_network(arch, (Shape){ 3, 48, 48 }, &options, &error);
    assert_int_equal(network_param_find(net, "features.0.0.weight")->count, 40 * 3 * 4 * 4);
    network_free(net);
}

/* ---- an option without anything to change ---- */

static void refused(void **state)
{
    (void)state;
    static const struct { const char *arch; ArchOptions options; const char *text; } cases[] = {
        { "vgg16",         { .drop_path = 0.1f },      "--drop-path changes nothing: vgg16: it has no residual block: leave it out" },
        { "lenet",         { .bn_eps = 1e-3f },        "--bn-eps changes nothing: lenet: it has no batch norm" },
        { "convnext_atto", { .bn_momentum = 0.5f },    "--bn-momentum changes nothing: convnext_atto: it has no batch norm" },
        { "resnet18",      { .layer_scale = 0.1f },    "--layer-scale changes nothing: resnet18: it has no layer scale" },
        { "convnext_atto", { .zero_init_last = true }, "--zero-init-last changes nothing: convnext_atto: it has no norm at the end of a" },
        { "lenet",         { .depth = 3 },             "--depth changes nothing: lenet: it has no number of layers to choose" },
        { "resnet18",      { .width = 3 },             "--width changes nothing: resnet18: it has no number of units to choose" },
        { "resnet18",      { .stem = 1 },              "--stem changes nothing: resnet18: it has no stem of patches" },
        { "resnet18",      { .squeeze_excite = true }, "--squeeze-excite changes nothing: resnet18: it has no inverted residual" },
        { "lenet",         { .identity_init = true },  "--identity-init changes nothing: lenet: it has no 3x3 convolution" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error = { 0 };
        ArchOptions options = cases[i].options;
        options.classes = 3;
        Network *net = architecture_network(architecture_find(cases[i].arch, NULL), (Shape){ 3, 32, 32 }, &options, &error);
        if (net || error.code != EXIT_usage || !strstr(error.text, cases[i].text))
            fail_msg("%s: '%s', expected '%s'", cases[i].arch, error.text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_rise), cmocka_unit_test(samples_dropped), cmocka_unit_test(dropout_rates), cmocka_unit_test(batchnorm_numbers),
        cmocka_unit_test(zero_init_last), cmocka_unit_test(identity_init), cmocka_unit_test(layer_scale_start), cmocka_unit_test(depth_and_width), cmocka_unit_test(stems),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
