/* test_modules.c - every module, forward and backward, in every layout, against double precision.
 *
 * A case is a row of helpers/module_cases.c. Forward is compared with helpers/reference.c, the gradients of the input and of
 * every parameter with central differences of that reference. The input's gradient is seen through a probe (helpers/probe.c)
 * in front of the module. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "architectures.h"
#include "differences.h"
#include "kernels.h"
#include "module_cases.h"
#include "parameters.h"

enum { KIND_bf16 = KIND_COUNT, ACCURACIES };      /* accuracies that go with the plan, not the case */

enum { FORWARD, FORWARD_PEAK, GRADIENT, GRADIENT_PEAK, MEASURES };

/* What f32 kernels are held to, two to ten times what they reach: the relative L2 error of a tensor, and its largest error
 * over the tensor's root mean square. */
typedef struct Accuracy {
    const char *name;
    double      limits[MEASURES];
    double      worst[MEASURES];             /* measured in this run */
} Accuracy;

static Accuracy accuracies[ACCURACIES] = {
    [KIND_direct]    = { "direct",    { 1e-6, 1e-5, 1e-6, 1e-5 } },
    [KIND_pointwise] = { "pointwise", { 5e-7, 5e-6, 5e-7, 5e-6 } },
    [KIND_norm]      = { "norm",      { 2e-6, 2e-5, 3e-6, 2e-5 } },
    [KIND_winograd]  = { "winograd",  { 5e-6, 4e-5, 1e-5, 4e-5 } },
    [KIND_exact]     = { "integers",  { 0, 0, 0, 0 } },
    [KIND_bf16]      = { "bf16",      { 8e-3, 3e-2, 1e-2, 3e-2 } },      /* operands of 8 bits; integers stay exact */
};

/* ---- how each case is run ---- */

typedef struct Variant {
    const char       *name;
    Plan              plan;
    dnnl_format_tag_t tag;                /* the layout in which the module finds x; undef: x is the image, y the logits */
    bool              inference_first;    /* the inference program chooses the parameters' layout */
} Variant;

static const Variant variants[] = {
    { "blocked",       { .layout = LAYOUT_blocked },       dnnl_nChw16c, false },
    { "channels last", { .layout = LAYOUT_channels_last }, dnnl_nhwc,    true },
    { "batch last",    { .layout = LAYOUT_batch_last },    dnnl_Abcd16a, false },
    { "direct only",   { .direct_only = true },            dnnl_nchw,    false },
    { "unfused",       { .no_fusion = true },              dnnl_nChw8c,  true },
    { "bf16",          { .precision = PRECISION_bf16, .layout = LAYOUT_blocked },       dnnl_nChw16c, false },
    { "mixed",         { .precision = PRECISION_mixed, .layout = LAYOUT_blocked },      dnnl_nChw16c, false },
    { "mixed last",    { .precision = PRECISION_mixed, .layout = LAYOUT_channels_last }, dnnl_nhwc,    true },
    { "bf16 last",     { .precision = PRECISION_bf16, .layout = LAYOUT_channels_last }, dnnl_nhwc,    true },
    { "blocks of 4",   { .layout = LAYOUT_blocked },       dnnl_nChw4c,  false },
    { "alone",         {0},                                dnnl_format_tag_undef, false },
};

typedef struct Problem {
    const ModuleCase *row;
    Kind              kind;
    Reference        *reference;
    size_t            outputs;
    double           *trained, *inferred, *cotangent, *mask;
    Gradient          gradients[REFERENCE_PARAMS];
} Problem;

static Reference *build(const ModuleCase *row, const Variant *variant)
{
    Reference *r = reference_new(row->n, row->in);
    const Tensor *x = network_image(r->net);
    if (variant->tag == dnnl_format_tag_undef) {
        row->build(r, row, x);
    } else {
        x = row->build(r, row, reference_probe(r, "probe", x, variant->tag));
        reference_flatten(r, "end", x);
    }
    for (int i = 0; row->frozen && i < network_param_count(r->net); i++) {
        Param *param = network_param(r->net, i);
        param->frozen = !strncmp(param->name, row->frozen, strlen(row->frozen));
    }
    reference_complete(r);
    return r;
}

