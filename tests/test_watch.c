/* test_watch.c - tensors that are read after a run: values and gradients against double loops and central differences, and
 * against programs without fusion; and that watching changes nothing else. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "differences.h"
#include "program_build.h"
#include "setups.h"

enum { MOST_WATCHED = 256 };

/* ---- a small network, in double ---- */

/* Smooth, with everything that a program fuses or leaves out. */
static Reference *small_reference(int batch)
{
    const Conv2d conv3x3 = { .kernel = 3, .pad = 1 };
    Reference *r = reference_new(batch, (Shape){ 3, 6, 5 });
    const Tensor *x = reference_conv2d(r, "conv1", network_image(r->net), 5, conv3x3), *shortcut;
    x = reference_batchnorm(r, "bn1", x);
    shortcut = x = reference_activation(r, "act1", x, activation_of(ACT_gelu));
    x = reference_conv2d(r, "conv2", x, 5, conv3x3);
    x = reference_batchnorm(r, "bn2", x);
    x = reference_add(r, "add", x, shortcut);
    x = reference_activation(r, "act2", x, activation_of(ACT_silu));
    x = reference_layernorm(r, "norm", x, 1e-6f);
    x = reference_avg_pool(r, "pool", x, (Pool){ .kernel = 2 });
    x = reference_dropout(r, "drop", x, 0.5f);
    x = reference_flatten(r, "flat", x);
    x = reference_activation(r, "act3", x, activation_of(ACT_identity));
    reference_linear(r, "fc", x, 4);
    reference_complete(r);
    return r;
}

static size_t output_size(const Reference *r)
{
    return reference_size(r, network_logits(r->net));
}

/* cotangent times the output, when only what follows tensor `index` runs anew. */
static double loss_from(Reference *r, int index, const double *cotangent)
{
    double loss = 0;
    for (int i = 0; i < r->count; i++)
        if (r->nodes[i].y->index > index)
            r->nodes[i].forward(r, &r->nodes[i]);
    for (size_t i = 0; i < output_size(r); i++)
        loss += cotangent[i] * reference_output(r)[i];
    return loss;
}

static double difference(Reference *r, int index, size_t element, const double *cotangent)
{
    static const double h = 1e-4;
    double *value = &r->values[index][element];
    const double keep = *value;
    *value = keep + h;
    const double above = loss_from(r, index, cotangent);
    *value = keep - h;
    const double below = loss_from(r, index, cotangent);
    *value = keep;
    loss_from(r, index, cotangent);
    return (above - below) / (2 * h);
}

static const Tensor *tensor_at(const Network *net, int index)
{
    return index == 0 ? network_image(net) : network_module(net, index - 1)->out;
}

static void check_near(const char *what, int index, size_t element, double expected, double got, double scale)
{
    if (!(fabs(got - expected) <= 2e-4 * (scale + fabs(expected))))
        fail_msg("%s of tensor %d: element %zu is %.8g, expected %.8g", what, index, element, got, expected);
}

/* What the program holds of tensor `index`, which it watches as its i-th. */
static void check_against_reference(Reference *r, Program *program, int i, int index, const double *cotangent)
{
    const size_t count = reference_size(r, tensor_at(r->net, index));
    float *numbers = allocate(count, sizeof *numbers, "numbers");
    program_watched_values(program, i, numbers);
    for (size_t k = 0; k < count; k++)
        check_near("value", index, k, r->values[index][k], (double)numbers[k], 1);
    program_watched_gradient(program, i, numbers);
    for (size_t k = 0; k < count; k += count / 12 + 1)
        check_near("gradient", index, k, difference(r, index, k, cotangent), (double)numbers[k], 0.3);
    free(numbers);
}

static void import_params(const Reference *r)
{
    parameters_init(r->net, 1);
    for (int i = 0; i < network_param_count(r->net); i++) {
        const Param *param = network_param(r->net, i);
        if (param->role == PARAM_counter)
            continue;
        float *values = allocate(param->count, sizeof *values, "a parameter");
        for (size_t k = 0; k < param->count; k++)
            values[k] = (float)r->params[i][k];
        parameters_import(r->net, network_parameters(r->net)->values, param, values);
        free(values);
    }
}

static void run(Program *program, const Reference *r, const double *cotangent)
{
    for (size_t i = 0; i < reference_size(r, network_image(r->net)); i++)
        program_image(program)[i] = (float)r->values[0][i];
    program_forward(program);
    for (size_t i = 0; i < output_size(r); i++)
        program_logits_gradient(program)[i] = (float)cotangent[i];
    program_backward(program);
}

