/* test_parity.c - every architecture against PyTorch's numbers, in double precision, from tests/golden.
 *
 * Weights and images come from a formula that both sides compute (tests/reference/formula.py), so that a golden file
 * holds only results: logits, loss, every gradient's norm and its product with a fixed vector, running statistics, and the
 * losses of ten SGD steps. A file also says how far PyTorch in f32 is from itself in double (`float32`): some networks
 * amplify rounding, and no f32 program can be held to less than that. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "architectures.h"
#include "loss.h"
#include "optimizer.h"
#include "parameters.h"
#include "program.h"
#include "random.h"

/* What is asked of us where PyTorch's own f32 is no worse (numerics of f32, direct and Winograd). */
typedef struct Tolerance {
    const char *name;
    Plan        plan;
    double      logits, loss, gradients, statistics, losses;
    double      kinks;      /* of a single gradient, where noise moves a value over a kink or to another pixel of a max pool */
} Tolerance;

static const Tolerance tolerances[] = {
    { "direct",    { .direct_only = true },                                  1e-5, 1e-6, 1e-5, 1e-5, 1e-4, 0 },
    { "default",   { .layout = LAYOUT_automatic },                           5e-5, 1e-5, 5e-5, 5e-5, 1e-4, 2e-2 },
    { "last",      { .layout = LAYOUT_channels_last },                       5e-5, 1e-5, 5e-5, 5e-5, 1e-4, 2e-2 },
    { "unfused",   { .direct_only = true, .no_fusion = true },               1e-5, 1e-6, 1e-5, 1e-5, 1e-4, 0 },
    /* Where f32's rounding grows to 1e-2 in a gradient, that of 16 bits grows to its own size: the losses tell. After ten steps of
     * vgg16, where direct f32 is off by 7e-3, bf16 is by 4e-2 and integers by 5e-2; of resnet18's gradients half are off by
     * 7e-2, or 1e-1 in a build that sums in another order. */
    { "bf16",      { .precision = PRECISION_bf16 },                          1e-1, 5e-3, 1e-1, 1e-2, 5e-2, 1 },
    { "mixed",     { .precision = PRECISION_mixed },                         1e-1, 5e-3, 1e-1, 1e-2, 1e-1, 2 },
};

enum { MARGIN = 4 };      /* how much worse than PyTorch's f32 we may be where rounding is amplified: other orders of summation */

/* Where PyTorch's f32 logits in training are off by more than this, 16 bits may end anywhere: rounding that is 2^16 times as large decides what
 * the activations cut off. tf_efficientnet_lite0 with ReLU6 is so; the same network with SiLU is held to all bounds. */
static const double ILL_CONDITIONED = 8e-5;

typedef struct Golden {
    const char *file;
    json_t     *json;
    int         batch, classes, columns, channels, side;
} Golden;

/* ---- the formula ---- */

static uint64_t fnv1a(const char *text, const char *suffix)
{
    uint64_t key = 0xCBF29CE484222325u;
    for (int part = 0; part < 2; part++)
        for (const char *at = part ? suffix : text; *at; at++)
            key = (key ^ (unsigned char)*at) * 0x100000001B3u;
    return key;
}

static double u(uint64_t key, size_t i)
{
    return (double)(random_mix(key + (i + 1) * 0x9E3779B97F4A7C15u) >> 40) * 0x1p-23 - 1;
}

/* ---- reading golden files ---- */

static double number(const Golden *golden, const char *key)
{
    const json_t *value = json_object_get(golden->json, key);
    assert_non_null(value);
    return json_number_value(value);
}

static double of_pytorch(const Golden *golden, const char *key)
{
    return json_number_value(json_object_get(json_object_get(golden->json, "float32"), key));
}

static double allowed(const Golden *golden, const char *key, double tolerance)
{
    return fmax(tolerance, MARGIN * of_pytorch(golden, key));
}

static bool judges_training(const Golden *golden, const Tolerance *t)
{
    return t->plan.precision == PRECISION_f32 || of_pytorch(golden, "train_logits") <= ILL_CONDITIONED;
}

