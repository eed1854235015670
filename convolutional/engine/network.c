/* network.c - the tape, its tensors and parameters by name; see network.h. */

#include "network_build.h"

#include "description.h"
#include "errors.h"
#include "sizes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Network *network_new(void)
{
    Network *network = allocate(1, sizeof *network, "a network");
    network->gain = 1.0f;
    return network;
}

void  network_set_gain(Network *network, float gain) { network->gain = gain; }
float network_gain(const Network *network)           { return network->gain; }

void network_set_norm(Network *network, float eps, float momentum)
{
    network->norm_eps = eps;
    network->norm_momentum = momentum;
}

float network_norm_eps(const Network *network)      { return network->norm_eps; }
float network_norm_momentum(const Network *network) { return network->norm_momentum; }

void network_free(Network *network)
{
    if (!network)
        return;
    parameters_free(network);
    list_clear(&network->modules, free);
    list_clear(&network->tensors, free);
    list_clear(&network->params, free);
    list_clear(&network->texts, free);
    free(network);
}

static Tensor *add_tensor(Network *network, Shape shape, Module *producer)
{
    CHECK(shape.c > 0 && shape.h > 0 && shape.w > 0, "'%s': shape %d x %d x %d", producer ? producer->name : "image",
          shape.c, shape.h, shape.w);
    Tensor *tensor = list_add(&network->tensors, allocate(1, sizeof *tensor, "a tensor"));
    *tensor = (Tensor){ .shape = shape, .index = network->tensors.count - 1, .producer = producer };
    return tensor;
}

Tensor *network_input(Network *network, Shape shape)
{
    CHECK(!network->image, "a network has one image, and this one has it already (%d tensors)", network->tensors.count);
    return network->image = add_tensor(network, shape, NULL);
}

/* ---- names ---- */

void scope_push(Network *network, const char *format, ...)
{
    CHECK(network->scope_depth < SCOPE_MAX_DEPTH, "scopes nest %d deep, at most %d", network->scope_depth, SCOPE_MAX_DEPTH);
    const size_t start = strlen(network->scope);
    network->scope_starts[network->scope_depth++] = start;
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(network->scope + start, NAME_ROOM - start, format, arguments);
    va_end(arguments);
    const size_t end = start + (size_t)length;
    CHECK(length >= 0 && end + 1 < NAME_ROOM, "scope '%s' is %zu bytes long, at most %d", network->scope, end, NAME_ROOM - 2);
    memcpy(network->scope + end, ".", 2);
}

void scope_pop(Network *network)
{
    CHECK(network->scope_depth > 0, "scope_pop without scope_push (depth %d)", network->scope_depth);
    network->scope[network->scope_starts[--network->scope_depth]] = '\0';
}

/* `first` and `second` joined, owned by the network. */
static const char *join(Network *network, const char *first, const char *second)
{
    const size_t size = strlen(first) + strlen(second) + 1;
    char *text = list_add(&network->texts, allocate(size, 1, "a name"));
    snprintf(text, size, "%s%s", first, second);
    return text;
}

/* ---- the tape ---- */

void *network_add_module(Network *network, size_t size, const ModuleOps *ops, const char *name,
                         const Tensor *first, const Tensor *second)
{
    Module *module = list_add(&network->modules, allocate(1, size, "a module"));
    module->ops = ops;
    module->name = join(network, network->scope, name);
    if (!*name && *module->name) {           /* a module named after its scope: without the scope's dot */
        char *text = network->texts.items[network->texts.count - 1];
        text[strlen(text) - 1] = '\0';
    }
    module->index = network->modules.count - 1;
    const Tensor *inputs[MODULE_MAX_INPUTS] = { first, second };
    CHECK(first, "'%s' reads nothing (module %d)", module->name, module->index);
    for (int i = 0; i < MODULE_MAX_INPUTS && inputs[i]; i++) {
        CHECK(inputs[i]->index < network->tensors.count && network->tensors.items[inputs[i]->index] == inputs[i],
              "'%s' reads tensor %d of another network (this one has %d)", module->name, inputs[i]->index, network->tensors.count);
        module->in[module->inputs++] = inputs[i];
        ((Tensor *)network->tensors.items[inputs[i]->index])->readers++;
    }
    return module;
}

Tensor *network_add_output(Network *network, void *module, Shape shape)
{
    Module *producer = module;
    return producer->out = add_tensor(network, shape, producer);
}

