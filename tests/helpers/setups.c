/* setups.c - see setups.h. */

#include "setups.h"

#include "emit.h"
#include "loss.h"
#include "random.h"

const Setup setups[SETUPS] = {
    { .arch = "lenet",              .side = 28, .batch = 3 },
    { .arch = "lenet",              .side = 32, .batch = 16 },
    { .arch = "alexnet",            .side = 32, .batch = 3 },
    { .arch = "resnet18",           .side = 32, .batch = 4 },
    { .arch = "resnet18",           .side = 32, .batch = 2, .plan = { .layout = LAYOUT_channels_last, .no_fusion = true } },
    { .arch = "resnet18",           .side = 72, .batch = 1, .plan = { .direct_only = true } },
    { .arch = "efficientnet_lite0", .side = 32, .batch = 4, .squeeze_excite = true },
    { .arch = "efficientnet_lite0", .side = 32, .batch = 2, .plan = { .no_fusion = true } },
    { .arch = "convnext_atto",      .side = 32, .batch = 4 },
    { .arch = "convnext_atto",      .side = 32, .batch = 2, .plan = { .layout = LAYOUT_blocked, .no_fusion = true } },
};

Network *setup_network(const Setup *setup)
{
    Error error;
    const ArchOptions options = { .classes = CLASSES, .squeeze_excite = setup->squeeze_excite };
    const Shape image = { 3, setup->side, setup->side };
    Network *net = architecture_network(architecture_find(setup->arch, &error), image, &options, &error);
    CHECK(net, "%s", error.text);
    parameters_init(net, 7);
    return net;
}

size_t setup_image_size(const Program *program)
{
    return (size_t)program_batch(program) * shape_size(network_image(program_network(program))->shape);
}

void setup_draw(float *x, size_t count, uint64_t seed)
{
    Random random = random_stream(seed, 0, 0, RANDOM_init);
    for (size_t i = 0; i < count; i++)
        x[i] = 2 * random_uniform(&random) - 1;
}

static void fill_gradient(Program *program)
{
    static const uint16_t labels[] = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3 };
    const int batch = program_batch(program);
    LossSum sum = {0};
    loss_cross_entropy(program_logits(program), labels, batch, batch, CLASSES, 0, program_logits_gradient(program), &sum);
}

void setup_train(Program *program, Optimizer *optimizer, uint64_t step)
{
    program_set_step(program, 1, step);
    program_forward(program);
    fill_gradient(program);
    program_backward(program);
    optimizer_step(optimizer, 0.01f);
}

Optimizer *setup_optimizer(Network *net)
{
    return optimizer_new(net, &(OptimizerOptions){ .kind = OPTIMIZER_sgd, .momentum = 0.9f, .weight_decay = 1e-3f });
}
