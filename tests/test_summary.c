/* test_summary.c - convzoo summary: its sums against published counts and against loops over the shapes, its options, its picture. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "scratch.h"

static json_t *summary(const char *arguments)
{
    char command[512];
    snprintf(command, sizeof command, "summary --json %s", arguments);
    return run_json(command);
}

static json_int_t whole(const json_t *object, const char *key)
{
    if (!json_is_integer(json_object_get(object, key)))
        fail_msg("'%s' is no whole number", key);
    return json_integer_value(json_object_get(object, key));
}

static json_int_t option(const json_t *layer, const char *key)
{
    return whole(json_object_get(layer, "options"), key);
}

/* c, h or w of a layer's output, by place. */
static json_int_t side(const json_t *shape, size_t place)
{
    return json_integer_value(json_array_get(shape, place));
}

/* Counts as published or by hand; what the layers say adds up to the totals. */
static void test_published_counts(void **state)
{
    (void)state;
    static const struct { const char *arguments; json_int_t parameters, classes; } cases[] = {
        { "resnet18 --img-size 224 --num-classes 1000", 11689512, 1000 },      /* torchvision */
        { "lenet --img-size 32", 62006, 10 },                                  /* 456 + 2416 + 48120 + 10164 + 850 */
        { "mlp --depth 2 --width 7 --img-size 4 --in-chans 1 --num-classes 3", (16 * 7 + 7) + (7 * 7 + 7) + (7 * 3 + 3), 3 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *object = summary(cases[i].arguments), *layers = json_object_get(object, "layers"), *layer;
        const json_t *total = json_object_get(object, "total");
        json_int_t parameters = 0, macs = 0, output = 0, stored = 0;
        size_t at;
        json_array_foreach(layers, at, layer) {
            parameters += whole(layer, "parameters");
            macs += whole(layer, "multiply_adds");
            output += whole(layer, "output_bytes");
            stored += whole(layer, "parameter_bytes");
            const json_t *shape = json_object_get(layer, "output");
            assert_int_equal(whole(layer, "output_bytes"), 4 * side(shape, 0) * side(shape, 1) * side(shape, 2));
        }
        if (parameters != cases[i].parameters)
            fail_msg("%s: %lld parameters, expected %lld", cases[i].arguments, (long long)parameters, (long long)cases[i].parameters);
        assert_int_equal(whole(total, "parameters"), parameters);
        assert_int_equal(whole(total, "multiply_adds"), macs);
        assert_int_equal(whole(total, "output_bytes"), output);
        assert_int_equal(whole(total, "parameter_bytes"), stored);
        assert_true(stored >= 4 * parameters);
        assert_int_equal(whole(object, "classes"), cases[i].classes);
        json_decref(object);
    }
}

/* One for every product that loops over a plain convolution would do, padding among them. */
static json_int_t count_products(const json_t *layer, const json_t *in)
{
    const char *kind = json_string_value(json_object_get(layer, "kind"));
    const json_t *out = json_object_get(layer, "output");
    json_int_t count = 0;
    if (!strcmp(kind, "linear"))
        return side(in, 0) * side(in, 1) * side(in, 2) * side(out, 0);
    if (strcmp(kind, "conv2d"))
        return 0;
    for (json_int_t c = 0; c < side(out, 0); c++)
        for (json_int_t y = 0; y < side(out, 1); y++)
            for (json_int_t x = 0; x < side(out, 2); x++)
                for (json_int_t k = 0; k < side(in, 0) / option(layer, "groups"); k++)
                    for (json_int_t v = 0; v < option(layer, "kernel"); v++)
                        count += option(layer, "kernel");
    return count;
}

static const json_t *output_of(const json_t *object, const char *name)
{
    size_t at;
    json_t *layer;
    if (!*name)
        return json_object_get(object, "image");
    json_array_foreach(json_object_get(object, "layers"), at, layer)
        if (!strcmp(json_string_value(json_object_get(layer, "name")), name))
            return json_object_get(layer, "output");
    fail_msg("no layer '%s'", name);
    return NULL;
}

static void test_multiply_adds(void **state)
{
    (void)state;
    static const char *const cases[] = { "lenet", "resnet18 --img-size 24 --num-classes 7", "efficientnet_lite0 --in-chans 1" };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *object = summary(cases[i]), *layer;
        size_t at;
        int counted = 0;
        json_array_foreach(json_object_get(object, "layers"), at, layer) {
            const char *input = json_string_value(json_array_get(json_object_get(layer, "inputs"), 0));
            const json_int_t products = count_products(layer, output_of(object, input)), told = whole(layer, "multiply_adds");
            counted += products > 0;
            if (products > 0 && products != told)
                fail_msg("%s: %s: %lld multiply-adds, the loops do %lld", cases[i], json_string_value(json_object_get(layer, "name")), (long long)told,
                         (long long)products);
        }
        assert_true(counted >= 5);
        json_decref(object);
    }
}

