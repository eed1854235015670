/* resnet18.c - ResNet-18 (He et al., 2015, arXiv:1512.03385, table 1).
 *
 *   image      c    S   S
 *   stem      64    S/4 S/4     7x7 stride 2, max pool      (S >  64)
 *             64    S   S       3x3 stride 1, no pool       (S <= 64: CIFAR, MNIST)
 *   layer1    64    .   .       2 blocks
 *   layer2   128    /2  /2      2 blocks
 *   layer3   256    /2  /2      2 blocks
 *   layer4   512    /2  /2      2 blocks
 *   head     classes            global average pool, linear
 *
 * 11 689 512 parameters at 1000 classes, 3-channel 224 input. */

#include "architectures.h"

static Conv2d conv3x3(int stride) { return (Conv2d){ .kernel = 3, .stride = stride, .pad = 1 }; }
static Conv2d conv1x1(int stride) { return (Conv2d){ .kernel = 1, .stride = stride }; }
static Conv2d conv7x7(int stride) { return (Conv2d){ .kernel = 7, .stride = stride, .pad = 3 }; }

/*  x --conv-bn-act--conv-bn--drop--(+)--act-->      drop: stochastic depth, if that is asked for
 *   \______(1x1 conv-bn)____________/               the shortcut convolves only where the shape changes */
static Tensor *basic_block(Network *net, Tensor *x, int channels, int stride, float drop, const ArchOptions *opt)
{
    const int wide = before_act(opt, channels);
    Tensor *y = conv2d(net, "conv1", x, wide, conv3x3(stride));
    y = batchnorm (net, "bn1",   y);
    y = activation(net, "act1",  y, opt->act);
    y = conv2d    (net, "conv2", y, wide, conv3x3(1));
    y = batchnorm (net, "bn2",   y);
    y = drop_path (net, "drop_path", y, drop);

    Tensor *shortcut = x;
    if (stride != 1 || x->shape.c != wide) {
        shortcut = conv2d   (net, "downsample.0", x, wide, conv1x1(stride));
        shortcut = batchnorm(net, "downsample.1", shortcut);
    }
    y = add(net, "add", y, shortcut);
    return activation(net, "act2", y, opt->act);
}

static Tensor *stem(Network *net, Tensor *image, const ArchOptions *opt)
{
    const bool small = is_small(image, opt);
    Tensor *x = conv2d(net, "conv1", image, before_act(opt, 64), small ? conv3x3(1) : conv7x7(2));
    x = batchnorm (net, "bn1", x);
    x = activation(net, "act", x, opt->act);
    return small ? x : max_pool(net, "maxpool", x, (Pool){ .kernel = 3, .stride = 2, .pad = 1 });
}

Tensor *resnet18(Network *net, Tensor *image, const ArchOptions *opt)
{
    static const struct { int channels, blocks, stride; } stages[] = {
        {64, 2, 1}, {128, 2, 2}, {256, 2, 2}, {512, 2, 2},
    };
    Tensor *x = stem(net, image, opt);

    int block = 0;
    for (int s = 0; s < 4; s++)
        for (int b = 0; b < stages[s].blocks; b++) {
            scope_push(net, "layer%d.%d", s + 1, b);
            x = basic_block(net, x, stages[s].channels, b == 0 ? stages[s].stride : 1, block_drop_path(opt, block++, 8), opt);
            scope_pop(net);
        }

    x = global_avg_pool(net, "avgpool", x);
    x = dropout(net, "drop", x, classifier_dropout(opt, 0));
    return linear(net, "fc", x, opt->classes);
}