static double cell(const json_t *rows, size_t row, size_t column)
{
    return json_number_value(json_array_get(json_array_get(rows, row), column));
}

static Golden open_golden(const char *file)
{
    char path[512];
    json_error_t problem;
    snprintf(path, sizeof path, "%s/golden/%s", TESTS_FOLDER, file);
    Golden golden = { .file = file, .json = json_load_file(path, 0, &problem) };
    if (!golden.json)
        fail_msg("%s: %s", path, problem.text);
    golden.batch = (int)number(&golden, "batch");
    golden.classes = (int)number(&golden, "classes");
    golden.columns = (int)number(&golden, "columns");
    golden.channels = (int)number(&golden, "channels");
    golden.side = (int)number(&golden, "side");
    return golden;
}

/* ---- our side ---- */

static Network *build(const Golden *golden)
{
    Error error;
    const Architecture *arch = architecture_find(json_string_value(json_object_get(golden->json, "arch")), &error);
    assert_non_null(arch);
    ArchOptions options = { .classes = golden->classes, .no_dropout = true,
                            .squeeze_excite = json_is_true(json_object_get(golden->json, "squeeze_excite")),
                            .stem = (int)json_integer_value(json_object_get(golden->json, "stem")) };
    if (!activation_parse(json_string_value(json_object_get(golden->json, "act")), &options.act, &error))
        fail_msg("%s: %s", golden->file, error.text);
    Network *net = architecture_network(arch, (Shape){ golden->channels, golden->side, golden->side }, &options, &error);
    if (!net)
        fail_msg("%s: %s", golden->file, error.text);
    return net;
}

/* rows: [name, elements, amplitude, offset, ...] */
static void fill(const Golden *golden, Network *net, const char *key)
{
    const json_t *rows = json_object_get(golden->json, key);
    for (size_t r = 0; r < json_array_size(rows); r++) {
        const char *name = json_string_value(json_array_get(json_array_get(rows, r), 0));
        const Param *param = network_param_find(net, name);
        if (!param || param->count != (size_t)cell(rows, r, 1))
            fail_msg("%s: '%s': %zu elements in the network, %g in PyTorch", golden->file, name, param ? param->count : 0,
                     cell(rows, r, 1));
        const double amplitude = cell(rows, r, 2), offset = cell(rows, r, 3);
        const uint64_t stream = fnv1a(name, "");
        float *values = malloc(param->count * sizeof *values);
        assert_non_null(values);
        for (size_t i = 0; i < param->count; i++)
            values[i] = (float)(offset + amplitude * u(stream, i));
        parameters_import(net, network_parameters(net)->values, param, values);
        free(values);
    }
}

static void check_names(const Golden *golden, const Network *net)
{
    int floats = 0;
    for (int i = 0; i < network_param_count(net); i++)
        floats += network_param(net, i)->role != PARAM_counter;
    assert_int_equal(floats, json_array_size(json_object_get(golden->json, "parameters")) +
                                 json_array_size(json_object_get(golden->json, "statistics")));
}

static void fill_image(const Golden *golden, float *image)
{
    const uint64_t stream = fnv1a(json_string_value(json_object_get(golden->json, "image")), "");
    const size_t count = (size_t)golden->batch * (size_t)golden->channels * (size_t)golden->side * (size_t)golden->side;
    for (size_t i = 0; i < count; i++)
        image[i] = (float)u(stream, i);
}

static int failures;

/* Prints what was measured next to what is allowed; the test fails at its end. */
static void hold(const Golden *golden, const Tolerance *t, const char *what, double measured, double limit)
{
    const bool bad = !(measured <= limit);
    if (bad || getenv("CONVZOO_VERBOSE"))
        print_message("%s %-40s %-8s %-22s %.2e, allowed %.2e\n", bad ? "FAIL" : "ok  ", golden->file, t->name, what, measured,
                      limit);
    failures += bad;
}