/* What a kink or a tie must be away from, ten times over. Integers need no small steps. */
static double step_of(const Problem *problem) { return problem->kind == KIND_exact ? 1 : 1e-5; }

static bool is_trained(const Param *param) { return param->role == PARAM_weight || param->role == PARAM_plain; }

/* ---- our side ---- */

/* The same parameter of the problem's network, which may have one more. */
static int index_in(const Problem *problem, const Param *param)
{
    const Param *same = network_param_find(problem->reference->net, param->name);
    assert_non_null(same);
    return same->index;
}

static void import_params(const Problem *problem, Network *net)
{
    for (int i = 0; i < network_param_count(net); i++) {
        const Param *param = network_param(net, i);
        if (param->role == PARAM_counter)
            continue;
        float *values = allocate(param->count, sizeof *values, "a parameter");
        for (size_t k = 0; k < param->count; k++)
            values[k] = (float)problem->reference->params[index_in(problem, param)][k];
        parameters_import(net, network_parameters(net)->values, param, values);
        free(values);
    }
}

/* Without a probe, what the probe adds is in the image. */
static void fill_image(const Problem *problem, const Variant *variant, float *image)
{
    const Reference *r = problem->reference;
    for (size_t i = 0; i < reference_size(r, network_image(r->net)); i++)
        image[i] = (float)(r->values[0][i] + (variant->tag == dnnl_format_tag_undef ? r->params[0][i] : 0));
}

static double *exported(const Network *net, const float *block, const Param *param)
{
    float *plain = allocate(param->count, sizeof *plain, "a parameter");
    double *values = allocate(param->count, sizeof *values, "a parameter");
    parameters_export(net, block, param, plain);
    for (size_t i = 0; i < param->count; i++)
        values[i] = (double)plain[i];
    free(plain);
    return values;
}

static double *doubles(const float *x, size_t count)
{
    double *values = allocate(count, sizeof *values, "values");
    for (size_t i = 0; i < count; i++)
        values[i] = (double)x[i];
    return values;
}

/* ---- comparing ---- */

typedef struct Context {
    const Problem *problem;
    const Variant *variant;
    Accuracy      *accuracy;
} Context;

static void hold(const Context *c, const char *what, int measure, double measured)
{
    const double limit = c->accuracy->limits[measure];
    if (!(measured <= limit) || getenv("CONVZOO_VERBOSE"))
        print_message("%s, %s: %s: %.2e, allowed %.2e (%s)\n", c->problem->row->name, c->variant->name, what, measured, limit,
                      c->accuracy->name);
    if (!(measured <= limit))
        fail_msg("%s, %s: %s is wrong", c->problem->row->name, c->variant->name, what);
    c->accuracy->worst[measure] = fmax(c->accuracy->worst[measure], measured);
}

/* first: FORWARD or GRADIENT */
static void compare(const Context *c, const char *what, int first, const double *expected, const double *got, size_t count)
{
    double off = 0, size = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        const double error = got[i] - expected[i];
        off += error * error;
        size += expected[i] * expected[i];
        largest = fmax(largest, isfinite(error) ? fabs(error) : INFINITY);
    }
    const double rms = sqrt(size / (double)count);
    const double scale = rms > 0 ? rms : 1;
    hold(c, what, first, sqrt(off / (double)count) / scale);
    hold(c, what, first + 1, largest / scale);
}

/* Of a frozen parameter: none. */
static void check_no_gradient(const Context *c, const Network *net, const Param *param, const float *block)
{
    double *gradient = exported(net, block, param);
    for (size_t i = 0; i < param->count; i++)
        if (gradient[i] != 0)
            fail_msg("%s, %s: frozen %s has a gradient of %g", c->problem->row->name, c->variant->name, param->name, gradient[i]);
    free(gradient);
}

