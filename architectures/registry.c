/* registry.c - finding an architecture by name, and making a whole network of it. */

#include "architectures.h"

#include "errors.h"
#include "names.h"

#include <math.h>
#include <string.h>

static const Architecture architectures[] = {
#define X(key_, aliases_, paper_, about_, act_, side_, large_side_, ...) \
    { .key = #key_, .aliases = aliases_, .paper = paper_, .about = about_, .act = act_, .least_side = side_, .least_large_side = large_side_, \
      .recipes = { __VA_ARGS__ }, .build = key_ },
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
        while (source && source->ops->keeps_scale)
            source = source->in[0]->producer;
        Param *weight = norm->ops->batch_statistics && source ? network_param_of(net, source, "weight") : NULL;
        if (weight && weight->init.fan_in > 0)
            weight->init.gain *= sqrtf(1.0f / 6.0f);
    }
}

/* Stochastic depth may stand between a branch and its sum. Returns how many norms there are. */
static int zero_last_norms(Network *net)
{
    int count = 0;
    for (int i = 0; i < network_module_count(net); i++) {
        const Module *last = network_module(net, i)->ops->sums ? network_module(net, i)->in[0]->producer : NULL;
        while (last && last->ops->training_only)
            last = last->in[0]->producer;
        Param *scale = last && last->ops->batch_statistics ? network_param_of(net, last, "weight") : NULL;
        if (scale) {
            scale->init.constant = 0;
            count++;
        }
    }
    return count;
}

/* Returns how many convolutions there are. */
static int start_as_identities(Network *net)
{
    int count = 0;
    for (int i = 0; i < network_module_count(net); i++) {
        const Module *module = network_module(net, i);
        Param *weight = network_param_of(net, module, "weight");
        const bool whole = weight && weight->rank == 4 && weight->dims[1] == module->in[0]->shape.c;      /* one group */
        if (whole && weight->dims[2] == 3 && weight->dims[3] == 3) {
            weight->init.identity = true;
            count++;
        }
    }
    return count;
}

static int count_part(const Network *net, const char *part)
{
    int count = 0;
    for (int i = 0; i < network_param_count(net); i++)
        count += !strcmp(network_param(net, i)->part, part);
    return count;
}

static int count_sums(const Network *net)
{
    int count = 0;
    for (int i = 0; i < network_module_count(net); i++)
        count += network_module(net, i)->ops->sums;
    return count;
}

/* An option that changed nothing would be believed to be on. */
static bool settle_options(Network *net, const Architecture *arch, const ArchOptions *o, Error *error)
{
    const struct { bool given; const char *name; int changes; const char *what; } rows[] = {
        { o->drop_path > 0,             "--drop-path",      count_sums(net), "residual block" },
        { o->bn_eps > 0,                "--bn-eps",         count_part(net, "running_mean"), "batch norm" },
        { o->bn_momentum > 0,           "--bn-momentum",    count_part(net, "running_mean"), "batch norm" },
        { o->layer_scale > 0,           "--layer-scale",    count_part(net, "layer_scale"), "layer scale" },
        { o->zero_init_last,            "--zero-init-last", o->zero_init_last ? zero_last_norms(net) : 0, "norm at the end of a residual branch" },
        { o->squeeze_excite,            "--squeeze-excite", arch->build == efficientnet_lite0 || arch->build == tf_efficientnet_lite0, "inverted residual" },
        { o->stem > 0,                  "--stem",           count_part(net, "layer_scale"), "stem of patches" },
        { o->depth > 0,                 "--depth",          arch->build == mlp, "number of layers to choose" },
        { o->width > 0,                 "--width",          arch->build == mlp, "number of units to choose" },
        { o->identity_init,             "--identity-init",  o->identity_init ? start_as_identities(net) : 0, "3x3 convolution" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].given && rows[i].changes == 0)
            return error_set(error, EXIT_usage, "%s changes nothing: %s: it has no %s: leave it out", rows[i].name, arch->key, rows[i].what);
    return true;
}

static Network *network_build(const Architecture *arch, Shape image, const ArchOptions *options)
{
    Network *net = network_new();
    network_set_gain(net, activation_gain(options->act));
    network_set_norm(net, options->bn_eps, options->bn_momentum);
    arch->build(net, network_input(net, image), options);
    return net;
}

static size_t parameters_with(const Architecture *arch, Shape image, const ArchOptions *options)
{
    Network *net = network_build(arch, image, options);
    const size_t count = network_trained_count(net);
    network_free(net);
    return count;
}

/* The width at which a gated network has about as many parameters as one with an ordinary activation, by bisection. */
static float same_width(const Architecture *arch, Shape image, const ArchOptions *options)
{
    ArchOptions tried = *options;
    tried.act = activation_of(arch->act);
    const size_t wanted = parameters_with(arch, image, &tried);
    tried.act = options->act;
    float least = 0.25f, most = 1.0f;
    for (int i = 0; i < 10; i++) {
        tried.gate_width = (least + most) / 2;
        if (parameters_with(arch, image, &tried) > wanted)
            most = tried.gate_width;
        else
            least = tried.gate_width;
    }
    return least;
}

int architecture_least_side(const Architecture *arch, const ArchOptions *options)
{
    if (options->stem)
        return arch->least_side * options->stem / 2;      /* the least is meant for patches of 2 x 2 */
    return options->full_side > SMALL_SIDE ? arch->least_large_side : arch->least_side;
}

Network *architecture_network(const Architecture *arch, Shape image, const ArchOptions *options, Error *error)
{
    const int least = architecture_least_side(arch, options);
    if (image.h < least || image.w < least || image.h != image.w) {
        error_set(error, EXIT_usage,
                  "image of %d x %d: %s takes square images of side %d or more: resize them, --img-size (bench: --side)", image.w,
                  image.h, arch->key, least);
        return NULL;
    }
    ArchOptions resolved = *options;
    if (!resolved.act.info)
        resolved.act = activation_of(arch->act);
    if (resolved.gate_same && !activation_is_gated(resolved.act)) {
        error_set(error, EXIT_usage, "--gate-same changes nothing: %.200s is no gated unit: leave it out, or choose one, such as --act swiglu", resolved.act.info->key);
        return NULL;
    }
    resolved.gate_width = resolved.gate_same ? same_width(arch, image, &resolved) : 0;
    Network *net = network_build(arch, image, &resolved);
    start_small_before_norm(net);
    if (settle_options(net, arch, &resolved, error))
        return net;
    network_free(net);
    return NULL;
}
