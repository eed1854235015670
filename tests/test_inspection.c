/* test_inspection.c - what is seen inside a network, against double loops and a network whose units are dead by construction. */

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
#include "evaluation.h"
#include "inspection.h"
#include "parameters.h"
#include "threads.h"

enum { IMAGES = 50, BATCH = 16, SIDE = 32, CHANNELS = 3, MAPS = 6, KERNEL = 5, OUT = SIDE - KERNEL + 1 };

static Dataset *data;

static Model model_of_arch(const char *arch, const char *act)
{
    Model model = { .info = { .class_count = data->classes, .channels = CHANNELS, .side = SIDE } };
    snprintf(model.info.arch, sizeof model.info.arch, "%s", arch);
    snprintf(model.info.act, sizeof model.info.act, "%s", act);
    ArchOptions options = { .classes = data->classes };
    Error error = { 0 };
    for (int c = 0; c < CHANNELS; c++) {
        model.info.mean[c] = 0.5f;
        model.info.std[c] = 0.25f;
    }
    assert_true(activation_parse(act, &options.act, &error));
    model.network = architecture_network(architecture_find(arch, &error), (Shape){ CHANNELS, SIDE, SIDE }, &options, &error);
    assert_non_null(model.network);
    parameters_init(model.network, 3);
    return model;
}

static Model model_of(const char *act)
{
    return model_of_arch("lenet", act);
}

/* Its classes have no names. */
static void release(Model *model)
{
    model->info.class_count = 0;
    model_close(model);
}

static float *parameter(const Network *net, const char *name)
{
    const Param *param = network_param_find(net, name);
    float *plain = allocate(param->count, sizeof *plain, name);
    parameters_export(net, network_parameters((Network *)net)->values, param, plain);
    return plain;
}

/* Mean and deviation of the first convolution's sums, by loops in double; the loss as evaluate has it, whatever the batch. */
static void numbers(void **state)
{
    (void)state;
    Model model = model_of("relu");
    float *weight = parameter(model.network, "features.0.weight"), *bias = parameter(model.network, "features.0.bias");
    double sum = 0, squares = 0, flat = 0, count = 0;
    for (int n = 0; n < IMAGES; n++)
        for (int f = 0; f < MAPS; f++)
            for (int y = 0; y < OUT; y++)
                for (int x = 0; x < OUT; x++) {
                    double value = (double)bias[f];
                    for (int c = 0; c < CHANNELS; c++)
                        for (int k = 0; k < KERNEL * KERNEL; k++) {
                            const uint8_t pixel = data->images[((n * CHANNELS + c) * SIDE + y + k / KERNEL) * SIDE + x + k % KERNEL];
                            value += (double)weight[(f * CHANNELS + c) * KERNEL * KERNEL + k] * (pixel / 255.0 - 0.5) / 0.25;
                        }
                    sum += value;
                    squares += value * value;
                    flat += value <= 0;
                    count++;
                }
    Activity *inspection = inspection_new(&model, data, BATCH);
    const ActivityLayer *layer = &inspection->layers[0];
    assert_int_equal(inspection->count, 4);
    assert_int_equal(inspection->images, IMAGES);
    assert_string_equal(layer->module->name, "features.1");
    assert_true(fabs(layer->mean - sum / count) < 1e-4);
    assert_true(fabs(layer->deviation - sqrt(squares / count - pow(sum / count, 2))) < 1e-4);
    assert_true(fabs(layer->saturated - flat / count) < 1e-3);
    double shares = 0;
    for (int b = 0; b < ACTIVITY_BINS; b++)
        shares += layer->histogram[b];
    assert_true(shares > 0.95 && shares <= 1 + 1e-9);

    LossSum loss;
    Program *program = model_program(&model, &(Plan){ 0 }, IMAGES, NULL, NULL);
    Loader *loader = model_loader(&model, data, IMAGES);
    assert_true(evaluate(program, loader, data->classes, NULL, &loss));
    assert_true(fabs(inspection->loss - loss.loss / loss.count) < 1e-5);
    loader_free(loader);
    program_free(program);
    activity_free(inspection);
    free(weight);
    free(bias);
    release(&model);
}

/* With biases far below zero a layer of relu is dead, and nothing comes back from there; leaky_relu's is not. */
static void dead_layer(void **state)
{
    (void)state;
    static const char *const acts[] = { "relu", "leaky_relu" };
    for (int leaky = 0; leaky < 2; leaky++) {
        Model model = model_of(acts[leaky]);
        const Param *bias = network_param_find(model.network, "classifier.1.bias");
        float *low = allocate(bias->count, sizeof *low, "a bias");
        for (size_t i = 0; i < bias->count; i++)
            low[i] = -1000;
        parameters_import(model.network, network_parameters(model.network)->values, bias, low);
        Activity *inspection = inspection_new(&model, data, BATCH);
        const ActivityLayer *layers = inspection->layers;
        assert_string_equal(layers[2].module->name, "classifier.2");
        assert_true(layers[2].dead == (leaky ? 0 : 1) && layers[2].saturated == 1);
        assert_true(leaky ? layers[2].gradient > 0 && layers[0].gradient > 0 : layers[2].gradient == 0 && layers[0].gradient == 0);
        Table *table = inspection_table(inspection);
        Chart *chart = inspection_chart(inspection);
        assert_true(table_number_at(table, 2, "dead channels, %") == (leaky ? 0 : 100));
        table_free(table);
        chart_free(chart);
        activity_free(inspection);
        free(low);
        release(&model);
    }
}

