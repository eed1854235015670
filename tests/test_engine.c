/* test_engine.c - what a program promises: buffers that share memory without harm, parameters that several programs share,
 * the same bits from the same run, profiles that add up, and a line for a programmer's mistake. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"
#include "optimizer.h"
#include "program_build.h"
#include "schedule.h"
#include "setups.h"

/* ---- buffers in one arena ---- */

static bool in_arena(const Buffer *buffer)
{
    return buffer->root == buffer && buffer->place == BUFFER_arena && buffer->first <= buffer->last;
}

static void check_overlap(const Setup *setup, const Program *program)
{
    size_t sum = 0;
    for (int i = 0; i < program->buffers.count; i++) {
        const Buffer *a = program->buffers.items[i];
        if (!in_arena(a))
            continue;
        sum += a->size;
        assert_true(a->offset + a->size <= program_arena_bytes(program));
        for (int k = 0; k < i; k++) {
            const Buffer *b = program->buffers.items[k];
            const bool together = in_arena(b) && a->first <= b->last && b->first <= a->last;
            if (together && a->offset < b->offset + b->size && b->offset < a->offset + a->size)
                fail_msg("%s: buffers %d and %d live at the same time in the same place", setup->arch, i, k);
        }
    }
    print_message("%-20s batch %d, %-9s arena %6.1f MiB for buffers of %6.1f MiB\n", setup->arch, program_batch(program),
                  program->purpose.gradients != GRADIENTS_none ? "training" : "inference", (double)program_arena_bytes(program) / 0x1p20,
                  (double)sum / 0x1p20);
}

/* All bytes 0xFF is a NaN. */
static void poison(const Program *program, int kernel, bool before)
{
    for (int i = 0; i < program->buffers.count; i++) {
        const Buffer *buffer = program->buffers.items[i];
        if (in_arena(buffer) && (before ? buffer->first : buffer->last) == kernel)
            memset(program->arena + buffer->offset, 0xFF, buffer->size);
    }
}

/* As program_forward and program_backward do, but what is not yet written, or never read again, is NaN. */
static void run_poisoned(Program *program, int from, int to)
{
    for (int i = from; i < to; i++) {
        poison(program, i, true);
        kernel_run(program->kernels[TURN_step].items[i]);
        DNNL(dnnl_stream_wait(onednn_stream()));
        poison(program, i, false);
    }
}

/* The first bytes that differ, or that are no number. */
static void expect_same(const Setup *setup, const char *what, const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(a[i]) || memcmp(&a[i], &b[i], sizeof *a) != 0)
            fail_msg("%s, batch %d: %s: element %zu is %.9g, expected %.9g", setup->arch, setup->batch, what, i, (double)b[i],
                     (double)a[i]);
}

static float *copied(const float *x, size_t count)
{
    float *copy = allocate(count, sizeof *copy, "a copy");
    memcpy(copy, x, count * sizeof *copy);
    return copy;
}

static void check_sharing(const Setup *setup, Network *net, Purpose purpose)
{
    Program *program = program_compile(net, &setup->plan, purpose, setup->batch);
    const Parameters *parameters = network_parameters(net);
    const size_t outputs = (size_t)setup->batch * CLASSES;
    check_overlap(setup, program);
    setup_draw(program_image(program), setup_image_size(program), 1);
    program_forward(program);
    float *logits = copied(program_logits(program), outputs), *gradients = NULL;
    if (purpose.gradients != GRADIENTS_none) {
        setup_draw(program_logits_gradient(program), outputs, 2);
        program_backward(program);
        gradients = copied(parameters->gradients, parameters->trained);
        memset(parameters->gradients, 0, parameters->trained * sizeof *gradients);
    }
    run_poisoned(program, 0, program->loss_at);
    expect_same(setup, "logits", logits, program_logits(program), outputs);
    if (purpose.gradients != GRADIENTS_none) {
        setup_draw(program_logits_gradient(program), outputs, 2);
        run_poisoned(program, program->loss_at, program->kernels[TURN_step].count);
        expect_same(setup, "gradients", gradients, parameters->gradients, parameters->trained);
    }
    program_free(program);
    free(logits);
    free(gradients);
}

static void test_sharing(void **state)
{
    (void)state;
    for (int i = 0; i < SETUPS; i++) {
        Network *net = setup_network(&setups[i]);
        check_sharing(&setups[i], net, PURPOSE_training);
        check_sharing(&setups[i], net, PURPOSE_inference);
        network_free(net);
    }
}

/* ---- several programs, one network ---- */