static void check_gradient(const Context *c, const Network *net, const Param *param, const float *block)
{
    if (param->frozen) {
        check_no_gradient(c, net, param, block);
        return;
    }
    const Gradient *expected = &c->problem->gradients[index_in(c->problem, param)];
    double *gradient = exported(net, block, param), *v = allocate(param->count, sizeof *v, "a direction");
    double samples[SAMPLES], squares = 0;
    for (int i = 0; i < expected->samples; i++)
        samples[i] = gradient[expected->at[i]];
    compare(c, param->name, GRADIENT, expected->slopes, samples, (size_t)expected->samples);
    for (size_t i = 0; i < param->count; i++)
        squares += gradient[i] * gradient[i];
    for (int i = 0; i < DIRECTIONS; i++) {
        double product = 0;
        direction_draw(param, i, step_of(c->problem), v);
        for (size_t k = 0; k < param->count; k++)
            product += v[k] * gradient[k];
        /* Errors of the elements add up at random: five standard deviations of their sum. */
        const double sum = sqrt(squares / (double)param->count);
        hold(c, param->name, GRADIENT, fabs(product - expected->products[i]) / (5 * (sum > 0 ? sum : 1)));
    }
    free(gradient);
    free(v);
}

/* Running statistics against `expected`, one array a parameter, and the counters. */
static void check_statistics(const Context *c, Network *net, double *const *expected, int64_t batches)
{
    for (int i = 0; i < network_param_count(net); i++) {
        const Param *param = network_param(net, i);
        if (param->role == PARAM_counter)
            assert_int_equal(*parameters_counter(net, param), network_freezes(net, param->module) ? 0 : batches);
        if (param->role != PARAM_buffer)
            continue;
        double *values = exported(net, network_parameters(net)->values, param);
        compare(c, param->name, FORWARD, expected[index_in(c->problem, param)], values, param->count);
        free(values);
    }
}

static void check_output(const Context *c, const char *what, const Program *program, const double *expected)
{
    double *y = doubles(program_logits(program), c->problem->outputs);
    compare(c, what, FORWARD, expected, y, c->problem->outputs);
    free(y);
}

static void check_inference(const Context *c, Network *net, Program *program)
{
    fill_image(c->problem, c->variant, program_image(program));
    program_forward(program);
    check_output(c, "inference", program, c->problem->inferred);
    check_statistics(c, net, c->problem->reference->params, 0);
}

static void check_training(const Context *c, Network *net, Program *program)
{
    fill_image(c->problem, c->variant, program_image(program));
    program_forward(program);
    check_output(c, "forward", program, c->problem->trained);
    check_statistics(c, net, c->problem->reference->updated, 1);
    for (size_t i = 0; i < c->problem->outputs; i++)
        program_logits_gradient(program)[i] = (float)c->problem->cotangent[i];
    program_backward(program);
    for (int i = 0; i < network_param_count(net); i++)
        if (is_trained(network_param(net, i)))
            check_gradient(c, net, network_param(net, i), network_parameters(net)->gradients);
}

static int kind_with(const Problem *problem, const Plan *plan)
{
    if (plan->precision != PRECISION_f32 && problem->kind != KIND_exact)
        return KIND_bf16;
    return problem->kind == KIND_winograd && plan->direct_only ? KIND_norm : problem->kind;
}

static Program *compile(const Problem *problem, const Variant *variant, Network *net, Purpose purpose)
{
    purpose.shares_arena = true;
    return program_compile(net, &variant->plan, purpose, problem->row->n);
}

/* All numbers of it are NaN, as f32 and as bf16: what nobody has written shows where it is read. */
static void *arena_of(const Program *a, const Program *b)
{
    const size_t first = program_arena_bytes(a), second = program_arena_bytes(b), bytes = first > second ? first : second;
    return memset(allocate(bytes, 1, "activations"), 0xFF, bytes);
}

static void check_variant(const Problem *problem, const Variant *variant)
{
    const Context c = { problem, variant, &accuracies[kind_with(problem, &variant->plan)] };
    Reference *r = build(problem->row, variant);
    import_params(problem, r->net);
    const bool inference_first = variant->inference_first;
    Program *first = compile(problem, variant, r->net, inference_first ? PURPOSE_inference : PURPOSE_training);
    Program *second = compile(problem, variant, r->net, inference_first ? PURPOSE_training : PURPOSE_inference);
    void *arena = arena_of(first, second);
    program_set_arena(first, arena);
    program_set_arena(second, arena);
    check_inference(&c, r->net, inference_first ? first : second);
    check_training(&c, r->net, inference_first ? second : first);
    program_free(first);
    program_free(second);
    free(arena);
    reference_free(r);
}

