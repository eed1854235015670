/* holder.c - see holder.h. */

#include "holder.h"

#include "random.h"

static const ModuleOps holder_ops = { .kind = "holder" };

Network *network_of(int classes, int channels)
{
    Network *net = network_new();
    const Tensor *x = network_input(net, (Shape){ 3, 5, 7 });
    const Init drawn = { .fan_in = 9, .gain = 1 };
    Module *conv = network_add_module(net, sizeof *conv, &holder_ops, "conv", x, NULL);
    network_add_param(net, conv, "weight", PARAM_weight, 4, (int64_t[]){ channels, 3, 3, 2 }, drawn);
    x = network_add_output(net, conv, (Shape){ channels, 5, 7 });
    Module *bn = network_add_module(net, sizeof *bn, &holder_ops, "bn", x, NULL);
    network_add_param(net, bn, "weight", PARAM_plain, 1, (int64_t[]){ channels }, drawn);
    network_add_param(net, bn, "running_var", PARAM_buffer, 1, (int64_t[]){ channels }, drawn);
    network_add_param(net, bn, "num_batches_tracked", PARAM_counter, 0, NULL, (Init){0});
    x = network_add_output(net, bn, (Shape){ channels, 1, 1 });
    Module *fc = network_add_module(net, sizeof *fc, &holder_ops, "fc", x, NULL);
    network_add_param(net, fc, "weight", PARAM_weight, 2, (int64_t[]){ classes, channels }, drawn);
    network_add_param(net, fc, "bias", PARAM_plain, 1, (int64_t[]){ classes }, drawn);
    network_add_output(net, fc, (Shape){ classes, 1, 1 });
    return net;
}

Network *network_drawn(int classes, int channels, uint64_t seed)
{
    Network *net = network_of(classes, channels);
    parameters_init(net, seed);
    *parameters_counter(net, network_param_find(net, "bn.num_batches_tracked")) = 1234567890123;
    return net;
}

Optimizer *optimizer_drawn(Network *net, OptimizerKind kind, uint64_t seed)
{
    Optimizer *optimizer = optimizer_new(net, &(OptimizerOptions){ .kind = kind, .eps = 1e-8f });
    Random random = random_stream(seed, 0, 0, RANDOM_init);
    for (int s = 0; s < optimizer->states; s++)
        for (int i = 0; i < network_param_count(net); i++) {
            const Param *param = network_param(net, i);
            float plain[256];
            if (param->role != PARAM_weight && param->role != PARAM_plain)
                continue;
            for (size_t k = 0; k < param->count; k++)
                plain[k] = random_normal(&random);
            parameters_import(net, optimizer->state[s], param, plain);
        }
    optimizer->steps = seed * 1000003;
    return optimizer;
}
