/* efficientnet_lite0.c - EfficientNet-Lite0 (Tan and Le, 2019, arXiv:1905.11946, without squeeze-excite; names as in timm), and
 * tf_efficientnet_lite0, the form that Google published: TensorFlow's padding and batch norm with eps 1e-3.
 *
 *   image       c     S    S
 *   conv_stem   32    S/2  S/2     3x3 stride 2 (S > 64), stride 1 (S <= 64)
 *   blocks.0    16    .    .       depthwise separable 3x3
 *   blocks.1    24    /2   /2      2 x MBConv 3x3
 *   blocks.2    40    /2   /2      2 x MBConv 5x5
 *   blocks.3    80    /2   /2      3 x MBConv 3x3
 *   blocks.4   112    .    .       3 x MBConv 5x5
 *   blocks.5   192    /2   /2      4 x MBConv 5x5
 *   blocks.6   320    .    .       MBConv 3x3
 *   conv_head 1280    .    .       1x1
 *   classifier classes             global average pool, linear
 *
 * 4 652 008 parameters at 1000 classes, 3-channel 224 input. Published weights use relu6. */

#include "architectures.h"

/* What the two forms differ in. */
typedef struct Form {
    const ArchOptions *opt;
    bool               same;      /* TensorFlow's padding */
    BatchNorm          norm;
} Form;

static Conv2d pointwise(void) { return (Conv2d){ .kernel = 1 }; }

/* groups 0: an ordinary convolution */
static Conv2d window(const Form *form, int kernel, int stride, int groups)
{
    return (Conv2d){ .kernel = kernel, .stride = stride, .pad = form->same ? 0 : kernel / 2, .same = form->same, .groups = groups };
}

static Tensor *norm(Network *net, const char *name, Tensor *x, const Form *form)
{
    return batchnorm_with(net, name, x, form->norm);
}

static Tensor *act(Network *net, const char *name, Tensor *x, const Form *form)
{
    return activation(net, name, x, form->opt->act);
}

/* The excitation's middle is a quarter of the block's input. */
static Tensor *excite(Network *net, Tensor *x, int block_input, const Form *form)
{
    return form->opt->squeeze_excite ? squeeze_excite(net, "se", x, block_input / 4, form->opt->act) : x;
}

static Tensor *residual(Network *net, Tensor *y, Tensor *x, float drop)
{
    const bool same = x->shape.c == y->shape.c && x->shape.h == y->shape.h && x->shape.w == y->shape.w;
    return same ? add(net, "add", drop_path(net, "drop_path", y, drop), x) : y;
}

/* Before a depthwise layer that an activation follows: that layer cannot give more channels than it reads. */
static int before_depthwise(const Form *form, int channels)
{
    return activation_inputs(form->opt->act, before_act(form->opt, channels));
}

/*  x --depthwise-bn-act--1x1-bn--drop--(+)-->      the shortcut is there where the shape stays; drop: stochastic depth */
static Tensor *depthwise_separable(Network *net, Tensor *x, int channels, int kernel, int stride, float drop, const Form *form)
{
    Tensor *y = conv2d(net, "conv_dw", x, x->shape.c, window(form, kernel, stride, x->shape.c));
    y = norm  (net, "bn1", y, form);
    y = act   (net, "act1", y, form);
    y = excite(net, y, x->shape.c, form);
    y = conv2d(net, "conv_pw", y, channels, pointwise());
    y = norm  (net, "bn2", y, form);
    return residual(net, y, x, drop);
}

/*  x --1x1-bn-act--depthwise-bn-act--1x1-bn--drop--(+)-->      six times as wide in between */
static Tensor *inverted_residual(Network *net, Tensor *x, int channels, int kernel, int stride, float drop, const Form *form)
{
    Tensor *y = conv2d(net, "conv_pw", x, before_depthwise(form, 6 * x->shape.c), pointwise());
    y = norm  (net, "bn1", y, form);
    y = act   (net, "act1", y, form);
    y = conv2d(net, "conv_dw",  y, y->shape.c, window(form, kernel, stride, y->shape.c));
    y = norm  (net, "bn2", y, form);
    y = act   (net, "act2", y, form);
    y = excite(net, y, x->shape.c, form);
    y = conv2d(net, "conv_pwl", y, channels, pointwise());
    y = norm  (net, "bn3", y, form);
    return residual(net, y, x, drop);
}

static Tensor *efficientnet(Network *net, Tensor *image, const Form *form)
{
    static const struct { int channels, repeats, stride, kernel; } stages[] = {
        {16, 1, 1, 3}, {24, 2, 2, 3}, {40, 2, 2, 5}, {80, 3, 2, 3}, {112, 3, 1, 5}, {192, 4, 2, 5}, {320, 1, 1, 3},
    };
    Tensor *x = conv2d(net, "conv_stem", image, before_depthwise(form, 32), window(form, 3, is_small(image, form->opt) ? 1 : 2, 0));
    x = norm  (net, "bn1", x, form);
    x = act   (net, "act1", x, form);

    int block = 0;
    for (int s = 0; s < 7; s++) {
        int stride = stages[s].stride;      /* of the first block */
        for (int r = 0; r < stages[s].repeats; r++, stride = 1) {
            scope_push(net, "blocks.%d.%d", s, r);
            const float drop = block_drop_path(form->opt, block++, 16);
            x = s == 0 ? depthwise_separable(net, x, stages[s].channels, stages[s].kernel, stride, drop, form)
                       : inverted_residual(net, x, stages[s].channels, stages[s].kernel, stride, drop, form);
            scope_pop(net);
        }
    }

    x = conv2d(net, "conv_head", x, before_act(form->opt, 1280), pointwise());
    x = norm  (net, "bn2", x, form);
    x = act   (net, "act2", x, form);
    x = global_avg_pool(net, "pool", x);
    x = dropout(net, "drop", x, classifier_dropout(form->opt, 0));
    return linear(net, "classifier", x, form->opt->classes);
}

Tensor *efficientnet_lite0(Network *net, Tensor *image, const ArchOptions *opt)
{
    return efficientnet(net, image, &(Form){ .opt = opt });
}

Tensor *tf_efficientnet_lite0(Network *net, Tensor *image, const ArchOptions *opt)
{
    return efficientnet(net, image, &(Form){ .opt = opt, .same = true, .norm = { .eps = 1e-3f } });
}
