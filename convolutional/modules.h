/* modules.h - every building block that an architecture may use, on one page.
 *
 * A constructor checks and derives shapes, registers parameters named <scope>.<name>.<parameter>
 * (the keys of PyTorch's state_dict) and returns the output tensor, which the network owns.
 * A shape that does not fit is the architecture's mistake: CHECK stops and prints both. In an
 * options struct, zero means the usual default. n is the batch and never appears here. */

#ifndef CONVZOO_MODULES_H
#define CONVZOO_MODULES_H

#include "activations.h"
#include "network.h"

/* y[o] = sum over i, ky, kx of weight[o][i][ky][kx] x[i][y stride + ky - pad][x stride + kx - pad] + bias[o]
 * weight: channels, c / groups, kernel, kernel.   oh = (h + 2 pad - kernel) / stride + 1
 * same: TensorFlow's padding of that name, as much as oh = h / stride, rounded up, needs; an odd pixel of it is below or right */
typedef struct Conv2d {
    int  kernel;
    int  stride;       /* 0: 1 */
    int  pad;
    bool same;         /* instead of pad */
    int  groups;       /* 0: 1; c: depthwise */
    bool bias;
    bool identity;     /* the first filters start as identities, filter i passing channel i on: one group, an odd kernel */
} Conv2d;
Tensor *conv2d(Network *net, const char *name, const Tensor *x, int channels, Conv2d options);

/* y = weight x + bias over the flattened (c, h, w) of x.   weight: features, c h w */
typedef struct Linear {
    bool no_bias;
} Linear;
Tensor *linear(Network *net, const char *name, const Tensor *x, int features);
Tensor *linear_with(Network *net, const char *name, const Tensor *x, int features, Linear options);

/* A linear layer applied to every pixel's channels.   weight: features, c   x: c h w   y: features h w */
Tensor *pixel_linear(Network *net, const char *name, const Tensor *x, int features);

/* y = weight (x - mean) / sqrt(var + eps) + bias, statistics over n, h, w in training, running ones
 * (moved by momentum a step, unbiased variance) in inference.   Ioffe and Szegedy, 2015, arXiv:1502.03167 */
typedef struct BatchNorm {
    float eps;         /* 0: 1e-5 */
    float momentum;    /* 0: 0.1 */
} BatchNorm;
Tensor *batchnorm(Network *net, const char *name, const Tensor *x);
Tensor *batchnorm_with(Network *net, const char *name, const Tensor *x, BatchNorm options);

/* The same over the channels of each pixel.   Ba et al., 2016, arXiv:1607.06450 */
Tensor *layernorm(Network *net, const char *name, const Tensor *x, float eps);

/* y = f(x).   prelu has a weight: one slope a channel; a typed formula has its parameters, one a channel each. A gated unit leaves half the
 * channels: y = f(x, g), x the first half, g the second.   Dauphin et al., 2016, arXiv:1612.08083 */
Tensor *activation(Network *net, const char *name, const Tensor *x, Activation act);
/* What it calls for one that is computed from its formula. */
Tensor *formula_activation(Network *net, const char *name, const Tensor *x, Activation act);

/* How many channels a layer must give for `act` to leave `channels`: twice as many before a gated unit. */
int     activation_inputs(Activation act, int channels);

/* kernel x kernel windows; avg_pool's averages count no padding. */
typedef struct Pool {
    int kernel;
    int stride;        /* 0: kernel */
    int pad;
} Pool;
Tensor *max_pool(Network *net, const char *name, const Tensor *x, Pool options);
Tensor *avg_pool(Network *net, const char *name, const Tensor *x, Pool options);
/* Averages to side x side cells: cell i covers rows floor(i h / side) to ceil((i + 1) h / side), as in PyTorch. */
Tensor *adaptive_avg_pool(Network *net, const char *name, const Tensor *x, int side);
/* c h w -> c 1 1 */
Tensor *global_avg_pool(Network *net, const char *name, const Tensor *x);

/* Zeroes each value with probability p in training and scales the rest by 1 / (1 - p).   Srivastava et al., 2014 */
Tensor *dropout(Network *net, const char *name, const Tensor *x, float p);

/* Leaves out all of a sample with probability p in training and scales the others by 1 / (1 - p): for residual branches.
 * Huang et al., 2016, arXiv:1603.09382 */
Tensor *drop_path(Network *net, const char *name, const Tensor *x, float p);

/* y = a + b, same shapes. Of a residual block, a is the branch and b the shortcut. */
Tensor *add(Network *net, const char *name, const Tensor *a, const Tensor *b);

/* y = layer_scale[c] x; layer_scale: c, 1, 1, starting at `start`.   Touvron et al., 2021, arXiv:2103.17239 */
Tensor *layer_scale(Network *net, const char *name, const Tensor *x, float start);

/* y = factor x, a constant of the network. */
Tensor *constant_scale(Network *net, const char *name, const Tensor *x, float factor);

/* y = x gate[c], gate: c 1 1 */
Tensor *channel_gate(Network *net, const char *name, const Tensor *x, const Tensor *gate);

/* x gated by sigmoid(conv_expand(act(conv_reduce(global average of x)))).   Hu et al., 2017, arXiv:1709.01507 */
Tensor *squeeze_excite(Network *net, const char *name, const Tensor *x, int reduced, Activation act);

/* c h w -> (c h w) 1 1, in the order c, h, w */
Tensor *flatten(Network *net, const char *name, const Tensor *x);

#endif
