/* test_attention.c - Grad-CAM and saliency against PyTorch's hooks in double precision (make_attention_golden.py), to 1e-4 of the largest
 * value; which layer is looked at; and maps enlarged. */

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

#include "architectures.h"
#include "attention.h"
#include "parameters.h"
#include "random.h"

/* How a network is computed, and how far from PyTorch's a number may be, of the largest of its kind. Winograd rounds otherwise than direct
 * convolutions: where a rectifier or a pool is as good as undecided, it may decide otherwise, which moves the gradients of all pixels
 * that it sees by some thousandths. */
typedef struct PlanCase {
    const char *name;
    Plan        plan;
    double      tolerance;
} PlanCase;

static json_t *golden;

static int attention_setup(void **state)
{
    (void)state;
    golden = json_load_file(TESTS_FOLDER "/golden/attention.json", 0, NULL);
    return golden == NULL;
}

static int attention_teardown(void **state)
{
    (void)state;
    json_decref(golden);
    return 0;
}

/* Element i of what formula.py makes of a name. */
static double u(const char *name, size_t i)
{
    uint64_t key = 0xCBF29CE484222325u;
    for (; *name; name++)
        key = (key ^ (unsigned char)*name) * 0x100000001B3u;
    return (double)(random_mix(key + (i + 1) * 0x9E3779B97F4A7C15u) >> 40) * 0x1p-23 - 1;
}

static int whole(const json_t *row, const char *key)
{
    return (int)json_integer_value(json_object_get(row, key));
}

static double item(const json_t *row, const char *key, size_t i)
{
    return json_number_value(json_array_get(json_object_get(row, key), i));
}

static Network *network_of(const json_t *row)
{
    Error error;
    const int side = whole(row, "side");
    const Architecture *arch = architecture_find(json_string_value(json_object_get(row, "arch")), &error);
    assert_non_null(arch);
    Network *net = architecture_network(arch, (Shape){ 3, side, side }, &(ArchOptions){ .classes = whole(row, "classes"), .no_dropout = true }, &error);
    assert_non_null(net);
    parameters_init(net, 1);
    size_t at;
    json_t *parameter;
    json_array_foreach(json_object_get(row, "parameters"), at, parameter) {
        const char *name = json_string_value(json_array_get(parameter, 0));
        const double amplitude = json_number_value(json_array_get(parameter, 1)), offset = json_number_value(json_array_get(parameter, 2));
        const Param *param = network_param_find(net, name);
        if (!param)
            fail_msg("no parameter '%s'", name);
        float *values = allocate(param->count, sizeof *values, "a parameter");
        for (size_t i = 0; i < param->count; i++)
            values[i] = (float)(offset + amplitude * u(name, i));
        parameters_import(net, network_parameters(net)->values, param, values);
        free(values);
    }
    return net;
}

static double largest(const json_t *row, const char *key)
{
    double most = 0;
    for (size_t i = 0; i < json_array_size(json_object_get(row, key)); i++)
        most = fmax(most, fabs(item(row, key, i)));
    return most;
}

static void compare(const json_t *row, const PlanCase *plan, const char *key, size_t i, double got)
{
    const double expected = item(row, key, i), scale = largest(row, key);
    if (!(fabs(got - expected) <= plan->tolerance * scale))
        fail_msg("%s %d, plan %s: %s %zu is %.9g, expected %.9g", json_string_value(json_object_get(row, "arch")), whole(row, "side"), plan->name, key, i, got,
                 expected);
}

/* The places of both images that the file has. */
static void compare_places(const json_t *row, const PlanCase *plan, const char *key, int image, const float *map)
{
    const size_t pixels = (size_t)whole(row, "side") * (size_t)whole(row, "side");
    for (size_t i = 0; i < json_array_size(json_object_get(row, "places")); i++) {
        const size_t place = (size_t)item(row, "places", i);
        if (place / pixels == (size_t)image)
            compare(row, plan, key, i, (double)map[place % pixels]);
    }
}

