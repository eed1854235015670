/* optimizer_net.c - see optimizer_net.h. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "modules.h"
#include "optimizer_net.h"

enum { SIDE = 7 };

const Plan net_plans[NET_PLANS] = {
    { .layout = LAYOUT_automatic }, { .layout = LAYOUT_blocked }, { .layout = LAYOUT_channels_last }, { .layout = LAYOUT_batch_last },
};
const char *const net_plan_names[NET_PLANS] = { "automatic", "blocked", "channels-last", "batch-last" };

/* The trained parameters are those of make_optimizer_golden.py, in its order. */
OptimizerNet optimizer_net(const Plan *plan)
{
    OptimizerNet s = { .net = network_new() };
    Tensor *x = network_input(s.net, (Shape){ 3, SIDE, SIDE });
    x = conv2d(s.net, "conv", x, 5, (Conv2d){ .kernel = 3, .pad = 1 });
    x = batchnorm(s.net, "bn", x);
    x = conv2d(s.net, "mix", x, 19, (Conv2d){ .kernel = 1, .bias = true });
    x = global_avg_pool(s.net, "pool", x);
    linear(s.net, "fc", x, 7);
    parameters_init(s.net, 1);
    s.program = program_compile(s.net, plan, PURPOSE_training, 16);
    return s;
}

void optimizer_net_free(OptimizerNet *s)
{
    program_free(s->program);
    network_free(s->net);
}

double net_number(uint64_t key, uint64_t i)
{
    return ((double)((i * i * 17 + i * 13 * (key + 1) + 29 * key) % 97) - 48) / 128;
}

int net_trained(Network *net, const Param **params)
{
    int count = 0;
    for (int i = 0; i < network_param_count(net); i++)
        if (param_is_trained(network_param(net, i)))
            params[count++] = network_param(net, i);
    return count;
}

void net_fill(Network *net, float *block, uint64_t key, uint64_t stride)
{
    const Param *params[NET_PARAMS];
    const int count = net_trained(net, params);
    for (int p = 0; p < count; p++) {
        float plain[NET_MOST];
        for (size_t i = 0; i < params[p]->count; i++)
            plain[i] = (float)net_number(key + stride * (uint64_t)p, i);
        parameters_import(net, block, params[p], plain);
    }
}

void net_run(Network *net, Optimizer *optimizer, float lr)
{
    net_fill(net, network_parameters(net)->values, 7000, 1);
    for (int s = 0; s < NET_STEPS; s++) {
        net_fill(net, network_parameters(net)->gradients, (uint64_t)s, 100);
        optimizer_step(optimizer, lr * (float)(1 - s / 20.0));
    }
}

/* Between the parameters' values, and around them, everything is zero still. */
void net_expect_padding(const char *name, Network *net, const float *block)
{
    const Param *params[NET_PARAMS];
    const int count = net_trained(net, params);
    for (int p = 0; p < count; p++) {
        uint32_t positions[NET_MOST];
        const ParamSpan span = parameters_span(net, params[p]);
        bool *taken = calloc(span.room, sizeof *taken);
        parameters_positions(net, params[p], positions);
        for (size_t i = 0; i < params[p]->count; i++) {
            assert_true(positions[i] < span.room && !taken[positions[i]]);
            taken[positions[i]] = true;
        }
        for (size_t at = 0; at < span.room; at++)
            if (!taken[at] && block[span.offset + at] != 0)
                fail_msg("%s: padding of %s is %g", name, params[p]->name, (double)block[span.offset + at]);
        free(taken);
    }
}

OptimizerOptions net_options(OptimizerKind kind)
{
    return (OptimizerOptions){
        .kind = kind, .momentum = 0.9f, .nesterov = true, .beta1 = 0.9f, .beta2 = 0.99f, .eps = 1e-6f, .weight_decay = 0.05f,
        .clip_norm = 1, .other = OPTIMIZER_adamw, .other_lr = 0.5f,
    };
}
