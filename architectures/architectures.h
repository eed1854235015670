/* architectures.h - the registry of networks.
 *
 * Adding one: a file with a build function, and a row in architectures.def. */

#ifndef CONVZOO_ARCHITECTURES_H
#define CONVZOO_ARCHITECTURES_H

#include "errors.h"
#include "modules.h"

typedef struct ArchOptions {
    int        classes;
    Activation act;                /* every body activation; the registry resolves ACT_native before build */
    bool       no_dropout;
    bool       squeeze_excite;     /* efficientnet_lite0 and tf_efficientnet_lite0 only: off as published */
} ArchOptions;

typedef struct Architecture {
    const char *key;               /* "resnet18" */
    const char *aliases;           /* space-separated, "" if none */
    const char *paper;
    const char *about;             /* one line for --help */
    Activation  act;               /* its own activation */
    const char *recipe;            /* settings that train it well with no other flag: "opt=sgd lr=0.05 ..." (training/settings.h) */
    int         least_side;        /* smallest image side it takes */
    Tensor   *(*build)(Network *net, Tensor *image, const ArchOptions *options);   /* returns the logits: classes 1 1 */
} Architecture;

/* The build functions. */
#define X(key, ...) Tensor *key(Network *net, Tensor *image, const ArchOptions *options);
#include "architectures.def"
#undef X

/* Of images up to this side the architectures take a stem that keeps more of them; larger ones get the published ImageNet stem. */
enum { SMALL_SIDE = 64 };
static inline bool is_small(const Tensor *image) { return image->shape.h <= SMALL_SIDE; }

int                 architecture_count(void);
const Architecture *architecture_at(int index);
/* NULL and an error that lists the choices if there is none of that name or alias. */
const Architecture *architecture_find(const char *name, Error *error);
/* "lenet baseline ..." */
const char         *architecture_names(void);

/* A whole network: the image, the architecture's layers, the logits. NULL and an error if the
 * image is too small for it. The caller frees it with network_free. */
Network *architecture_network(const Architecture *arch, Shape image, const ArchOptions *options, Error *error);

#endif
