/* test_exchange.c - what several ranks get from an exchange while backward runs is the sum of what each computes alone, to the bit. The ranks are
 * processes that share memory, and some are slow. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exchange.h"
#include "optimizer_net.h"
#include "threads.h"
#include "tree_sum.h"

enum { RANKS_MOST = 5, CALLS = 512, BATCH_FLOATS = 16 * 3 * 7 * 7, LOGITS = 16 * 7, STEPS_EACH = 3, KINDS = 2 };
enum { GRADIENTS_MOST = 4096, STATISTICS_MOST = 256, BYTES = GRADIENTS_MOST * sizeof(float) };      /* with the padding of any layout */

/* ---- a transport ---- */

/* One call of all ranks: what each has given. */
typedef struct Slot {
    atomic_int given;
    char       bytes[RANKS_MOST][BYTES];
} Slot;

typedef struct Shared {
    Slot  slots[KINDS][CALLS];                  /* spreading and collecting, in the order of each rank's calls */
    float results[RANKS_MOST][STEPS_EACH][GRADIENTS_MOST];
    char  complaints[RANKS_MOST][256];
} Shared;

typedef struct Pending {
    int           kind, call;
    void         *to;
    const size_t *starts;
    size_t        bytes;
    bool          open;
} Pending;

static Shared *shared;
static int     rank, count, calls[KINDS], pending_count, asked;
static Pending pending[KINDS * CALLS];

static int begin(int kind, const void *from, size_t own_bytes, void *to, const size_t *starts, size_t bytes)
{
    const int call = calls[kind]++;
    if (call >= CALLS || own_bytes > BYTES)
        _exit(90);
    memcpy(shared->slots[kind][call].bytes[rank], from, own_bytes);
    atomic_fetch_add(&shared->slots[kind][call].given, 1);
    pending[pending_count] = (Pending){ kind, call, to, starts, bytes, true };
    return pending_count++;
}

static int fake_spread(void *state, const void *block, const size_t *starts, size_t bytes, void *received)
{
    (void)state;
    return begin(0, block, starts[count] * bytes, received, starts, bytes);
}

static int fake_collect(void *state, void *block, const size_t *starts, size_t bytes)
{
    (void)state;
    return begin(1, (char *)block + starts[rank] * bytes, (starts[rank + 1] - starts[rank]) * bytes, block, starts, bytes);
}

/* Not at once, and later on some ranks than on others. */
static bool fake_done(void *state, int request)
{
    (void)state;
    Pending *p = &pending[request];
    Slot *slot = &shared->slots[p->kind][p->call];
    if (!p->open || asked++ % (rank + 2) || atomic_load(&slot->given) < count)
        return false;
    for (int r = 0; r < count; r++) {
        const size_t own = (p->starts[rank + 1] - p->starts[rank]) * p->bytes, part = (p->starts[r + 1] - p->starts[r]) * p->bytes;
        if (p->kind == 0)
            memcpy((char *)p->to + (size_t)r * own, slot->bytes[r] + p->starts[rank] * p->bytes, own);
        else
            memcpy((char *)p->to + p->starts[r] * p->bytes, slot->bytes[r], part);
    }
    p->open = false;
    return true;
}

static const RankTransport fake = { .spread = fake_spread, .collect = fake_collect, .done = fake_done };

/* ---- a rank ---- */

typedef struct ExchangeCase {
    const char     *name;
    int             ranks;
    ExchangeOptions options;      /* its parts are the ranks */
} ExchangeCase;

static const ExchangeCase cases[] = {
    { "two",                      2, { .bucket_bytes = 256 } },
    { "two, the least buckets",   2, { .bucket_bytes = 1 } },
    { "three, odd buckets",       3, { .bucket_bytes = 448 } },
    { "four, one bucket a block", 4, { .bucket_bytes = BYTES } },
    { "five, more than pieces",   5, { .bucket_bytes = 64 } },
    { "three, late",              3, { .bucket_bytes = 192, .late = true } },
    { "three in bf16",            3, { .bucket_bytes = 320, .wire = WIRE_bf16 } },
};

/* What rank r computes in this step, from these statistics on. */
static void compute(OptimizerNet *net, int r, int step, const float *statistics)
{
    static float image[BATCH_FLOATS];
    const Parameters *p = network_parameters(net->net);
    for (int i = 0; i < BATCH_FLOATS; i++)
        image[i] = (float)net_number((uint64_t)(10 * r + step), (uint64_t)i);
    memcpy(p->values + p->trained, statistics, (p->total - p->trained) * sizeof *statistics);
    program_set_image(net->program, image);
    program_forward(net->program);
    for (int i = 0; i < LOGITS; i++)
        program_logits_gradient(net->program)[i] = (float)net_number((uint64_t)(100 + 10 * r + step), (uint64_t)i);
}