static void expect_near(const char *what, const float *expected, const float *got, size_t count, double limit)
{
    double off = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        off += pow((double)got[i] - (double)expected[i], 2);
        size += pow((double)expected[i], 2);
    }
    if (!(sqrt(off) <= limit * sqrt(size)))
        fail_msg("%s: off by %.2e, at most %.2e", what, sqrt(off / size), limit);
}

/* A network of its own with the same values, plain and imported one by one. */
static Network *twin_of(const Setup *setup, Network *net)
{
    Network *twin = setup_network(setup);
    for (int i = 0; i < network_param_count(net); i++) {
        const Param *param = network_param(net, i);
        if (param->role == PARAM_counter)
            continue;
        float *values = allocate(param->count, sizeof *values, "a parameter");
        parameters_export(net, network_parameters(net)->values, param, values);
        parameters_import(twin, network_parameters(twin)->values, network_param(twin, i), values);
        free(values);
    }
    return twin;
}

/* Five images at once, one by one, and by a network that knows only what was exported: the same. */
static void check_inference(const Setup *setup, Network *net, Program *five, Program *one, const float *before)
{
    const size_t image = setup_image_size(one);
    program_forward(five);
    float *logits = copied(program_logits(five), 5 * CLASSES);
    double moved = 0;
    for (size_t i = 0; i < 5 * CLASSES; i++)
        moved = fmax(moved, fabs((double)logits[i] - (double)before[i]));
    assert_true(moved > 1e-4);
    for (size_t n = 0; n < 5; n++) {
        memcpy(program_image(one), program_image(five) + n * image, image * sizeof(float));
        program_forward(one);
        expect_near("one image", logits + n * CLASSES, program_logits(one), CLASSES, 5e-5);
    }
    Network *twin = twin_of(setup, net);
    Program *other = program_compile(twin, &(Plan){ .layout = LAYOUT_channels_last, .direct_only = true }, PURPOSE_inference, 5);
    program_set_image(other, program_image(five));
    program_forward(other);
    expect_near("another network", logits, program_logits(other), 5 * CLASSES, 5e-5);
    program_free(other);
    network_free(twin);
    free(logits);
}

static Program *sharing(Network *net, const Setup *setup, Purpose purpose, int batch)
{
    purpose.shares_arena = true;
    return program_compile(net, &setup->plan, purpose, batch);
}

/* One block for all of them, and nothing in it is a number. */
static void *place(Program *const *programs, int count)
{
    size_t most = 0;
    for (int i = 0; i < count; i++)
        most = program_arena_bytes(programs[i]) > most ? program_arena_bytes(programs[i]) : most;
    void *arena = allocate(most, 1, "an arena");
    memset(arena, 0xFF, most);
    for (int i = 0; i < count; i++)
        program_set_arena(programs[i], arena);
    return arena;
}

/* They take turns in one arena, which moves between the steps. */
static void test_several(void **state)
{
    (void)state;
    for (int i = 0; i < SETUPS; i++) {
        const Setup *setup = &setups[i];
        if (setup->side != 32 || setup->plan.no_fusion)
            continue;
        Network *net = setup_network(setup);
        Program *five = sharing(net, setup, PURPOSE_inference, 5), *eight = sharing(net, setup, PURPOSE_training, 8);
        Program *one = sharing(net, setup, PURPOSE_inference, 1), *three = sharing(net, setup, PURPOSE_training, 3);
        void *arena = NULL;
        Optimizer *optimizer = setup_optimizer(net);
        setup_draw(program_image(five), setup_image_size(five), 1);
        setup_draw(program_image(eight), setup_image_size(eight), 2);
        setup_draw(program_image(three), setup_image_size(three), 3);
        for (uint64_t step = 0; step < 3; step++) {
            void *earlier = arena;
            arena = place((Program *const[]){ five, eight, one, three }, 4);
            free(earlier);
            program_forward(five);
            float *before = copied(program_logits(five), 5 * CLASSES);
            setup_train(step == 1 ? three : eight, optimizer, step);
            check_inference(setup, net, five, one, before);
            free(before);
        }
        optimizer_free(optimizer);
        program_free(one);
        program_free(three);
        program_free(five);
        program_free(eight);
        free(arena);
        network_free(net);
    }
}

/* ---- the same run, the same bits ---- */

static float *trained(const Setup *setup, size_t *count)
{
    Network *net = setup_network(setup);
    Program *program = program_compile(net, &setup->plan, PURPOSE_training, setup->batch);
    Optimizer *optimizer = setup_optimizer(net);
    setup_draw(program_image(program), setup_image_size(program), 1);
    for (uint64_t step = 0; step < 3; step++)
        setup_train(program, optimizer, step);
    *count = network_parameters(net)->total;
    float *values = copied(network_parameters(net)->values, *count);
    optimizer_free(optimizer);
    program_free(program);
    network_free(net);
    return values;
}

