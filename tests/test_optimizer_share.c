/* test_optimizer_share.c - ranks that share out Muon's matrices: each is stepped by one of them, and what they send each other is one process's step. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "optimizer_net.h"
#include "optimizer_rule.h"

enum { RANKS_MOST = 5 };

/* ---- ranks that hear nothing of each other: what each would send is compared ---- */

typedef struct Sent {
    int          ranks, calls;
    const float *block;
    size_t       starts[RANKS_MOST + 1];
} Sent;

static int note_collect(void *state, void *block, const size_t *starts, size_t bytes)
{
    Sent *sent = state;
    assert_int_equal(bytes, sizeof(float));
    sent->calls++;
    sent->block = block;
    memcpy(sent->starts, starts, ((size_t)sent->ranks + 1) * sizeof *starts);
    return 0;
}

static bool at_once(void *state, int request)
{
    (void)state;
    (void)request;
    return true;
}

static const RankTransport transport = { .collect = note_collect, .done = at_once };

/* One step of rank `rank`; its weights and its momentum go to `values` and `momentum`. sent NULL: of one process. */
static size_t step(const Plan *plan, OptimizerKind kind, const char *frozen, int rank, int count, float *values, float *momentum, Sent *sent)
{
    OptimizerNet s = optimizer_net(plan);
    Parameters *p = network_parameters(s.net);
    const OptimizerOptions options = net_options(kind);
    Ranks ranks = { .rank = rank, .count = count, .transport = &transport, .state = sent };
    Optimizer *optimizer = optimizer_new(s.net, &options);
    optimizer_share(optimizer, sent ? &ranks : NULL);
    if (frozen) {
        network_param_find(s.net, frozen)->frozen = true;
        optimizer_regroup(optimizer, optimizer->steps);
    }
    net_fill(s.net, p->values, 7000, 1);
    net_fill(s.net, p->gradients, 3, 100);
    optimizer_step(optimizer, 0.1f);
    const size_t trained = p->trained;
    assert_in_range(trained, 1, 4096);
    memcpy(values, p->values, trained * sizeof *values);
    memcpy(momentum, optimizer->state[0], trained * sizeof *momentum);
    if (sent && sent->calls)
        assert_ptr_equal(sent->block, p->values);
    optimizer_free(optimizer);
    optimizer_net_free(&s);
    return trained;
}

/* Whatever ranks give each other is what one process has; nobody steps what another one gives. */
static void check_ranks(int plan, const char *frozen, int count)
{
    static float alone[4096], momentum[4096], own[4096], own_momentum[4096], joined[4096];
    const size_t trained = step(&net_plans[plan], OPTIMIZER_muon, frozen, 0, 1, alone, momentum, NULL);
    size_t differing = 0, given = 0, first[RANKS_MOST + 1];
    for (int rank = 0; rank < count; rank++) {
        Sent sent = { .ranks = count };
        step(&net_plans[plan], OPTIMIZER_muon, frozen, rank, count, own, own_momentum, &sent);
        assert_int_equal(sent.calls, 1);
        if (rank == 0) {
            memcpy(first, sent.starts, sizeof first);
            memcpy(joined, own, sizeof joined);
        }
        assert_memory_equal(sent.starts, first, ((size_t)count + 1) * sizeof *first);
        assert_memory_equal(own_momentum, momentum, trained * sizeof *momentum);
        assert_true(sent.starts[rank] <= sent.starts[rank + 1] && sent.starts[rank + 1] <= trained);
        const size_t floats = sent.starts[rank + 1] - sent.starts[rank];
        given += floats;
        memcpy(joined + sent.starts[rank], own + sent.starts[rank], floats * sizeof *own);
        for (size_t i = 0; i < trained; i++)
            differing += own[i] != alone[i];
    }
    if (memcmp(joined, alone, trained * sizeof *alone) != 0)
        fail_msg("%s, %d ranks, frozen %s: together not what one process has", net_plan_names[plan], count, frozen ? frozen : "none");
    /* The matrices that a rank leaves to others have still their old weights: it saved itself the work. */
    if (!frozen && count > 1 && differing < (size_t)(count - 1) * 5 * 19)
        fail_msg("%s, %d ranks: %zu weights were left to others", net_plan_names[plan], count, differing);
    assert_in_range(given, 1, trained);
}

static void test_matrices_are_shared_out(void **state)
{
    (void)state;
    for (int plan = 0; plan < NET_PLANS; plan++)
        for (int count = 2; count <= RANKS_MOST; count++) {
            check_ranks(plan, NULL, count);
            check_ranks(plan, "conv.weight", count);
        }
}

/* Of two, each has one of the two matrices. */
static void test_each_has_some(void **state)
{
    (void)state;
    static float values[4096], momentum[4096];
    for (int plan = 0; plan < NET_PLANS; plan++) {
        Sent sent = { .ranks = 2 };
        step(&net_plans[plan], OPTIMIZER_muon, NULL, 0, 2, values, momentum, &sent);
        assert_true(sent.starts[0] < sent.starts[1] && sent.starts[1] < sent.starts[2]);
    }
}

/* A pass over the block is cheaper than sending it. */
static void test_elementwise_rules_send_nothing(void **state)
{
    (void)state;
    static const OptimizerKind kinds[] = { OPTIMIZER_sgd, OPTIMIZER_adamw, OPTIMIZER_lamb };
    static float alone[4096], own[4096], momentum[4096];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        Sent sent = { .ranks = 3 };
        const size_t trained = step(&net_plans[0], kinds[i], NULL, 0, 1, alone, momentum, NULL);
        step(&net_plans[0], kinds[i], NULL, 1, 3, own, momentum, &sent);
        assert_int_equal(sent.calls, 0);
        assert_memory_equal(own, alone, trained * sizeof *own);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrices_are_shared_out),
        cmocka_unit_test(test_each_has_some),
        cmocka_unit_test(test_elementwise_rules_send_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