/* ---- one case ---- */

/* What dropout multiplied each element by, or drop_path each sample, seen from outside: 0 or 1 / (1 - p), and not too many of
 * either. */
static void recover_mask(Problem *problem)
{
    const ModuleCase *row = problem->row;
    const size_t drawn = row->by_sample ? problem->outputs / (size_t)row->n : 1;      /* elements that share a draw */
    const double p = (double)row->p, count = (double)(problem->outputs / drawn);
    Reference *r = build(problem->row, &variants[0]);
    import_params(problem, r->net);
    Program *program = program_compile(r->net, &variants[0].plan, PURPOSE_training, problem->row->n);
    fill_image(problem, &variants[0], program_image(program));
    program_forward(program);
    double kept = 0;
    for (size_t i = 0; i < problem->outputs; i++) {
        const double x = problem->reference->values[0][i] + problem->reference->params[0][i];
        const double ratio = (double)program_logits(program)[i] / x - row->added;
        problem->mask[i] = fabs(ratio) < 1e-6 ? 0 : 1 / (1 - p);
        assert_true(fabs(ratio - problem->mask[i]) < (row->added ? 1e-5 : 1e-6));
        assert_true(problem->mask[i] == problem->mask[i / drawn * drawn]);
        kept += i % drawn == 0 && problem->mask[i] != 0;
    }
    assert_true(fabs(kept - (1 - p) * count) < 4 * sqrt(p * (1 - p) * count));
    program_free(program);
    reference_free(r);
}

static double *copied(const double *values, size_t count)
{
    double *copy = allocate(count, sizeof *copy, "values");
    memcpy(copy, values, count * sizeof *copy);
    return copy;
}

static Problem *problem_new(const ModuleCase *row, Kind kind)
{
    Problem *problem = allocate(1, sizeof *problem, "a problem");
    Reference *r = build(row, &variants[0]);
    problem->row = row;
    problem->kind = kind;
    problem->reference = r;
    problem->outputs = reference_size(r, network_logits(r->net));
    problem->cotangent = allocate(problem->outputs, sizeof(double), "a cotangent");
    r->mask = problem->mask = allocate(problem->outputs, sizeof(double), "a mask");

    /* Until no value is so near to a kink, nor two of a window so near to each other, that a difference would step over. */
    uint64_t attempt = 0;
    do {
        reference_draw(r, problem->cotangent, attempt, kind == KIND_exact);
        reference_run(r, PURPOSE_training);
    } while (r->margin < 10 * step_of(problem) && ++attempt < 200);
    assert_true(attempt < 200);

    reference_run(r, PURPOSE_inference);
    problem->inferred = copied(reference_output(r), problem->outputs);
    if (row->p > 0)
        recover_mask(problem);
    for (int i = 0; i < network_param_count(r->net); i++)
        if (is_trained(network_param(r->net, i)) && !network_param(r->net, i)->frozen)
            problem->gradients[i] = gradient_expected(r, problem->cotangent, i, step_of(problem));
    reference_run(r, PURPOSE_training);
    problem->trained = copied(reference_output(r), problem->outputs);
    return problem;
}

static void problem_free(Problem *problem)
{
    reference_free(problem->reference);
    free(problem->trained);
    free(problem->inferred);
    free(problem->cotangent);
    free(problem->mask);
    free(problem);
}

/* Dropout's draw depends on its place on the tape. bf16 needs the processor, and a case without kinks: its rounding steps over
 * them. Activations in bf16: test_bf16.c. */
static bool runs(const ModuleCase *row, const Variant *variant)
{
    const bool bf16 = variant->plan.precision != PRECISION_f32;
    return (row->p == 0 || variant->tag != dnnl_format_tag_undef) &&
           (!bf16 || (program_can_bf16() && module_case_has_no_kink(row)));
}

static void check_case(const ModuleCase *row, Kind kind)
{
    Problem *problem = problem_new(row, kind);
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        if (runs(row, &variants[i]))
            check_variant(problem, &variants[i]);
    problem_free(problem);
}