static void check_logits(const Golden *golden, const Tolerance *t, const char *key, const float *logits)
{
    const json_t *rows = json_object_get(golden->json, key);
    double worst = 0, largest = 0;
    for (int n = 0; n < golden->batch; n++)
        for (int c = 0; c < golden->columns; c++) {
            const double expected = cell(rows, (size_t)n, (size_t)c);
            worst = fmax(worst, fabs(logits[n * golden->classes + c] - expected));
            largest = fmax(largest, fabs(expected));
        }
    hold(golden, t, key, worst / largest, allowed(golden, key, t->logits));
}

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Norm and product with u(name.probe) of every parameter in `block`: the worst and, with a limit, the median. */
static void check_digests(const Golden *golden, const Tolerance *t, Network *net, const char *key, const float *block,
                          double floor, double limit, double median_limit)
{
    double off_by[512];
    const json_t *rows = json_object_get(golden->json, key);
    double worst = 0;
    assert_in_range(json_array_size(rows), 0, sizeof off_by / sizeof *off_by);
    for (size_t r = 0; r < json_array_size(rows); r++) {
        const char *name = json_string_value(json_array_get(json_array_get(rows, r), 0));
        const Param *param = network_param_find(net, name);
        const uint64_t probe = fnv1a(name, ".probe");
        float *values = malloc(param->count * sizeof *values);
        assert_non_null(values);
        parameters_export(net, block, param, values);
        double squares = 0, dot = 0;
        for (size_t i = 0; i < param->count; i++) {
            squares += (double)values[i] * values[i];
            dot += values[i] * u(probe, i);
        }
        free(values);
        if (squares == 0 && cell(rows, r, 4) > floor)
            fail_msg("%s, %s: '%s' is all zero, PyTorch's norm %g", golden->file, t->name, name, cell(rows, r, 4));
        const double norm = cell(rows, r, 4), off = fmax(fabs(sqrt(squares) - norm), fabs(dot - cell(rows, r, 5)));
        if (getenv("CONVZOO_VERBOSE") && off / (norm + floor) > limit)
            print_message("     %-40s norm %g (%g) dot %g (%g)\n", name, sqrt(squares), norm, dot, cell(rows, r, 5));
        off_by[r] = off / (norm + floor);
        worst = fmax(worst, off_by[r]);
    }
    hold(golden, t, key, worst, limit);
    if (median_limit > 0) {
        qsort(off_by, json_array_size(rows), sizeof *off_by, ascending);
        hold(golden, t, "median parameter", off_by[json_array_size(rows) / 2], median_limit);
    }
}

static double loss_of(const Golden *golden, Program *program, bool gradient)
{
    uint16_t labels[64];
    assert_in_range(golden->batch, 1, 64);
    for (int n = 0; n < golden->batch; n++)
        labels[n] = (uint16_t)(n % golden->classes);
    LossSum sum = {0};
    loss_cross_entropy(program_logits(program), labels, golden->batch, golden->batch, golden->classes, 0,
                       gradient ? program_logits_gradient(program) : NULL, &sum);
    return sum.loss / golden->batch;
}

/* Every step runs the same code: for the sanitizers, two are as good as ten. */
#if defined(__SANITIZE_ADDRESS__)
enum { MOST_STEPS = 2 };
#else
enum { MOST_STEPS = 10 };
#endif

static void check_steps(const Golden *golden, const Tolerance *t, Network *net, Program *step, Program *inference)
{
    const json_t *losses = json_object_get(golden->json, "losses");
    const size_t count = json_array_size(losses);
    if (!count)
        return;
    Optimizer *optimizer = optimizer_new(net, &(OptimizerOptions){
        .kind = OPTIMIZER_sgd, .momentum = (float)number(golden, "momentum"), .nesterov = true,
        .weight_decay = (float)number(golden, "weight_decay") });
    double worst = 0;
    for (size_t k = 1; k < count && k <= MOST_STEPS; k++) {
        optimizer_step(optimizer, (float)number(golden, "lr"));
        program_forward(step);
        const double expected = json_number_value(json_array_get(losses, k));
        worst = fmax(worst, fabs(loss_of(golden, step, true) - expected) / fabs(expected));
        program_backward(step);
    }
    hold(golden, t, "losses", worst, allowed(golden, "losses", t->losses));
    optimizer_free(optimizer);
    if (count > MOST_STEPS + 1)
        return;                     /* the evaluation's figures are of after the last step */
    program_forward(inference);
    const double expected = number(golden, "eval_loss");
    hold(golden, t, "eval_loss", fabs(loss_of(golden, inference, false) - expected) / fabs(expected),
         allowed(golden, "eval_loss", t->losses));
}

