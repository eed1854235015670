/* cost.c - see cost.h. */

#include "cost.h"

#include "clock.h"
#include "modules.h"
#include "parameters.h"
#include "program.h"
#include "random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS 0.15

enum { CHANNELS = 64, SIDE = 8, BATCH = 16, LEAST_RUNS = 5, ROWS_MOST = 64 };

typedef struct Bench {
    Network *network;
    Program *program;
    int      inputs;      /* numbers in a batch */
} Bench;

/* A layer with parameters stands before, so that the activation's gradient is wanted. */
static Bench bench_open(Activation act)
{
    Bench b = { .network = network_new(), .inputs = BATCH * activation_inputs(act, CHANNELS) * SIDE * SIDE };
    Tensor *x = network_input(b.network, (Shape){ activation_inputs(act, CHANNELS), SIDE, SIDE });
    x = layer_scale(b.network, "scale", x, 1);
    x = activation(b.network, "act", x, act);
    global_avg_pool(b.network, "pool", x);
    b.program = program_compile(b.network, &(Plan){ .no_fusion = true }, PURPOSE_training, BATCH);
    parameters_init(b.network, 0);
    return b;
}

static void bench_fill(const Bench *b)
{
    Random random = random_stream(0, 0, 0, RANDOM_init);
    float *image = program_image(b->program), *gradient = program_logits_gradient(b->program);
    for (int i = 0; i < b->inputs; i++)
        image[i] = random_normal(&random);
    for (int i = 0; i < BATCH * CHANNELS; i++)
        gradient[i] = 1;
}

/* Seconds of the activation's kernels so far, by direction. */
static void bench_read(const Bench *b, double *forward, double *backward)
{
    KernelProfile rows[ROWS_MOST];
    const int count = program_profile_rows(b->program, rows, ROWS_MOST);
    *forward = *backward = 0;
    for (int i = 0; i < count && i < ROWS_MOST; i++)
        if (!strcmp(rows[i].module, "act"))
            *(strstr(rows[i].what, "backward") ? backward : forward) += rows[i].seconds;
}

Cost cost_measure(Activation act)
{
    const Bench b = bench_open(act);
    Cost cost = { INFINITY, INFINITY };
    double forward = 0, backward = 0;
    bench_fill(&b);
    program_forward(b.program);
    program_backward(b.program);
    program_profile(b.program, true);
    const double end = seconds_now() + SECONDS;
    for (int run = 0; run < LEAST_RUNS || seconds_now() < end; run++) {
        double forward_now, backward_now;
        program_forward(b.program);
        program_backward(b.program);
        bench_read(&b, &forward_now, &backward_now);
        cost.forward = fmin(cost.forward, forward_now - forward);
        cost.backward = fmin(cost.backward, backward_now - backward);
        forward = forward_now;
        backward = backward_now;
    }
    program_free(b.program);
    network_free(b.network);
    const double elements = (double)BATCH * CHANNELS * SIDE * SIDE;
    cost.forward *= 1e9 / elements;
    cost.backward *= 1e9 / elements;
    return cost;
}