static void check_image(const json_t *row, const PlanCase *plan, Attention *attention, int image)
{
    const int side = whole(row, "side"), h = whole(row, "height"), w = whole(row, "width");
    float *large = allocate((size_t)side * (size_t)side, sizeof *large, "a map");
    const float *map = attention_gradcam(attention, image);
    for (int i = 0; i < h * w; i++)
        compare(row, plan, "gradcam", (size_t)(image * h * w + i), (double)map[i]);
    attention_enlarge(map, h, w, large, side, side);
    compare_places(row, plan, "enlarged", image, large);
    map = attention_saliency(attention, image);
    compare_places(row, plan, "saliency", image, map);
    for (int a = 0; a < side; a++) {
        double along = 0, down = 0;
        for (int b = 0; b < side; b++) {
            along += (double)map[a * side + b];
            down += (double)map[b * side + a];
        }
        compare(row, plan, "saliency_rows", (size_t)(image * side + a), along);
        compare(row, plan, "saliency_columns", (size_t)(image * side + a), down);
    }
    free(large);
}

static void test_maps(void **state)
{
    (void)state;
    static const PlanCase plans[] = {
        { "direct", { .direct_only = true }, 1e-4 }, { "default", { .layout = LAYOUT_automatic }, 5e-3 },
    };
    size_t at;
    json_t *row;
    json_array_foreach(golden, at, row) {
        Error error;
        const int batch = whole(row, "batch"), side = whole(row, "side");
        int asked[8];
        Network *net = network_of(row);
        const Tensor *layer = attention_layer(net, NULL, &error);
        assert_non_null(layer);
        assert_int_equal(layer->shape.h, whole(row, "height"));
        const size_t count = (size_t)batch * 3 * (size_t)side * (size_t)side;
        float *images = allocate(count, sizeof *images, "images");
        for (size_t i = 0; i < count; i++)
            images[i] = (float)u("attention", i);
        for (int i = 0; i < batch; i++)
            asked[i] = (int)item(row, "asked", (size_t)i);
        for (size_t p = 0; p < sizeof plans / sizeof *plans; p++) {
            Attention *attention = attention_new(net, &plans[p].plan, layer, batch);
            attention_run(attention, images, asked, batch);
            for (int i = 0; i < batch; i++)
                check_image(row, &plans[p], attention, i);
            attention_free(attention);
        }
        free(images);
        network_free(net);
    }
}

/* The last features of every family, by the names of their modules. */
static void test_layers(void **state)
{
    (void)state;
    static const struct { const char *arch, *layer, *expected; } cases[] = {
        { "resnet18", NULL, "layer4.1.act2" },
        { "vgg16", NULL, "features.42" },
        { "convnext_atto", NULL, "features.7.1.add" },
        { "resnet18", "layer1.0.conv1", "layer1.0.conv1" },
        { "mlp", NULL, NULL },
        { "resnet18", "layer1.0.conv9", NULL },
    };
    static const char *const errors[] = { [4] = "use --saliency", [5] = "did you mean layer1.0.conv" };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error = { 0 };
        Network *net = architecture_network(architecture_find(cases[i].arch, &error), (Shape){ 3, 64, 64 }, &(ArchOptions){ .classes = 3 }, &error);
        assert_non_null(net);
        const Tensor *layer = attention_layer(net, cases[i].layer, &error);
        if (cases[i].expected ? !layer || strcmp(layer->producer->name, cases[i].expected) : layer || !strstr(error.text, errors[i]))
            fail_msg("%s: '%s' '%s', expected '%s'", cases[i].arch, layer ? layer->producer->name : "none", error.text,
                     cases[i].expected ? cases[i].expected : errors[i]);
        network_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_layers), cmocka_unit_test(test_maps) };
    return cmocka_run_group_tests(tests, attention_setup, attention_teardown);
}
