/* test_architectures.c - what each architecture declares, against published and independently computed numbers; names, sizes
 * and options that are refused. That they compute the right thing is test_parity's affair. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "architectures.h"
#include "layers.h"
#include "trainer.h"
#include "parameters.h"
#include "program.h"
#include "sequential.h"

/* Trained parameters as tests/reference/zoo.py counts them; at 1000 classes those of alexnet, vgg16, resnet18,
 * efficientnet_lite0 and convnext_tiny are the published ones. Multiply-adds are those that zoo.py's convolutions and linear
 * layers do. */
typedef struct ArchCase {
    const char *name;
    size_t      large, small, grey;      /* 1000 classes 3 x 224 x 224; 10 classes 3 x 32 x 32; 10 classes 1 x 28 x 28, 0: refused */
    int         entries;                 /* of the state_dict, counters included */
    double      macs;                    /* of the large form; 0: not counted */
    int         dropouts;                /* of the small form */
} ArchCase;

static const ArchCase cases[] = {
    { "lenet",                5491436,    62006,    61706,  10, 54233760,    0 },
    { "baseline",           103111176,  2193450,  1701354,  22, 1996056576,  3 },
    { "alexnet",             61100840,  6977994,  5141834,  36, 714188480,   2 },
    { "vgg16",              138365992, 33646666,        0,  97, 15470264320, 2 },
    { "resnet18",            11689512, 11173962, 11172810, 122, 1814073344,  0 },
    { "efficientnet_lite0",   4652008,  3383818,  3383242, 296, 385187552,   0 },
    { "tf_efficientnet_lite0", 4652008, 3383818,  3383242, 296, 385187552,   0 },
    { "convnext_atto",        3695520,  3376290,  3375970, 128, 547332480,   0 },
    { "convnext_femto",       5217784,  4834906,  4834522, 128,  0,     0 },
    { "convnext_pico",        9045672,  8535498,  8534986, 128,  0,     0 },
    { "convnext_nano",       15593560, 14956090, 14955450, 146,  0,     0 },
    { "airbench",             2226232,  1972792,  1963304,  39, 6971455264,  0 },
    { "mlp",                 38858216,   855050,   269322,   6, 38856704,    0 },
    { "convnext_tiny",       28589128, 27824362, 27823594, 182, 4455531264,  0 },
};

enum { CASES = sizeof cases / sizeof *cases };

static const Architecture *find(const char *name)
{
    Error error;
    const Architecture *arch = architecture_find(name, &error);
    if (!arch)
        fail_msg("%s", error.text);
    return arch;
}

static Network *build(const Architecture *arch, Shape image, ArchOptions options)
{
    Error error;
    Network *net = architecture_network(arch, image, &options, &error);
    if (!net)
        fail_msg("%s: %s", arch->key, error.text);
    return net;
}

static void refuse(const Architecture *arch, Shape image, const char *size)
{
    Error error = {0};
    char least[32];
    snprintf(least, sizeof least, "side %d or more", arch->least_side);
    if (architecture_network(arch, image, &(ArchOptions){ .classes = 10 }, &error))
        fail_msg("%s takes %s", arch->key, size);
    if (error.code != EXIT_usage || !strstr(error.text, size) || !strstr(error.text, least) || strchr(error.text, '\n'))
        fail_msg("%s, %s: '%s'", arch->key, size, error.text);
}

static int count_kind(const Network *net, const char *kind)
{
    int count = 0;
    for (int i = 0; i < network_module_count(net); i++)
        count += !strcmp(network_module(net, i)->ops->kind, kind);
    return count;
}

/* Convolutions and linear layers are decayed; vectors, and the scales of c 1 1, are not. */
static void check_roles(const Network *net)
{
    for (int i = 0; i < network_param_count(net); i++) {
        const Param *param = network_param(net, i);
        const bool trained = param->role == PARAM_weight || param->role == PARAM_plain;
        if (trained && (param->role == PARAM_weight) != (param->rank == 2 || param->rank == 4))
            fail_msg("%s: rank %d, role %d", param->name, param->rank, (int)param->role);
        assert_ptr_equal(network_param_find(net, param->name), param);
    }
}

