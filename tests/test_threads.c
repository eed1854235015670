/* test_threads.c - teams that are smaller than asked for, and how the programs' threads wait. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "architectures.h"
#include "parameters.h"
#include "program.h"
#include "scratch.h"
#include "threads.h"

/* Without active parallel regions a team has one thread, whatever was asked for. */
static void test_settle_counts_threads(void **state)
{
    (void)state;
    const int levels = omp_get_max_active_levels(), before = omp_get_max_threads();
    assert_int_equal(threads_settle(2), 2);
    assert_int_equal(omp_get_max_threads(), 2);
    omp_set_dynamic(1);
    assert_int_equal(threads_settle(2), 2);
    assert_false(omp_get_dynamic());

    omp_set_max_active_levels(0);
    assert_int_equal(threads_settle(2), 1);
    assert_int_equal(omp_get_max_threads(), 1);
    omp_set_max_active_levels(levels);
    threads_settle(before);
}

/* oneDNN's kernels for two threads would wait for the second one for ever. */
static void test_a_program_in_a_small_team(void **state)
{
    (void)state;
    Error error;
    const int levels = omp_get_max_active_levels(), before = omp_get_max_threads();
    const ArchOptions options = { .classes = 3, .act = activation_of(ACT_relu) };
    Network *network = architecture_network(architecture_find("lenet", &error), (Shape){ 3, 32, 32 }, &options, &error);
    assert_non_null(network);
    parameters_init(network, 1);
    omp_set_num_threads(2);
    omp_set_max_active_levels(0);
    Program *program = program_compile(network, &(Plan){ 0 }, PURPOSE_training, 5);
    memset(program_image(program), 0, 5 * 3 * 32 * 32 * sizeof(float));
    program_forward(program);
    memset(program_logits_gradient(program), 0, 5 * 3 * sizeof(float));
    program_backward(program);
    program_free(program);
    network_free(network);
    omp_set_max_active_levels(levels);
    threads_settle(before);
}

typedef struct Case {
    const char *environment;
    const char *arguments;
    const char *err;           /* what stands in stderr */
    const char *not_err;       /* what does not; NULL */
} Case;

#define TINY "train lenet --data shapes --limit 64 -b 32 --epochs 1 "

/* OMP_DISPLAY_ENV makes libgomp print its settings each time that it starts. */
static void test_programs(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "OMP_THREAD_LIMIT=1",                                TINY "--threads 2",  "only 1 of 2 threads", NULL },
        { "OMP_THREAD_LIMIT=2",                                TINY "--threads 5",  "only 2 of 5 threads", NULL },
        { "OMP_MAX_ACTIVE_LEVELS=0",                           TINY "--threads 2",  "only 1 of 2 threads", NULL },
        { "OMP_THREAD_LIMIT=1",                                "bench lenet -b 4 --seconds 0", "", NULL },
        { "OMP_DISPLAY_ENV=verbose",                           TINY,                "GOMP_SPINCOUNT = '1000'", NULL },
        { "OMP_DISPLAY_ENV=verbose",                           "bench lenet -b 4 --seconds 0", "GOMP_SPINCOUNT = '1000'", NULL },
        { "OMP_DISPLAY_ENV=verbose OMP_WAIT_POLICY=passive",   TINY,                "GOMP_SPINCOUNT = '0'", "'1000'" },
        { "OMP_DISPLAY_ENV=verbose GOMP_SPINCOUNT=7",          TINY,                "GOMP_SPINCOUNT = '7'", "'1000'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[1024], path[256];
        scratch_path(path, scratch_folder, "stderr");
        snprintf(line, sizeof line, "cd '%s' && env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT -u OMP_NUM_THREADS %s timeout -s KILL 100 '%s'/%s >/dev/null 2>stderr",
                 scratch_folder, cases[i].environment, PROGRAMS_FOLDER, cases[i].arguments);
        const int status = system(line);
        char *err = scratch_read(path, &(size_t){ 0 });
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !strstr(err, cases[i].err) ||
            (cases[i].not_err && strstr(err, cases[i].not_err)))
            fail_msg("%s %s: status %#x, expected exit 0 and '%s' in: %s", cases[i].environment, cases[i].arguments,
                     (unsigned)status, cases[i].err, err);
        free(err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settle_counts_threads),
        cmocka_unit_test(test_a_program_in_a_small_team),
        cmocka_unit_test(test_programs),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