Param *network_add_param(Network *network, const void *module, const char *name, ParamRole role,
                         int rank, const int64_t *dims, Init init)
{
    CHECK(!network->placed, "parameter '%s' comes after the network's values were asked for", name);
    CHECK(rank >= 0 && rank <= PARAM_MAX_RANK, "parameter '%s': rank %d, at most %d", name, rank, PARAM_MAX_RANK);
    const Module *owner = module;
    const char *stem = *owner->name ? join(network, owner->name, ".") : "";
    Param *param = list_add(&network->params, allocate(1, sizeof *param, "a parameter"));
    *param = (Param){ .name = join(network, stem, name), .part = join(network, name, ""), .module = owner, .role = role, .rank = rank,
                      .count = 1, .init = init, .index = network->params.count - 1 };
    CHECK(network_param_find(network, param->name) == param, "parameter '%s' exists already", param->name);
    for (int i = 0; i < rank; i++) {
        CHECK(dims[i] > 0, "parameter '%s': dimension %d is %lld", param->name, i, (long long)dims[i]);
        param->dims[i] = dims[i];
        param->count *= (size_t)dims[i];
    }
    return param;
}

/* ---- reading ---- */

const Tensor *network_image(const Network *network)            { return network->image; }
int           network_module_count(const Network *network)     { return network->modules.count; }
const Module *network_module(const Network *network, int i)    { return network->modules.items[i]; }
int           network_tensor_count(const Network *network)     { return network->tensors.count; }
int           network_param_count(const Network *network)      { return network->params.count; }
Param        *network_param(const Network *network, int i)     { return network->params.items[i]; }

const Tensor *network_logits(const Network *network)
{
    CHECK(network->modules.count > 0, "a network of %d modules has no output", network->modules.count);
    return network_module(network, network->modules.count - 1)->out;
}

Param *network_param_find(const Network *network, const char *name)
{
    for (int i = 0; i < network->params.count; i++)
        if (!strcmp(network_param(network, i)->name, name))
            return network->params.items[i];
    return NULL;
}

Param *network_param_of(const Network *network, const Module *module, const char *part)
{
    for (int i = 0; i < network->params.count; i++)
        if (network_param(network, i)->module == module && !strcmp(network_param(network, i)->part, part))
            return network->params.items[i];
    return NULL;
}

const Module *network_only_reader(const Network *network, const Tensor *tensor)
{
    const Module *reader = NULL;
    for (int i = 0; i < network_module_count(network); i++) {
        const Module *module = network_module(network, i);
        if (module->in[0] == tensor || module->in[1] == tensor)
            reader = module;
    }
    return tensor->readers == 1 ? reader : NULL;
}

bool network_freezes(const Network *network, const Module *module)
{
    int frozen = 0, trained = 0;
    for (int i = 0; i < network->params.count; i++) {
        const Param *param = network_param(network, i);
        if (param->module != module || !param_is_trained(param))
            continue;
        frozen += param->frozen;
        trained++;
    }
    return trained > 0 && frozen == trained;
}

size_t network_trained_count(const Network *network)
{
    size_t count = 0;
    for (int i = 0; i < network->params.count; i++)
        count += param_is_trained(network_param(network, i)) ? network_param(network, i)->count : 0;
    return count;
}

bool network_trains_with(const Network *network, int batch, Error *error)
{
    for (int i = 0; i < network->modules.count; i++) {
        const Module *module = network_module(network, i);
        const Shape s = module->out->shape;
        if (module->ops->batch_statistics && !network_freezes(network, module) && (int64_t)batch * s.h * s.w == 1)
            return error_set(error, EXIT_usage, "one value a channel: %s '%s': a batch of 1 image of %dx%d has %d channels of %d x %d there, and "
                             "no variance: use larger images or a batch of 2 or more", module->ops->kind, module->name,
                             network->image->shape.w, network->image->shape.h, s.c, s.w, s.h);
    }
    return true;
}

/* Numbers a sample that are there at the same time: a product's input and output; what else runs may run in place. */
static size_t numbers_of(const Module *module)
{
    size_t read = 0, written = shape_size(module->out->shape);
    for (int i = 0; i < module->inputs; i++)
        read += shape_size(module->in[i]->shape);
    return module->ops->macs ? read + written : read > written ? read : written;
}

bool network_fits(const Network *network, int batch, Error *error)
{
    const Module *largest = NULL;
    size_t numbers = 0, bytes;
    for (int i = 0; i < network->modules.count; i++) {
        const Module *module = network_module(network, i);
        if (numbers_of(module) > numbers) {
            numbers = numbers_of(module);
            largest = module;
        }
    }
    const size_t available = memory_available();
    if (!size_multiply(numbers, (size_t)batch * sizeof(float), &bytes))
        bytes = SIZE_MAX;
    if (!largest || bytes <= available)
        return true;
    return error_set(error, EXIT_memory, "out of memory: a batch of %d image%s of %dx%d needs %zu MiB in layer '%s', and %zu MiB are free: use "
                     "a smaller batch or image", batch, batch == 1 ? "" : "s", network->image->shape.w, network->image->shape.h,
                     bytes >> 20, largest->name, available >> 20);
}

double network_macs(const Network *network)
{
    double macs = 0;
    for (int i = 0; i < network->modules.count; i++) {
        const Module *module = network_module(network, i);
        macs += module->ops->macs ? module->ops->macs(module) : 0;
    }
    return macs;
}
