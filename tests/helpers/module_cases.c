/* module_cases.c - see module_cases.h. Sizes are odd and unequal: they catch swapped dimensions. */

#include "module_cases.h"

#define BUILD(name) static Tensor *name(Reference *r, const ModuleCase *row __attribute__((unused)), const Tensor *x)

BUILD(conv)       { return reference_conv2d(r, "m", x, row->channels, row->conv); }
BUILD(line_bare)  { return reference_linear_with(r, "m", x, row->channels, (Linear){ .no_bias = true }); }
BUILD(line)       { return reference_linear(r, "m", x, row->channels); }
BUILD(conv_line)  { return reference_linear(r, "m", reference_conv2d(r, "c", x, 16, row->conv), row->channels); }
BUILD(conv_convs)
{
    const Tensor *y = reference_conv2d(r, "c", x, 16, row->conv);
    return reference_add(r, "s", conv(r, row, y), reference_conv2d(r, "late", y, row->channels, row->conv));
}
BUILD(pixels)     { return reference_pixel_linear(r, "m", x, row->channels); }
BUILD(bn)         { return reference_batchnorm(r, "m", x); }
BUILD(bn_with)    { return reference_batchnorm_with(r, "m", x, (BatchNorm){ .eps = 0.0625f, .momentum = 0.03125f }); }
BUILD(conv_bn)    { return reference_batchnorm(r, "b", conv(r, row, x)); }
BUILD(ln)         { return reference_layernorm(r, "m", x, 1e-6f); }
static Activation function_of(const ModuleCase *row)
{
    Activation act;
    Error error;
    if (row->formula) {
        CHECK(activation_parse(row->formula, &act, &error), "%s: %s", row->name, error.text);
        return act;
    }
    return row->act_parameter != 0 ? activation_with(row->act, row->act_parameter) : activation_of(row->act);
}

BUILD(act)        { return reference_activation(r, "m", x, function_of(row)); }
BUILD(bn_act)     { return reference_activation(r, "f", bn(r, row, x), function_of(row)); }
BUILD(conv_bn_act) { return reference_activation(r, "f", conv_bn(r, row, x), function_of(row)); }
BUILD(largest)    { return reference_max_pool(r, "m", x, row->pool); }
BUILD(average)    { return reference_avg_pool(r, "m", x, row->pool); }
BUILD(largest_norm) { return reference_batchnorm(r, "b", largest(r, row, x)); }
BUILD(average_norm) { return reference_batchnorm(r, "b", average(r, row, x)); }
BUILD(conv_max)   { return reference_max_pool(r, "m", conv(r, row, x), row->pool); }
BUILD(conv_avg)   { return reference_avg_pool(r, "m", conv(r, row, x), row->pool); }
BUILD(adaptive)   { return reference_adaptive_avg_pool(r, "m", x, row->channels); }
BUILD(global)     { return reference_global_avg_pool(r, "m", x); }
BUILD(drop)       { return reference_dropout(r, "m", x, row->p); }
BUILD(drop_samples) { return reference_drop_path(r, "m", x, row->p); }
BUILD(drop_added)   { return reference_add(r, "s", drop_samples(r, row, x), x); }
BUILD(add_dropped)  { return reference_add(r, "s", x, drop_samples(r, row, x)); }
BUILD(flat)       { return reference_flatten(r, "m", x); }
BUILD(scale)      { return reference_layer_scale(r, "m", x, 1.0f); }
BUILD(times)      { return reference_constant_scale(r, "m", x, row->factor); }
BUILD(times_conv) { return reference_constant_scale(r, "m", reference_conv2d(r, "c", x, row->channels, row->conv), row->factor); }
BUILD(gate)       { return reference_channel_gate(r, "m", x, reference_global_avg_pool(r, "g", x)); }
BUILD(excite)     { return reference_squeeze_excite(r, "m", x, row->channels, function_of(row)); }
BUILD(sum)        { return reference_add(r, "m", x, conv(r, row, x)); }
BUILD(doubled)    { return reference_add(r, "m", x, x); }