static void test_same_bits(void **state)
{
    (void)state;
    for (int i = 0; i < SETUPS; i++) {
        size_t first_count, second_count;
        float *first = trained(&setups[i], &first_count), *second = trained(&setups[i], &second_count);
        assert_int_equal(first_count, second_count);
        expect_same(&setups[i], "values after three steps", first, second, first_count);
        free(first);
        free(second);
    }
}

/* ---- a tensor with several readers ---- */

/* y = ((x + x) + x) + x: the gradient of x is four times that of y, to the last bit. */
static void test_fan_out(void **state)
{
    (void)state;
    Network *net = network_new();
    const Tensor *x = probe(net, "probe", network_input(net, (Shape){ 3, 5, 7 }), 2, dnnl_nchw);
    const Tensor *y = add(net, "a", x, x);
    y = add(net, "b", y, x);
    y = add(net, "c", y, x);
    assert_int_equal(x->readers, 4);
    Program *program = program_compile(net, &(Plan){0}, PURPOSE_training, 2);
    setup_draw(program_image(program), 210, 1);
    program_forward(program);
    setup_draw(program_logits_gradient(program), 210, 2);
    program_backward(program);
    float expected[210], gradient[210];
    setup_draw(expected, 210, 2);
    parameters_export(net, network_parameters(net)->gradients, network_param(net, 0), gradient);
    for (int i = 0; i < 210; i++) {
        assert_true(program_logits(program) && gradient[i] == 4 * expected[i]);
    }
    program_free(program);
    network_free(net);
}

/* Two readers who want another layout than the producer's share one reorder. */
static void test_shared_reorder(void **state)
{
    (void)state;
    Network *net = network_new();
    const Tensor *x = probe(net, "probe", network_input(net, (Shape){ 16, 5, 7 }), 2, dnnl_nhwc);
    x = add(net, "sum", flatten(net, "first", x), flatten(net, "second", x));
    Program *program = program_compile(net, &(Plan){0}, PURPOSE_inference, 2);
    KernelProfile rows[16];
    const int count = program_profile_rows(program, rows, 16);
    int reorders = 0;
    for (int i = 0; i < count; i++)
        reorders += !strcmp(rows[i].what, "reorder");
    assert_int_equal(count, 4);
    assert_int_equal(reorders, 2);              /* the image to channels last, and x back */
    program_free(program);
    network_free(net);
}

/* ---- profiles ---- */

static void test_profile(void **state)
{
    (void)state;
    const Setup setup = { .arch = "resnet18", .side = 32, .batch = 2 };
    Network *net = setup_network(&setup);
    Program *program = program_compile(net, &setup.plan, PURPOSE_training, setup.batch);
    const int count = program_profile_rows(program, NULL, 0);
    KernelProfile *rows = allocate((size_t)count, sizeof *rows, "a profile");
    setup_draw(program_image(program), setup_image_size(program), 1);
    program_profile(program, true);
    program_forward(program);
    setup_draw(program_logits_gradient(program), (size_t)setup.batch * CLASSES, 2);
    program_backward(program);
    assert_int_equal(program_profile_rows(program, rows, count), count);
    double forward = 0, data = 0, weights = 0;
    int again = 0;
    for (int i = 0; i < count; i++) {
        again += !strcmp(rows[i].what, "recompute");
        assert_true(rows[i].seconds > 0 && rows[i].bytes > 0 && *rows[i].implementation);
        forward += !strcmp(rows[i].what, "forward") ? rows[i].flops : 0;
        data += !strcmp(rows[i].what, "backward data") ? rows[i].flops : 0;
        weights += !strcmp(rows[i].what, "backward weights") ? rows[i].flops : 0;
    }
    const double macs = network_macs(net), first = network_module(net, 0)->ops->macs(network_module(net, 0));
    assert_true(forward == 2 * setup.batch * macs);
    assert_true(weights == forward);
    assert_true(data == 2 * setup.batch * (macs - first));       /* nobody asks for the image's gradient */
    /* Not kept: the stem's output, that of each block's first half, of blocks whose residual is kept: 2.0, 3.0, 4.0 and 1.1. */
    assert_int_equal(again, 1 + 8 + 4);
    program_free(program);
    network_free(net);
    free(rows);
}

/* ---- a programmer's mistakes ---- */

static void mistake_sum(void)
{
    Network *net = network_new();
    const Tensor *x = network_input(net, (Shape){ 3, 5, 7 });
    add(net, "sum", x, conv2d(net, "conv", x, 3, (Conv2d){ .kernel = 3 }));
}

static void mistake_groups(void)
{
    Network *net = network_new();
    conv2d(net, "conv", network_input(net, (Shape){ 3, 5, 7 }), 4, (Conv2d){ .kernel = 1, .groups = 2 });
}