/* Watches the tensors `from` to `to` - 1. */
static void check_small(Reference *r, const Plan *plan, Purpose purpose, int from, int to, const double *cotangent)
{
    const Tensor *watched[REFERENCE_TENSORS];
    for (int i = from; i < to; i++)
        watched[i - from] = tensor_at(r->net, i);
    purpose.watched = watched;
    purpose.watched_count = to - from;
    Program *program = program_compile(r->net, plan, purpose, r->batch);
    memset(watched, 0, sizeof watched);
    run(program, r, cotangent);
    for (int i = to - 1; i >= from; i--)
        check_against_reference(r, program, i - from, i, cotangent);
    program_free(program);
}

static const Plan small_plans[] = {
    { 0 }, { .no_fusion = true }, { .layout = LAYOUT_channels_last }, { .layout = LAYOUT_blocked },
};

static void check_small_purpose(int batch, Purpose purpose)
{
    for (size_t p = 0; p < sizeof small_plans / sizeof *small_plans; p++) {
        Reference *r = small_reference(batch);
        double cotangent[256];
        assert_true(output_size(r) <= 256);
        reference_draw(r, cotangent, 3, false);
        reference_run(r, purpose);
        import_params(r);
        const int tensors = network_tensor_count(r->net);
        check_small(r, &small_plans[p], purpose, 0, tensors, cotangent);
        for (int i = 0; i < tensors && p == 0; i++)      /* alone: the chains elsewhere stay */
            check_small(r, &small_plans[p], purpose, i, i + 1, cotangent);
        reference_free(r);
    }
}

/* As Grad-CAM and saliency need it: nothing of training, and gradients down to the image. */
static void test_running_statistics(void **state)
{
    (void)state;
    const Purpose purpose = { .statistics = STATISTICS_running, .gradients = GRADIENTS_tensors };
    check_small_purpose(3, purpose);
    check_small_purpose(16, purpose);      /* batch last, with AVX-512 */
}

static void test_batch_statistics(void **state)
{
    (void)state;
    check_small_purpose(3, (Purpose){ .statistics = STATISTICS_batch, .gradients = GRADIENTS_tensors });
    check_small_purpose(3, (Purpose){ .statistics = STATISTICS_batch, .gradients = GRADIENTS_parameters });
}

/* ---- the networks ---- */

static double relative(const float *expected, const float *got, size_t count)
{
    double off = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        off += pow((double)got[i] - (double)expected[i], 2);
        size += pow((double)expected[i], 2);
    }
    return size > 0 ? sqrt(off / size) : sqrt(off);
}

typedef struct Run {
    Network *net;
    Program *program;
    int      count;                        /* of watched tensors */
    int      tensors[MOST_WATCHED];
    float   *logits, *gradients;           /* gradients NULL: none of parameters */
    size_t   logit_count;
} Run;

/* Watches every `stride`-th tensor from `first` on; stride 0: none. */
static Run run_setup(const Setup *setup, const Plan *plan, Purpose purpose, int first, int stride)
{
    const Tensor *watched[MOST_WATCHED];
    Run r = { .net = setup_network(setup) };
    for (int i = first; stride && i < network_tensor_count(r.net); i += stride) {
        assert_true(r.count < MOST_WATCHED);
        r.tensors[r.count] = i;
        watched[r.count++] = tensor_at(r.net, i);
    }
    purpose.watched = watched;
    purpose.watched_count = r.count;
    r.program = program_compile(r.net, plan, purpose, setup->batch);
    r.logit_count = (size_t)setup->batch * CLASSES;
    setup_draw(program_image(r.program), setup_image_size(r.program), 1);
    program_set_step(r.program, 1, 2);
    program_forward(r.program);
    r.logits = allocate(r.logit_count, sizeof *r.logits, "logits");
    memcpy(r.logits, program_logits(r.program), r.logit_count * sizeof *r.logits);
    setup_draw(program_logits_gradient(r.program), r.logit_count, 2);
    program_backward(r.program);
    r.gradients = network_parameters(r.net)->gradients;
    return r;
}

static void run_free(Run *r)
{
    program_free(r->program);
    network_free(r->net);
    free(r->logits);
}

/* The number of kernels named "forward". */
static int forward_kernels(const Run *r)
{
    int count = 0;
    for (int i = 0; i < r->program->kernels[TURN_step].count; i++)
        count += !strcmp(((const Kernel *)r->program->kernels[TURN_step].items[i])->what, "forward");
    return count;
}

/* A chain that watching cuts needs more kernels. */
static bool same_chains(const Run *a, const Run *b)
{
    return forward_kernels(a) == forward_kernels(b);
}

