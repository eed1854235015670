/* architectures.h - the registry of networks.
 *
 * Adding one: a file with a build function, and a row in architectures.def. */

#ifndef CONVZOO_ARCHITECTURES_H
#define CONVZOO_ARCHITECTURES_H

#include "errors.h"
#include "modules.h"

enum { ARCH_DEPTH_MOST = 400, ARCH_WIDTH_MOST = 16384, ARCH_STEM_MOST = 4 };

/* Zero is the architecture's own. All but no_dropout are refused where the network has nothing that they could change. */
typedef struct ArchOptions {
    int        classes;
    Activation act;                /* every body activation; the registry resolves ACT_native before build */
    bool       no_dropout;
    bool       squeeze_excite;     /* efficientnet_lite0 and tf_efficientnet_lite0 only: off as published */
    float      dropout;            /* of what the last layers read, instead of 0.5, or instead of none */
    float      drop_path;          /* stochastic depth: the last residual block's rate; earlier ones' rise from 0 (arXiv:1603.09382) */
    float      bn_eps, bn_momentum;      /* of every batch norm */
    bool       zero_init_last;     /* the last norm of each residual branch starts with scale 0 (Goyal et al., 2017, arXiv:1706.02677) */
    bool       identity_init;      /* the first filters of 3x3 convolutions start as identities (Jordan, 2024, arXiv:2404.00498) */
    float      layer_scale;        /* what layer scales start with */
    int        depth, width;       /* mlp only: hidden layers, and units of each */
    int        stem;               /* convnext only: side of the patches that become a pixel */
    int        full_side;          /* of the images that the network is for, where it is built for smaller ones; 0: they are its own */
    bool       gate_same;          /* with a gated unit: all activations leave fewer channels, so that the network has about as many parameters */
    float      gate_width;         /* how many of them they leave; the registry sets it, 0: all */
} ArchOptions;

/* How many channels the layer before an activation gives, for the activation to leave `channels`. */
static inline int before_act(const ArchOptions *options, int channels)
{
    const bool narrow = activation_is_gated(options->act) && options->gate_width > 0;
    const int left = narrow ? (int)((float)channels * options->gate_width + 0.5f) : channels;
    return activation_inputs(options->act, left > 0 ? left : 1);
}

/* The dropout of a classifier that has `own` as published. */
static inline float classifier_dropout(const ArchOptions *options, float own)
{
    return options->no_dropout ? 0.0f : options->dropout > 0.0f ? options->dropout : own;
}

/* Stochastic depth of residual block `block` of `blocks`, from 0: as timm's, linear in the block's number. */
static inline float block_drop_path(const ArchOptions *options, int block, int blocks)
{
    return options->drop_path * (float)block / (float)(blocks - 1);
}

/* How long a run is meant to be: about an hour at most, minutes, a night. */
#define RECIPES(X) X(default) X(fast) X(best)
typedef enum RecipeKind {
#define X(key) RECIPE_##key,
    RECIPES(X)
#undef X
    RECIPE_COUNT
} RecipeKind;

typedef struct Architecture {
    const char *key;               /* "resnet18" */
    const char *aliases;           /* space-separated, "" if none */
    const char *paper;
    const char *about;             /* one line for --help */
    ActivationKey act;             /* its own activation */
    const char *recipes[RECIPE_COUNT];      /* settings, as text: "opt=sgd lr=0.05 ..." (training/settings.h). RECIPE_default trains it
                                               well with no other flag; the others are what they change of it */
    int         least_side;        /* smallest image side it takes */
    int         least_large_side;  /* the same of a network for images above SMALL_SIDE, which smaller ones are trained with at first */
    Tensor   *(*build)(Network *net, Tensor *image, const ArchOptions *options);   /* returns the logits: classes 1 1 */
} Architecture;

/* The build functions. */
#define X(key, ...) Tensor *key(Network *net, Tensor *image, const ArchOptions *options);
#include "architectures.def"
#undef X

/* Of images up to SMALL_SIDE the architectures take a stem that keeps more of them; larger ones get the published ImageNet stem. Recipes may
 * choose another one for images up to SMALLEST_SIDE. */
enum { SMALL_SIDE = 64, SMALLEST_SIDE = 32 };
static inline bool is_small(const Tensor *image, const ArchOptions *options)
{
    return (options->full_side ? options->full_side : image->shape.h) <= SMALL_SIDE;
}

int                 architecture_count(void);
const Architecture *architecture_at(int index);
/* NULL and an error that lists the choices if there is none of that name or alias. */
const Architecture *architecture_find(const char *name, Error *error);
/* "lenet baseline ..." */
const char         *architecture_names(void);

/* The smallest image side that the architecture takes with these options. */
int architecture_least_side(const Architecture *arch, const ArchOptions *options);
/* A whole network: the image, the architecture's layers, the logits. NULL and an error if the image is too small for it, or an
 * option has nothing to change in it. The caller frees it with network_free. */
Network *architecture_network(const Architecture *arch, Shape image, const ArchOptions *options, Error *error);

#endif