/* ---- slopes that no fixed function says ---- */

static void fill(Model *model, const char *name, float value)
{
    const Param *param = network_param_find(model->network, name);
    float *plain = allocate(param->count, sizeof *plain, name);
    for (size_t i = 0; i < param->count; i++)
        plain[i] = value;
    parameters_import(model->network, network_parameters(model->network)->values, param, plain);
    free(plain);
}

/* A sum of the first hidden layer of an mlp on an image. */
static double hidden_sum(const float *weight, const float *bias, int n, int unit)
{
    const int pixels = CHANNELS * SIDE * SIDE;
    double value = (double)bias[unit];
    for (int i = 0; i < pixels; i++)
        value += (double)weight[unit * pixels + i] * (data->images[n * pixels + i] / 255.0 - 0.5) / 0.25;
    return value;
}

/* What prelu has learned counts, not what it started as: with a slope of 0.01 below zero it is flat there. */
static void learned_slope(void **state)
{
    (void)state;
    static const struct { float slope; bool flat; } cases[] = { { 0.25f, false }, { 0.01f, true }, { -0.5f, false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Model model = model_of_arch("mlp", "prelu");
        float *weight = parameter(model.network, "classifier.1.weight"), *bias = parameter(model.network, "classifier.1.bias");
        const int units = (int)network_param_find(model.network, "classifier.1.bias")->count;
        double negative = 0, slopes = 0;
        fill(&model, "classifier.2.weight", cases[i].slope);
        for (int n = 0; n < IMAGES; n++)
            for (int u = 0; u < units; u++) {
                const bool below = hidden_sum(weight, bias, n, u) < 0;
                negative += below;
                slopes += below ? fabs((double)cases[i].slope) : 1;
            }
        Activity *inspection = inspection_new(&model, data, BATCH);
        assert_string_equal(inspection->layers[0].module->name, "classifier.2");
        assert_true(fabs(inspection->layers[0].saturated - (cases[i].flat ? negative / (IMAGES * units) : 0)) < 1e-3);
        assert_true(fabs(inspection->layers[0].slope - slopes / (IMAGES * units)) < 1e-3);
        assert_true(inspection->layers[0].dead == 0);
        activity_free(inspection);
        free(weight);
        free(bias);
        release(&model);
    }
}

/* x relu(g): slope relu(g) by x, |x| where g > 0 by g; with gates far below zero both halves are dead. */
static void gated_slopes(void **state)
{
    (void)state;
    Model model = model_of_arch("mlp", "reglu");
    float *weight = parameter(model.network, "classifier.1.weight"), *bias = parameter(model.network, "classifier.1.bias");
    const int all = (int)network_param_find(model.network, "classifier.1.bias")->count, units = all / 2;
    double flat = 0, slopes = 0;
    for (int n = 0; n < IMAGES; n++)
        for (int u = 0; u < units; u++) {
            const double x = hidden_sum(weight, bias, n, u), g = hidden_sum(weight, bias, n, units + u);
            const double by_x = fmax(g, 0), by_g = g > 0 ? fabs(x) : 0;
            flat += (by_x < 0.05) + (by_g < 0.05);
            slopes += by_x + by_g;
        }
    Activity *inspection = inspection_new(&model, data, BATCH);
    assert_true(fabs(inspection->layers[0].saturated - flat / (IMAGES * all)) < 2e-3);
    assert_true(fabs(inspection->layers[0].slope - slopes / (IMAGES * all)) < 1e-3 * slopes / (IMAGES * all));
    assert_true(inspection->layers[0].dead < 1);
    activity_free(inspection);

    const Param *param = network_param_find(model.network, "classifier.1.bias");
    for (int u = units; u < all; u++)
        bias[u] = -1000;
    parameters_import(model.network, network_parameters(model.network)->values, param, bias);
    fill(&model, "classifier.4.bias", 1);      /* so that a gradient comes down to them */
    inspection = inspection_new(&model, data, BATCH);
    assert_true(inspection->layers[0].dead == 1 && inspection->layers[0].saturated == 1 && inspection->layers[0].gradient == 0);
    activity_free(inspection);
    free(weight);
    free(bias);
    release(&model);
}

static int setup(void **state)
{
    (void)state;
    Error error;
    threads_settle(1);
    data = dataset_open(&(DataOptions){ .path = "shapes", .limit = IMAGES }, SPLIT_train, &error);
    return data && data->count == IMAGES ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    dataset_free(data);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { 
        cmocka_unit_test(numbers), cmocka_unit_test(dead_layer), cmocka_unit_test(learned_slope), cmocka_unit_test(gated_slopes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
