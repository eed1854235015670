/* stack.c - see stack.h. */

#include "stack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "architectures.h"
#include "loss.h"
#include "optimizer.h"
#include "parameters.h"
#include "program.h"
#include "properties.h"
#include "random.h"

struct Stack {
    StackOptions   options;
    Network       *network;
    Program       *program;
    Optimizer     *optimizer;      /* NULL until it is trained */
    const Tensor **watched;        /* sums and outputs of layer 0, of layer 1, ... */
    float         *numbers;        /* batch x width */
};

const char *stack_start_name(StackStart start)
{
#define X(key, about) #key,
    static const char *const names[] = { STACK_STARTS(X) };
#undef X
    CHECK(start < STACK_START_COUNT, "start %d of %d", (int)start, STACK_START_COUNT);
    return names[start];
}

StackStart stack_start_usual(Activation act)
{
    const Properties p = properties_of(act);
    if (fabs(p.mean) < 1e-9 && fabs(p.square - 1) < 1e-6)
        return STACK_lecun;
    if (p.saturates_left && p.saturates_right)
        return STACK_xavier;
    return fabs(p.gain - sqrt(2)) < 0.01 ? STACK_he : STACK_fitted;
}

/* Weights have variance gain^2 / fan-in. */
static float start_gain(const StackOptions *o, double fitted, const Param *weight)
{
    const double in = (double)weight->dims[1], out = (double)weight->dims[0];
    switch (o->start) {
    case STACK_he:     return 1.41421356f;
    case STACK_xavier: return (float)sqrt(2 * in / (in + out));
    case STACK_lecun:  return 1;
    case STACK_fitted: return (float)fitted;
    case STACK_small:  return (float)(0.01 * sqrt(in));
    case STACK_large:  return 2;
    case STACK_START_COUNT: break;
    }
    return 1;
}

static void set_starts(Stack *stack)
{
    const StackOptions *o = &stack->options;
    const double fitted = o->start == STACK_fitted ? properties_of(o->act).gain : 1;
    for (int i = 0; i < network_param_count(stack->network); i++) {
        Param *param = network_param(stack->network, i);
        if (param->role == PARAM_weight)
            param->init.gain = start_gain(o, fitted, param);
        else if (!strcmp(param->part, "bias") && param->dims[0] == activation_inputs(o->act, o->width) && param->module->index < network_module_count(stack->network) - 1)
            param->init.constant = o->bias;
    }
}

/* Numbers of the largest watched tensor: the sums of a gated unit are two halves. */
static size_t watch_layers(Stack *stack)
{
    int count = 0;
    size_t most = 1;
    stack->watched = allocate(2 * (size_t)stack->options.depth, sizeof *stack->watched, "a stack");
    for (int i = 0; i < network_module_count(stack->network); i++) {
        const Module *module = network_module(stack->network, i);
        if (strcmp(module->ops->kind, "activation"))
            continue;
        stack->watched[count++] = module->in[0];
        stack->watched[count++] = module->out;
        most = shape_size(module->in[0]->shape) > most ? shape_size(module->in[0]->shape) : most;
    }
    CHECK(count == 2 * stack->options.depth, "%d watched tensors of %d layers", count, stack->options.depth);
    return most * (size_t)stack->options.batch;
}

Stack *stack_new(const StackOptions *options)
{
    Stack *stack = allocate(1, sizeof *stack, "a stack");
    Error error;
    stack->options = *options;
    const ArchOptions o = { .classes = options->classes, .act = options->act, .depth = options->depth, .width = options->width };
    const Architecture *arch = architecture_find("mlp", &error);
    stack->network = arch ? architecture_network(arch, (Shape){ options->inputs, 1, 1 }, &o, &error) : NULL;
    CHECK(stack->network, "a stack: %s", error.text);
    set_starts(stack);
    const size_t most = watch_layers(stack);
    const Purpose purpose = { .statistics = STATISTICS_batch, .gradients = GRADIENTS_parameters, .watched = stack->watched,
                              .watched_count = 2 * options->depth };
    stack->program = program_compile(stack->network, &(Plan){ .direct_only = true }, purpose, options->batch);
    parameters_init(stack->network, options->seed);
    stack->numbers = allocate(most, sizeof *stack->numbers, "a stack");
    return stack;
}

