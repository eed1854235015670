/* lenet.c - LeNet-5 (LeCun et al., 1998, Proc. IEEE 86(11), figure 2), with average pooling and any activation.
 *
 *   image            c   32 32      (a 28-pixel side is padded by 2, as MNIST needs)
 *   features.0       6   28 28      5x5
 *   features.2       6   14 14      average pool
 *   features.3      16   10 10      5x5
 *   features.5      16    5  5      average pool
 *   classifier.1   120
 *   classifier.3    84
 *   classifier.5   classes
 *
 * 62 006 parameters at 10 classes, 3-channel 32 input. */

#include "architectures.h"

Tensor *lenet(Network *net, Tensor *image, const ArchOptions *opt)
{
    const Pool half = { .kernel = 2 };
    const int pad = image->shape.h == 28 ? 2 : 0;

    scope_push(net, "features");
    Tensor *x = conv2d(net, "0", image, before_act(opt, 6), (Conv2d){ .kernel = 5, .pad = pad, .bias = true });
    x = activation(net, "1", x, opt->act);
    x = avg_pool  (net, "2", x, half);
    x = conv2d    (net, "3", x, before_act(opt, 16), (Conv2d){ .kernel = 5, .bias = true });
    x = activation(net, "4", x, opt->act);
    x = avg_pool  (net, "5", x, half);
    scope_pop(net);

    scope_push(net, "classifier");
    x = linear    (net, "1", x, before_act(opt, 120));
    x = activation(net, "2", x, opt->act);
    x = linear    (net, "3", x, before_act(opt, 84));
    x = activation(net, "4", x, opt->act);
    x = dropout   (net, "drop", x, classifier_dropout(opt, 0));
    x = linear    (net, "5", x, opt->classes);
    scope_pop(net);
    return x;
}