/* Three readers of x: its gradient is a sum of three. */
BUILD(fan_out)    { return reference_add(r, "s", sum(r, row, x), reference_activation(r, "f", x, function_of(row))); }

/* Seven readers. */
BUILD(fan_out_of_7)
{
    static const char *const names[] = { "t", "u", "v", "w", "z" };
    const Tensor *y = sum(r, row, x);
    for (int i = 0; i < 5; i++)
        y = reference_add(r, names[i], y, x);
    return (Tensor *)y;
}

/* Chains that a program fuses: batch norm, sum, activation. */
static Tensor *end(Reference *r, const ModuleCase *row, const Tensor *a, const Tensor *b)
{
    return reference_activation(r, "f", reference_add(r, "s", a, b), function_of(row));
}
BUILD(residual_x)     { return end(r, row, bn(r, row, x), x); }
BUILD(x_residual)     { return end(r, row, x, bn(r, row, x)); }
BUILD(residual_conv)  { return end(r, row, conv_bn(r, row, x), x); }
BUILD(residual_late)
{
    const Tensor *y = conv_bn(r, row, x);
    return end(r, row, y, reference_conv2d(r, "late", x, row->channels, row->conv));
}
BUILD(residual_norm)
{
    const Tensor *shortcut = reference_batchnorm(r, "n", reference_conv2d(r, "late", x, row->channels, row->conv));
    return end(r, row, conv_bn(r, row, x), shortcut);
}
BUILD(residual_plain) { return end(r, row, conv_bn(r, row, x), reference_adaptive_avg_pool(r, "a", x, 3)); }
BUILD(residual_sum)   { return reference_add(r, "s", bn(r, row, x), x); }
BUILD(scale_residual) { return reference_add(r, "s", scale(r, row, x), x); }
BUILD(residual_scale) { return reference_add(r, "s", x, scale(r, row, conv(r, row, x))); }
BUILD(scale_norm)     { return reference_add(r, "s", reference_layer_scale(r, "l", x, 1.0f), bn(r, row, x)); }
/* The same input to two chains, and their output to two more readers. */
BUILD(block)
{
    const Tensor *y = residual_conv(r, row, x);
    return reference_add(r, "t", y, reference_batchnorm(r, "n", y));
}

/* Kernel k, padded so that stride 1 keeps the size, and what else there is to say. */
#define SAME(k, ...)      .conv = { .kernel = k, .pad = k / 2, __VA_ARGS__ }
#define BARE(k, ...)      .conv = { .kernel = k, __VA_ARGS__ }
#define TENSORFLOW(k, ...) .conv = { .kernel = k, .same = true, __VA_ARGS__ }
#define DEPTHWISE(c, ...) .channels = c, SAME(__VA_ARGS__, .groups = c)
#define WINDOW(k, ...)    .pool = { .kernel = k, __VA_ARGS__ }
#define ACT(name)         .act = ACT_##name