/* The rest of the program is as if nobody watched: to the last bit where the same modules run together. */
static void check_the_rest(const Setup *setup, const Run *watching, const Run *plain)
{
    const size_t trained = network_parameters(plain->net)->trained;
    const bool same = same_chains(watching, plain);
    const double logits = relative(plain->logits, watching->logits, plain->logit_count);
    const double gradients = plain->gradients ? relative(plain->gradients, watching->gradients, trained) : 0;
    if (same ? logits != 0 || gradients != 0 : logits > 1e-5 || gradients > 2e-4)
        fail_msg("%s: watching%s moves logits by %.2e, gradients by %.2e", setup->arch, same ? "" : " (other chains)", logits, gradients);
    if (same && plain->program->purpose.gradients == GRADIENTS_none)
        assert_int_equal(watching->program->kernels[TURN_step].count, plain->program->kernels[TURN_step].count);
}

static void check_tensor(const Setup *setup, const Run *a, int i, const Run *b, int k, double tolerance)
{
    const Tensor *tensor = tensor_at(a->net, a->tensors[i]);
    assert_int_equal(a->tensors[i], b->tensors[k]);
    const size_t count = (size_t)setup->batch * shape_size(tensor->shape);
    float *expected = allocate(count, sizeof *expected, "numbers"), *got = allocate(count, sizeof *got, "numbers");
    program_watched_values(a->program, i, expected);
    program_watched_values(b->program, k, got);
    const double values = relative(expected, got, count);
    program_watched_gradient(a->program, i, expected);
    program_watched_gradient(b->program, k, got);
    const double gradients = relative(expected, got, count);
    if (!(values <= tolerance && gradients <= 20 * tolerance))
        fail_msg("%s, batch %d: tensor %d: values off by %.2e, gradient by %.2e", setup->arch, setup->batch, tensor->index, values, gradients);
    free(expected);
    free(got);
}

static const Setup watched_setups[] = {
    { .arch = "lenet",              .side = 28, .batch = 3 },
    { .arch = "lenet",              .side = 32, .batch = 16 },
    { .arch = "resnet18",           .side = 24, .batch = 2 },
    { .arch = "efficientnet_lite0", .side = 32, .batch = 2, .squeeze_excite = true },
    { .arch = "convnext_atto",      .side = 32, .batch = 2 },
};

/* Every tensor without fusion, against a few at a time with all of it. */
static void check_setup(const Setup *setup, Purpose purpose, Precision precision, double tolerance)
{
    const Plan plan = { .precision = precision };
    Run all = run_setup(setup, &(Plan){ .no_fusion = true }, purpose, 0, 1);
    Run none = run_setup(setup, &plan, PURPOSE_training, 0, 0);
    enum { STRIDE = 2 };
    for (int first = 0; first < STRIDE; first++) {
        Run some = run_setup(setup, &plan, purpose, first, STRIDE);
        for (int i = 0; i < some.count; i++)
            check_tensor(setup, &all, some.tensors[i], &some, i, tolerance);
        if (purpose.gradients == GRADIENTS_parameters && precision == PRECISION_f32)
            check_the_rest(setup, &some, &none);
        if (purpose.gradients == GRADIENTS_tensors)
            assert_null(some.gradients);
        run_free(&some);
    }
    run_free(&all);
    run_free(&none);
}

static void test_networks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof watched_setups / sizeof *watched_setups; i++)
        check_setup(&watched_setups[i], PURPOSE_training, PRECISION_f32, 2e-5);
}

static void test_networks_at_rest(void **state)
{
    (void)state;
    const Purpose purpose = { .statistics = STATISTICS_running, .gradients = GRADIENTS_tensors };
    for (size_t i = 1; i < sizeof watched_setups / sizeof *watched_setups; i += 2)
        check_setup(&watched_setups[i], purpose, PRECISION_f32, 2e-5);
}

static void test_bf16(void **state)
{
    (void)state;
    if (!program_can_bf16())
        skip();
    const Purpose purpose = { .statistics = STATISTICS_running, .gradients = GRADIENTS_tensors };
    check_setup(&watched_setups[0], purpose, PRECISION_bf16, 2e-2);
    check_setup(&watched_setups[2], purpose, PRECISION_bf16, 4e-2);
}

