/* alexnet.c - AlexNet (Krizhevsky, 2014, arXiv:1404.5997: one column), and its small-image form with batch norm.
 *
 *   S <= 64                                     S > 64
 *   image       c    S   S                      image          c   224 224
 *   features    64   S   S    3x3 conv-bn-act   features.0     64   55  55    11x11 stride 4
 *               64   S/2 S/2  max pool          features.2     64   27  27    3x3 stride 2 max pool
 *              192   S/2 S/2                    features.3    192   27  27    5x5
 *              192   S/4 S/4  max pool          features.5    192   13  13    max pool
 *              384   S/4 S/4                    features.6    384   13  13    3x3
 *              256   S/4 S/4                    features.8    256   13  13    3x3
 *              256   S/4 S/4                    features.10   256   13  13    3x3
 *              256   S/8 S/8  max pool          features.12   256    6   6    max pool
 *   classifier 1024, 512, classes               classifier    4096, 4096, classes
 *
 * 61 100 840 parameters at 1000 classes, 3-channel 224 input. */

#include "architectures.h"
#include "sequential.h"

static Tensor *small_features(Network *net, Tensor *x, const ArchOptions *opt)
{
    static const struct { int channels; bool pool; } stages[] = {
        {64, true}, {192, true}, {384, false}, {256, false}, {256, true},
    };
    Sequence at = { 0 };
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        x = conv2d    (net, layer_next(&at), x, before_act(opt, stages[i].channels), (Conv2d){ .kernel = 3, .pad = 1 });
        x = batchnorm (net, layer_next(&at), x);
        x = activation(net, layer_next(&at), x, opt->act);
        if (stages[i].pool)
            x = max_pool(net, layer_next(&at), x, (Pool){ .kernel = 2 });
    }
    return x;
}

static Tensor *large_features(Network *net, Tensor *x, const ArchOptions *opt)
{
    static const struct { int channels, kernel, stride, pad; bool pool; } stages[] = {
        {64, 11, 4, 2, true}, {192, 5, 1, 2, true}, {384, 3, 1, 1, false}, {256, 3, 1, 1, false}, {256, 3, 1, 1, true},
    };
    Sequence at = { 0 };
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        const Conv2d options = { .kernel = stages[i].kernel, .stride = stages[i].stride, .pad = stages[i].pad, .bias = true };
        x = conv2d    (net, layer_next(&at), x, before_act(opt, stages[i].channels), options);
        x = activation(net, layer_next(&at), x, opt->act);
        if (stages[i].pool)
            x = max_pool(net, layer_next(&at), x, (Pool){ .kernel = 3, .stride = 2 });
    }
    return x;
}

Tensor *alexnet(Network *net, Tensor *image, const ArchOptions *opt)
{
    const bool small = is_small(image, opt);
    const float half = classifier_dropout(opt, 0.5f);

    scope_push(net, "features");
    Tensor *x = small ? small_features(net, image, opt) : large_features(net, image, opt);
    scope_pop(net);
    if (!small)
        x = adaptive_avg_pool(net, "avgpool", x, 6);

    Sequence at = { .count = small ? 1 : 0 };          /* the small classifier counts its flatten layer */
    scope_push(net, "classifier");
    if (!small)
        x = dropout(net, layer_next(&at), x, half);
    x = linear    (net, layer_next(&at), x, before_act(opt, small ? 1024 : 4096));
    x = activation(net, layer_next(&at), x, opt->act);
    x = dropout   (net, layer_next(&at), x, half);
    x = linear    (net, layer_next(&at), x, before_act(opt, small ? 512 : 4096));
    x = activation(net, layer_next(&at), x, opt->act);
    if (small)
        x = dropout(net, layer_next(&at), x, half);
    x = linear    (net, layer_next(&at), x, opt->classes);
    scope_pop(net);
    return x;
}
