/* vgg16.c - VGG-16 with batch norm (Simonyan and Zisserman, 2014, arXiv:1409.1556, configuration D).
 *
 *   image        c   S    S
 *   features    64   S    S        2 x (3x3 conv, batch norm, activation), then max pool
 *              128   S/2  S/2      2
 *              256   S/4  S/4      3
 *              512   S/8  S/8      3
 *              512   S/16 S/16     3
 *   avgpool    512   7    7        (S > 64)
 *              512   1    1        (S <= 64)
 *   classifier 4096, 4096, classes
 *
 * 138 365 992 parameters at 1000 classes, 3-channel 224 input. */

#include "architectures.h"
#include "sequential.h"

Tensor *vgg16(Network *net, Tensor *image, const ArchOptions *opt)
{
    static const struct { int channels, layers; } stages[] = { {64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3} };
    const float half = classifier_dropout(opt, 0.5f);

    Tensor *x = image;
    Sequence at = { 0 };
    scope_push(net, "features");
    for (int s = 0; s < 5; s++) {
        for (int i = 0; i < stages[s].layers; i++) {
            x = conv2d    (net, layer_next(&at), x, before_act(opt, stages[s].channels), (Conv2d){ .kernel = 3, .pad = 1, .bias = true });
            x = batchnorm (net, layer_next(&at), x);
            x = activation(net, layer_next(&at), x, opt->act);
        }
        x = max_pool(net, layer_next(&at), x, (Pool){ .kernel = 2 });
    }
    scope_pop(net);
    x = adaptive_avg_pool(net, "avgpool", x, is_small(image, opt) ? 1 : 7);

    scope_push(net, "classifier");
    x = linear    (net, "0", x, before_act(opt, 4096));
    x = activation(net, "1", x, opt->act);
    x = dropout   (net, "2", x, half);
    x = linear    (net, "3", x, before_act(opt, 4096));
    x = activation(net, "4", x, opt->act);
    x = dropout   (net, "5", x, half);
    x = linear    (net, "6", x, opt->classes);
    scope_pop(net);
    return x;
}
