/* test_allocations.c - a step allocates nothing, and thousands of steps do not grow the process. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"
#include "optimizer_net.h"
#include "setups.h"

/* ---- counting allocations ---- */

/* While it executes, oneDNN keeps small notes, and its gemm packs panels into memory of its own: there is no interface to
 * hand it any. A tensor of the networks below, or a plan made anew, would be more. Without AVX-512 gemm serves linear layers
 * too, and AlexNet's panels are larger. */
enum { LIBRARY_LIMIT = 256 << 10, LIBRARY_LIMIT_WITHOUT_AVX512 = 2 << 20 };

static volatile bool counting;
static size_t        own_allocations, largest_allocation;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

enum { SANITIZED = 1 };                 /* the sanitizer has a malloc of its own */

#else

enum { SANITIZED = 0 };

/* glibc lets a program bring its own malloc, which every library then uses; these note the caller and pass the call on. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

extern const char __executable_start[], etext[];

/* The static library is part of the executable: what was called from there is ours. */
static void note(size_t size, const void *caller)
{
    if (!counting)
        return;
    const char *from = caller;
    if (from >= __executable_start && from < etext)
        __atomic_fetch_add(&own_allocations, 1, __ATOMIC_RELAXED);
    if (size > largest_allocation)
        largest_allocation = size;
}

#define NOTE(size) note(size, __builtin_return_address(0))

void *malloc(size_t size)
{
    NOTE(size);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    NOTE(count * size);
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    NOTE(size);
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    NOTE(size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **pointer, size_t alignment, size_t size)
{
    NOTE(size);
    *pointer = __libc_memalign(alignment, size);
    return *pointer ? 0 : ENOMEM;
}

#endif

/* ---- a step allocates nothing ---- */

static void check_allocations(const Setup *setup)
{
    Network *net = setup_network(setup);
    const Tensor *watched[] = { network_module(net, 0)->out };
    Purpose purpose = PURPOSE_training;
    purpose.watched = watched;
    purpose.watched_count = 1;
    Program *training = program_compile(net, &setup->plan, purpose, setup->batch);
    Program *inference = program_compile(net, &setup->plan, PURPOSE_inference, setup->batch);
    Optimizer *optimizer = setup_optimizer(net);
    float *other = allocate(setup_image_size(training), sizeof *other, "images");
    float *seen = allocate((size_t)setup->batch * shape_size(watched[0]->shape), sizeof *seen, "values");
    setup_draw(other, setup_image_size(training), 2);
    setup_draw(program_image(inference), setup_image_size(inference), 3);
    for (uint64_t step = 0; step < 2; step++) {
        if (step == 0)
            setup_draw(program_image(training), setup_image_size(training), 1);
        else
            program_set_image(training, other);
        own_allocations = largest_allocation = 0;
        counting = step > 0;                                 /* in the first step, libraries start their threads */
        setup_train(training, optimizer, step);
        program_forward(inference);                          /* refreshes its parameters */
        program_watched_values(training, 0, seen);
        program_watched_gradient(training, 0, seen);
        counting = false;
    }
    const size_t limit = strncmp(kernels_isa(), "avx512", 6) ? LIBRARY_LIMIT_WITHOUT_AVX512 : LIBRARY_LIMIT;
    if (own_allocations || largest_allocation > limit)
        fail_msg("%s: a step allocates %zu times, %zu bytes at once in oneDNN", setup->arch, own_allocations, largest_allocation);
    optimizer_free(optimizer);
    program_free(training);
    program_free(inference);
    network_free(net);
    free(other);
    free(seen);
}

/* Whole-tensor rules work in memory that was there before. */
static void check_optimizer(OptimizerKind kind)
{
    OptimizerNet s = optimizer_net(&net_plans[1]);
    OptimizerOptions options = net_options(kind);
    options.clip_mode = CLIP_agc;
    Optimizer *optimizer = optimizer_new(s.net, &options);
    for (uint64_t step = 0; step < 2; step++) {
        net_fill(s.net, network_parameters(s.net)->gradients, step, 100);
        own_allocations = 0;
        counting = true;
        optimizer_step(optimizer, 0.01f);
        counting = false;
        if (own_allocations && step > 0)
            fail_msg("%s: a step allocates %zu times", optimizer_name(kind), own_allocations);
    }
    optimizer_free(optimizer);
    optimizer_net_free(&s);
}

static void test_allocations(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    counting = true;
    free(allocate(3, 1000, "a test of the count"));
    counting = false;
    assert_int_equal(own_allocations, 1);
    assert_true(largest_allocation >= 3000);
    for (int i = 0; i < SETUPS; i++)
        check_allocations(&setups[i]);
    for (int kind = 0; kind < OPTIMIZER_COUNT; kind++)
        check_optimizer((OptimizerKind)kind);
}

static size_t resident_pages(void)
{
    char text[128] = "";
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(sscanf(text, "%*u %zu", &pages), 1);
    return pages;
}

static void test_growth(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    const Setup setup = { .arch = "lenet", .side = 16, .batch = 2 };
    Network *net = setup_network(&setup);
    Program *program = program_compile(net, &setup.plan, PURPOSE_training, setup.batch);
    Optimizer *optimizer = setup_optimizer(net);
    setup_draw(program_image(program), setup_image_size(program), 1);
    size_t before = 0;
    for (uint64_t step = 0; step < 2100; step++) {
        if (step == 100)
            before = resident_pages();
        setup_train(program, optimizer, step);
    }
    const size_t after = resident_pages();
    if (after > before + 64)
        fail_msg("2000 steps grew the process by %zu pages", after - before);
    optimizer_free(optimizer);
    program_free(program);
    network_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_allocations), cmocka_unit_test(test_growth) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