const ModuleCase module_cases[] = {
    /* name                             n   c  h  w    build */
    { "conv2d 1x1",                     2, { 3, 7, 5}, conv, .channels = 4, BARE(1) },
    { "conv2d 1x1, 16 channels, bias",  3, {16, 3, 5}, conv, .channels = 32, BARE(1, .bias = true) },
    { "conv2d 1x1 stride 2",            2, {16, 7, 6}, conv, .channels = 24, BARE(1, .stride = 2) },
    { "conv2d 3x3",                     2, { 3, 7, 5}, conv, .channels = 5, SAME(3) },
    { "conv2d 3x3, to 16, bias",        2, { 3, 6, 9}, conv, .channels = 16, SAME(3, .bias = true) },
    { "conv2d 3x3, no padding",         1, { 4, 5, 8}, conv, .channels = 6, BARE(3, .bias = true) },
    { "conv2d 3x3 stride 2",            3, { 5, 8, 7}, conv, .channels = 7, SAME(3, .stride = 2) },
    { "conv2d 3x3 stride 2, 16",        2, {16, 7, 9}, conv, .channels = 16, SAME(3, .stride = 2) },
    { "conv2d 3x3 stride 3, 32",        2, {16, 8, 7}, conv, .channels = 32, BARE(3, .stride = 3, .bias = true) },
    { "conv2d 3x3 stride 2, a column",  2, {16, 4, 1}, conv, .channels = 16, SAME(3, .stride = 2) },
    { "conv2d 5x5 stride 3, 2 x 2",     3, {16, 2, 2}, conv, .channels = 16, SAME(5, .stride = 3) },
    { "conv2d 3x3, padding 2",          2, {16, 4, 3}, conv, .channels = 16, BARE(3, .pad = 2) },
    { "conv2d 5x5",                     2, { 1, 9, 7}, conv, .channels = 6, SAME(5, .bias = true) },
    { "conv2d 5x5, no padding",         2, { 6, 7, 9}, conv, .channels = 16, BARE(5, .bias = true) },
    { "conv2d 7x7 stride 2",            2, { 3, 11, 9}, conv, .channels = 8, SAME(7, .stride = 2) },
    { "conv2d 2x2 stride 2",            3, { 5, 6, 8}, conv, .channels = 10, BARE(2, .stride = 2, .bias = true) },
    { "conv2d 4x4 stride 4",            2, { 3, 9, 14}, conv, .channels = 40, BARE(4, .stride = 4, .bias = true) },
    { "conv2d 3x3, 2 groups",           2, { 6, 5, 7}, conv, .channels = 4, SAME(3, .groups = 2, .bias = true) },
    { "conv2d 3x3, 4 groups of 16",     1, {64, 3, 4}, conv, .channels = 64, SAME(3, .groups = 4) },
    { "conv2d of a 1 x 1 image",        3, {16, 1, 1}, conv, .channels = 5, BARE(1, .bias = true) },
    { "winograd 16 to 32",              2, {16, 9, 7}, conv, .kind = KIND_winograd, .channels = 32, SAME(3) },
    { "winograd 32 to 16, bias",        3, {32, 4, 6}, conv, .kind = KIND_winograd, .channels = 16, SAME(3, .bias = true) },
    { "winograd, small image",          1, {16, 2, 3}, conv, .kind = KIND_winograd, .channels = 16, SAME(3) },
    { "depthwise 3x3, 16",              2, {16, 7, 5}, conv, DEPTHWISE(16, 3) },
    { "depthwise 3x3 stride 2, 32",     3, {32, 6, 9}, conv, DEPTHWISE(32, 3, .stride = 2) },
    { "depthwise 5x5, 32",              1, {32, 6, 4}, conv, DEPTHWISE(32, 5) },
    { "depthwise 5x5 stride 2, 16",     2, {16, 9, 7}, conv, DEPTHWISE(16, 5, .stride = 2) },
    { "depthwise 7x7, 16, bias",        2, {16, 5, 9}, conv, DEPTHWISE(16, 7, .bias = true) },
    { "depthwise 7x7, 32, small image", 2, {32, 2, 3}, conv, DEPTHWISE(32, 7) },
    { "depthwise 3x3, 13",              2, {13, 5, 7}, conv, DEPTHWISE(13, 3) },
    { "depthwise 5x5 stride 2, 5",      3, { 5, 8, 7}, conv, DEPTHWISE(5, 5, .stride = 2) },
    { "depthwise 7x7, 24, bias",        2, {24, 7, 6}, conv, DEPTHWISE(24, 7, .bias = true) },
    { "16 images, 5x5, 6 to 16, bias", 16, { 6, 7, 9}, conv, .channels = 16, BARE(5, .bias = true) },
    { "32 images, 5x5, 3 to 6",        32, { 3, 6, 9}, conv, .channels = 6, SAME(5) },
    { "16 images, 3x3, 2 to 7",        16, { 2, 5, 7}, conv, .channels = 7, SAME(3, .bias = true) },
    { "16 images, 3x3, padding 2",     16, { 3, 4, 3}, conv, .channels = 5, BARE(3, .pad = 2) },
    { "16 images, 1x1, 5 to 9",        16, { 5, 3, 4}, conv, .channels = 9, BARE(1, .bias = true) },
    { "16 images, 2x2, 3 to 4",        16, { 3, 5, 4}, conv, .channels = 4, BARE(2) },
    { "16 images, 7x7, 1 to 13",       16, { 1, 8, 9}, conv, .channels = 13, SAME(7) },
    { "16 images, 3x3 stride 2",       16, { 3, 5, 6}, conv, .channels = 8, SAME(3, .stride = 2, .bias = true) },
    { "16 images, winograd elsewhere", 16, {16, 4, 5}, conv, .kind = KIND_winograd, .channels = 16, SAME(3) },
    { "tensorflow 1x1 stride 2",        2, { 5, 6, 7}, conv, .channels = 7, TENSORFLOW(1, .stride = 2) },
    { "tensorflow 2x2, bias",          16, { 3, 5, 4}, conv, .channels = 4, TENSORFLOW(2, .bias = true) },
    { "tensorflow 3x3 stride 2, even",  2, { 3, 8, 6}, conv, .channels = 16, TENSORFLOW(3, .stride = 2) },
    { "tensorflow 3x3 stride 2, odd",   2, {16, 7, 6}, conv, .channels = 16, TENSORFLOW(3, .stride = 2) },
    { "tensorflow 3x3 stride 3, bias",  2, { 5, 7, 8}, conv, .channels = 6, TENSORFLOW(3, .stride = 3, .bias = true) },
    { "tensorflow 5x5 stride 2",        2, {16, 6, 9}, conv, .channels = 32, TENSORFLOW(5, .stride = 2) },
    { "tensorflow winograd",            2, {16, 5, 6}, conv, .kind = KIND_winograd, .channels = 16, TENSORFLOW(3) },
    { "tensorflow depthwise 3x3",       2, {16, 5, 6}, conv, .channels = 16, TENSORFLOW(3, .groups = 16) },
    { "tensorflow depthwise 3x3 / 2",   2, {16, 8, 6}, conv, .channels = 16, TENSORFLOW(3, .stride = 2, .groups = 16) },
    { "tensorflow depthwise, uneven",   2, {16, 8, 7}, conv, .channels = 16, TENSORFLOW(3, .stride = 2, .groups = 16) },
    { "tensorflow depthwise 5x5 / 2",   2, {32, 8, 10}, conv, .channels = 32, TENSORFLOW(5, .stride = 2, .groups = 32) },
    { "tensorflow depthwise 5x5 odd",   2, {24, 7, 9}, conv, .channels = 24, TENSORFLOW(5, .stride = 2, .groups = 24) },
    { "tensorflow depthwise 5x5 on 2",  3, {16, 2, 2}, conv, .channels = 16, TENSORFLOW(5, .stride = 2, .groups = 16) },
    { "tensorflow depthwise 5x5, 13",   2, {13, 6, 4}, conv, .channels = 13, TENSORFLOW(5, .stride = 2, .groups = 13) },
    { "linear",                         3, { 5, 3, 4}, line, .channels = 7 },
    { "linear, 1 x 1 image",            2, {13, 1, 1}, line, .channels = 10 },
    { "linear without bias",            3, { 5, 3, 4}, line_bare, .channels = 7 },
    { "linear, one sample",             1, {32, 3, 2}, line, .channels = 17 },
    { "linear after a convolution",     2, { 3, 5, 4}, conv_line, .channels = 9, SAME(3) },
    { "two convolutions of one",        2, { 3, 5, 4}, conv_convs, .channels = 9, SAME(3) },
    { "pixel_linear",                   2, { 5, 3, 7}, pixels, .channels = 11 },
    { "pixel_linear 16 to 64",          3, {16, 2, 5}, pixels, .channels = 64 },
    { "batchnorm",                      3, { 5, 4, 7}, bn, .kind = KIND_norm },
    { "batchnorm, 16 channels",         2, {16, 3, 5}, bn, .kind = KIND_norm },
    { "batchnorm, 1 x 1 image",         3, { 7, 1, 1}, bn, .kind = KIND_norm },
    { "batchnorm, one sample",          1, {19, 5, 3}, bn, .kind = KIND_norm },
    { "batchnorm, eps and momentum",    3, { 5, 4, 7}, bn_with, .kind = KIND_norm },
    { "conv2d, batchnorm, relu",        2, { 3, 6, 5}, conv_bn_act, .kind = KIND_norm, .channels = 20, SAME(3), ACT(relu) },
    { "layernorm",                      2, { 6, 3, 4}, ln, .kind = KIND_norm },
    { "layernorm, 40 channels",         3, {40, 2, 5}, ln, .kind = KIND_norm },
    { "layernorm, 1 x 1 image",         2, {21, 1, 1}, ln, .kind = KIND_norm },
    { "max_pool 2x2",                   2, { 5, 7, 6}, largest, .kind = KIND_pointwise, WINDOW(2) },
    { "max_pool 3x3 stride 2, padded",  2, {16, 7, 9}, largest, .kind = KIND_pointwise, WINDOW(3, .stride = 2, .pad = 1) },
    { "max_pool 3x3 stride 1",          1, { 3, 5, 4}, largest, .kind = KIND_pointwise, WINDOW(3, .stride = 1, .pad = 1) },
    { "conv2d, max_pool",               3, { 3, 9, 7}, conv_max, .channels = 20, SAME(3), WINDOW(3, .stride = 2) },
    { "avg_pool 2x2",                   3, { 5, 6, 7}, average, .kind = KIND_pointwise, WINDOW(2) },
    { "avg_pool 3x3 stride 2, padded",  2, {16, 6, 9}, average, .kind = KIND_pointwise, WINDOW(3, .stride = 2, .pad = 1) },
    { "conv2d, avg_pool",               2, { 1, 8, 7}, conv_avg, .channels = 6, SAME(5), WINDOW(2) },
    { "max_pool of a row, batchnorm",   2, {32, 1, 5}, largest_norm, .kind = KIND_norm, WINDOW(3, .stride = 1, .pad = 2) },
    { "avg_pool of a row, batchnorm",   2, {48, 1, 3}, average_norm, .kind = KIND_norm, WINDOW(4, .stride = 1, .pad = 3) },
    { "16 images, max_pool padded",    16, { 3, 5, 6}, largest, .kind = KIND_pointwise, WINDOW(3, .stride = 2, .pad = 1) },
    { "16 images, avg_pool padded",    16, { 2, 6, 5}, average, .kind = KIND_pointwise, WINDOW(3, .stride = 2, .pad = 1) },
    { "16 images, conv2d, avg_pool",   16, { 2, 6, 5}, conv_avg, .channels = 6, SAME(3), WINDOW(2) },
    { "adaptive_avg_pool to 3",         2, { 5, 7, 8}, adaptive, .kind = KIND_pointwise, .channels = 3 },
    { "adaptive_avg_pool to 1",         2, {16, 3, 5}, adaptive, .kind = KIND_pointwise, .channels = 1 },
    { "adaptive_avg_pool to more",      1, {19, 2, 3}, adaptive, .kind = KIND_pointwise, .channels = 4 },
    { "global_avg_pool",                3, { 5, 4, 7}, global, .kind = KIND_pointwise },
    { "global_avg_pool, 16 channels",   2, {16, 5, 3}, global, .kind = KIND_pointwise },
    { "dropout",                        2, { 5, 9, 7}, drop, .kind = KIND_pointwise, .p = 0.25f },
    { "dropout, 16 channels",           3, {16, 5, 6}, drop, .kind = KIND_pointwise, .p = 0.5f },
    { "drop_path",                     19, { 5, 3, 4}, drop_samples, .kind = KIND_pointwise, .p = 0.25f, .by_sample = true },
    { "drop_path, 16 channels",        16, {16, 3, 5}, drop_samples, .kind = KIND_pointwise, .p = 0.5f, .by_sample = true },
    { "drop_path, more than a chunk",   3, {48, 9, 11}, drop_samples, .kind = KIND_pointwise, .p = 0.5f, .by_sample = true },
    { "drop_path(x) + x",              13, { 5, 3, 4}, drop_added, .kind = KIND_pointwise, .p = 0.25f, .by_sample = true, .added = true },
    { "x + drop_path(x), 16 channels", 16, {16, 2, 3}, add_dropped, .kind = KIND_pointwise, .p = 0.5f, .by_sample = true, .added = true },
    { "flatten",                        2, { 5, 3, 4}, flat, .kind = KIND_pointwise },
    { "add: x + x",                     2, { 5, 3, 4}, doubled, .kind = KIND_pointwise },
    { "add: x + f(x)",                  2, { 5, 3, 7}, sum, .channels = 5, SAME(3) },
    { "add: x + f(x), 16 channels",     2, {16, 3, 7}, sum, .channels = 16, BARE(1) },
    { "fan-out of three",               2, {16, 5, 3}, fan_out, .channels = 16, SAME(1), ACT(relu) },
    { "fan-out of three, 5 channels",   3, { 5, 4, 3}, fan_out, .channels = 5, SAME(3), ACT(gelu) },
    { "fan-out of seven",               2, { 5, 4, 3}, fan_out_of_7, .channels = 5, SAME(3) },
    { "constant_scale",                 2, { 5, 4, 7}, times, .kind = KIND_pointwise, .factor = 1.0f / 9 },
    { "constant_scale, 16 channels",    3, {16, 3, 5}, times, .kind = KIND_pointwise, .factor = -2.5f },
    { "constant_scale(conv2d)",         2, {16, 4, 5}, times_conv, .channels = 13, SAME(3), .factor = 0.3f },
    { "layer_scale",                    2, { 5, 4, 7}, scale, .kind = KIND_pointwise },
    { "layer_scale, 16 channels",       3, {16, 3, 5}, scale, .kind = KIND_pointwise },
    { "layer_scale(x) + x",             2, {13, 3, 5}, scale_residual, .kind = KIND_pointwise },
    { "x + layer_scale(conv2d)",        2, {16, 4, 5}, residual_scale, DEPTHWISE(16, 7) },
    { "layer_scale + batchnorm",        2, { 6, 4, 5}, scale_norm, .kind = KIND_norm },
    { "channel_gate",                   3, { 5, 4, 7}, gate, .kind = KIND_pointwise },
    { "channel_gate, 16 channels",      2, {16, 3, 5}, gate, .kind = KIND_pointwise },
    { "squeeze_excite, relu",           2, { 6, 4, 5}, excite, .channels = 3, ACT(relu) },
    { "squeeze_excite, gelu, 32",       3, {32, 3, 5}, excite, .channels = 8, ACT(gelu) },
    { "squeeze_excite, prelu",          2, {19, 3, 4}, excite, .channels = 4, ACT(prelu) },
    { "batchnorm(x) + x",               2, { 5, 4, 7}, residual_sum, .kind = KIND_norm },
    { "relu(batchnorm(x) + x)",         2, { 5, 4, 7}, residual_x, .kind = KIND_norm, ACT(relu) },
    { "gelu(x + batchnorm(x))",         3, {16, 3, 5}, x_residual, .kind = KIND_norm, ACT(gelu) },
    { "identity(batchnorm(x) + x)",     2, {13, 3, 5}, residual_x, .kind = KIND_norm, ACT(identity) },
    { "prelu(batchnorm(x) + x)",        2, {13, 3, 5}, residual_x, .kind = KIND_norm, ACT(prelu) },
    { "relu(bn(conv2d(x)) + x)",        2, {16, 5, 7}, residual_conv, .kind = KIND_winograd, .channels = 16, SAME(3), ACT(relu) },
    { "silu(bn(depthwise(x)) + x)",     3, {13, 4, 5}, residual_conv, .kind = KIND_norm, DEPTHWISE(13, 3), ACT(silu) },
    { "relu(bn + conv2d after it)",     2, { 5, 5, 4}, residual_late, .kind = KIND_norm, .channels = 6, SAME(3), ACT(relu) },
    { "elu(bn(conv2d) + bn(conv2d))",   2, {16, 6, 7}, residual_norm, .kind = KIND_norm, .channels = 32, BARE(1), ACT(elu) },
    { "elu(bn + a plain tensor)",       2, {16, 5, 5}, residual_plain, .kind = KIND_norm, .channels = 16, BARE(3), ACT(elu) },
    { "frozen conv2d",                  2, { 3, 7, 5}, conv, .channels = 5, SAME(3, .bias = true), .frozen = "m." },
    { "frozen winograd",                2, {16, 9, 7}, conv, .kind = KIND_winograd, .channels = 32, SAME(3), .frozen = "m." },
    { "frozen depthwise",               2, {16, 7, 5}, conv, DEPTHWISE(16, 3), .frozen = "m." },
    { "frozen bias alone",              2, { 3, 7, 5}, conv, .channels = 5, SAME(3, .bias = true), .frozen = "m.bias" },
    { "16 images, frozen 5x5",         16, { 6, 7, 9}, conv, .channels = 16, BARE(5, .bias = true), .frozen = "m." },
    { "frozen linear without bias",     3, { 5, 3, 4}, line_bare, .channels = 7, .frozen = "m." },
    { "conv2d 2x2, bias, frozen weight", 3, { 3, 7, 7}, conv, .channels = 24, BARE(2, .bias = true), .frozen = "m.weight" },
    { "frozen linear",                  3, { 5, 3, 4}, line, .channels = 7, .frozen = "m." },
    { "frozen pixel_linear",            2, { 5, 3, 7}, pixels, .channels = 11, .frozen = "m." },
    { "frozen layernorm",               2, { 6, 3, 4}, ln, .kind = KIND_norm, .frozen = "m." },
    { "typed x*sigmoid(x)",             2, {13, 3, 5}, act, .kind = KIND_pointwise, .formula = "x*sigmoid(x)" },
    { "typed, 16 channels",             3, {16, 5, 7}, act, .kind = KIND_pointwise, .formula = "x*tanh(softplus(x))" },
    { "typed, many pixels",             2, { 3, 41, 37}, act, .kind = KIND_pointwise, .formula = "sin(x) + x/2" },
    { "typed, a parameter a channel",   2, {13, 3, 5}, act, .kind = KIND_pointwise, .formula = "x*sigmoid(b*x); b=1" },
    { "typed, two parameters",          3, {16, 4, 5}, act, .kind = KIND_pointwise, .formula = "a*tanh(b*x) + x; a=0.5 b=2" },
    { "typed, two parameters, 1 pixel", 5, {21, 1, 1}, act, .kind = KIND_pointwise, .formula = "a*tanh(b*x) + x; a=0.5 b=2" },
    { "typed after batch norm",         2, {13, 4, 5}, bn_act, .kind = KIND_norm, .formula = "x*sigmoid(b*x); b=1.5" },
    { "typed after a sum",              3, {16, 2, 5}, residual_x, .kind = KIND_norm, .formula = "x*sigmoid(x)" },
    { "typed, f(0) is not 0",           2, { 5, 3, 4}, act, .kind = KIND_pointwise, .formula = "cos(x)*x + 1" },
    { "typed, frozen parameter",        2, {13, 3, 5}, act, .kind = KIND_pointwise, .formula = "x*sigmoid(b*x); b=1", .frozen = "m." },
    { "swiglu",                         2, {10, 3, 5}, act, .kind = KIND_pointwise, .formula = "swiglu" },
    { "swiglu, 32 to 16",               3, {32, 5, 4}, act, .kind = KIND_pointwise, .formula = "swiglu" },
    { "swiglu, 1 pixel",                4, {14, 1, 1}, act, .kind = KIND_pointwise, .formula = "swiglu" },
    { "glu after batch norm",           2, {48, 4, 5}, bn_act, .kind = KIND_norm, .formula = "glu" },
    { "geglu after conv2d",             2, { 3, 6, 5}, conv_bn_act, .kind = KIND_norm, .channels = 32, SAME(3), .formula = "geglu" },
    { "swiglu after 2 groups",          2, {40, 3, 5}, conv_bn_act, .kind = KIND_norm, .channels = 16, SAME(3, .groups = 2), .formula = "swiglu" },
    { "bilinear",                       16, { 6, 3, 5}, act, .kind = KIND_pointwise, .formula = "bilinear" },
    { "typed gate with a parameter",    2, {32, 3, 5}, act, .kind = KIND_pointwise, .formula = "x*sigmoid(b*g); b=1" },
    { "tanhshrink",                     2, {13, 3, 5}, act, .kind = KIND_pointwise, .formula = "tanhshrink" },
    { "squareplus:2",                   2, {13, 3, 5}, act, .kind = KIND_pointwise, .formula = "squareplus:2" },
    { "frozen prelu",                   2, {13, 3, 5}, act, .kind = KIND_pointwise, ACT(prelu), .frozen = "m." },
    { "frozen layer_scale + x",         2, {13, 3, 5}, scale_residual, .kind = KIND_pointwise, .frozen = "m." },
    { "frozen batchnorm",               3, { 5, 4, 7}, bn, .kind = KIND_norm, .frozen = "m." },
    { "frozen batchnorm, one value",    1, {16, 1, 1}, bn, .kind = KIND_norm, .frozen = "m." },
    { "batchnorm, frozen scale",        3, { 5, 4, 7}, bn, .kind = KIND_norm, .frozen = "m.weight" },
    { "conv2d, frozen batchnorm, relu", 2, { 3, 6, 5}, conv_bn_act, .kind = KIND_norm, .channels = 20, SAME(3), ACT(relu), .frozen = "b." },
    { "relu(frozen bn(conv2d(x)) + x)", 2, {16, 5, 7}, residual_conv, .kind = KIND_winograd, .channels = 16, SAME(3), ACT(relu), .frozen = "b." },
    { "elu(frozen bn(frozen conv2d) + bn(conv2d))", 2, {16, 6, 7}, residual_norm, .kind = KIND_norm, .channels = 32, BARE(1), ACT(elu), .frozen = "m." },
    { "two blocks in a row",            2, {16, 5, 6}, block, .kind = KIND_winograd, .channels = 16, SAME(3), ACT(relu) },
};

const int module_case_count = sizeof module_cases / sizeof *module_cases;

Tensor *build_activation(Reference *r, const ModuleCase *row, const Tensor *x)          { return act(r, row, x); }
Tensor *build_norm_activation(Reference *r, const ModuleCase *row, const Tensor *x)     { return bn_act(r, row, x); }
Tensor *build_residual_activation(Reference *r, const ModuleCase *row, const Tensor *x) { return residual_x(r, row, x); }

bool module_case_is_linear(const ModuleCase *row)
{
    return row->kind == KIND_direct && (row->build == conv || row->build == line || row->build == line_bare || row->build == pixels);
}

bool module_case_has_no_kink(const ModuleCase *row)
{
    return module_case_is_linear(row) || row->build == conv_line || row->build == conv_convs;
}