static void complain(const char *what, int step, size_t i, float is, float expected)
{
    snprintf(shared->complaints[rank], sizeof shared->complaints[rank], "%s of step %d: [%zu] is %a, expected %a", what, step, i, (double)is,
             (double)expected);
    _exit(1);
}

static _Noreturn void be_rank(const ExchangeCase *c)
{
    Ranks ranks = { .rank = rank, .count = count, .transport = &fake };
    ExchangeOptions options = c->options;
    OptimizerNet net = optimizer_net(&net_plans[0]);
    Parameters *p = network_parameters(net.net);
    const size_t gradients = p->trained, statistics = p->total - p->trained;
    float before[STATISTICS_MOST], expected[GRADIENTS_MOST], scale[GRADIENTS_MOST], *rows[RANKS_MOST], *state_rows[RANKS_MOST];
    if (gradients > GRADIENTS_MOST || statistics > STATISTICS_MOST)
        complain("room", 0, 0, (float)gradients, (float)GRADIENTS_MOST);
    options.parts = count;
    Exchange *exchange = exchange_new(&ranks, net.net, &options);
    for (int r = 0; r < count; r++) {
        rows[r] = calloc(gradients, sizeof **rows);
        state_rows[r] = calloc(statistics, sizeof **state_rows);
    }
    memcpy(before, p->values + gradients, statistics * sizeof *before);
    for (int step = 0; step < STEPS_EACH; step++) {
        struct { double loss; int hits, count; } words[RANKS_MOST] = { 0 };
        memset(scale, 0, sizeof scale);
        for (int r = 0; r < count; r++) {
            compute(&net, r, step, before);
            program_backward(net.program);
            memcpy(rows[r], p->gradients, gradients * sizeof **rows);
            memcpy(state_rows[r], p->values + gradients, statistics * sizeof **state_rows);
            for (size_t i = 0; i < gradients; i++)
                scale[i] += fabsf(rows[r][i]);
        }
        exchange_follow(exchange, net.program);
        compute(&net, rank, step, before);
        words[rank].loss = rank + 0.5 * step;
        words[rank].hits = rank;
        words[rank].count = 16;
        exchange_begin(exchange, words, sizeof *words);
        program_backward(net.program);
        exchange_end(exchange);
        exchange_follow(exchange, NULL);

        tree_sum(count, rows, gradients, 1.0f, expected);
        for (size_t i = 0; i < gradients; i++)
            if (fabsf(p->gradients[i] - expected[i]) > (options.wire == WIRE_bf16 ? scale[i] / 128.0f : 0.0f))
                complain("gradient", step, i, p->gradients[i], expected[i]);
        tree_sum(count, state_rows, statistics, 1.0f / (float)count, before);
        for (size_t i = 0; i < statistics; i++)
            if (memcmp(&before[i], &p->values[gradients + i], sizeof *before))
                complain("statistic", step, i, p->values[gradients + i], before[i]);
        for (int r = 0; r < count; r++)
            if (words[r].loss != r + 0.5 * step || words[r].hits != r || words[r].count != 16)
                complain("word", step, (size_t)r, (float)words[r].loss, (float)r + 0.5f * (float)step);
        memcpy(shared->results[rank][step], p->gradients, gradients * sizeof(float));
    }
    exchange_free(exchange);
    optimizer_net_free(&net);
    _exit(0);
}

static void test_sums(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        pid_t children[RANKS_MOST];
        memset(shared, 0, sizeof *shared);
        count = cases[c].ranks;
        for (rank = 0; rank < count; rank++) {
            children[rank] = fork();
            assert_true(children[rank] >= 0);
            if (children[rank] == 0) {
                alarm(60);
                threads_settle(1);
                be_rank(&cases[c]);
            }
        }
        for (int r = 0; r < count; r++) {
            int status;
            assert_int_equal(waitpid(children[r], &status, 0), children[r]);
            if (status)
                fail_msg("%s: rank %d: status %d: %s", cases[c].name, r, status, shared->complaints[r]);
            assert_memory_equal(shared->results[r], shared->results[0], sizeof shared->results[0]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sums) };
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
