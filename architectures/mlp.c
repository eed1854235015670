/* mlp.c - a perceptron of several layers (Rosenblatt, 1958; Rumelhart, Hinton and Williams, 1986, Nature 323): linear layers with an
 * activation behind each but the last, and nothing else. What an activation does to a deep network shows here without
 * shortcuts and norms.
 *
 *   image             c S S
 *   classifier.1      256      activation, dropout if asked for
 *   classifier.4      256      activation, dropout if asked for
 *   classifier.7      classes
 *
 * --depth hidden layers of --width units instead of 2 of 256. 855 050 parameters at 10 classes, 3-channel 32 input. */

#include "architectures.h"
#include "sequential.h"

enum { DEPTH = 2, WIDTH = 256 };

Tensor *mlp(Network *net, Tensor *image, const ArchOptions *opt)
{
    const int depth = opt->depth ? opt->depth : DEPTH, width = opt->width ? opt->width : WIDTH;
    const float drop = classifier_dropout(opt, 0);
    Sequence at = { .count = 1 };          /* a flatten layer comes first */
    Tensor *x = image;

    scope_push(net, "classifier");
    for (int i = 0; i < depth; i++) {
        x = linear    (net, layer_next(&at), x, before_act(opt, width));
        x = activation(net, layer_next(&at), x, opt->act);
        x = dropout   (net, layer_next(&at), x, drop);
    }
    x = linear(net, layer_next(&at), x, opt->classes);
    scope_pop(net);
    return x;
}
