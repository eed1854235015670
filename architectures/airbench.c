/* airbench.c - the small whitened network of airbench94 (Jordan, 2024, arXiv:2404.00498), made to learn fast.
 *
 *   image        c   S    S
 *   whiten     8 c  S-1  S-1     2x2 convolution with bias, no padding: 24 filters of a colour image; activation
 *   layers.1    64   /2   /2     block
 *   layers.2   256   /2   /2     block
 *   layers.3   256   /2   /2     block
 *   pool       256   1    1      the largest of what is left, 3x3 at S = 32
 *   head       classes           linear without bias; logits times 1/9
 *
 *   Batch norms have epsilon 1e-12 and keep 0.6 of their statistics in a step; 3x3 convolutions start as identities where they have
 *   channels for it. The rest is the recipe's: whiten.weight whitens the training images (whitening.h) and is frozen, as the norms'
 *   scales are at 1; the norms' biases learn 64 times as fast. Names are those of the published code.
 *
 * 1 972 792 parameters at 10 classes, 3-channel 32 input. */

#include "architectures.h"

static Tensor *norm(Network *net, const char *name, Tensor *x)
{
    return batchnorm_with(net, name, x, (BatchNorm){ .eps = 1e-12f, .momentum = 0.4f });
}

static Tensor *block(Network *net, Tensor *x, int channels, const ArchOptions *opt)
{
    const Conv2d conv3x3 = { .kernel = 3, .pad = 1, .identity = true };
    x = conv2d    (net, "conv1", x, before_act(opt, channels), conv3x3);
    x = max_pool  (net, "pool",  x, (Pool){ .kernel = 2 });
    x = norm      (net, "norm1", x);
    x = activation(net, "act1",  x, opt->act);
    x = conv2d    (net, "conv2", x, before_act(opt, channels), conv3x3);
    x = norm      (net, "norm2", x);
    return activation(net, "act2", x, opt->act);
}

Tensor *airbench(Network *net, Tensor *image, const ArchOptions *opt)
{
    static const int widths[] = { 64, 256, 256 };
    const int filters = 2 * image->shape.c * 2 * 2;      /* every direction of a patch, and its negative */

    Tensor *x = conv2d(net, "whiten", image, before_act(opt, filters), (Conv2d){ .kernel = 2, .bias = true });
    x = activation(net, "layers.0", x, opt->act);
    for (int i = 0; i < 3; i++) {
        scope_push(net, "layers.%d", i + 1);
        x = block(net, x, widths[i], opt);
        scope_pop(net);
    }
    x = max_pool(net, "layers.4", x, (Pool){ .kernel = x->shape.h });
    x = dropout (net, "drop", x, classifier_dropout(opt, 0));
    x = constant_scale(net, "scale", x, 1.0f / 9);      /* of the logits: the head is linear */
    return linear_with(net, "head", x, opt->classes, (Linear){ .no_bias = true });
}