static void check_form(const ArchCase *c, Shape image, int classes, size_t expected)
{
    Network *net = build(find(c->name), image, (ArchOptions){ .classes = classes });
    const Shape out = network_logits(net)->shape;
    if (network_trained_count(net) != expected)
        fail_msg("%s, side %d: %zu parameters, expected %zu", c->name, image.h, network_trained_count(net), expected);
    if (out.c != classes || out.h != 1 || out.w != 1)
        fail_msg("%s: output %d x %d x %d, expected %d x 1 x 1", c->name, out.c, out.h, out.w, classes);
    if (image.h == 224 && c->macs > 0 && network_macs(net) != c->macs)
        fail_msg("%s: %.0f multiply-adds, expected %.0f", c->name, network_macs(net), c->macs);
    check_roles(net);
    network_free(net);
}

static void test_counts(void **state)
{
    (void)state;
    assert_int_equal(architecture_count(), CASES);
    for (size_t i = 0; i < CASES; i++) {
        check_form(&cases[i], (Shape){ 3, 224, 224 }, 1000, cases[i].large);
        check_form(&cases[i], (Shape){ 3, 32, 32 }, 10, cases[i].small);
        if (cases[i].grey)
            check_form(&cases[i], (Shape){ 1, 28, 28 }, 10, cases[i].grey);
        else
            refuse(find(cases[i].name), (Shape){ 1, 28, 28 }, "28 x 28");
    }
}

static void test_entries(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        Network *net = build(find(cases[i].name), (Shape){ 1, 64, 64 }, (ArchOptions){ .classes = 7 });
        assert_int_equal(network_param_count(net), cases[i].entries);
        network_free(net);
    }
}

/* ---- options ---- */

/* Every activation of the catalogue is in every body, and nowhere else: the last layer has none. */
static void test_activations(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        const Architecture *arch = find(cases[i].name);
        for (ActivationKey key = ACT_native; key < ACT_COUNT; key++) {
            Network *net = build(arch, (Shape){ 3, 32, 32 }, (ArchOptions){ .classes = 10, .act = activation_of(key) });
            const ActivationKey expected = key == ACT_native ? arch->act : key;
            for (int m = 0; m < network_module_count(net); m++) {
                const Module *module = network_module(net, m);
                const ActivationKey got = module->ops->function ? activation_key(module->ops->function(module)) : expected;
                if (got != expected)
                    fail_msg("%s, %s: activation %d, expected %d", arch->key, module->name, (int)got, (int)expected);
            }
            assert_true(count_kind(net, "activation") > 0);
            assert_string_equal(network_module(net, network_module_count(net) - 1)->ops->kind, "linear");
            if (key == ACT_prelu)
                assert_true(network_trained_count(net) > cases[i].small);
            else
                assert_int_equal(network_trained_count(net), cases[i].small);
            network_free(net);
        }
    }
}

/* Gated units: the layer before each is twice as wide, or all are so much narrower that the parameters stay about as many. */
static void test_gated_units(void **state)
{
    (void)state;
    Activation swiglu;
    assert_true(activation_parse("swiglu", &swiglu, NULL));
    for (size_t i = 0; i < CASES; i++)
        for (int side = 32; side <= 96; side += 64) {
            ArchOptions options = { .classes = 10 };
            Network *plain = build(find(cases[i].name), (Shape){ 3, side, side }, options);
            options.act = swiglu;
            Network *twice = build(find(cases[i].name), (Shape){ 3, side, side }, options);
            options.gate_same = true;
            Network *same = build(find(cases[i].name), (Shape){ 3, side, side }, options);
            const double count = (double)network_trained_count(plain);
            assert_true((double)network_trained_count(twice) > 1.05 * count);
            if (!(fabs((double)network_trained_count(same) - count) < 0.06 * count))
                fail_msg("%s: %zu parameters with --gate-same, %.0f without a gate", cases[i].name, network_trained_count(same), count);
            network_free(plain);
            network_free(twice);
            network_free(same);
        }
    Error error;
    const ArchOptions refused = { .classes = 10, .gate_same = true };
    assert_null(architecture_network(find("lenet"), (Shape){ 3, 32, 32 }, &refused, &error));
    assert_int_equal(error.code, EXIT_usage);
}