static void mistake_window(void)
{
    Network *net = network_new();
    max_pool(net, "pool", network_input(net, (Shape){ 3, 2, 7 }), (Pool){ .kernel = 3 });
}

static void mistake_name(void)
{
    Network *net = network_new();
    const Tensor *x = linear(net, "fc", network_input(net, (Shape){ 3, 1, 1 }), 4);
    linear(net, "fc", x, 5);
}

static Network *one_layer(void)
{
    Network *net = network_new();
    linear(net, "fc", network_input(net, (Shape){ 3, 1, 1 }), 4);
    return net;
}

static void mistake_backward(void)
{
    program_backward(program_compile(one_layer(), &(Plan){0}, PURPOSE_inference, 6));
}

static void mistake_image(void)
{
    program_forward(program_compile(one_layer(), &(Plan){0}, PURPOSE_inference, 6));
}

static void mistake_values(void)
{
    Program *program = program_compile(one_layer(), &(Plan){0}, PURPOSE_inference, 6);
    program_image(program);
    program_forward(program);
}

static void mistake_arena(void)
{
    Network *net = one_layer();
    parameters_init(net, 1);
    Program *program = program_compile(net, &(Plan){0}, (Purpose){ .shares_arena = true }, 6);
    program_image(program);
    program_forward(program);
}

static void mistake_threads(void)
{
    Network *net = one_layer();
    parameters_init(net, 1);
    omp_set_num_threads(2);
    Program *program = program_compile(net, &(Plan){0}, PURPOSE_inference, 6);
    program_image(program);
    omp_set_num_threads(3);
    program_forward(program);
}

static void mistake_optimizer(void)
{
    Network *net = network_new();
    linear(net, "fc", conv2d(net, "conv", network_input(net, (Shape){ 3, 5, 5 }), 19, (Conv2d){ .kernel = 3 }), 4);
    Optimizer *optimizer = optimizer_new(net, &(OptimizerOptions){ .kind = OPTIMIZER_sgd });
    program_compile(net, &(Plan){ .layout = LAYOUT_blocked }, PURPOSE_training, 2);
    optimizer_step(optimizer, 0.1f);
}

static void mistake_schedule(void)
{
    schedule_lr(&(Schedule){ .kind = SCHEDULE_COUNT }, 1);
}

static void mistake_stranger(void)
{
    Network *net = one_layer(), *other = network_new();
    activation(other, "act", network_logits(net), activation_of(ACT_relu));
}

static char schedule_text[32];      /* "schedule 3 of 3", whatever their number is */

static const struct Mistake {
    void      (*make)(void);
    const char *text;
} mistakes[] = {
    { mistake_sum,      "'sum': 3 x 5 x 7 and 3 x 3 x 5" },
    { mistake_groups,   "'conv': 3 -> 4 channels in 2 groups" },
    { mistake_window,   "'pool': a 2 x 7 image is smaller than the 3 x 3 window" },
    { mistake_name,     "'fc.weight' exists already" },
    { mistake_backward, "program_backward of a program without gradients (batch 6)" },
    { mistake_image,    "without images (batch 6)" },
    { mistake_arena,    "a program without an arena (batch 6)" },
    { mistake_values,   "all 0): call parameters_init or checkpoint_load first" },
    { mistake_threads,  "compiled for 2 threads runs with 3" },
    { mistake_optimizer, "make it after the training program is compiled" },
    { mistake_schedule, schedule_text },
    { mistake_stranger, "'act' reads tensor 1 of another network (this one has 0)" },
};

/* Each stops the process with a line that names both values. */
static void test_mistakes(void **state)
{
    (void)state;
    snprintf(schedule_text, sizeof schedule_text, "schedule %d of %d", SCHEDULE_COUNT, SCHEDULE_COUNT);
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        int ends[2], status;
        char text[1024] = "";
        assert_int_equal(pipe(ends), 0);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            dup2(ends[1], STDERR_FILENO);
            mistakes[i].make();
            _exit(0);
        }
        close(ends[1]);
        for (size_t at = 0; at < sizeof text - 1;) {
            const ssize_t got = read(ends[0], text + at, sizeof text - 1 - at);
            if (got <= 0)
                break;
            at += (size_t)got;
        }
        close(ends[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        if ((WIFEXITED(status) && WEXITSTATUS(status) == 0) || !strstr(text, mistakes[i].text))
            fail_msg("status %d, '%s', expected '%s'", status, text, mistakes[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_sharing), cmocka_unit_test(test_several),
        cmocka_unit_test(test_same_bits), cmocka_unit_test(test_fan_out), cmocka_unit_test(test_shared_reorder),
        cmocka_unit_test(test_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
