/* baseline.c - a small convolutional network to compare others with.
 *
 *   image            c   S   S
 *   features.0-2    32   S   S       3x3 conv, batch norm, activation
 *   features.3-5    64   S   S
 *   features.6      64   S/2 S/2     max pool, dropout 0.15
 *   features.8-10  128   S/2 S/2
 *   features.11    128   S/4 S/4     max pool, dropout 0.25
 *   classifier.1   256               activation, dropout 0.5
 *   classifier.4   classes
 *
 * 2 193 450 parameters at 10 classes, 3-channel 32 input. */

#include "architectures.h"

static Tensor *conv_block(Network *net, const char *const names[3], Tensor *x, int channels, const ArchOptions *opt)
{
    x = conv2d   (net, names[0], x, before_act(opt, channels), (Conv2d){ .kernel = 3, .pad = 1 });
    x = batchnorm(net, names[1], x);
    return activation(net, names[2], x, opt->act);
}

Tensor *baseline(Network *net, Tensor *image, const ArchOptions *opt)
{
    const Pool half = { .kernel = 2 };
    const float drop = opt->no_dropout ? 0.0f : 1.0f;

    scope_push(net, "features");
    Tensor *x = conv_block(net, (const char *const[]){ "0", "1", "2" }, image, 32, opt);
    x = conv_block(net, (const char *const[]){ "3", "4", "5" }, x, 64, opt);
    x = max_pool  (net, "6", x, half);
    x = dropout   (net, "7", x, 0.15f * drop);
    x = conv_block(net, (const char *const[]){ "8", "9", "10" }, x, 128, opt);
    x = max_pool  (net, "11", x, half);
    x = dropout   (net, "12", x, 0.25f * drop);
    scope_pop(net);

    scope_push(net, "classifier");
    x = linear    (net, "1", x, before_act(opt, 256));
    x = activation(net, "2", x, opt->act);
    x = dropout   (net, "3", x, classifier_dropout(opt, 0.5f));
    x = linear    (net, "4", x, opt->classes);
    scope_pop(net);
    return x;
}