/* Shares of the layers are shares: what is left of one is the rest of the step. */
static void test_time(void **state)
{
    (void)state;
    json_t *object = summary("lenet --time --seconds 0 -b 4 --threads 1"), *layer;
    double sum = 0;
    size_t at;
    json_array_foreach(json_object_get(object, "layers"), at, layer) {
        assert_true(json_is_real(json_object_get(layer, "seconds")));
        sum += json_real_value(json_object_get(layer, "share"));
    }
    assert_true(sum > 0.01 && sum <= 1.0 + 1e-9);
    assert_true(whole(object, "arena_bytes") > 0);
    json_decref(object);
}

static void test_text(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "summary lenet",                                              0, "lenet relu, images of 3 x 32 x 32, 10 classes\n", "" },
        { "summary lenet | tail -1 | grep -c 'total .* 62006 '",        0, "1\n", "" },
        { "summary resnet18 | grep layer4.0.conv1",                     0, " 3x3 stride 2 pad 1 ", "" },
        { "summary lenet --act leaky_relu:0.3",                         0, " leaky_relu:0.3 ", "" },
        { "summary convnext_atto --stem 1 | sed -n 1,3p",                   0, "layer", "" },
        /* The recipe's --small-stem is for images of up to 32 pixels, and below --stem. */
        { "summary convnext_atto | grep features.0.0",                      0, " 3x3 pad 1 ", "" },
        { "summary convnext_atto --stem 2 | grep features.0.0",             0, " 2x2 stride 2 ", "" },
        { "summary convnext_atto --img-size 33 | grep features.0.0",        0, " 2x2 stride 2 ", "" },
        { "summary convnext_atto --img-size 224 | grep features.0.0",       0, " 4x4 stride 4 ", "" },
        { "summary lenet --time --seconds 0 -b 4 --mode infer --threads 1", 0, "rest of the step", "" },
        { "summary lenet --time --seconds 0 -b 4 --mode infer --threads 1", 0, "inference of 4 images", "" },
        /* train's is the same table, for the data. */
        { "train convnext_atto --data shapes --summary >a && summary convnext_atto | tail -n +2 >b && cmp a b", 0, "", "" },
        { "train lenet --data shapes --summary >a && summary lenet | tail -n +2 >b && cmp a b", 0, "", "" },
        { "train lenet --data shapes --limit 40 -b 16 --epochs 1 --threads 1 --output r -q",    0, NULL, "" },
        { "summary r >a && summary lenet >b && cmp a b",                0, "", "" },
        { "summary r/best.safetensors --json | grep -c '\"checkpoint\": \"r/best.safetensors\"'", 0, "1\n", "" },
        { "convzoo summary lenet | sed -n 1p",                            0, "lenet relu", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "summary",                          2, NULL, "no network: command line: name an architecture or a checkpoint" },
        { "summary resnet99",                 2, NULL, "did you mean resnet18?" },
        { "summary lenet --stem 2",           2, NULL, "stem" },
        { "summary lenet --epochs 3",         2, NULL, "unknown option '--epochs'" },
        { "summary lenet --graph a.png",      2, NULL, "let it end in .svg" },
        { "summary lenet --graph no/a.svg",   7, NULL, "no/a.svg" },
        { "summary nowhere/best.safetensors", 3, NULL, "nowhere/best.safetensors" },
        { "summary r --act gelu",             2, NULL, "a checkpoint has its own: --act" },
        { "summary lenet --img-size 2",       2, NULL, "lenet" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_mistake(&cases[i]);
}

static int count_of(const char *text, const char *word)
{
    int count = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        count++;
    return count;
}

/* A box for each module and one for the image, an arrow for each input; residual ones in colour: as many as the architecture has shortcuts. */
static void test_graph(void **state)
{
    (void)state;
    static const struct { const char *arch; int aside; } cases[] = {
        { "vgg16", 0 }, { "resnet18", 5 + 3 * 2 }, { "convnext_tiny", 18 }, { "lenet --act 'x*sigmoid(2*x)'", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[256], path[256];
        size_t size, at;
        snprintf(command, sizeof command, "summary %s --graph graph.svg", cases[i].arch);
        check(&(Case){ command, 0, NULL, "" });
        char *svg = scratch_read(scratch_path(path, folder, "graph.svg"), &size);
        assert_non_null(svg);
        json_t *object = summary(cases[i].arch), *layers = json_object_get(object, "layers"), *layer;
        int inputs = 0;
        json_array_foreach(layers, at, layer)
            inputs += (int)json_array_size(json_object_get(layer, "inputs"));
        assert_int_equal(count_of(svg, "<g><title>"), json_array_size(layers) + 1);
        assert_int_equal(count_of(svg, "<polyline "), inputs);
        if (count_of(svg, "url(#aside)") != cases[i].aside)
            fail_msg("%s: %d ways around, expected %d", cases[i].arch, count_of(svg, "url(#aside)"), cases[i].aside);
        json_decref(object);
        free(svg);
    }
    check(&(Case){ "command -v xmllint >/dev/null || exit 0; xmllint --noout graph.svg", 0, "", "" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_counts), cmocka_unit_test(test_multiply_adds), cmocka_unit_test(test_time), cmocka_unit_test(test_text),
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_graph),
    };
    return cmocka_run_group_tests(tests, commands_setup, commands_teardown);
}