/* What is watched at the end of a chain changes no chain, and then no bit: of every four modules of resnet18 about two end one. */
static void test_ends_of_chains(void **state)
{
    (void)state;
    const Setup *setup = &watched_setups[2];
    Run none = run_setup(setup, &(Plan){ 0 }, PURPOSE_training, 0, 0);
    int same = 0;
    for (int i = 1; i < network_tensor_count(none.net); i += 9) {
        Run one = run_setup(setup, &(Plan){ 0 }, PURPOSE_training, i, MOST_WATCHED);
        assert_int_equal(one.count, 1);
        check_the_rest(setup, &one, &none);
        same += same_chains(&one, &none);
        run_free(&one);
    }
    assert_true(same >= 2);
    run_free(&none);
}

/* Reading between forward and backward disturbs nothing, and a program of values alone has no backward. */
static void test_between(void **state)
{
    (void)state;
    const Setup *setup = &watched_setups[1];
    Run r = run_setup(setup, &(Plan){ 0 }, PURPOSE_training, 1, 1);
    const size_t trained = network_parameters(r.net)->trained;
    float *gradients = allocate(trained, sizeof *gradients, "gradients");
    float *numbers = allocate((size_t)setup->batch * 6 * 28 * 28, sizeof *numbers, "numbers");
    memcpy(gradients, r.gradients, trained * sizeof *gradients);
    program_forward(r.program);
    for (int i = 0; i < r.count; i++)
        program_watched_values(r.program, i, numbers);
    setup_draw(program_logits_gradient(r.program), r.logit_count, 2);
    program_backward(r.program);
    assert_memory_equal(gradients, r.gradients, trained * sizeof *gradients);

    const Tensor *watched[] = { network_image(r.net), network_logits(r.net) };
    const Purpose purpose = { .watched = watched, .watched_count = 2 };
    Program *values = program_compile(r.net, &(Plan){ 0 }, purpose, setup->batch);
    program_set_image(values, program_image(r.program));
    program_forward(values);
    program_watched_values(values, 0, numbers);
    assert_memory_equal(numbers, program_image(r.program), setup_image_size(values) * sizeof *numbers);
    program_watched_values(values, 1, numbers);
    assert_memory_equal(numbers, program_logits(values), r.logit_count * sizeof *numbers);
    program_free(values);
    run_free(&r);
    free(gradients);
    free(numbers);
}

/* Frozen below, watched below that: the gradient is there, and those of frozen parameters stay 0. */
static void test_frozen(void **state)
{
    (void)state;
    const Setup *setup = &watched_setups[2];
    Network *net = setup_network(setup);
    for (int i = 0; i < network_param_count(net); i++)
        network_param(net, i)->frozen = strncmp(network_param(net, i)->name, "fc.", 3) != 0;
    const Tensor *watched[] = { network_image(net), tensor_at(net, 20) };
    Purpose purpose = PURPOSE_training;
    purpose.watched = watched;
    purpose.watched_count = 2;
    const size_t count = (size_t)setup->batch * shape_size(watched[0]->shape);
    float *gradient = allocate(count, sizeof *gradient, "a gradient"), *expected = allocate(count, sizeof *expected, "a gradient");
    for (int tensors = 0; tensors <= 1; tensors++) {
        purpose.gradients = tensors ? GRADIENTS_tensors : GRADIENTS_parameters;
        Program *program = program_compile(net, &(Plan){ 0 }, purpose, setup->batch);
        setup_draw(program_image(program), setup_image_size(program), 1);
        program_forward(program);
        setup_draw(program_logits_gradient(program), (size_t)setup->batch * CLASSES, 2);
        program_backward(program);
        program_watched_gradient(program, 0, tensors ? gradient : expected);
        program_free(program);
    }
    double size = 0, frozen = 0;
    for (size_t i = 0; i < count; i++)
        size += fabs((double)expected[i]);
    for (int i = 0; i < network_param_count(net); i++) {
        const Param *param = network_param(net, i);
        if (!param->frozen || !param_is_trained(param))
            continue;
        float *numbers = allocate(param->count, sizeof *numbers, "a gradient");
        parameters_export(net, network_parameters(net)->gradients, param, numbers);
        for (size_t k = 0; k < param->count; k++)
            frozen += fabs((double)numbers[k]);
        free(numbers);
    }
    assert_true(size > 0 && frozen == 0);
    assert_true(relative(expected, gradient, count) < 1e-5);
    network_free(net);
    free(gradient);
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_running_statistics), cmocka_unit_test(test_batch_statistics), cmocka_unit_test(test_networks),
        cmocka_unit_test(test_networks_at_rest),   cmocka_unit_test(test_bf16),             cmocka_unit_test(test_ends_of_chains),
        cmocka_unit_test(test_between),            cmocka_unit_test(test_frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