static void check_training(const Golden *golden, const Tolerance *t, Network *net, Program *step)
{
    program_forward(step);
    check_logits(golden, t, "train_logits", program_logits(step));
    const double expected = number(golden, "loss");
    hold(golden, t, "loss", fabs(loss_of(golden, step, true) - expected) / expected, allowed(golden, "loss", t->loss));
    check_digests(golden, t, net, "statistics", network_parameters(net)->values, 0, allowed(golden, "statistics", t->statistics),
                  0);
    program_backward(step);
    check_digests(golden, t, net, "parameters", network_parameters(net)->gradients, number(golden, "gradient_floor"),
                  fmax(t->kinks, allowed(golden, "gradients", t->gradients)),
                  fmax(t->kinks / 10, allowed(golden, "gradients_median", t->gradients)));
}

static void check_network(const Golden *golden, const Tolerance *t)
{
    Network *net = build(golden);
    check_names(golden, net);
    fill(golden, net, "parameters");
    fill(golden, net, "statistics");
    Program *step = program_compile(net, &t->plan, PURPOSE_training, golden->batch);
    Program *inference = program_compile(net, &t->plan, PURPOSE_inference, golden->batch);
    fill_image(golden, program_image(step));
    fill_image(golden, program_image(inference));

    program_forward(inference);
    check_logits(golden, t, "eval_logits", program_logits(inference));
    if (judges_training(golden, t)) {
        check_training(golden, t, net, step);
        check_steps(golden, t, net, step, inference);
    }
    program_free(step);
    program_free(inference);
    network_free(net);
}

/* Large images take their time: one plan for them. */
static void check_file(void **state)
{
    const char *file = *state;
    Golden golden = open_golden(file);
    failures = 0;
    const size_t plans = golden.side > 64 ? 1 : sizeof tolerances / sizeof *tolerances;
    for (size_t i = 0; i < plans; i++)
        if (tolerances[i].plan.precision == PRECISION_f32 || program_can_bf16())
            check_network(&golden, &tolerances[i]);
    json_decref(golden.json);
    assert_int_equal(failures, 0);
}

static int is_case(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');
    return end && !strcmp(end, ".json") && strcmp(entry->d_name, "activations.json") != 0;
}

/* argv[1]: only files whose name begins with it. */
int main(int argc, char **argv)
{
    struct dirent **files;
    const int count = scandir(TESTS_FOLDER "/golden", &files, is_case, alphasort);
    if (count <= 0) {
        fprintf(stderr, "no golden files in %s/golden\n", TESTS_FOLDER);
        return 1;
    }
    struct CMUnitTest *tests = calloc((size_t)count, sizeof *tests);
    size_t chosen = 0;
    for (int i = 0; tests && i < count; i++)
        if (argc < 2 || strncmp(files[i]->d_name, argv[1], strlen(argv[1])) == 0)
            tests[chosen++] = (struct CMUnitTest){ .name = files[i]->d_name, .test_func = check_file, .initial_state = files[i]->d_name };
    if (!chosen)
        fprintf(stderr, "no golden file in %s/golden begins with '%s'\n", TESTS_FOLDER, argc < 2 ? "" : argv[1]);
    const int status = chosen ? _cmocka_run_group_tests("parity", tests, chosen, NULL, NULL) : 1;
    for (int i = 0; i < count; i++)
        free(files[i]);
    free(files);
    free(tests);
    return status;
}