static void test_cases(void **state)
{
    (void)state;
    for (int i = 0; i < module_case_count; i++)
        check_case(&module_cases[i], module_cases[i].kind);
}

/* Every function of the catalogue, on its own and where a program fuses it. */
static void test_activations(void **state)
{
    (void)state;
    for (ActivationKey key = ACT_native + 1; key < ACT_COUNT; key++) {
        const ActivationInfo *info = activation_info(key);
        check_case(&(ModuleCase){ info->key, 2, { 5, 3, 7 }, build_activation, .act = key }, KIND_pointwise);
        check_case(&(ModuleCase){ info->key, 1, { 16, 3, 5 }, build_activation, .act = key }, KIND_pointwise);
        check_case(&(ModuleCase){ info->key, 2, { 5, 3, 7 }, build_norm_activation, .act = key }, KIND_norm);
        check_case(&(ModuleCase){ info->key, 3, { 16, 2, 5 }, build_residual_activation, .act = key }, KIND_norm);
        if (*info->parameters)
            check_case(&(ModuleCase){ info->key, 2, { 6, 3, 5 }, build_norm_activation, .act = key, .act_parameter = 0.37f }, KIND_norm);
    }
}

/* Sums of small integers are exact in f32, in any order. Winograd's fractions are not. */
static void test_integers(void **state)
{
    (void)state;
    for (int i = 0; i < module_case_count; i++)
        if (module_case_is_linear(&module_cases[i]))
            check_case(&module_cases[i], KIND_exact);
}

/* Those of our own convolutions that gain most are in every processor's default plan. */
static void test_own_algorithms(void **state)
{
    (void)state;
    static const struct { const char *arch; char letter; } cases[] = {
        { "baseline", ALGORITHM_winograd }, { "efficientnet_lite0", ALGORITHM_depthwise },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error;
        const Architecture *arch = architecture_find(cases[i].arch, &error);
        const ArchOptions options = { .classes = 10, .act = activation_of(arch->act) };
        Network *net = architecture_network(arch, (Shape){ 3, 32, 32 }, &options, &error);
        Program *program = program_compile(net, &(Plan){ 0 }, PURPOSE_training, 2);
        int layers = 0;
        for (int m = 0; m < network_module_count(net); m++) {
            const Module *module = network_module(net, m);
            layers += module->ops->algorithm && module->ops->algorithm(module, program) == cases[i].letter;
        }
        if (!layers)
            fail_msg("%s: kernels for %s: no layer is computed by '%c'", arch->key, kernels_isa(), cases[i].letter);
        program_free(program);
        network_free(net);
    }
}

static int print_worst(void **state)
{
    (void)state;
    print_message("kernels for %s\n", kernels_isa());
    for (int i = 0; i < ACCURACIES; i++)
        print_message("%-10s largest errors: forward L2 %.1e, peak %.1e; gradients L2 %.1e, peak %.1e\n", accuracies[i].name,
                      accuracies[i].worst[FORWARD], accuracies[i].worst[FORWARD_PEAK], accuracies[i].worst[GRADIENT],
                      accuracies[i].worst[GRADIENT_PEAK]);
    return 0;
}

/* Runs this program again as on a lesser processor: with its kernels, and with what oneDNN does there. On one thread: the work
 * is so little that several would only wait for each other. */
static int run_on(const char *isa, const char *onednn)
{
    const pid_t child = fork();
    if (child == 0) {
        if (!setenv("CONVZOO_ISA", isa, 1) && !setenv("ONEDNN_MAX_CPU_ISA", onednn, 1) && !setenv("OMP_NUM_THREADS", "1", 1))
            execl("/proc/self/exe", "test_modules", (char *)NULL);
        perror("test_modules");
        _exit(127);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child)
        perror("test_modules");
    return status;
}

int main(void)
{
    if (!getenv("CONVZOO_ISA"))
        return run_on("avx512", "DEFAULT") | run_on("avx2", "AVX2") | run_on("base", "SSE41") ? 1 : 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases), cmocka_unit_test(test_activations), cmocka_unit_test(test_integers),
        cmocka_unit_test(test_own_algorithms),
    };
    return cmocka_run_group_tests(tests, NULL, print_worst);
}
