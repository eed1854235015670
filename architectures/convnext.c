/* convnext.c - ConvNeXt (Liu et al., 2022, arXiv:2201.03545, table 9; smaller sizes as in timm).
 *
 *   image        c      S    S
 *   features.0   d0     S/4  S/4     4x4 stride 4 (S > 64), 2x2 stride 2 (S <= 64) or --stem; layer norm
 *   features.1   d0     .    .       n0 blocks
 *   features.2   d1     /2   /2      layer norm, 2x2 stride 2;  features.3: n1 blocks
 *   features.4   d2     /2   /2      the same;                  features.5: n2 blocks
 *   features.6   d3     /2   /2      the same;                  features.7: n3 blocks
 *   classifier   classes             global average pool, layer norm, linear
 *
 *            d                    n          parameters at 1000 classes, 3-channel 224 input
 *   atto     40  80 160 320       2 2 6 2     3 695 520
 *   femto    48  96 192 384       2 2 6 2     5 217 784
 *   pico     64 128 256 512       2 2 6 2     9 045 672
 *   nano     80 160 320 640       2 2 8 2    15 593 560
 *   tiny     96 192 384 768       3 3 9 3    28 589 128 */

#include "architectures.h"

typedef struct Size {
    int dims[4], depths[4];
} Size;

/*  x --7x7 depthwise--norm--linear--act--linear--scale--drop--(+)-->      drop: stochastic depth, if that is asked for
 *   \_________________________________________________________/       linear layers act on every pixel, four times as wide in between */
static Tensor *block(Network *net, Tensor *x, float drop, const ArchOptions *opt)
{
    const int c = x->shape.c;
    scope_push(net, "block");
    Tensor *y = conv2d(net, "0", x, c, (Conv2d){ .kernel = 7, .pad = 3, .groups = c, .bias = true });
    y = layernorm   (net, "2", y, 1e-6f);
    y = pixel_linear(net, "3", y, before_act(opt, 4 * c));
    y = activation  (net, "4", y, opt->act);
    y = pixel_linear(net, "5", y, c);
    scope_pop(net);
    y = layer_scale (net, "", y, opt->layer_scale > 0 ? opt->layer_scale : 1e-6f);
    y = drop_path   (net, "drop_path", y, drop);
    return add(net, "add", y, x);
}

/* k x k pixels become one. */
static Tensor *patchify(Network *net, const char *name, Tensor *x, int channels, int k)
{
    return conv2d(net, name, x, channels, (Conv2d){ .kernel = k, .stride = k, .bias = true });
}

/* --stem 1: no patches; every pixel sees its neighbours. */
static Tensor *stem(Network *net, Tensor *image, int channels, int patch)
{
    return patch == 1 ? conv2d(net, "0", image, channels, (Conv2d){ .kernel = 3, .pad = 1, .bias = true }) : patchify(net, "0", image, channels, patch);
}

static Tensor *convnext(Network *net, Tensor *image, const ArchOptions *opt, const Size *size)
{
    scope_push(net, "features.0");
    Tensor *x = stem(net, image, size->dims[0], opt->stem ? opt->stem : is_small(image, opt) ? 2 : 4);
    x = layernorm(net, "1", x, 1e-6f);
    scope_pop(net);

    const int *depths = size->depths, blocks = depths[0] + depths[1] + depths[2] + depths[3];
    int at = 0;
    for (int s = 0; s < 4; s++) {
        if (s > 0) {
            scope_push(net, "features.%d", 2 * s);
            x = layernorm(net, "0", x, 1e-6f);
            x = patchify (net, "1", x, size->dims[s], 2);
            scope_pop(net);
        }
        for (int b = 0; b < depths[s]; b++) {
            scope_push(net, "features.%d.%d", 2 * s + 1, b);
            x = block(net, x, block_drop_path(opt, at++, blocks), opt);
            scope_pop(net);
        }
    }

    x = global_avg_pool(net, "avgpool", x);
    x = layernorm(net, "classifier.0", x, 1e-6f);
    x = dropout(net, "drop", x, classifier_dropout(opt, 0));
    return linear(net, "classifier.2", x, opt->classes);
}

#define SIZE(name, ...)                                                         \
    Tensor *name(Network *net, Tensor *image, const ArchOptions *opt)           \
    {                                                                           \
        static const Size size = __VA_ARGS__;                                   \
        return convnext(net, image, opt, &size);                                \
    }

SIZE(convnext_atto,  { {40,  80, 160, 320}, {2, 2, 6, 2} })
SIZE(convnext_femto, { {48,  96, 192, 384}, {2, 2, 6, 2} })
SIZE(convnext_pico,  { {64, 128, 256, 512}, {2, 2, 6, 2} })
SIZE(convnext_nano,  { {80, 160, 320, 640}, {2, 2, 8, 2} })
SIZE(convnext_tiny,  { {96, 192, 384, 768}, {3, 3, 9, 3} })
