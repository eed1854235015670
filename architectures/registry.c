/* registry.c - finding an architecture by name, and making a whole network of it. */

#include "architectures.h"

#include "errors.h"
#include "names.h"

#include <math.h>
#include <string.h>

static const Architecture architectures[] = {
#define X(key_, aliases_, paper_, about_, act_, side_, ...) \
    { .key = #key_, .aliases = aliases_, .paper = paper_, .about = about_, .act = { .key = act_ }, .least_side = side_, \
      .recipe = __VA_ARGS__, .build = key_ },
#include "architectures.def"
#undef X
};

int architecture_count(void)
{
    return sizeof architectures / sizeof *architectures;
}

const Architecture *architecture_at(int index)
{
    return &architectures[index];
}

const char *architecture_names(void)
{
    static const char names[] =
#define X(key, ...) " " #key
#include "architectures.def"
#undef X
        ;
    return names + 1;
}

const Architecture *architecture_find(const char *name, Error *error)
{
    for (int i = 0; i < architecture_count(); i++)
        if (names_match(architectures[i].key, name, strlen(name)) || names_match(architectures[i].aliases, name, strlen(name)))
            return &architectures[i];
    NameSearch search = { .wrong = name };
    for (int i = 0; i < architecture_count(); i++)
        names_consider(&search, architectures[i].key, architectures[i].aliases);
    names_unknown(&search, "unknown architecture", "", "train --list-archs", error);
    return NULL;
}

/* Before batch norm, the scale of a convolution's weights only decides how fast training turns them: a step's angle goes
 * with lr / |weights|^2 (van Laarhoven, 2017, arXiv:1706.05350). A sixth of the variance, which is PyTorch's default for relu,
 * suits the usual learning rates. */
static void start_small_before_norm(Network *net)
{
    for (int i = 0; i < network_module_count(net); i++) {
        const Module *norm = network_module(net, i), *source = norm->in[0]->producer;
        Param *weight = norm->ops->batch_statistics && source ? network_param_of(net, source, "weight") : NULL;
        if (weight && weight->init.fan_in > 0)
            weight->init.gain *= sqrtf(1.0f / 6.0f);
    }
}

Network *architecture_network(const Architecture *arch, Shape image, const ArchOptions *options, Error *error)
{
    if (image.h < arch->least_side || image.w < arch->least_side || image.h != image.w) {
        error_set(error, EXIT_usage,
                  "image of %d x %d: %s takes square images of side %d or more: resize them, --img-size (bench: --side)", image.w,
                  image.h, arch->key, arch->least_side);
        return NULL;
    }
    ArchOptions resolved = *options;
    if (resolved.act.key == ACT_native)
        resolved.act = arch->act;
    Network *net = network_new();
    network_set_gain(net, activation_info(resolved.act.key)->gain);
    arch->build(net, network_input(net, image), &resolved);
    start_small_before_norm(net);
    return net;
}