void stack_free(Stack *stack)
{
    if (!stack)
        return;
    if (stack->optimizer)
        optimizer_free(stack->optimizer);
    program_free(stack->program);
    network_free(stack->network);
    free(stack->watched);
    free(stack->numbers);
    free(stack);
}

int stack_count(const Stack *stack)
{
    return stack->options.batch * stack->options.width;
}

float *stack_inputs(Stack *stack)
{
    return program_image(stack->program);
}

const float *stack_logits(const Stack *stack)
{
    return program_logits(stack->program);
}

static void fill_normal(float *numbers, int count, uint64_t seed, uint64_t stream)
{
    Random random = random_stream(seed, stream, 0, RANDOM_sample);
    for (int i = 0; i < count; i++)
        numbers[i] = random_normal(&random);
}

void stack_fill_normal(Stack *stack, uint64_t seed)
{
    fill_normal(stack_inputs(stack), stack->options.batch * stack->options.inputs, seed, 0);
}

void stack_forward(Stack *stack)
{
    program_forward(stack->program);
}

void stack_backward_normal(Stack *stack, uint64_t seed)
{
    fill_normal(program_logits_gradient(stack->program), stack->options.batch * stack->options.classes, seed, 1);
    program_backward(stack->program);
}

/* Forward and the loss; its gradient goes to the logits'. */
static StackScore stack_score(Stack *stack, const uint16_t *labels)
{
    const int batch = stack->options.batch;
    LossSum sum = { 0 };
    program_forward(stack->program);
    loss_cross_entropy(program_logits(stack->program), labels, batch, batch, stack->options.classes, 0, program_logits_gradient(stack->program), &sum);
    return (StackScore){ sum.loss / batch, (double)sum.top1 / batch };
}

StackScore stack_measure(Stack *stack, const uint16_t *labels)
{
    return stack_score(stack, labels);
}

StackScore stack_train(Stack *stack, const uint16_t *labels, float lr)
{
    if (!stack->optimizer)
        stack->optimizer = optimizer_new(stack->network, &(OptimizerOptions){ .kind = OPTIMIZER_sgd, .clip_norm = stack->options.clip_norm });
    const StackScore score = stack_score(stack, labels);
    program_backward(stack->program);
    optimizer_step(stack->optimizer, lr);
    return score;
}

static int watched_index(const Stack *stack, int layer, StackPlace place)
{
    CHECK(layer >= 0 && layer < stack->options.depth, "layer %d of %d", layer, stack->options.depth);
    return 2 * layer + (place == STACK_outputs);
}

/* Of a gated unit's sums the first half of each sample's, x without its gate. */
static const float *first_halves(Stack *stack, int index)
{
    const size_t width = (size_t)stack->options.width, channels = (size_t)stack->watched[index]->shape.c;
    for (int i = 1; channels > width && i < stack->options.batch; i++)
        memmove(stack->numbers + (size_t)i * width, stack->numbers + (size_t)i * channels, width * sizeof *stack->numbers);
    return stack->numbers;
}

const float *stack_values(Stack *stack, int layer, StackPlace place)
{
    const int index = watched_index(stack, layer, place);
    program_watched_values(stack->program, index, stack->numbers);
    return first_halves(stack, index);
}

const float *stack_gradient(Stack *stack, int layer, StackPlace place)
{
    const int index = watched_index(stack, layer, place);
    program_watched_gradient(stack->program, index, stack->numbers);
    return first_halves(stack, index);
}

Moments moments_of(const float *values, int count)
{
    double sum = 0, squares = 0, around = 0;
    for (int i = 0; i < count; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    const double mean = sum / count;
    for (int i = 0; i < count; i++)
        around += ((double)values[i] - mean) * ((double)values[i] - mean);
    return (Moments){ mean, around / count, sqrt(squares) };
}

void spirals_fill(float *points, uint16_t *labels, int count, int classes, uint64_t seed)
{
    Random random = random_stream(seed, 2, 0, RANDOM_sample);
    for (int i = 0; i < count; i++) {
        const int label = i % classes;
        const double radius = 0.1 + 0.9 * (double)(i / classes) / (double)((count - 1) / classes + 1);
        const double angle = 2 * M_PI * label / classes + 3.5 * radius;
        points[2 * i] = (float)(radius * cos(angle)) + 0.02f * random_normal(&random);
        points[2 * i + 1] = (float)(radius * sin(angle)) + 0.02f * random_normal(&random);
        labels[i] = (uint16_t)label;
    }
}