static void test_dropout(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++)
        for (int without = 0; without < 2; without++) {
            const ArchOptions options = { .classes = 10, .no_dropout = without };
            Network *net = build(find(cases[i].name), (Shape){ 3, 32, 32 }, options);
            assert_int_equal(count_kind(net, "dropout"), without ? 0 : cases[i].dropouts);
            network_free(net);
        }
}

static void test_squeeze_excite(void **state)
{
    (void)state;
    const ArchOptions options = { .classes = 10, .squeeze_excite = true };
    Network *net = build(find("efficientnet_lite0"), (Shape){ 3, 32, 32 }, options);
    assert_int_equal(network_trained_count(net), 4020358);       /* zoo.py's */
    assert_int_equal(count_kind(net, "channel_gate"), 16);
    assert_non_null(network_param_find(net, "blocks.3.1.se.conv_reduce.weight"));
    network_free(net);
}

/* ---- names ---- */

static void test_names(void **state)
{
    (void)state;
    static const char *const aliases[][2] = {
        { "lenet5", "lenet" }, { "airbench94", "airbench" }, { "vgg16_bn", "vgg16" }, { "efficientnet", "efficientnet_lite0" },
        { "TF_efficientnet_lite0", "tf_efficientnet_lite0" }, { "convnext", "convnext_tiny" }, { "LeNet", "lenet" }, { "VGG16_BN", "vgg16" }, { "ResNet-18", "resnet18" },
    };
    static const char *const strangers[] = {
        "", " ", "resnet", "resnet180", "lenet lenet5", "tf_efficientnet_lite0 efficientnet", "n\n",
    };
    for (size_t i = 0; i < CASES; i++)
        assert_string_equal(find(cases[i].name)->key, cases[i].name);
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        assert_string_equal(find(aliases[i][0])->key, aliases[i][1]);
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        Error error = {0};
        if (architecture_find(strangers[i], &error))
            fail_msg("'%s' is found", strangers[i]);
        assert_int_equal(error.code, EXIT_usage);
        assert_null(strchr(error.text, '\n'));
        assert_non_null(strstr(error.text, "'train --list-archs' shows all"));
        if (!strncmp(strangers[i], "resnet", 6))
            assert_non_null(strstr(error.text, "did you mean resnet18"));
    }
}

static void test_registry(void **state)
{
    (void)state;
    for (int i = 0; i < architecture_count(); i++) {
        const Architecture *arch = architecture_at(i);
        assert_true(arch->build && *arch->paper && *arch->about && arch->act != ACT_native);
        const TrainerOptions usual = trainer_defaults(arch, NULL);
        assert_true(usual.arch == arch && usual.lr > 0 && usual.optimizer.weight_decay >= 0 && usual.epochs > 0);
        const char *recipe = arch->recipes[RECIPE_default];
        assert_true(strstr(recipe, "opt=") && strstr(recipe, "lr=") && strstr(recipe, "epochs="));
        for (int r = 0; r < RECIPE_COUNT; r++)
            assert_non_null(arch->recipes[r]);
    }
}

/* ---- sizes ---- */

static void expect_logits(const Architecture *arch, int side, ArchOptions options)
{
    Network *net = build(arch, (Shape){ 3, side, side }, options);
    parameters_init(net, 1);
    Program *program = program_compile(net, &(Plan){0}, PURPOSE_inference, 1);
    for (int k = 0; k < 3 * side * side; k++)
        program_image(program)[k] = (float)(k % 7) / 7;
    program_forward(program);
    for (int k = 0; k < options.classes; k++)
        assert_true(isfinite(program_logits(program)[k]));
    program_free(program);
    network_free(net);
}

