/* squeeze_excite.c - channels weighed by what the whole image shows (Hu et al., 2017, arXiv:1709.01507).
 *
 *   x                  N C H W
 *   conv_reduce        C -> reduced, 1x1
 *   conv_expand        reduced -> C, 1x1
 *   y                  N C H W
 *
 *   y = x sigmoid(conv_expand(act(conv_reduce(mean over h, w of x)))) */

#include "modules.h"

Tensor *squeeze_excite(Network *net, const char *name, const Tensor *x, int reduced, Activation act)
{
    const Conv2d pointwise = { .kernel = 1, .bias = true };
    scope_push(net, "%s", name);
    Tensor *gate = global_avg_pool(net, "pool", x);
    gate = conv2d    (net, "conv_reduce", gate, activation_inputs(act, reduced), pointwise);
    gate = activation(net, "act1",        gate, act);
    gate = conv2d    (net, "conv_expand", gate, x->shape.c, pointwise);
    gate = activation(net, "gate",        gate, activation_of(ACT_sigmoid));
    Tensor *y = channel_gate(net, "scale", x, gate);
    scope_pop(net);
    return y;
}