/* The least side is enough to compute logits from; one less is refused, and so is what is not square. */
static void test_sides(void **state)
{
    (void)state;
    for (int i = 0; i < architecture_count(); i++) {
        const Architecture *arch = architecture_at(i);
        const int side = arch->least_side;
        char size[32];
        snprintf(size, sizeof size, "%d x %d", side - 1, side - 1);
        refuse(arch, (Shape){ 3, side - 1, side - 1 }, size);
        snprintf(size, sizeof size, "%d x %d", side + 1, side);
        refuse(arch, (Shape){ 3, side, side + 1 }, size);
        refuse(arch, (Shape){ 3, 0, 0 }, "0 x 0");
        refuse(arch, (Shape){ 3, -5, -5 }, "-5 x -5");
        expect_logits(arch, side, (ArchOptions){ .classes = 3 });
    }
}

/* The same of a network that is for larger images. */
static void test_sides_with_the_large_stem(void **state)
{
    (void)state;
    const ArchOptions options = { .classes = 3, .full_side = SMALL_SIDE + 1 };
    for (int i = 0; i < architecture_count(); i++) {
        Error error;
        const Architecture *arch = architecture_at(i);
        const int side = arch->least_large_side;
        assert_null(architecture_network(arch, (Shape){ 3, side - 1, side - 1 }, &options, &error));
        expect_logits(arch, side, options);
    }
}

/* ---- initialisation ---- */

static float *values_of(const char *arch, ActivationKey act, uint64_t seed, const char *name, size_t *count)
{
    Network *net = build(find(arch), (Shape){ 3, 32, 32 }, (ArchOptions){ .classes = 10, .act = activation_of(act) });
    const Param *param = network_param_find(net, name);
    assert_non_null(param);
    parameters_init(net, seed);
    *count = param->count;
    float *values = allocate(param->count, sizeof *values, name);
    parameters_export(net, network_parameters(net)->values, param, values);
    network_free(net);
    return values;
}

typedef struct InitCase {
    const char   *arch, *param;
    ActivationKey act;
    double        mean, variance;
} InitCase;

static const InitCase inits[] = {
    { "lenet",    "features.3.weight",     ACT_relu,     0, 2.0 / (6 * 25) },                /* gain^2 / fan_in */
    { "lenet",    "features.3.weight",     ACT_tanh,     0, 25.0 / 9 / (6 * 25) },
    { "resnet18", "layer2.0.conv1.weight", ACT_relu,     0, 2.0 / 6 / (64 * 9) },            /* before batch norm: a sixth */
    { "resnet18", "layer3.0.downsample.0.weight", ACT_selu, 0, 1.0 / 6 / 128 },
    { "resnet18", "fc.weight",             ACT_relu,     0, 1.0 / 3 / 512 },                 /* linear: a sixth */
    { "resnet18", "bn1.weight",            ACT_relu,     1, 0 },
    { "resnet18", "bn1.bias",              ACT_relu,     0, 0 },
    { "resnet18", "bn1.running_mean",      ACT_relu,     0, 0 },
    { "resnet18", "bn1.running_var",       ACT_relu,     1, 0 },
    { "resnet18", "act.weight",            ACT_prelu,    0.25, 0 },
    { "resnet18", "fc.bias",               ACT_relu,     0, 0 },
    { "alexnet",  "classifier.4.weight",   ACT_identity, 0, 1.0 / 6 / 1024 },
    { "convnext_atto", "features.1.0.block.0.weight", ACT_relu, 0, 2.0 / 49 },
    { "convnext_atto", "features.1.0.layer_scale",    ACT_relu, 1e-6, 0 },
    { "airbench", "layers.1.norm2.weight", ACT_gelu,     1, 0 },
    { "airbench", "whiten.bias",           ACT_gelu,     0, 0 },
    { "airbench", "whiten.weight",         ACT_relu,     0, 2.0 / 12 },
};

static void test_init(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof inits / sizeof *inits; i++) {
        size_t count;
        float *values = values_of(inits[i].arch, inits[i].act, 5, inits[i].param, &count);
        double mean = 0, variance = 0;
        for (size_t k = 0; k < count; k++)
            mean += (double)values[k] / (double)count;
        for (size_t k = 0; k < count; k++)
            variance += pow((double)values[k] - mean, 2) / (double)count;
        /* Five standard deviations of the mean and of the variance of `count` uniform numbers. */
        const double deviation = sqrt(inits[i].variance), few = 5 / sqrt((double)count);
        const bool mean_ok = fabs(mean - inits[i].mean) <= few * deviation + 1e-9;
        const bool variance_ok = fabs(variance - inits[i].variance) <= 0.9 * few * inits[i].variance + 1e-12;
        if (!mean_ok || !variance_ok)
            fail_msg("%s %s: mean %g and variance %g, expected %g and %g", inits[i].arch, inits[i].param, mean, variance,
                     inits[i].mean, inits[i].variance);
        free(values);
    }
}

static void test_seeds(void **state)
{
    (void)state;
    size_t count;
    const char *name = "layer1.0.conv1.weight";
    float *a = values_of("resnet18", ACT_relu, 5, name, &count), *b = values_of("resnet18", ACT_relu, 5, name, &count);
    float *other = values_of("resnet18", ACT_relu, 6, name, &count);
    float *neighbour = values_of("resnet18", ACT_relu, 5, "layer1.0.conv2.weight", &count);
    assert_memory_equal(a, b, count * sizeof *a);
    assert_memory_not_equal(a, other, count * sizeof *a);
    assert_memory_not_equal(a, neighbour, count * sizeof *a);
    free(a);
    free(b);
    free(other);
    free(neighbour);
}

/* ---- a long list of layers ---- */

static void test_sequence(void **state)
{
    (void)state;
    Sequence at = { .count = 1 };
    const char *name = layer_next(&at);
    assert_string_equal(name, "1");
    for (int i = 2; i <= 1234; i++)
        name = layer_next(&at);
    assert_string_equal(name, "1234");
}

/* ---- the layer table ---- */

/* The last number but two of a line; 0 in the heading. */
static size_t parameters_in(const char *line)
{
    const char *at = line + strlen(line);
    for (int behind = 0; behind < 2; behind++) {
        while (at > line && at[-1] != ' ')
            at--;
        while (at > line && at[-1] == ' ')
            at--;
    }
    while (at > line && isdigit((unsigned char)at[-1]))
        at--;
    return strtoul(at, NULL, 10);
}

/* A heading, a line a module and a total; what the lines say adds up to it. */
static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        const ArchOptions options = { .classes = 10, .act = activation_of(ACT_prelu) };
        Network *net = build(find(cases[i].name), (Shape){ 3, 32, 32 }, options);
        char *text, *rest;
        size_t size, sum = 0, last = 0;
        int lines = 0;
        FILE *stream = open_memstream(&text, &size);
        assert_non_null(stream);
        layers_print(net, NULL, stream);
        assert_int_equal(fclose(stream), 0);
        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), lines++) {
            sum += last;
            last = parameters_in(line);
        }
        assert_int_equal(lines, network_module_count(net) + 2);
        assert_int_equal(last, network_trained_count(net));
        assert_int_equal(sum, last);
        free(text);
        network_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts), cmocka_unit_test(test_entries), cmocka_unit_test(test_activations),
        cmocka_unit_test(test_gated_units), cmocka_unit_test(test_dropout), cmocka_unit_test(test_squeeze_excite), cmocka_unit_test(test_names),
        cmocka_unit_test(test_registry), cmocka_unit_test(test_sides), cmocka_unit_test(test_sides_with_the_large_stem), cmocka_unit_test(test_init),
        cmocka_unit_test(test_seeds), cmocka_unit_test(test_sequence), cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
